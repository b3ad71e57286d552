//! The compiler for the wasm targets.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    cargo, debian_toolchain, paths,
    run::{Result, find, output, run},
};

/// The sandbox and the browser.
pub(crate) const TARGETS: [&str; 2] = ["wasm32-wasip1", "wasm32-unknown-unknown"];

/// Compiler flag for SIMD, which takes a fifth off the time. Wasmtime has it since 0.33, Node since 16.4; the
/// compiler turns on the older features by default.
pub(crate) const SIMD: &str = "-C target-feature=+simd128";

/// A compiler that builds for wasm.
#[derive(Debug, Clone)]
pub(crate) enum WasmToolchain {
    /// The installed one, with the targets added.
    Installed,
    /// A toolchain made of Debian's packages, linked into rustup under this name.
    Linked(&'static str),
}

impl WasmToolchain {
    /// Returns a Cargo command in the checkout that may name a wasm target.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = match self {
            Self::Installed => cargo::cargo(),
            Self::Linked(name) => {
                let mut command = Command::new("cargo");
                command.arg(format!("+{name}")).current_dir(paths::checkout());
                // rustup and Cargo set these for the compiler that runs this program.
                command.env_remove("LD_LIBRARY_PATH").env_remove("RUSTUP_TOOLCHAIN");
                cargo::forget_ours(&mut command);
                command
            }
        };
        command.env("CARGO_TARGET_DIR", paths::wasm_target());
        command
    }

    /// Returns the directory of a target's start-up objects and C library.
    pub(crate) fn self_contained(&self, target: &str) -> Result<PathBuf> {
        let mut rustc = Command::new("rustc");
        if let Self::Linked(name) = self {
            rustc.arg(format!("+{name}")).env_remove("LD_LIBRARY_PATH").env_remove("RUSTUP_TOOLCHAIN");
        }
        let root = output(rustc.args(["--print", "sysroot"]))?;
        Ok(Path::new(root.trim()).join("lib/rustlib").join(target).join("lib/self-contained"))
    }
}

/// Finds or makes the compiler: rustup's by default, Debian's on request or if rustup fails.
pub(crate) fn ensure() -> Result<WasmToolchain> {
    match std::env::var("OCICLE_WASM_TOOLCHAIN").as_deref() {
        Ok("debian") => return debian(),
        Ok("") | Err(_) => {}
        Ok(other) => {
            return Err(format!("OCICLE_WASM_TOOLCHAIN is {other:?}: leave it unset, or set it to debian"));
        }
    }
    if TARGETS.iter().all(|target| has_target(target)) {
        println!("  the installed compiler has {}", TARGETS.join(" and "));
        return Ok(WasmToolchain::Installed);
    }
    let added = run(Command::new("rustup").args(["target", "add"]).args(TARGETS));
    let Err(why) = added else { return Ok(WasmToolchain::Installed) };
    if find("apt-get").is_none() {
        return Err(format!(
            "{why}\nand apt-get is missing, which would get the targets from Debian's packages"
        ));
    }
    println!("  {why}\n  using Debian's packages instead");
    debian()
}

fn debian() -> Result<WasmToolchain> {
    debian_toolchain::ensure(&TARGETS).map(WasmToolchain::Linked)
}

fn has_target(target: &str) -> bool {
    let libraries = output(Command::new("rustc").args(["--print", "target-libdir", "--target", target]));
    libraries.is_ok_and(|dir| Path::new(dir.trim()).is_dir())
}
