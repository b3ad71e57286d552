//! Where things are.

use std::path::{Path, PathBuf};

use crate::run::Result;

/// The top of the checkout.
pub(crate) fn checkout() -> PathBuf {
    // At run time: worktrees that share a target directory share this program too.
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    xtask.parent().map(Path::to_path_buf).unwrap_or(xtask)
}

/// Cargo's target directory.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => checkout().join(dir),
        None => checkout().join("target"),
    }
}

/// The target directory of wasm builds: their compiler may be another one, and Cargo would then wait on or redo what
/// native builds left.
pub(crate) fn wasm_target() -> PathBuf {
    target().join("wasm")
}

/// The directory for what is made once per machine.
pub(crate) fn cache() -> Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("OCICLE_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|dir| dir.join("ocicle")))
        .or_else(|| set("HOME").map(|dir| dir.join(".cache/ocicle")))
        .ok_or("no place for the cache: set OCICLE_CACHE, XDG_CACHE_HOME or HOME")?;
    std::path::absolute(&cache).map_err(|e| format!("{}: {e}", cache.display()))
}
