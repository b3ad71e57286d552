//! `cargo xtask test`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    bindgen,
    cargo::cargo,
    component::{self, Hosted},
    demo, dist, npm, package, paths,
    report::Report,
    run::{Result, at, find, output, run, search_path},
    setup, wasi_module,
    wasi_runner::{self, Runners},
    wasm_toolchain::{self, TARGETS, WasmToolchain},
    web_demo,
};

const WASM_PARTS: &str = "builds for wasm";
const END_TO_END: &str = "end-to-end tests";

/// Runs everything that CI runs.
pub(crate) fn all() -> Result<()> {
    let mut report = Report::default();
    let tools = setup::tools(&mut report);
    let toolchain = report.step("set up: wasm targets", wasm_toolchain::ensure);
    let bindgen = report.step("set up: wasm-bindgen", bindgen::ensure);
    let runners = wasi_runner::ensure(&mut report);
    report.step("set up: packages of npm", npm::ensure);

    source(&mut report);
    report.step("documentation", documentation);
    report.step("check: the features of the library, each alone", features);
    let wasm = match toolchain {
        Some(toolchain) => wasm_parts(&mut report, &toolchain, bindgen.as_deref()),
        None => {
            report.not_run(WASM_PARTS, "no compiler for wasm, see above");
            None
        }
    };
    let native = report.step("build: the command, native", native_command);
    let web = match (&wasm, &native) {
        (Some(_), Some(native)) => report.step("build: the page", || web_demo::build(native)),
        _ => None,
    };

    for (name, runner) in runners.each() {
        if let Some(wasm) = &wasm {
            report.step(&format!("tests: directories in {name}'s WASI"), || {
                directories(&wasm.directories, runner, if name == "Node" { BEYOND_NODE } else { &[] })
            });
        }
    }
    match (wasm, native, web) {
        (Some(wasm), Some(native), Some(web)) => {
            let tools = tools && runners.all();
            let subjects = Subjects { native, wasm, web, runners, tools };
            run_tests(&mut report, "tests", end_to_end(&subjects));
        }
        _ => {
            report.not_run(END_TO_END, "a build that they test failed, see above");
            let others = ["--workspace", "--exclude", "ocicle-tests", "--lib", "--bins", "--tests"];
            run_tests(&mut report, "tests", tests(&others));
        }
    }
    report.step("demo", || demo::demo(false));
    report.step("documentation tests", || run(cargo().args(["test", "--quiet", "--doc", "--workspace"])));
    dependencies(&mut report);
    report.finish()
}

/// The themes of end-to-end tests that need the native command alone.
const FAST_THEMES: [&str; 3] = ["cli", "conformance", "repository"];

/// Runs what one needs while working.
pub(crate) fn fast() -> Result<()> {
    let mut report = Report::default();
    source(&mut report);
    let own = [
        "--package",
        "ocicle",
        "--package",
        "ocicle-report",
        "--package",
        "ocicle-cli",
        "--package",
        "xtask",
        "--lib",
        "--bins",
        "--tests",
    ];
    run_tests(&mut report, "tests: library, command's units, xtask", tests(&own));
    let themes = format!("tests: {}", FAST_THEMES.join(", "));
    match report.step("build: the command, native", native_command) {
        Some(native) => {
            let mut command = tests(&["--package", "ocicle-tests"]);
            command.args(FAST_THEMES.iter().flat_map(|theme| ["--test", theme])).env("OCICLE_BIN", native);
            run_tests(&mut report, &themes, command);
        }
        None => report.not_run(&themes, "the command does not build, see above"),
    }
    for left_out in [
        "tests: interop, hosts, big, browser",
        WASM_PARTS,
        "documentation and its tests",
        "the library with each feature alone",
        "demo",
        "cargo deny (the tests checked licences and sources)",
    ] {
        report.not_run(left_out, "left out by --fast");
    }
    report.finish()
}

/// Runs tests as a step, and reports the tests that did not run and why: a missing program, or no root.
fn run_tests(report: &mut Report, name: &str, mut command: Command) {
    let list = paths::target().join("tests-not-run");
    report.step(name, || {
        at(&list, fs::write(&list, ""))?;
        run(command.env("OCICLE_NOT_RUN", &list))
    });
    let list = fs::read_to_string(&list).unwrap_or_default();
    let mut reasons = BTreeMap::<_, BTreeSet<_>>::new();
    for (test, reason) in list.lines().filter_map(|line| line.split_once('\t')) {
        reasons.entry(reason).or_default().insert(test);
    }
    for (reason, tests) in reasons {
        let more = if tests.len() > 1 { format!(" and {} more", tests.len() - 1) } else { String::new() };
        let first = tests.first().copied().unwrap_or_default();
        report.not_run(&format!("test {first}{more}"), reason);
    }
}

