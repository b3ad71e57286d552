//! wasm-bindgen's generator, of the same version as the library in Cargo.lock: they must match exactly.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    cargo, paths,
    run::{Result, at, run},
};

const SOURCE: &str = include_str!("../assets/bindgen/main.rs");

/// Returns the generator, run as `bindgen MODULE.wasm NAME DIRECTORY`. Builds it on first use.
pub(crate) fn ensure() -> Result<PathBuf> {
    let version = locked_version()?;
    let cache = paths::cache()?.join(format!("wasm-bindgen-{version}"));
    let program = cache.join("target/release/bindgen");
    let source = cache.join("src/main.rs");
    // Both: a change of the source rebuilds it.
    if program.is_file() && fs::read_to_string(&source).is_ok_and(|built| built == SOURCE) {
        println!("  wasm-bindgen {version} is in {}", cache.display());
        return Ok(program);
    }
    println!("  building wasm-bindgen {version} in {}: a minute or two, once", cache.display());
    at(&cache, fs::create_dir_all(cache.join("src")))?;
    let manifest = cache.join("Cargo.toml");
    at(&manifest, fs::write(&manifest, self::manifest(&version)))?;
    at(&source, fs::write(&source, SOURCE))?;
    run(cargo::cargo()
        .args(["build", "--quiet", "--release"])
        .current_dir(&cache)
        .env("CARGO_TARGET_DIR", cache.join("target")))?;
    Ok(program)
}

/// Generates the JavaScript around a module.
pub(crate) fn generate(bindgen: &Path, module: &Path, directory: &Path) -> Result<()> {
    run(Command::new(bindgen).arg(module).arg("ocicle").arg(directory))
}

fn manifest(version: &str) -> String {
    format!(
        "[package]\nname = \"bindgen\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[dependencies]\n\
         wasm-bindgen-cli-support = \"={version}\"\n\n[profile.release]\nopt-level = 1\n\n[workspace]\n"
    )
}

fn locked_version() -> Result<String> {
    let lock = paths::checkout().join("Cargo.lock");
    let text = at(&lock, fs::read_to_string(&lock))?;
    let version = version_in(&text).map(String::from);
    version.ok_or_else(|| format!("{} names no wasm-bindgen", lock.display()))
}

fn version_in(lock: &str) -> Option<&str> {
    let mut lines = lock.lines().skip_while(|line| *line != "name = \"wasm-bindgen\"").skip(1);
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_version_of_the_lock() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.1.0\"\n\n[[package]]\n\
                    name = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(version_in(lock), Some("0.2.130"));
        assert_eq!(version_in("name = \"wasm-bindgen-macro\"\nversion = \"0.1.0\"\n"), None);
    }
}
