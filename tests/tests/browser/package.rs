//! The npm package `ocicle`, in Node and in Chromium: the tests are in `wasm/test`, and get their images from
//! here.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use ocicle_tests::{
    fixtures::{DEBIAN, NESTED, ODD, copy_of},
    large,
    ocicle::{at, binary, text},
    registry::{Protection, Registry},
    temp::TempDir,
    token_server::TokenServer,
    tools::{have, missing, run, variable},
};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Returns the package: the directory `OCICLE_NPM`, or what `cargo xtask dist --npm` built in its place.
fn package() -> Option<PathBuf> {
    let package = env::var_os("OCICLE_NPM").map_or_else(|| repository().join("wasm"), PathBuf::from);
    let module = package.join("dist/wasm/ocicle_bg.wasm");
    if !module.is_file() {
        missing(&format!("{} is not there; `cargo xtask dist --npm` builds it", module.display()));
        return None;
    }
    have(&["node"]).then_some(package)
}

/// Returns whether these npm packages and a browser are installed.
fn browser(modules: &[&str]) -> bool {
    let places = ["web-demo", "."].map(|place| repository().join(place).join("node_modules"));
    let chromium = env::var_os("CHROMIUM").map_or_else(|| "/usr/bin/chromium".into(), PathBuf::from);
    let is_there = |module: &&str| places.iter().any(|place| place.join(module).is_dir());
    match modules.iter().find(|module| !is_there(module)) {
        Some(module) => missing(&format!("{module} is not installed; `npm ci` does that")),
        None if !chromium.is_file() => missing(&format!("{} is not there", chromium.display())),
        None => true,
    }
}

/// Returns a directory with the images, by the names that the tests use.
fn images() -> Option<TempDir> {
    let temp = TempDir::new().unwrap();
    let (odd, nested, debian) = (ODD.layout()?, NESTED.layout()?, DEBIAN.layout()?);
    if !have(&["skopeo"]) {
        return None;
    }
    let at = |name: &str| temp.path().join(name);
    for (name, layout) in [("odd", &odd), ("nested", &nested), ("debian", &debian), ("many", &large::many())]
    {
        fs::rename(copy_of(layout, temp.path()), at(name)).unwrap();
    }
    let save = |layout: &Path, tag: &str, to: &str, name: &str| {
        let (from, to) = (format!("oci:{}:{tag}", text(layout)), to.replace("FILE", text(&at(name))));
        run("skopeo", ["copy", "--quiet", &from, &to]);
    };
    save(&odd, "odd", "oci-archive:FILE:odd", "odd.oci.tar");
    save(&odd, "odd", "docker-archive:FILE:docker.io/example/odd:v1", "odd.docker.tar");
    save(&debian, "debian", "docker-archive:FILE:docker.io/example/debian:12", "debian.docker.tar");
    fs::create_dir(at("toc")).unwrap();
    for name in ["toc/estargz.tar", "toc/zstdchunked.tar"] {
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name), at(name)).unwrap();
    }
    Some(temp)
}

/// Runs these tests, which must not be skipped, with this many files at a time.
fn node(package: &Path, images: &TempDir, names: &[&str], at_a_time: usize) {
    node_with(package, images, names, at_a_time, &[]);
}

/// Runs these tests with more variables.
fn node_with(
    package: &Path,
    images: &TempDir,
    names: &[&str],
    at_a_time: usize,
    variables: &[(&str, String)],
) {
    let files = names.iter().map(|name| repository().join(format!("wasm/test/{name}.test.mjs")));
    let output = Command::new("node")
        .args(["--test", "--test-reporter=spec"])
        .arg(format!("--test-concurrency={at_a_time}"))
        .args(files)
        .env("OCICLE_BIN", binary())
        .env("OCICLE_FIXTURES", images.path())
        .env("OCICLE_NPM", package)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{}\n{said}{}", output.status, String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_package_works_in_node() {
    let Some(package) = package() else { return };
    let Some(images) = images() else { return };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    node(
        &package,
        &images,
        &["same", "rows", "abort", "edit", "errors", "kept", "progress", "sources", "toc"],
        cores,
    );
}

#[test]
fn the_package_works_in_chromium() {
    let Some(package) = package() else { return };
    if !browser(&["playwright-core"]) {
        return;
    }
    let Some(images) = images() else { return };
    node(&package, &images, &["browser"], 1);
}

/// Registries with the images, and the variables that name them.
struct Registries {
    _registries: [Registry; 3],
    _tokens: TokenServer,
    variables: [(&'static str, String); 3],
}

/// Starts a registry that pages may read, one that they may not, and one that wants tokens.
fn registries(images: &TempDir) -> Option<Registries> {
    let tokens = TokenServer::start()?;
    let readable = Registry::start_for_pages()?;
    let closed = Registry::start(Protection::None)?;
    let protected = Registry::start_with_tokens(&tokens)?;
    let nested = readable.layout();
    for name in ["odd", "debian"] {
        let from = format!("oci:{}", text(&images.path().join(name)));
        drop(readable.run(["copy", &from, &readable.at(name)]));
    }
    assert!(protected.log_in(&protected.host(), "geheim").status.success());
    let places = [(&readable, "nested"), (&closed, "nested"), (&protected, "public/nested")];
    for (registry, name) in places.into_iter().chain([(&protected, "team/nested")]) {
        for tag in ["v1", "docker"] {
            drop(registry.run(["copy", &at(&nested, tag), &registry.at(&format!("{name}:{tag}"))]));
        }
    }
    let variables = [
        ("OCICLE_REGISTRY", readable.host()),
        ("OCICLE_REGISTRY_CLOSED", closed.host()),
        ("OCICLE_REGISTRY_TOKENS", protected.host()),
    ];
    Some(Registries { _registries: [readable, closed, protected], _tokens: tokens, variables })
}

#[test]
fn the_package_reads_registries_in_node() {
    let Some(package) = package() else { return };
    let Some(images) = images() else { return };
    let Some(registries) = registries(&images) else { return };
    node_with(&package, &images, &["registry"], 1, &registries.variables);
}

#[test]
fn the_package_reads_registries_in_chromium() {
    let Some(package) = package() else { return };
    if !browser(&["playwright-core"]) {
        return;
    }
    let Some(images) = images() else { return };
    let Some(registries) = registries(&images) else { return };
    node_with(&package, &images, &["registry-browser"], 1, &registries.variables);
}

#[test]
fn a_gigabyte_in_a_browser() {
    let Some(package) = package() else { return };
    if !browser(&["playwright-core"]) || !have(&["tar"]) {
        return;
    }
    let images = TempDir::in_memory().unwrap();
    let archive = images.path().join("big.tar");
    run("tar", ["-C", text(&large::big()), "-cf", text(&archive), "oci-layout", "index.json", "blobs"]);
    // One at a time, because it measures.
    node(&package, &images, &["large", "large-browser"], 1);
}

#[test]
fn the_package_installs_from_its_tarball() {
    let Some(package) = package() else { return };
    if variable("OCICLE_NPM_TARBALL").is_none() || !browser(&["playwright-core", "typescript", "vite"]) {
        return;
    }
    if !have(&["npm"]) {
        return;
    }
    let Some(images) = images() else { return };
    node(&package, &images, &["install"], 1);
}
