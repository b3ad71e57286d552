//! The JavaScript package: the wasm module, the bindings that wasm-bindgen makes for it, and the TypeScript
//! on top.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    bindgen, npm, paths,
    run::{Result, at, output, run},
    wasm_toolchain::{self, WasmToolchain},
};

/// Size limit of the package's files compressed by Brotli, in bytes.
const MOST: u64 = 450_000;

const TARGET: &str = "wasm32-unknown-unknown";

/// Builds `wasm/dist` and returns the directory of the package.
pub(crate) fn build(toolchain: &WasmToolchain, bindgen: &Path) -> Result<PathBuf> {
    npm::ensure()?;
    run(toolchain
        .cargo()
        .args(["build", "--quiet", "--profile", "web", "--target", TARGET, "--package", "ocicle-wasm"])
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", wasm_toolchain::SIMD)
        .env_remove("RUSTFLAGS"))?; // it would take precedence
    let package = paths::checkout().join("wasm");
    let made = package.join("dist");
    if made.exists() {
        at(&made, fs::remove_dir_all(&made))?;
    }
    let module = paths::wasm_target().join(TARGET).join("web/ocicle_wasm.wasm");
    bindgen::generate(bindgen, &module, &made.join("wasm"))?;
    let tsc = || {
        let mut tsc = Command::new(npm::installed("tsc"));
        tsc.current_dir(&package);
        tsc
    };
    run(&mut tsc())?;
    // Pages do not need the comments, which the declarations have.
    run(tsc().args(["--removeComments", "--declaration", "false", "--declarationMap", "false"]))?;
    let bindings = made.join("wasm/ocicle.js");
    let text = at(&bindings, fs::read_to_string(&bindings))?;
    at(&bindings, fs::write(&bindings, without_comments(&text)))?;
    Ok(package)
}

/// Removes the comments that have lines of their own.
fn without_comments(script: &str) -> String {
    let mut inside = false;
    let mut kept = String::new();
    for line in script.lines() {
        let text = line.trim();
        let starts = text.starts_with("/*");
        if !inside && !starts && !text.starts_with("//") {
            kept.push_str(line);
            kept.push('\n');
        }
        inside = (inside || starts) && !text.ends_with("*/");
    }
    kept
}

/// Packs the package as `target/dist/ocicle-VERSION.tgz`.
pub(crate) fn pack(package: &Path) -> Result<PathBuf> {
    let staging = paths::target().join("npm");
    if staging.exists() {
        at(&staging, fs::remove_dir_all(&staging))?;
    }
    at(&staging, fs::create_dir_all(&staging))?;
    for directory in ["dist", "ts"] {
        run(Command::new("cp").arg("-R").arg(package.join(directory)).arg(&staging))?;
    }
    let checkout = paths::checkout();
    for file in ["wasm/package.json", "wasm/README.md", "LICENSE-APACHE", "LICENSE-MIT"] {
        let (from, name) = (checkout.join(file), file.rsplit('/').next().unwrap_or(file));
        at(&from, fs::copy(&from, staging.join(name)))?;
    }
    let size = packed_size(&staging.join("dist"))?;
    println!("  {size} bytes with Brotli");
    if size > MOST {
        return Err(format!(
            "the package has {size} bytes; the limit is {MOST}: see the profile `web` in Cargo.toml"
        ));
    }
    npm::pack(&staging, &paths::dist()?, concat!("ocicle-", env!("CARGO_PKG_VERSION"), ".tgz"))
}

/// Returns the size of the files that a page loads, each compressed alone, as a server does.
fn packed_size(dist: &Path) -> Result<u64> {
    let script = "\
const { brotliCompressSync } = require('node:zlib');
const { readdirSync, readFileSync } = require('node:fs');
const all = readdirSync('.', { recursive: true });
const files = all.filter((name) => /\\.(js|wasm)$/.test(name) && !/node|bridge/.test(name));
console.log(files.reduce((sum, name) => sum + brotliCompressSync(readFileSync(name)).length, 0));";
    let said = output(npm::node()?.args(["-e", script]).current_dir(dist))?;
    said.trim().parse().map_err(|error| format!("the size of the package: {error}"))
}