fn source(report: &mut Report) {
    report.step("format", || run(cargo().args(["fmt", "--all", "--check"])));
    report.step("clippy", || {
        run(cargo().args(["clippy", "--quiet", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
    });
}

/// Builds the documentation of libraries only: the command has the library's name, and Cargo would write both
/// to one directory.
fn documentation() -> Result<()> {
    run(cargo()
        .args(["doc", "--quiet", "--workspace", "--no-deps", "--lib"])
        .env("RUSTDOCFLAGS", "--deny warnings"))
}

/// Checks the library with no feature, and with each alone.
fn features() -> Result<()> {
    ["", "host", "parallel", "zstd-native", "conformance"].iter().try_for_each(|feature| {
        run(cargo().args([
            "check",
            "--quiet",
            "--package",
            "ocicle",
            "--no-default-features",
            "--features",
            feature,
        ]))
    })
}

/// The results of builds for wasm.
struct Wasm {
    /// The command as a WASI module.
    command: PathBuf,
    /// The suite of directory drivers, as a WASI module.
    directories: PathBuf,
    /// The JavaScript package, packed.
    package: PathBuf,
    /// The component in its hosts.
    component: Hosted,
}

fn wasm_parts(report: &mut Report, toolchain: &WasmToolchain, bindgen: Option<&Path>) -> Option<Wasm> {
    for target in TARGETS {
        report.step(&format!("check: the library, {target}"), || {
            let library = ["--package", "ocicle", "--no-default-features"];
            run(toolchain.cargo().args(["check", "--quiet", "--release", "--target", target]).args(library))
        });
    }
    let command = report.step("build: the command, WASI, as released", || {
        let module = wasi_module::command(toolchain)?;
        dist::check_size(&module).map(|()| module)
    });
    let directories = report.step("build: tests of directories, WASI", || {
        wasi_module::module(toolchain, "ocicle-tests-wasi", "dir-suite")
    });
    let package = report.step("build: the JavaScript package", || {
        let bindgen = bindgen.ok_or("no wasm-bindgen, see above")?;
        let package = package::build(toolchain, bindgen)?;
        package::pack(&package)
    });
    let component = report.step("build: the component", || component::hosts(&component::make(toolchain)?));
    Some(Wasm { command: command?, directories: directories?, package: package?, component: component? })
}

/// Cases that Node's WASI cannot pass: it sets times to the second, and identifies an open directory by its
/// path.
const BEYOND_NODE: &[&str] = &["times keep their nanoseconds", "a handle is of a directory, not of its name"];

/// Runs the suite of directory drivers in an empty directory.
fn directories(suite: &Path, runner: &Path, except: &[&str]) -> Result<()> {
    let work = paths::wasm_target().join("directories");
    if work.exists() {
        at(&work, fs::remove_dir_all(&work))?;
    }
    at(&work, fs::create_dir_all(&work))?;
    run(Command::new(runner).arg("--dir").arg(format!("{}::/work", work.display())).arg(suite).args(except))
}

fn native_command() -> Result<PathBuf> {
    run(cargo().args(["build", "--quiet", "--package", "ocicle-cli"]))?;
    Ok(paths::target().join("debug/ocicle"))
}

/// The programs that end-to-end tests run.
struct Subjects {
    native: PathBuf,
    wasm: Wasm,
    /// The page.
    web: PathBuf,
    runners: Runners,
    /// Whether every program to compare with is installed, so that a test that misses one fails.
    tools: bool,
}

/// Returns the command that runs tests: nextest where it is installed, else Cargo's own runner.
fn tests(selection: &[&str]) -> Command {
    let mut command = cargo();
    if output(cargo().args(["nextest", "--version"])).is_ok() {
        command.args(["nextest", "run", "--status-level=fail", "--no-fail-fast"]);
    } else {
        command.args(["test", "--quiet", "--no-fail-fast"]);
    }
    command.args(selection).env("PATH", search_path());
    command
}

/// Returns the command that runs all tests.
fn end_to_end(subjects: &Subjects) -> Command {
    let mut command = tests(&["--workspace", "--lib", "--bins", "--tests"]);
    command
        .env("OCICLE_BIN", &subjects.native)
        .env("OCICLE_WASI", &subjects.wasm.command)
        .env("OCICLE_NPM_TARBALL", &subjects.wasm.package)
        .env("OCICLE_WEB", &subjects.web)
        .env("OCICLE_COMPONENT_WASMTIME", &subjects.wasm.component.wasmtime)
        .env("OCICLE_COMPONENT_NODE", &subjects.wasm.component.node);
    for (name, runner) in subjects.runners.each() {
        command.env(format!("OCICLE_WASI_{}", name.to_uppercase()), runner);
    }
    if subjects.tools {
        command.env("OCICLE_REQUIRE_TOOLS", "1");
    }
    command
}

/// Runs cargo-deny where it is installed: it takes longer to build than everything else here. Advisories
/// change without a change here and come from a server that not every machine reaches, so they are left to
/// `cargo deny check advisories`.
fn dependencies(report: &mut Report) {
    let name = "cargo deny";
    if find("cargo-deny").is_none() {
        report.not_run(name, "cargo-deny is not installed; the tests checked licences and sources");
        return;
    }
    report.step(name, || run(cargo().args(["deny", "check", "bans", "licenses", "sources"])));
}
