//! `cargo xtask dist`: what a release is made of.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    bindgen, component, npm, package, paths,
    run::{Result, at, find, output, run},
    wasm_toolchain::{self, WasmToolchain},
};

/// Bytes that the WASI module may have.
const MOST: u64 = 3_000_000;
/// Bytes that it may have as gzip packs it.
const MOST_PACKED: u64 = 1_200_000;

const TARGET: &str = "wasm32-wasip1";
/// Wasmtime has it since 0.33, Node since 16.4: a fifth less time. The compiler turns the older features on by itself.
pub(crate) const SIMD: &str = "-C target-feature=+simd128";
/// What else the compiler uses, for wasm-opt; wasmtime and Node have had it for longer.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Makes `target/dist/ocicle.wasm`, `ocicle-nosimd.wasm` for runtimes without SIMD, and `ocicle-component.wasm`, the library.
pub(crate) fn wasi() -> Result<()> {
    let toolchain = wasm_toolchain::ensure()?;
    let module = command(&toolchain)?;
    let without = without_simd(&toolchain)?;
    let component = component::make(&toolchain)?;
    for module in [module, without, component] {
        println!("\n{}", module.display());
        let sizes = Sizes::of(&module)?;
        print!("{sizes}");
        sizes.check()?;
    }
    Ok(())
}

/// Makes the JavaScript package, `target/dist/ocicle-VERSION.tgz`.
pub(crate) fn npm() -> Result<()> {
    let (toolchain, bindgen) = (wasm_toolchain::ensure()?, bindgen::ensure()?);
    let packed = package::pack(&package::build(&toolchain, &bindgen)?)?;
    println!("\n{}", packed.display());
    Ok(())
}

/// The command as a WASI module, as it is released.
pub(crate) fn command(toolchain: &WasmToolchain) -> Result<PathBuf> {
    let module = directory()?.join("ocicle.wasm");
    let features = [FEATURES, &["--enable-simd"]].concat();
    npm::wasm_opt(&features, &self::module(toolchain, "ocicle-cli", "ocicle")?, &module)?;
    Ok(module)
}

/// A binary as a WASI module, made like the command.
pub(crate) fn module(toolchain: &WasmToolchain, package: &str, binary: &str) -> Result<PathBuf> {
    build(toolchain, package, binary, SIMD, &paths::wasm_target())
}

/// A library as a module that is called many times. The compiler leaves out what starts one.
pub(crate) fn reactor(toolchain: &WasmToolchain, package: &str) -> Result<PathBuf> {
    let start = toolchain.self_contained(TARGET)?.join("crt1-reactor.o");
    let mut build = cargo(toolchain, "rustc", package, SIMD, &paths::wasm_target());
    build.args(["--", "-Clink-arg=--export=_initialize"]).arg(format!("-Clink-arg={}", start.display()));
    run(&mut build)?;
    Ok(built(&paths::wasm_target(), &package.replace('-', "_")))
}

fn without_simd(toolchain: &WasmToolchain) -> Result<PathBuf> {
    // In a place of its own, as Cargo would build everything anew for each in turn.
    let target = paths::wasm_target().join("nosimd");
    let module = directory()?.join("ocicle-nosimd.wasm");
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
        .env_remove("RUSTFLAGS"); // which would count instead
    cargo
}

fn built(target: &Path, name: &str) -> PathBuf {
    target.join(TARGET).join("small").join(name).with_extension("wasm")
}

/// Where releases are made.
pub(crate) fn directory() -> Result<PathBuf> {
    let directory = paths::target().join("dist");
    at(&directory, fs::create_dir_all(&directory))?;
    Ok(directory)
}

/// Sizes of a module, in bytes, as it is and as servers pack it. A program that is not installed has no size.
#[derive(Debug)]
struct Sizes {
    plain: u64,
    gzip: u64,
    others: Vec<(&'static str, Option<u64>)>,
}

impl Sizes {
    fn of(module: &Path) -> Result<Self> {
        let plain = at(module, fs::metadata(module))?.len();
        let size = |program, arguments: &[&str]| {
            let line = format!("{} \"$1\" | wc -c", [&[program], arguments].concat().join(" "));
            let bytes = output(Command::new("sh").args(["-ec", &line, "sh"]).arg(module))?;
            bytes.trim().parse::<u64>().map_err(|error| format!("{program}: {error}"))
        };
        let gzip = size("gzip", &["-9", "-c"])?;
        let mut others = Vec::new();
        for (program, arguments) in
            [("zstd", ["-19", "-q", "-c"].as_slice()), ("brotli", ["-q", "11", "-c"].as_slice())]
        {
            others.push((program, find(program).map(|_| size(program, arguments)).transpose()?));
        }
        Ok(Self { plain, gzip, others })
    }

    fn check(&self) -> Result<()> {
        for (name, size, most) in
            [("the module", self.plain, MOST), ("the module, packed", self.gzip, MOST_PACKED)]
        {
            if size > most {
                return Err(format!(
                    "{name} has {size} bytes, and may have {most}: see the profile `small` in Cargo.toml"
                ));
            }
        }
        Ok(())
    }
}

impl std::fmt::Display for Sizes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "  {:>9} bytes", self.plain)?;
        writeln!(f, "  {:>9} bytes as gzip -9 packs it", self.gzip)?;
        for (program, size) in &self.others {
            match size {
                Some(size) => writeln!(f, "  {size:>9} bytes as {program} packs it")?,
                None => writeln!(f, "    unknown bytes as {program} packs it: it is not installed")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_is_too_large_fails() {
        let sizes = |plain, gzip| Sizes { plain, gzip, others: Vec::new() };
        let error = |plain, gzip| sizes(plain, gzip).check().err().unwrap_or_default();
        assert_eq!(error(MOST, MOST_PACKED), "");
        let said = error(MOST + 1, MOST_PACKED);
        assert!(said.starts_with("the module has 3000001 bytes, and may have 3000000:"), "{said}");
        let said = error(MOST, MOST_PACKED + 1);
        assert!(said.starts_with("the module, packed has 1200001 bytes"), "{said}");
    }
}
