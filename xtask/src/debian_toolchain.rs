//! A compiler for wasm made of Debian's packages, for machines that reach package registries but not Rust's
//! servers.
//!
//! Debian has the compiler (`rustc-web`), the source of the standard library and a C library for WASI, but no
//! standard library for wasm: it is built here, once, with Debian's compiler, and the whole linked into
//! rustup. Ordinary builds then name the target as if it had been added.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    cargo,
    debian_packages::Packages,
    paths,
    run::{Result, at, find, output, run},
};

/// Its name in rustup.
const NAME: &str = "ocicle-wasm";

/// Counts the changes of this file and the stubs: what an older one made is made again.
const RECIPE: u32 = 1;

const STUBS: &str = include_str!("../assets/wasi_stubs.rs");

/// Finds the compiler for these targets in the cache or makes it there, and returns its name in rustup.
pub(crate) fn ensure(targets: &[&str]) -> Result<&'static str> {
    let cache = paths::cache()?.join(format!("wasm-toolchain-{RECIPE}"));
    at(&cache, fs::create_dir_all(&cache))?;
    let root = match newest(&cache)? {
        Some(root) => root,
        None => make(&cache, targets)?,
    };
    run(Command::new("rustup").args(["toolchain", "link", NAME]).arg(&root))?;
    let version =
        output(Command::new("rustc").arg(format!("+{NAME}")).arg("--version").env_remove("LD_LIBRARY_PATH"))?;
    println!("  the wasm targets are built by Debian's {}", version.trim());
    Ok(NAME)
}

/// Returns the newest toolchain. Directories are named by version, and get their name when they are complete.
fn newest(cache: &Path) -> Result<Option<PathBuf>> {
    let mut made = Vec::new();
    for entry in at(cache, fs::read_dir(cache))? {
        let entry = at(cache, entry)?;
        if !entry.file_name().to_string_lossy().starts_with("making-") {
            let modified = at(&entry.path(), entry.metadata().and_then(|metadata| metadata.modified()))?;
            made.push((modified, entry.path()));
        }
    }
    Ok(made.into_iter().max().map(|(_, path)| path))
}

fn make(cache: &Path, targets: &[&str]) -> Result<PathBuf> {
    if find("dpkg-deb").is_none() {
        return Err(
            "Debian's packages cannot be unpacked without dpkg-deb: install dpkg, or add the targets with \
                    `rustup target add wasm32-wasip1 wasm32-unknown-unknown`"
                .into(),
        );
    }
    let packages = Packages::look_up()?;
    println!(
        "  making a compiler for wasm of rustc-web {} in {}: some minutes, once",
        packages.version,
        cache.display()
    );
    let making = cache.join(format!("making-{}", std::process::id()));
    let unpacked = making.join("unpacked");
    at(&unpacked, fs::create_dir_all(&unpacked))?;
    packages.unpack(&unpacked)?;

    let root = making.join("root");
    let sources = arrange(&unpacked, &root)?;
    for target in targets {
        build_std(&root, &sources, &making.join("target"), target)?;
    }
    add_wasi_libc(&unpacked.join("usr/lib/wasm32-wasi"), &root, &making)?;

    let done = cache.join(packages.version.replace(['~', '+', ':'], "-"));
    // Another run may have finished first.
    if !done.exists() {
        at(&done, fs::rename(&root, &done))?;
    }
    at(&making, fs::remove_dir_all(&making))?;
    Ok(done)
}

