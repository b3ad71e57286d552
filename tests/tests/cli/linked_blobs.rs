//! Layouts whose blobs are symbolic links, or are in a directory that several layouts share.

use std::{fs, os::unix::fs::symlink, path::Path};

use ocicle_tests::{
    handmade::{Archive, Layer, layout},
    ocicle::{at, fails, ocicle, text},
    temp::TempDir,
    tools::{have, run},
};

fn image(dir: &Path) {
    layout(dir, &[Layer::plain(Archive::new().file("file", "content").end())]);
}

/// Moves each blob to `to`, under another name, and leaves a link made of `prefix` and that name.
fn move_blobs(layout: &Path, to: &Path, prefix: &str) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(layout.join("blobs/sha256")).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("file-{}", path.file_name().unwrap().to_str().unwrap());
        fs::rename(&path, to.join(&name)).unwrap();
        symlink(format!("{prefix}/{name}"), &path).unwrap();
    }
}

fn is_readable(layout: &Path, more: &[&str]) {
    let image = at(layout, "t");
    let with = |args: &[&str]| ocicle(args.iter().chain(more));
    assert_eq!(with(&["cat", &image, "/file"]), "content");
    assert!(with(&["check", text(layout)]).ends_with("nothing wrong\n"));
    assert!(with(&["stat", &image]).contains("Platform"));
}

#[test]
fn links_inside_the_layout_are_followed() {
    let temp = TempDir::new().unwrap();
    // Each blob, as Bazel does it.
    let each = temp.path().join("each");
    image(&each);
    move_blobs(&each, &each.join("files/deep"), "../../files/deep/.");
    is_readable(&each, &[]);
    // All blobs, and all of an algorithm, as in datalad.
    for name in ["blobs", "blobs/sha256"] {
        let layout = temp.path().join(name.replace('/', "-"));
        image(&layout);
        fs::rename(layout.join(name), layout.join("objects")).unwrap();
        let target = if name == "blobs" { "./objects" } else { "../objects/../objects/" };
        symlink(target, layout.join(name)).unwrap();
        is_readable(&layout, &[]);
        // gc sees no blobs that it could remove.
        assert!(ocicle(["cat", &at(&layout, "t"), "/file"]) == "content");
    }
    // A link that dangles is a missing blob; one that leads to itself ends.
    let dangling = temp.path().join("dangling");
    image(&dangling);
    for (target, code, part) in [("nowhere", 4, "is not in the store"), ("SELF", 1, "(links)")] {
        for entry in fs::read_dir(dangling.join("blobs/sha256")).unwrap() {
            let path = entry.unwrap().path();
            fs::remove_file(&path).unwrap();
            let own = path.file_name().unwrap().to_str().unwrap();
            symlink(if target == "SELF" { own } else { target }, &path).unwrap();
        }
        let error = fails(code, ["stat", &at(&dangling, "t")]);
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn links_out_of_the_layout_are_refused_unless_they_lead_to_shared_blobs() {
    let temp = TempDir::new().unwrap();
    let shared = temp.path().join("shared");
    fs::create_dir(&shared).unwrap();
    for (name, absolute) in [("relative", false), ("absolute", true)] {
        let layout = temp.path().join(name);
        image(&layout);
        let prefix = if absolute { text(&shared).to_owned() } else { "../../../shared".into() };
        move_blobs(&layout, &shared, &prefix);
        let error = fails(1, ["cat", &at(&layout, "t"), "/file"]);
        assert!(error.contains("refusing to follow blobs/sha256/"), "{error}");
        assert!(error.contains("a symbolic link leads out of the layout"), "{error}");
        assert!(error.contains("hint: --shared-blob-dir DIRECTORY"), "{error}");
        is_readable(&layout, &["--shared-blob-dir", text(&shared)]);
        // Another directory does not help.
        fails(1, ["stat", &at(&layout, "t"), "--shared-blob-dir", text(&layout)]);
        fails(1, ["stat", &at(&layout, "t"), "--shared-blob-dir", text(&temp.path().join("none"))]);
    }
    // Links of shared blobs must not lead on.
    let secret = temp.path().join("secret");
    fs::write(&secret, "secret").unwrap();
    for entry in fs::read_dir(&shared).unwrap() {
        let path = entry.unwrap().path();
        fs::remove_file(&path).unwrap();
        symlink("../secret", path).unwrap();
    }
    let error =
        fails(1, ["stat", &at(&temp.path().join("relative"), "t"), "--shared-blob-dir", text(&shared)]);
    assert!(error.contains("refusing to follow"), "{error}");
}

#[test]
fn a_directory_of_shared_blobs_as_skopeo_writes_it() {
    if !have(&["skopeo"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let [source, thin, shared] = ["source", "thin", "shared"].map(|name| temp.path().join(name));
    image(&source);
    run(
        "skopeo",
        [
            "copy",
            "--dest-shared-blob-dir",
            text(&shared),
            &format!("oci:{}:t", text(&source)),
            &format!("oci:{}:t", text(&thin)),
        ],
    );
    fails(4, ["stat", &at(&thin, "t")]);
    is_readable(&thin, &["--shared-blob-dir", text(&shared)]);
    // What is new is written to the layout.
    ocicle(["config", &at(&thin, "t"), "--user", "x", "--shared-blob-dir", text(&shared)]);
    is_readable(&thin, &["--shared-blob-dir", text(&shared)]);
    assert_eq!(fs::read_dir(thin.join("blobs/sha256")).unwrap().count(), 2);
}
