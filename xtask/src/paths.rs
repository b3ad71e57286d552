//! Directories.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::run::{Result, at};

/// Returns the top of the checkout.
pub(crate) fn checkout() -> PathBuf {
    // At run time: worktrees that share a target directory share this program too.
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    xtask.parent().map(Path::to_path_buf).unwrap_or(xtask)
}

/// Returns Cargo's target directory.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => checkout().join(dir),
        None => checkout().join("target"),
    }
}

/// Returns the target directory of wasm builds. With a shared one, and another compiler, Cargo would wait for
/// native builds or repeat them.
pub(crate) fn wasm_target() -> PathBuf {
    target().join("wasm")
}

/// Returns the directory of release files, and creates it if it is missing.
pub(crate) fn dist() -> Result<PathBuf> {
    let dist = target().join("dist");
    at(&dist, fs::create_dir_all(&dist))?;
    Ok(dist)
}

/// Returns the directory for files that are made once per machine.
pub(crate) fn cache() -> Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("OCICLE_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|dir| dir.join("ocicle")))
        .or_else(|| set("HOME").map(|dir| dir.join(".cache/ocicle")))
        .ok_or("no directory for the cache: set OCICLE_CACHE, XDG_CACHE_HOME or HOME")?;
    std::path::absolute(&cache).map_err(|e| format!("{}: {e}", cache.display()))
}
