//! `cargo xtask test`.

use std::{
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
    setup,
    wasi_runner::{self, Runners},
    wasm_toolchain::{self, TARGETS, WasmToolchain},
    web_demo,
};

const WASM_PARTS: &str = "builds for wasm";
const END_TO_END: &str = "end-to-end tests";

/// Everything CI runs.
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
            report.not_run(WASM_PARTS, "there is no compiler for wasm");
            None
        }
    };
    let native = report.step("build: the command, native", native_command);
    let web = match (&wasm, &native) {
        (Some(_), Some(native)) => report.step("build: the application", || web_demo::build(native)),
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
            report.step("tests", || tests(&["--workspace"], Some(&subjects)));
        }
        _ => {
            report.not_run(END_TO_END, "what they test is missing, see above");
            report.step("tests", || tests(&["--workspace", "--exclude", "ocicle-tests"], None));
        }
    }
    report.step("demo", || demo::demo(false));
    report.step("documentation tests", || run(cargo().args(["test", "--quiet", "--doc", "--workspace"])));
    dependencies(&mut report);
    report.finish()
}

/// What one runs while working.
pub(crate) fn fast() -> Result<()> {
    let mut report = Report::default();
    source(&mut report);
    report.step("tests", || tests(&["--workspace", "--exclude", "ocicle-tests"], None));
    report.step("test: rows of modules", || {
        run(cargo().args([
            "test",
            "--quiet",
            "--package",
            "ocicle-tests",
            "--test",
            "repository",
            "layering",
        ]))
    });
    for left_out in
        [WASM_PARTS, END_TO_END, "documentation and its tests", "licences and sources of dependencies"]
    {
        report.not_run(left_out, "--fast leaves it out");
    }
    report.finish()
}

fn source(report: &mut Report) {
    report.step("format", || run(cargo().args(["fmt", "--all", "--check"])));
    report.step("clippy", || {
        run(cargo().args(["clippy", "--quiet", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
    });
}

/// Only libraries: the command has the name of the library, and Cargo would write both to one place.
fn documentation() -> Result<()> {
    run(cargo()
        .args(["doc", "--quiet", "--workspace", "--no-deps", "--lib"])
        .env("RUSTDOCFLAGS", "--deny warnings"))
}

/// The library with no feature, and with each alone.
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

/// What was built for wasm.
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
    let command = report.step("build: the command, WASI, as released", || dist::command(toolchain));
    let directories = report.step("build: tests of directories, WASI", || {
        dist::module(toolchain, "ocicle-tests-wasi", "dir-suite")
    });
    let package = report.step("build: the JavaScript package", || {
        let bindgen = bindgen.ok_or("there is no wasm-bindgen, see above")?;
        let package = package::build(toolchain, bindgen)?;
        package::pack(&package)
    });
    let component = report.step("build: the component", || component::hosts(&component::make(toolchain)?));
    Some(Wasm { command: command?, directories: directories?, package: package?, component: component? })
}

/// Node's WASI sets times to the second, and knows a directory that is open by its path.
const BEYOND_NODE: &[&str] = &["times keep their nanoseconds", "a handle is of a directory, not of its name"];

/// The suite of directory drivers needs an empty directory to work in.
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

/// What end-to-end tests run.
struct Subjects {
    native: PathBuf,
    wasm: Wasm,
    /// The application for the browser.
    web: PathBuf,
    runners: Runners,
    /// Every program to compare with is installed: a test that misses one must not pass over it.
    tools: bool,
}

fn tests(packages: &[&str], subjects: Option<&Subjects>) -> Result<()> {
    let mut command = cargo();
    if output(cargo().args(["nextest", "--version"])).is_ok() {
        command.args(["nextest", "run", "--status-level=fail", "--no-fail-fast"]);
    } else {
        command.args(["test", "--quiet", "--no-fail-fast", "--lib", "--bins", "--tests"]);
    }
    command.args(packages).env("PATH", search_path());
    if let Some(subjects) = subjects {
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
    }
    run(&mut command)
}

/// cargo-deny takes longer to build than everything else here: it runs where it is installed. Advisories change without
/// a change of ours, and come from a server that not every machine reaches; they are for `cargo deny check advisories`.
fn dependencies(report: &mut Report) {
    let name = "cargo deny";
    if find("cargo-deny").is_none() {
        report.not_run(name, "cargo-deny is not installed (`cargo install cargo-deny`); licences and sources were looked at by the tests");
        return;
    }
    report.step(name, || run(cargo().args(["deny", "check", "bans", "licenses", "sources"])));
}
