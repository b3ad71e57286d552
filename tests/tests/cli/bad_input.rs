//! Mistakes: every command prints one line of error and changes nothing.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use ocicle::{
    digest::{Algorithm, Digest},
    hash::digest_of,
};
use ocicle_tests::{
    fixtures::{ODD, copy_of},
    ocicle::{USER, at, command_of_user, ocicle, text, try_ocicle},
    temp::TempDir,
    tools::{run, try_run},
};
use serde_json::{Value, json};

/// A layout with a stray blob, a bundle with a change, a layer, and a file.
struct Scene {
    temp: TempDir,
    layout: PathBuf,
}

impl Scene {
    fn new() -> Option<Self> {
        let fixture = ODD.layout()?;
        let temp = TempDir::new().unwrap();
        let layout = copy_of(&fixture, temp.path());
        fs::write(layout.join("blobs/sha256").join("0".repeat(64)), "stray").unwrap();
        let scene = Self { temp, layout };
        ocicle(["unpack", &at(&scene.layout, "odd"), text(&scene.path("bundle"))]);
        fs::write(scene.path("bundle/rootfs/big"), vec![7; 100_000]).unwrap();
        fs::write(scene.path("file"), "content").unwrap();
        run("tar", ["-C", text(scene.temp.path()), "-cf", text(&scene.path("layer.tar")), "file"]);
        Some(scene)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    /// Returns every command that writes to a layout.
    fn edits(&self, layout: &Path, tag: &str) -> Vec<Vec<String>> {
        let (image, file) = (at(layout, tag), self.path("file"));
        let of = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        vec![
            of(&["config", &image, "--label", "a=b"]),
            of(&["insert", &image, text(&file), "/x"]),
            of(&["insert", &image, "--whiteout", "/etc"]),
            of(&["raw", "add-layer", &image, text(&self.path("layer.tar"))]),
            of(&["tag", &image, "other"]),
            of(&["rm", &image]),
        ]
    }

    fn more_edits(&self, layout: &Path) -> Vec<Vec<String>> {
        let of = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let mut edits = self.edits(layout, "odd");
        edits.push(of(&["new", &at(layout, "fresh"), "--platform", "linux/amd64"]));
        edits.push(of(&["repack", text(&self.path("bundle")), &at(layout, "new")]));
        edits
    }
}

/// Returns every file with the digest of its content.
fn content(dir: &Path) -> BTreeMap<PathBuf, Digest> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(content(&path));
        } else {
            let digest = digest_of(Algorithm::Sha256, &fs::read(&path).unwrap());
            found.insert(path, digest);
        }
    }
    found
}

/// Runs a command that must fail with one line, and returns the line.
fn one_line(words: &[String], code: i32) -> String {
    let output = try_ocicle(words);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{words:?}: {error}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{words:?}");
    let is_said = |line: &&str| !line.is_empty() && !line.starts_with("hint: ");
    let lines: Vec<&str> = error.lines().filter(is_said).collect();
    assert!(lines[0].starts_with("error: "), "{words:?}: {error}");
    // clap adds how to get help.
    assert!(lines.len() == 1 || code == 2, "{words:?}: {error}");
    lines[0].into()
}

#[test]
fn missing_and_invalid_tags() {
    let Some(scene) = Scene::new() else { return };
    let before = content(&scene.layout);
    for words in scene.edits(&scene.layout, "nope") {
        let line = one_line(&words, 3);
        assert!(line.contains("nope") && line.contains("odd"), "it names what there is: {line}");
    }
    for words in scene.edits(&scene.layout, "a%20b!").into_iter().chain(scene.edits(&scene.layout, "-a")) {
        one_line(&words, 2);
    }
    let edits = scene.edits(&scene.layout, "odd");
    for mut words in edits.into_iter().filter(|words| !["tag", "rm"].contains(&words[0].as_str())) {
        words.push("--tag=a b".into());
        assert!(one_line(&words, 2).contains("\"a b\""), "{words:?}");
    }
    assert_eq!(content(&scene.layout), before);
}

