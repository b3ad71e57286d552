//! The component: ocicle as a library for hosts of the component model, and the hosts that tests drive it with.
//!
//! jco makes it and runs it in Node; wasmtime's Python package, which tests have for the command, runs it too. Tests see an
//! executable for each: `RUNNER DIRECTORY FUNCTION [ARGUMENT]…`.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    dist, paths,
    run::{Result, at, find, run},
    wasi_runner,
    wasm_toolchain::WasmToolchain,
};

const SCRIPT: &str = "component_make.mjs";

/// The component, and what runs it.
#[derive(Debug)]
pub(crate) struct Hosted {
    pub(crate) wasmtime: PathBuf,
    pub(crate) node: PathBuf,
}

/// Makes `target/dist/ocicle-component.wasm`.
pub(crate) fn make(toolchain: &WasmToolchain, npm: &Path) -> Result<PathBuf> {
    let module = dist::reactor(toolchain, "ocicle-component")?;
    let component = dist::directory()?.join("ocicle-component.wasm");
    script(npm, &["new", &module.to_string_lossy(), &component.to_string_lossy()])?;
    Ok(component)
}

/// Makes what tests call.
pub(crate) fn hosts(component: &Path, npm: &Path) -> Result<Hosted> {
    let javascript = paths::wasm_target().join("component-javascript");
    if javascript.exists() {
        at(&javascript, fs::remove_dir_all(&javascript))?;
    }
    at(&javascript, fs::create_dir_all(&javascript))?;
    script(npm, &["transpile", &component.to_string_lossy(), &javascript.to_string_lossy()])?;
    at(&javascript, symlink(npm.join("node_modules"), javascript.join("node_modules")))?;
    let node = find("node").ok_or("Node is not installed")?;
    let in_node = javascript.join("run.mjs");
    let source = paths::checkout().join("xtask/assets/component_node.mjs");
    at(&in_node, fs::copy(source, &in_node))?;
    let in_wasmtime = paths::checkout().join("xtask/assets/component_wasmtime.py");
    Ok(Hosted {
        wasmtime: wasi_runner::launcher(
            "component-wasmtime",
            &[&wasi_runner::wasmtime_python()?, &in_wasmtime, component],
        )?,
        node: wasi_runner::launcher("component-node", &[&node, &in_node])?,
    })
}

/// Runs our script where Node finds jco.
fn script(npm: &Path, arguments: &[&str]) -> Result<()> {
    let script = npm.join(SCRIPT);
    at(&script, fs::copy(paths::checkout().join("xtask/assets").join(SCRIPT), &script))?;
    let node = find("node").ok_or("jco needs node to be installed")?;
    run(Command::new(node).arg(script).args(arguments))
}
