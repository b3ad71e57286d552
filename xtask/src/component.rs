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
    run::{Result, at, find, output, run},
    tools, wasi_runner,
    wasm_toolchain::WasmToolchain,
};

/// The packages of npm. `jco` is not installed, for it has the adapter from preview 1 that is wanted, and 100 MB of tools that are not.
const TRANSPILE: &str = "@bytecodealliance/jco-transpile@0.15.0";
const SHIM: &str = "@bytecodealliance/preview2-shim@0.26.1";
const JCO: &str = "@bytecodealliance/jco@1.35.0";

const SCRIPT: &str = "component_make.mjs";

/// The component, and what runs it.
#[derive(Debug)]
pub(crate) struct Hosted {
    pub(crate) wasmtime: PathBuf,
    pub(crate) node: PathBuf,
}

/// jco; installs it on first use.
pub(crate) fn ensure() -> Result<PathBuf> {
    let cache = paths::cache()?.join("jco-1.35.0");
    let complete = cache.join("complete");
    if complete.is_file() {
        return Ok(cache);
    }
    if find("npm").is_none() {
        tools::install(&["npm"])?;
    }
    at(&cache, fs::create_dir_all(&cache))?;
    // Or npm would install into a directory above that has one.
    at(&cache, fs::write(cache.join("package.json"), "{\"private\":true}\n"))?;
    let npm = || {
        let mut npm = Command::new("npm");
        npm.current_dir(&cache);
        npm
    };
    run(npm().args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", TRANSPILE, SHIM]))?;
    let archive = output(npm().args(["pack", "--silent", JCO]))?;
    run(Command::new("tar").args(["-xzf", archive.trim(), "package/lib"]).current_dir(&cache))?;
    at(&complete, fs::write(&complete, ""))?;
    Ok(cache)
}

/// Makes `target/dist/ocicle-component.wasm`.
pub(crate) fn make(toolchain: &WasmToolchain, jco: &Path) -> Result<PathBuf> {
    let module = dist::reactor(toolchain, "ocicle-component")?;
    let component = dist::directory()?.join("ocicle-component.wasm");
    script(jco, &["new", &module.to_string_lossy(), &component.to_string_lossy()])?;
    Ok(component)
}

/// Makes what tests call.
pub(crate) fn hosts(component: &Path, jco: &Path) -> Result<Hosted> {
    let javascript = paths::wasm_target().join("component-javascript");
    if javascript.exists() {
        at(&javascript, fs::remove_dir_all(&javascript))?;
    }
    at(&javascript, fs::create_dir_all(&javascript))?;
    script(jco, &["transpile", &component.to_string_lossy(), &javascript.to_string_lossy()])?;
    at(&javascript, symlink(jco.join("node_modules"), javascript.join("node_modules")))?;
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
fn script(jco: &Path, arguments: &[&str]) -> Result<()> {
    let script = jco.join(SCRIPT);
    at(&script, fs::copy(paths::checkout().join("xtask/assets").join(SCRIPT), &script))?;
    let node = find("node").ok_or("jco needs node to be installed")?;
    run(Command::new(node).arg(script).args(arguments))
}
