//! npm, called the same way everywhere.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    paths,
    run::{Result, at, find, run},
};

/// Installs the packages of package-lock.json, unless they are there. No package may run scripts.
pub(crate) fn ensure() -> Result<()> {
    let wanted = paths::checkout().join("package-lock.json");
    let wanted = at(&wanted, fs::read_to_string(&wanted))?;
    let installed = paths::checkout().join("node_modules/.installed-by-xtask");
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    run(npm()?.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]))?;
    at(&installed, fs::write(&installed, wanted))
}

/// `npm`, in the checkout.
pub(crate) fn npm() -> Result<Command> {
    let mut npm = Command::new(program("npm")?);
    npm.current_dir(paths::checkout());
    Ok(npm)
}

/// `node`, in the checkout.
pub(crate) fn node() -> Result<Command> {
    let mut node = Command::new(program("node")?);
    node.current_dir(paths::checkout());
    Ok(node)
}

/// Returns a program that an npm package installed.
pub(crate) fn installed(name: &str) -> PathBuf {
    paths::checkout().join("node_modules/.bin").join(name)
}

/// Makes a module smaller.
pub(crate) fn wasm_opt(features: &[&str], from: &Path, to: &Path) -> Result<()> {
    ensure()?;
    run(Command::new(installed("wasm-opt")).arg("-Oz").args(features).arg(from).arg("-o").arg(to))
}

/// Packs a directory and returns the archive.
pub(crate) fn pack(directory: &Path, to: &Path, name: &str) -> Result<PathBuf> {
    run(npm()?.args(["pack", "--silent", "--pack-destination"]).arg(to).arg(directory))?;
    Ok(to.join(name))
}

fn program(name: &str) -> Result<PathBuf> {
    find(name)
        .ok_or_else(|| format!("{name} is not installed: the JavaScript package needs Node 20 or newer"))
}
