//! Programs from npm: jco, which makes components, and wasm-opt.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    paths,
    run::{Result, at, find, output, run},
    tools,
};

const PACKAGES: [&str; 3] =
    ["@bytecodealliance/jco-transpile@0.15.0", "@bytecodealliance/preview2-shim@0.26.1", "binaryen@130.0.0"];
/// Not installed: it has the adapter from preview 1, which is wanted, and needs 100 MB of tools, which are not.
const JCO: &str = "@bytecodealliance/jco@1.35.0";

/// The directory they are in; installs them on first use.
pub(crate) fn ensure() -> Result<PathBuf> {
    // The number changes with what is installed.
    let cache = paths::cache()?.join("npm-1");
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
    let quiet = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts"];
    run(npm().arg("install").args(quiet).args(PACKAGES))?;
    let archive = output(npm().args(["pack", "--silent", JCO]))?;
    run(Command::new("tar").args(["-xzf", archive.trim(), "package/lib"]).current_dir(&cache))?;
    at(&complete, fs::write(&complete, ""))?;
    Ok(cache)
}

/// Makes a module smaller.
pub(crate) fn wasm_opt(npm: &Path, features: &[&str], from: &Path, to: &Path) -> Result<()> {
    let node = find("node").ok_or("wasm-opt needs node to be installed")?;
    let program = npm.join("node_modules/binaryen/bin/wasm-opt");
    run(Command::new(node).arg(program).arg("-Oz").args(features).arg(from).arg("-o").arg(to))
}
