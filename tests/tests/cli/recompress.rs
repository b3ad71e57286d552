//! `ocicle recompress`, read back by skopeo and umoci.

use std::fs;

use ocicle_tests::{
    fixtures::{ODD, copy_of},
    ocicle::{at, fails, json, ocicle, stat, text},
    temp::TempDir,
    tools::{have, run},
};

fn types(reference: &str) -> Vec<String> {
    let stat = json(&["stat", reference]);
    let layers = stat["manifest"]["layers"].as_array().unwrap().iter();
    layers.map(|layer| layer["mediaType"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn layers_are_compressed_anew_and_the_image_is_the_same() {
    let Some(fixture) = ODD.layout() else { return };
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let (odd, zstd) = (at(&layout, "odd"), at(&layout, "zstd"));
    let blobs = || fs::read_dir(layout.join("blobs/sha256")).unwrap().count();
    let before = blobs();
    ocicle(["recompress", &odd, "--compress", "zstd", "--dry-run"]);
    assert_eq!(blobs(), before);
    let digest = ocicle(["recompress", &odd, "--compress", "zstd", "--tag", "zstd"]);
    assert!(types(&zstd).iter().all(|media_type| media_type.ends_with("tar+zstd")), "{:?}", types(&zstd));
    assert_eq!(ocicle(["mtree", &zstd]), ocicle(["mtree", &odd]));
    assert_eq!(stat(&zstd)["config"], stat(&odd)["config"], "with diff_ids and history");
    ocicle(["check", text(&layout)]);
    // What is right already is not touched.
    assert_eq!(ocicle(["recompress", &zstd, "--compress", "zstd"]), digest);
    assert_eq!(ocicle(["recompress", &zstd, "--compress", "auto"]), digest);
    fails(2, ["recompress", &zstd]);

    let plain = at(&layout, "plain");
    ocicle(["recompress", &zstd, "--compress", "none", "--tag", "plain"]);
    for reference in [&zstd, &plain] {
        ocicle(["diff", &odd, reference, "--semantic"]);
    }
    if have(&["skopeo", "umoci"]) {
        let copy = format!("dir:{}", text(&temp.path().join("copy")));
        run("skopeo", ["copy", "--quiet", &format!("oci:{}:zstd", text(&layout)), &copy]);
        let bundle = temp.path().join("bundle");
        run("umoci", ["unpack", "--image", &format!("{}:plain", text(&layout)), text(&bundle)]);
    }
}
