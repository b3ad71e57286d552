//! Builds for WASI: the command, and binaries and libraries that tests and the component are made of.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    npm, paths,
    run::{Result, run},
    wasm_toolchain::{SIMD, WasmToolchain},
};

const TARGET: &str = "wasm32-wasip1";
/// The other features that the compiler uses, for wasm-opt. Wasmtime and Node have had them for longer.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Builds the command as a WASI module, `target/dist/ocicle.wasm`, as it is released.
pub(crate) fn command(toolchain: &WasmToolchain) -> Result<PathBuf> {
    let released = paths::dist()?.join("ocicle.wasm");
    let features = [FEATURES, &["--enable-simd"]].concat();
    npm::wasm_opt(&features, &module(toolchain, "ocicle-cli", "ocicle")?, &released)?;
    Ok(released)
}

/// Builds a binary as a WASI module, with the command's settings.
pub(crate) fn module(toolchain: &WasmToolchain, package: &str, binary: &str) -> Result<PathBuf> {
    build(toolchain, package, binary, SIMD, &paths::wasm_target())
}

/// Builds a library as a module that is called many times. The compiler leaves out the code that starts one.
pub(crate) fn reactor(toolchain: &WasmToolchain, package: &str) -> Result<PathBuf> {
    let start = toolchain.self_contained(TARGET)?.join("crt1-reactor.o");
    let mut build = cargo(toolchain, "rustc", package, SIMD, &paths::wasm_target());
    build.args(["--", "-Clink-arg=--export=_initialize"]).arg(format!("-Clink-arg={}", start.display()));
    run(&mut build)?;
    Ok(built(&paths::wasm_target(), &package.replace('-', "_")))
}

/// Builds the command without SIMD, `target/dist/ocicle-nosimd.wasm`.
pub(crate) fn command_without_simd(toolchain: &WasmToolchain) -> Result<PathBuf> {
    // A directory of its own: in a shared one, Cargo would rebuild everything for each in turn.
    let target = paths::wasm_target().join("nosimd");
    let module = paths::dist()?.join("ocicle-nosimd.wasm");
    npm::wasm_opt(FEATURES, &build(toolchain, "ocicle-cli", "ocicle", "", &target)?, &module)?;
    Ok(module)
}

fn build(
    toolchain: &WasmToolchain,
    package: &str,
    binary: &str,
    flags: &str,
    target: &Path,
) -> Result<PathBuf> {
    run(&mut cargo(toolchain, "build", package, flags, target))?;
    Ok(built(target, binary))
}

fn cargo(toolchain: &WasmToolchain, verb: &str, package: &str, flags: &str, target: &Path) -> Command {
    let mut cargo = toolchain.cargo();
    cargo
        .args([verb, "--quiet", "--profile", "small", "--target", TARGET, "--package", package])
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS", flags)
        .env_remove("RUSTFLAGS"); // it would take precedence
    cargo
}

fn built(target: &Path, name: &str) -> PathBuf {
    target.join(TARGET).join("small").join(name).with_extension("wasm")
}
