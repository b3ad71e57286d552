//! `cargo xtask dist`: the files of a release.

use std::{fs, path::Path, process::Command};

use crate::{
    bindgen, component, package,
    run::{Result, at, find, output},
    wasi_module, wasm_toolchain,
};

/// Size limit of a WASI module, in bytes.
const MOST: u64 = 3_100_000;
/// Size limit of a WASI module compressed by gzip, in bytes.
const MOST_PACKED: u64 = 1_200_000;

/// Builds `target/dist/ocicle.wasm`, `ocicle-nosimd.wasm` for runtimes without SIMD, and the library as a
/// component, `ocicle-component.wasm`.
pub(crate) fn wasi() -> Result<()> {
    let toolchain = wasm_toolchain::ensure()?;
    let module = wasi_module::command(&toolchain)?;
    let without = wasi_module::command_without_simd(&toolchain)?;
    let component = component::make(&toolchain)?;
    for module in [module, without, component] {
        println!("\n{}", module.display());
        let sizes = Sizes::of(&module)?;
        print!("{sizes}");
        sizes.check()?;
    }
    Ok(())
}

/// Checks that a WASI module is not too large.
pub(crate) fn check_size(module: &Path) -> Result<()> {
    Sizes::of(module)?.check()
}

/// Builds the JavaScript package, `target/dist/ocicle-VERSION.tgz`.
pub(crate) fn npm() -> Result<()> {
    let (toolchain, bindgen) = (wasm_toolchain::ensure()?, bindgen::ensure()?);
    let packed = package::pack(&package::build(&toolchain, &bindgen)?)?;
    println!("\n{}", packed.display());
    Ok(())
}

/// Sizes of a module in bytes: plain, and compressed as servers do. A program that is not installed has no
/// size.
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
            [("the module", self.plain, MOST), ("the module, compressed,", self.gzip, MOST_PACKED)]
        {
            if size > most {
                return Err(format!(
                    "{name} has {size} bytes; the limit is {most}: see the profile `small` in Cargo.toml"
                ));
            }
        }
        Ok(())
    }
}

impl std::fmt::Display for Sizes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "  {:>9} bytes", self.plain)?;
        writeln!(f, "  {:>9} bytes with gzip -9", self.gzip)?;
        for (program, size) in &self.others {
            match size {
                Some(size) => writeln!(f, "  {size:>9} bytes with {program}")?,
                None => writeln!(f, "    unknown bytes with {program}: it is not installed")?,
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
        assert!(said.starts_with("the module has 3100001 bytes; the limit is 3100000:"), "{said}");
        let said = error(MOST, MOST_PACKED + 1);
        assert!(said.starts_with("the module, compressed, has 1200001 bytes"), "{said}");
    }
}