#[test]
fn invalid_values() {
    let Some(scene) = Scene::new() else { return };
    let before = content(&scene.layout);
    let (image, file) = (at(&scene.layout, "odd"), scene.path("file"));
    let cases: &[(&[&str], i32, &str)] = &[
        (&["unpack", "--uid-map", "x", &image, "b"], 2, "CONTAINER:HOST[:SIZE]"),
        (&["insert", "--gid-map", "0:1:0", &image, text(&file), "/x"], 2, "CONTAINER:HOST[:SIZE]"),
        (&["mtree", "--uid-map", "0:1", &image], 1, "is not in the uid map"),
        (&["config", &image, "--created", "yesterday"], 2, "yesterday"),
        (&["config", &image, "--author", "a", "--history-created", "2020-13-01T00:00:00Z"], 2, "RFC 3339"),
        (&["config", &image, "--env", "x"], 2, "NAME=VALUE"),
        (&["insert", &image, "nowhere", "/x"], 1, "nowhere"),
        (&["insert", &image, "--opaque", text(&file), "/x"], 2, "--opaque requires a directory"),
        (&["insert", &image, text(&file), "."], 2, "root"),
        (&["raw", "add-layer", &image, text(&file)], 4, "file"),
        (&["raw", "add-layer", &image, "nowhere.tar"], 1, "nowhere.tar"),
        (&["raw", "unpack", &at(&scene.layout, "nope"), "b"], 3, "nope"),
        (&["repack", text(&file), &image], 1, "file"),
        (&["repack", "nowhere", &image], 1, "nowhere"),
        (&["repack", text(scene.temp.path()), &image], 1, "ocicle.json"),
        (&["unpack", &image, text(&file)], 1, "file"),
        (&["gc", &image], 2, "whole store"),
        (&["gc", "nowhere"], 1, "nowhere"),
        (&["new", text(&scene.layout)], 2, "tag"),
        (&["init", text(&scene.layout)], 1, "exists"),
    ];
    for (words, code, expected) in cases {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let line = one_line(&words, *code);
        assert!(line.contains(expected), "{words:?}: {line}");
    }
    let output = ocicle_tests::ocicle::command()
        .args(["config", &image, "--author", "a"])
        .env("SOURCE_DATE_EPOCH", "abc")
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("SOURCE_DATE_EPOCH"), "{output:?}");
    assert_eq!(content(&scene.layout), before);
    assert!(!Path::new("b").exists());
}

#[test]
fn a_bundle_from_another_layout() {
    let Some(scene) = Scene::new() else { return };
    let other = scene.path("other");
    ocicle(["init", text(&other)]);
    let before = content(&other);
    let line = one_line(&["repack".into(), text(&scene.path("bundle")).into(), at(&other, "x")], 1);
    assert!(line.contains("of the bundle not found in"), "{line}");
    assert_eq!(content(&other), before);
}

/// A descriptor path in `ocicle.json` that leads nowhere is an error before anything is written.
#[test]
fn a_bundle_whose_descriptor_path_leads_nowhere() {
    let temp = TempDir::new().unwrap();
    let (layout, bundle) = (temp.path().join("images"), temp.path().join("bundle"));
    ocicle(["init", text(&layout)]);
    ocicle(["new", &at(&layout, "t"), "--platform", "linux/amd64"]);
    ocicle(["unpack", "--rootless", &at(&layout, "t"), text(&bundle)]);
    fs::write(bundle.join("rootfs/new"), "new").unwrap();
    let state = bundle.join("ocicle.json");
    let good: Value = serde_json::from_slice(&fs::read(&state).unwrap()).unwrap();
    let hop = &good["resolution"][0];
    let mut to_index = hop.clone();
    to_index["descriptor"]["mediaType"] = "application/vnd.oci.image.index.v1+json".into();
    let index = || fs::read(layout.join("index.json")).unwrap();
    let before = index();
    for (code, wrong) in [
        (1, json!([])),
        (1, json!([hop, hop])),
        (3, json!([to_index, hop])),
        (1, json!([to_index, to_index])),
    ] {
        let mut bad = good.clone();
        bad["resolution"] = wrong;
        fs::write(&state, bad.to_string()).unwrap();
        for reference in [text(&layout).to_owned(), at(&layout, "new")] {
            one_line(&["repack".into(), text(&bundle).into(), reference], code);
            assert_eq!(index(), before);
        }
    }
    fs::write(&state, good.to_string()).unwrap();
    ocicle(["repack", text(&bundle), &at(&layout, "new")]);
}

