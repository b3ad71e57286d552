//! Exact bytes, and the files of one layer: `raw manifest`, `raw config`, `raw blob`, `cat --layer`.

use std::fs;

use ocicle_tests::{
    fixtures::ODD,
    handmade::{Archive, Layer, layout},
    ocicle::{at, command, fails, json, ocicle, text},
    temp::TempDir,
};

#[test]
fn documents_and_blobs_are_printed_to_the_byte() {
    let Some(fixture) = ODD.layout() else { return };
    let raw = |what: &str, reference: &str| {
        let output = command().args(["raw", what, reference]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout
    };
    let blob = |digest: &str| fs::read(fixture.join("blobs").join(digest.replace(':', "/"))).unwrap();
    let image = at(&fixture, "odd");
    let digest = json(&["resolve", &image])["digest"].as_str().unwrap().to_owned();
    let manifest = raw("manifest", &image);
    assert_eq!(manifest, blob(&digest));
    let document: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(raw("config", &image), blob(document["config"]["digest"].as_str().unwrap()));
    let layer = document["layers"][0]["digest"].as_str().unwrap();
    assert_eq!(raw("blob", &at(&fixture, &format!("digest={layer}"))), blob(layer));
    assert_eq!(raw("blob", &image), manifest);

    let absent = format!("digest=sha256:{}", "0".repeat(64));
    fails(3, ["raw", "blob", &at(&fixture, &absent)]);
    fails(3, ["raw", "manifest", &at(&fixture, "nothing")]);
}

#[test]
fn a_damaged_blob_is_an_error() {
    let temp = TempDir::new().unwrap();
    layout(temp.path(), &[Layer::plain(Archive::new().file("a", "one").end())]);
    let digest = json(&["resolve", text(temp.path())])["digest"].as_str().unwrap().to_owned();
    let path = temp.path().join("blobs").join(digest.replace(':', "/"));
    let damaged = fs::read_to_string(&path).unwrap().replace("layers", "lasers");
    fs::write(&path, damaged).unwrap();
    fails(4, ["raw", "manifest", &at(temp.path(), "t")]);
    fails(4, ["raw", "blob", &at(temp.path(), &format!("digest={digest}"))]);
}

#[test]
fn files_that_later_layers_replace_or_remove() {
    let temp = TempDir::new().unwrap();
    let plain = |archive: Archive| Layer::plain(archive.end());
    layout(
        temp.path(),
        &[
            plain(
                Archive::new().file("d/a", "old").file("d/a", "one").hard_link("b", "d/a").symlink("l", "b"),
            ),
            plain(Archive::new().file("d/a", "two").hard_link("c", "b")),
            plain(Archive::new().file("d/.wh.a", "")),
            plain(Archive::new().symlink("to", "d")),
            plain(Archive::new().file("to/x", "x")),
        ],
    );
    let image = at(temp.path(), "t");
    let cat = |layer: &str, path: &str| ocicle(["cat", "--layer", layer, &image, path]);
    assert_eq!([cat("1", "/d/a"), cat("1", "b"), cat("2", "d/a")], ["one", "one", "two"]);
    // By its own path, and by that of the whole image, which `files --layer` prints.
    assert_eq!([cat("5", "/to/x"), cat("5", "/d/x")], ["x", "x"]);
    assert!(ocicle(["files", "--layer", "5", "--format", "plain", &image]).starts_with("/d/x\t5\t"));
    let fails = |code, layer: &str, path: &str| fails(code, ["cat", "--layer", layer, &image, path]);
    assert!(fails(3, "3", "d/a").contains("/d/a is not in layer 3"));
    assert!(fails(3, "2", "c").contains("/c is a link to a file of a layer below layer 2"));
    assert!(fails(1, "1", "l").contains("/l is a symbolic link in layer 1, to b"));
    assert!(fails(3, "1", "d").contains("/d is not in layer 1"));
    assert!(fails(3, "6", "b").contains("layer 6 not found (the image has 5)"));
    fails(2, "0", "b");
}
