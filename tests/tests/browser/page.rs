//! The application in the browser, in Chromium: its tests are in `web-demo/test`, and get their images from
//! here.

use std::{fs, path::Path, process::Command};

use ocicle_tests::{
    fixtures::{DEBIAN, NESTED, copy_of},
    large,
    nginx::{self, Nginx},
    ocicle::{binary, text},
    registry::{Protection, Registry},
    temp::TempDir,
    tools::{have, run, variable},
};

/// Images that other tools made, and a gigabyte, by the names that the tests use.
fn images() -> Option<TempDir> {
    let temp = TempDir::in_memory().unwrap();
    let at = |name: &str| temp.path().join(name);
    fs::rename(copy_of(&NESTED.layout()?, temp.path()), at("nested")).unwrap();
    let debian = format!("oci:{}:debian", text(&DEBIAN.layout()?));
    for (kind, tag) in [("oci", "debian"), ("docker", "docker.io/example/debian:12")] {
        let to = format!("{kind}-archive:{}:{tag}", text(&at(&format!("skopeo-{kind}.tar"))));
        run("skopeo", ["copy", "--quiet", &debian, &to]);
    }
    run("tar", ["-C", text(&large::big()), "-cf", text(&at("big.tar")), "oci-layout", "index.json", "blobs"]);
    Some(temp)
}

/// Servers, and the variables that name them.
struct Servers {
    _registries: [Registry; 2],
    _files: Nginx,
    _www: TempDir,
    variables: [(&'static str, String); 4],
}

/// Starts a registry that pages may read, one that they may not, and a web server that they may; the tests
/// store images there.
fn servers() -> Option<Servers> {
    let (readable, closed) = (Registry::start_for_pages()?, Registry::start(Protection::None)?);
    let dir = TempDir::new().unwrap();
    let www = dir.path().join("www");
    fs::create_dir(&www).unwrap();
    let files = Nginx::start(&dir, nginx::FOR_PAGES)?;
    let variables = [
        ("OCICLE_REGISTRY", readable.host()),
        ("OCICLE_REGISTRY_CLOSED", closed.host()),
        ("OCICLE_FILES", files.at("")),
        ("OCICLE_FILES_DIR", text(&www).to_owned()),
    ];
    Some(Servers { _registries: [readable, closed], _files: files, _www: dir, variables })
}

#[test]
fn the_application_works_in_chromium() {
    if variable("OCICLE_WEB").is_none() || !have(&["node", "chromium", "skopeo", "tar"]) {
        return;
    }
    let Some(images) = images() else { return };
    let Some(servers) = servers() else { return };
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("web-demo/test");
    let output = Command::new("node")
        .args(["--test", "--test-concurrency=1", "--test-reporter=spec"])
        .arg(tests)
        .env("OCICLE_BIN", binary())
        .env("OCICLE_FIXTURES", images.path())
        .envs(servers.variables.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{}\n{said}{}", output.status, String::from_utf8_lossy(&output.stderr));
}
