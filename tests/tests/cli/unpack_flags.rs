//! `unpack --keep-dirlinks` and `--start-from`.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use ocicle_tests::{
    fixtures::{ODD, copy_of},
    handmade::{Archive, Layer, layout},
    ocicle::{at, fails, ocicle, stat, text, try_ocicle},
    rootfs::{assert_same, describe},
    temp::TempDir,
    tools::{have, root, run},
};
use tar::EntryType;

/// Creates a link to a directory, and a layer that has a directory of its name.
fn linked(temp: &TempDir) -> PathBuf {
    let path = temp.path().join("images");
    let base = Archive::new()
        .entry(EntryType::Directory, "usr/lib/", "", b"")
        .file("usr/lib/old", "old")
        .symlink("lib", "usr/lib")
        .symlink("broken", "nowhere");
    let top = Archive::new().entry(EntryType::Directory, "lib/", "", b"").file("lib/new", "new").entry(
        EntryType::Directory,
        "broken/",
        "",
        b"",
    );
    layout(&path, &[Layer::plain(base.end()), Layer::plain(top.end())]);
    path
}

#[test]
fn a_link_to_a_directory_stays_if_asked() {
    if !root() {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = linked(&temp);
    let unpack = |name: &str, more: Option<&str>| {
        let bundle = temp.path().join(name);
        ocicle(["unpack", &at(&layout, "t"), text(&bundle)].into_iter().chain(more));
        bundle.join("rootfs")
    };
    let (replaced, kept) = (unpack("replaced", None), unpack("kept", Some("--keep-dirlinks")));
    assert!(replaced.join("lib").symlink_metadata().unwrap().is_dir());
    assert!(!replaced.join("usr/lib/new").exists());
    assert_eq!(fs::read_link(kept.join("lib")).unwrap(), Path::new("usr/lib"));
    assert_eq!(fs::read_to_string(kept.join("usr/lib/new")).unwrap(), "new");
    assert_eq!(fs::read_to_string(kept.join("usr/lib/old")).unwrap(), "old");
    assert_eq!(fs::metadata(kept.join("usr/lib")).unwrap().mtime(), 1);
    assert!(kept.join("broken").symlink_metadata().unwrap().is_dir());
    // The manifest is of what was made, and nothing has changed since.
    for bundle in ["replaced", "kept"] {
        let bundle = temp.path().join(bundle);
        let manifest = bundle.join("rootfs.mtree");
        assert_eq!(ocicle(["mtree", "check", text(&manifest), text(&bundle.join("rootfs"))]), "");
        assert_eq!(ocicle(["repack", "-n", text(&bundle), text(&layout)]), "");
    }
    if have(&["umoci"]) {
        let theirs = temp.path().join("theirs");
        let image = format!("{}:t", layout.display());
        run("umoci", ["unpack", "--keep-dirlinks", "--image", &image, text(&theirs)]);
        // umoci sets the attributes on the link itself, and implied directories get the current time.
        let names = |root: &Path| -> Vec<String> {
            describe(root).lines().filter_map(|line| Some(line.split_once(" type=")?.0.to_owned())).collect()
        };
        assert_eq!(names(&theirs.join("rootfs")), names(&kept));
    }
}

#[test]
fn lower_layers_can_be_left_out() {
    let Some(fixture) = ODD.layout() else { return };
    if !root() {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let source = temp.path().join("source");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("added"), "added").unwrap();
    ocicle(["insert", &at(&layout, "odd"), text(&source), "/opt"]);
    ocicle(["insert", &at(&layout, "odd"), text(&source), "/srv"]);
    let stat: serde_json::Value = stat(&at(&layout, "odd"));
    let layers: Vec<&str> = stat["manifest"]["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| layer["digest"].as_str().unwrap())
        .collect();
    let wanted = layers[layers.len() - 2];
    let bundle = |name: &str, from: &str| {
        let bundle = temp.path().join(name);
        let output = try_ocicle(["unpack", "--start-from", from, &at(&layout, "odd"), text(&bundle)]);
        (bundle, String::from_utf8(output.stderr).unwrap())
    };
    let (first, warned) = bundle("first", wanted);
    assert_eq!(warned, "warning: cannot resolve the image's user odd: config.json runs as root\n");
    let config: serde_json::Value =
        serde_json::from_slice(&fs::read(first.join("config.json")).unwrap()).unwrap();
    assert_eq!(config["process"]["user"], serde_json::json!({ "uid": 0, "gid": 0 }));
    let names: Vec<_> =
        fs::read_dir(first.join("rootfs")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_same(&source, &first.join("rootfs/opt"));
    assert_same(&source, &first.join("rootfs/srv"));
    assert_same(&first.join("rootfs"), &bundle("beginning", &wanted[..25]).0.join("rootfs"));
    assert_same(&first.join("rootfs"), &bundle("encoded", &wanted["sha256:".len()..]).0.join("rootfs"));
    ocicle(["unpack", &at(&layout, "odd"), text(&temp.path().join("all"))]);
    let (all, warned) = bundle("base", layers[0]);
    assert_eq!(warned, "");
    assert_same(&temp.path().join("all/rootfs"), &all.join("rootfs"));

    // The repacked layer is on top of all layers.
    fs::write(first.join("rootfs/opt/more"), "more").unwrap();
    ocicle(["repack", text(&first), &at(&layout, "new")]);
    let manifest = ocicle(["mtree", &at(&layout, "new")]);
    assert!(manifest.contains("more type=file") && manifest.contains("hard-c"), "{manifest}");

    let error = fails(
        3,
        ["unpack", "--start-from", "sha256:0000", &at(&layout, "odd"), text(&temp.path().join("x"))],
    );
    assert!(layers.iter().all(|layer| error.contains(layer)), "{error}");
    assert!(error.starts_with("error: \"sha256:0000\" matches no layer of the image; it has"), "{error}");
    assert!(!temp.path().join("x").exists());
}
