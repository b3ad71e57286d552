//! Archives as files among others: links to them, their modes, two edits at once, and the names Docker has
//! for images.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink},
    path::{Path, PathBuf},
};

use ocicle_tests::{
    fixtures::ODD,
    ocicle::{at, command, fails, ocicle, text},
    temp::{TempDir, names},
    tools::{have, root, run},
};
use serde_json::{Value, json};

fn archive(dir: &Path) -> Option<PathBuf> {
    let layout = ODD.layout()?;
    let file = dir.join("images.tar");
    ocicle(["copy", &at(&layout, "odd"), &format!("oci-archive:{}", text(&file))]);
    Some(file)
}

fn tags(store: &Path) -> Vec<String> {
    let list: Value = serde_json::from_str(&ocicle(["ls", text(store), "--json"])).unwrap();
    let entries = list["entries"].as_array().unwrap();
    entries.iter().map(|entry| entry["tag"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_edit_keeps_mode_and_owner() {
    let temp = TempDir::new().unwrap();
    let Some(file) = archive(temp.path()) else { return };
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o644);
    for (mode, owner) in [(0o600, 1234), (0o640, 0)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        if root() {
            chown(&file, Some(owner), Some(owner)).unwrap();
        }
        let before = fs::metadata(&file).unwrap();
        ocicle(["config", &at(&file, "odd"), "--user", &mode.to_string()]);
        let after = fs::metadata(&file).unwrap();
        assert_ne!(after.ino(), before.ino());
        assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()));
    }
}

#[test]
fn an_archive_behind_a_link_is_edited_and_the_link_kept() {
    let temp = TempDir::new().unwrap();
    let stored = temp.path().join("stored");
    fs::create_dir(&stored).unwrap();
    let Some(file) = archive(&stored) else { return };
    let (latest, absolute) = (temp.path().join("latest.tar"), temp.path().join("absolute.tar"));
    symlink("stored/images.tar", &latest).unwrap();
    symlink(&latest, &absolute).unwrap();
    for (link, tag) in [(&latest, "v2"), (&absolute, "v3")] {
        assert_eq!(ocicle(["ls", text(link)]), ocicle(["ls", text(&file)]));
        ocicle(["tag", &at(link, "odd"), tag]);
        assert!(fs::symlink_metadata(link).unwrap().is_symlink());
    }
    assert_eq!(tags(&file), ["odd", "v2", "v3"]);
    assert_eq!(names(&stored), ["images.tar"]);
    let circle = temp.path().join("circle.tar");
    symlink("circle.tar", &circle).unwrap();
    let error = fails(1, ["ls", &format!("oci-archive:{}", text(&circle))]);
    assert!(error.contains("too many levels of symbolic links"), "{error}");
}

#[test]
fn docker_archives_get_only_valid_repository_tags() {
    let temp = TempDir::new().unwrap();
    let Some(file) = archive(temp.path()) else { return };
    let docker = temp.path().join("docker.tar");
    let to = |tag: &str| format!("docker-archive:{}{tag}", text(&docker));
    for tag in ["#v1", "#localhost:5000/app", "#Example/App:1"] {
        let error = fails(2, ["copy", &at(&file, "odd"), &to(tag)]);
        assert!(error.contains("not a Docker tag") && error.contains("example/app:1"), "{error}");
        assert!(!docker.exists());
    }
    let list = || -> Value {
        serde_json::from_slice(&run("tar", ["-xOf", text(&docker), "manifest.json"])).unwrap()
    };
    // A tag that comes along is left out, and that is said.
    let output = command().args(["copy", &at(&file, "odd"), &to("")]).output().unwrap();
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("skipping tag odd: not a Docker tag"),
        "{output:?}"
    );
    assert_eq!(list()[0]["RepoTags"], json!([]));
    fs::remove_file(&docker).unwrap();
    let tag = "localhost:5000/a/app:1.2";
    let output = command().args(["copy", &at(&file, "odd"), &to(&format!("#{tag}"))]).output().unwrap();
    assert!(!String::from_utf8_lossy(&output.stderr).contains("warning"), "{output:?}");
    assert_eq!(list()[0]["RepoTags"], json!([tag]));
    if have(&["skopeo"]) {
        run("skopeo", ["inspect", &format!("docker-archive:{}:{tag}", text(&docker))]);
    }
}

#[test]
fn a_wrong_store_kind_gets_a_hint() {
    let temp = TempDir::new().unwrap();
    let Some(file) = archive(temp.path()) else { return };
    let layout = temp.path().join("layout");
    ocicle(["init", text(&layout)]);
    for (code, kind, path, part) in [
        (3, "docker-archive", &file, "it is of the kind oci-archive:"),
        (1, "oci", &file, "`oci:` expects a directory"),
        (1, "oci-archive", &layout, "is a directory"),
    ] {
        let error = fails(code, ["ls", &format!("{kind}:{}", text(path))]);
        assert!(error.contains(part), "{error}");
    }
}