/// A file system mounted for a test, and unmounted on drop.
struct Mount(PathBuf);

impl Mount {
    fn new(place: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir(&place).unwrap();
        let made = try_run("mount", ["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs", text(&place)]);
        if !made.status.success() {
            eprintln!("NOT RUN: nothing can be mounted here");
            return None;
        }
        Some(Self(place))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = try_run("umount", ["-l", text(&self.0)]);
    }
}

#[test]
fn a_full_disk() {
    let Some(scene) = Scene::new() else { return };
    let Some(disk) = Mount::new(scene.path("disk"), "1m") else { return };
    run("cp", ["-r", text(&scene.layout), text(&disk.0)]);
    let layout = disk.0.join("layout");
    // To the last byte.
    assert!(fs::write(disk.0.join("filler"), vec![0; 2 << 20]).is_err());
    let before = content(&layout);
    for words in scene.more_edits(&layout) {
        let line = one_line(&words, 1);
        assert!(line.contains("No space left on device"), "{words:?}: {line}");
        assert_eq!(content(&layout), before, "{words:?}");
    }
    let line = one_line(&["unpack".into(), at(&layout, "odd"), text(&disk.0.join("bundle")).into()], 1);
    assert!(line.contains("No space left on device"), "{line}");
    assert!(!disk.0.join("bundle").exists());
    // Removing needs no space.
    ocicle(["gc", text(&layout)]);
    assert_eq!(content(&layout).len(), before.len() - 1);
}

#[test]
fn a_layout_that_may_not_be_written() {
    let Some(scene) = Scene::new() else { return };
    let Some(disk) = Mount::new(scene.path("disk"), "4m") else { return };
    run("cp", ["-r", text(&scene.layout), text(&disk.0)]);
    run("mount", ["-o", "remount,ro", text(&disk.0)]);
    let layout = disk.0.join("layout");
    let before = content(&layout);
    let gc = vec!["gc".to_owned(), text(&layout).into()];
    for words in scene.more_edits(&layout).into_iter().chain([gc]) {
        let line = one_line(&words, 1);
        assert!(line.contains("Read-only file system"), "{words:?}: {line}");
    }
    assert_eq!(content(&layout), before);
    // Looking needs no more than reading.
    for words in [&["ls", text(&layout)][..], &["stat", &at(&layout, "odd")], &["gc", "-n", text(&layout)]] {
        ocicle(words);
    }

    // As a user who is not its owner.
    let home = scene.path("home");
    fs::create_dir(&home).unwrap();
    run("cp", ["-r", text(&scene.layout), text(&home)]);
    run("chmod", ["-R", "a+rX", text(&home.join("layout"))]);
    run("chown", ["-R", &USER.to_string(), text(&scene.path("bundle"))]);
    let own = home.join("layout");
    let before = content(&own);
    for words in scene.more_edits(&own) {
        let output = command_of_user(&home).args(&words).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1), "{words:?}: {error}");
        assert!(error.contains("Permission denied"), "{words:?}: {error}");
    }
    assert_eq!(content(&own), before);
}

#[test]
fn unreadable_files() {
    let Some(scene) = Scene::new() else { return };
    let home = scene.path("home");
    fs::create_dir(&home).unwrap();
    run("cp", ["-r", text(&scene.layout), text(&home)]);
    run("chown", ["-R", &USER.to_string(), text(&home)]);
    let before = content(&home.join("layout"));
    let secret = home.join("secret");
    fs::create_dir(&secret).unwrap();
    fs::write(secret.join("key"), "secret").unwrap();
    run("chmod", ["600", text(&secret.join("key"))]);
    for source in ["secret", "secret/key"] {
        let output = command_of_user(&home).args(["insert", "layout#odd", source, "/x"]).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1), "{error}");
        assert!(error.starts_with("error: secret"), "{error}");
    }
    assert_eq!(content(&home.join("layout")), before);
}