/// Puts the parts where rustc looks for them, with Cargo and the linker of the installed compiler; returns
/// the directory of the standard library's source.
fn arrange(unpacked: &Path, root: &Path) -> Result<PathBuf> {
    let usr = unpacked.join("usr");
    at(root, fs::create_dir_all(root))?;
    at(root, fs::rename(usr.join("bin"), root.join("bin")))?;
    let lib = root.join("lib");
    at(&lib, fs::create_dir_all(&lib))?;
    at(&lib, fs::rename(usr.join("lib/rustlib"), lib.join("rustlib")))?;
    let host = host()?;
    let entries = at(&usr, fs::read_dir(usr.join("lib")))?;
    let shared = entries.flatten().map(|entry| entry.path()).find(|path| has_driver(path));
    let shared = shared.ok_or("the packages hold no librustc_driver: has Debian moved it?")?;
    for library in at(&shared, fs::read_dir(&shared))? {
        let library = at(&shared, library)?;
        at(&lib, fs::rename(library.path(), lib.join(library.file_name())))?;
    }

    let installed = PathBuf::from(output(Command::new("rustc").args(["--print", "sysroot"]))?.trim());
    at(root, symlink(installed.join("bin/cargo"), root.join("bin/cargo")))?;
    let tools = lib.join("rustlib").join(&host).join("bin");
    at(&tools, fs::create_dir_all(&tools))?;
    let linker = installed.join("lib/rustlib").join(&host).join("bin/rust-lld");
    at(&linker, fs::metadata(&linker))?;
    at(&tools, symlink(linker, tools.join("rust-lld")))?;

    let sources = usr.join("src");
    for entry in at(&sources, fs::read_dir(&sources))? {
        let library = at(&sources, entry)?.path().join("library");
        if library.join("sysroot").is_dir() {
            return Ok(library);
        }
    }
    Err("rust-web-src holds no library/sysroot: has Debian moved it?".into())
}

fn has_driver(directory: &Path) -> bool {
    let Ok(mut entries) = fs::read_dir(directory) else { return false };
    entries.any(|entry| entry.is_ok_and(|e| e.file_name().to_string_lossy().starts_with("librustc_driver")))
}

fn host() -> Result<String> {
    let about = output(Command::new("rustc").arg("-vV"))?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(String::from).ok_or_else(|| "`rustc -vV` names no host".into())
}

/// Builds the standard library for a target into the sysroot of the new compiler.
fn build_std(root: &Path, sources: &Path, target_dir: &Path, target: &str) -> Result<()> {
    let features = match target {
        // Here memcpy and the like come from libc.
        "wasm32-wasip1" => "panic-unwind",
        _ => "panic-unwind,compiler-builtins-mem",
    };
    let mut build = cargo::cargo();
    build
        .args(["build", "--quiet", "--locked", "--release", "--package", "sysroot"])
        .args(["--target", target, "--features", features])
        .current_dir(sources)
        .env("CARGO_TARGET_DIR", target_dir)
        .env("RUSTC", root.join("bin/rustc"))
        .env("LD_LIBRARY_PATH", root.join("lib"))
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-Zforce-unstable-if-unmarked -Cembed-bitcode=yes")
        .env_remove("RUSTC_WRAPPER");
    run(&mut build)?;

    let libraries = root.join("lib/rustlib").join(target).join("lib");
    at(&libraries, fs::create_dir_all(&libraries))?;
    let built = target_dir.join(target).join("release/deps");
    for entry in at(&built, fs::read_dir(&built))? {
        let file = at(&built, entry)?;
        let name = file.file_name().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.starts_with("libsysroot-") {
            at(&file.path(), fs::copy(file.path(), libraries.join(&name)))?;
        }
    }
    Ok(())
}

/// Puts the C library of WASI beside the standard library. Its start-up objects get what this old one lacks.
fn add_wasi_libc(libc: &Path, root: &Path, making: &Path) -> Result<()> {
    let stubs = making.join("stubs.rs");
    let object = making.join("stubs.o");
    at(&stubs, fs::write(&stubs, STUBS))?;
    run(Command::new(root.join("bin/rustc"))
        .args([
            "--edition=2024",
            "--crate-type=lib",
            "--target=wasm32-wasip1",
            "-Copt-level=2",
            "-Cpanic=abort",
        ])
        .arg(format!("--emit=obj={}", object.display()))
        .arg(&stubs)
        .env("LD_LIBRARY_PATH", root.join("lib")))?;

    let self_contained = root.join("lib/rustlib/wasm32-wasip1/lib/self-contained");
    at(&self_contained, fs::create_dir_all(&self_contained))?;
    at(libc, fs::copy(libc.join("libc.a"), self_contained.join("libc.a")))?;
    let linker = root.join("lib/rustlib").join(host()?).join("bin/rust-lld");
    for start in ["crt1-command.o", "crt1-reactor.o"] {
        run(Command::new(&linker)
            .args(["-flavor", "wasm", "--relocatable", "-o"])
            .arg(self_contained.join(start))
            .arg(libc.join(start))
            .arg(&object))?;
    }
    Ok(())
}
