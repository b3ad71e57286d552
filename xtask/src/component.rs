//! The component: ocicle as a library for hosts of the component model, and the hosts that tests drive it
//! with.
//!
//! jco makes it and runs it in Node; wasmtime's Python package, which tests have for the command, runs it
//! too. Tests call an executable for each: `RUNNER DIRECTORY FUNCTION [ARGUMENT]…`.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    npm, paths,
    run::{Result, at, find, output, run},
    wasi_module, wasi_runner,
    wasm_toolchain::WasmToolchain,
};

/// The package that has the adapter from preview 1. The 100 MB of tools that it depends on are not installed.
const JCO: &str = "@bytecodealliance/jco@1.35.0";

/// The executables that run the component.
#[derive(Debug)]
pub(crate) struct Hosted {
    pub(crate) wasmtime: PathBuf,
    pub(crate) node: PathBuf,
}

/// Builds `target/dist/ocicle-component.wasm`.
pub(crate) fn make(toolchain: &WasmToolchain) -> Result<PathBuf> {
    let module = wasi_module::reactor(toolchain, "ocicle-component")?;
    let component = paths::dist()?.join("ocicle-component.wasm");
    jco("new", &[&adapter()?, &module, &component])?;
    Ok(component)
}

/// Builds the executables that tests call.
pub(crate) fn hosts(component: &Path) -> Result<Hosted> {
    let javascript = paths::wasm_target().join("component-javascript");
    if javascript.exists() {
        at(&javascript, fs::remove_dir_all(&javascript))?;
    }
    at(&javascript, fs::create_dir_all(&javascript))?;
    jco("transpile", &[component, &javascript])?;
    // Where the target directory is elsewhere, Node would not find them.
    at(&javascript, symlink(paths::checkout().join("node_modules"), javascript.join("node_modules")))?;
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

/// Returns the module that implements preview 1 with the interfaces of component hosts.
fn adapter() -> Result<PathBuf> {
    let cache = paths::cache()?.join(format!("jco-{}", JCO.rsplit('@').next().unwrap_or_default()));
    let adapter = cache.join("package/lib/wasi_snapshot_preview1.reactor.wasm");
    if !adapter.is_file() {
        at(&cache, fs::create_dir_all(&cache))?;
        let archive = output(npm::npm()?.args(["pack", "--silent", JCO]).current_dir(&cache))?;
        run(Command::new("tar").args(["-xzf", archive.trim(), "package/lib"]).current_dir(&cache))?;
    }
    Ok(adapter)
}

fn jco(what: &str, paths: &[&Path]) -> Result<()> {
    npm::ensure()?;
    run(npm::node()?.args(["xtask/assets/component_make.mjs", what]).args(paths))
}
