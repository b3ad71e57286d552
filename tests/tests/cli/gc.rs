//! `ocicle gc`, on images of other tools and during edits.

use std::{fs, path::Path};

use ocicle_tests::{
    fixtures::{ODD, copy_of},
    ocicle::{at, command, fails, ocicle, text},
    temp::TempDir,
    tools,
};

fn blobs(layout: &Path) -> usize {
    fs::read_dir(layout.join("blobs/sha256")).unwrap().count()
}

#[test]
fn unreferenced_blobs_are_removed_and_skopeo_reads_the_rest() {
    let Some(fixture) = ODD.layout() else { return };
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    // umoci's own temporary directory, and a blob of an interrupted edit.
    ocicle(["gc", text(&layout)]);
    let before = blobs(&layout);
    ocicle(["config", &at(&layout, "odd"), "--label", "a=b"]);
    fs::write(layout.join(".ocicle-3"), "half a blob").unwrap();
    let dry = ocicle(["gc", "--dry-run", "--format", "plain", text(&layout)]);
    assert_eq!(dry.lines().count(), 3, "{dry}");
    assert_eq!(blobs(&layout), before + 2);
    assert_eq!(ocicle(["gc", "--format", "plain", text(&layout)]), dry);
    assert_eq!((blobs(&layout), layout.join(".ocicle-3").exists()), (before, false));
    assert!(ocicle(["gc", text(&layout)]).starts_with("removed 0 blobs, 0 B; "));
    if tools::have(&["skopeo"]) {
        let copy = temp.path().join("copy");
        tools::run(
            "skopeo",
            ["copy", &format!("oci:{}:odd", text(&layout)), &format!("dir:{}", text(&copy))],
        );
    }
    ocicle(["check", text(&layout)]);
}

#[test]
fn concurrent_edits_lose_nothing() {
    let temp = TempDir::new().unwrap();
    let layout = temp.path().join("layout");
    ocicle(["init", text(&layout)]);
    ocicle(["new", &at(&layout, "v1"), "--platform", "linux/amd64"]);
    let edits: Vec<_> = (0..12)
        .map(|number| {
            let (label, tag) = (format!("n={number}"), format!("t{number}"));
            command().args(["config", &at(&layout, "v1"), "--label", &label, "--tag", &tag]).spawn().unwrap()
        })
        .collect();
    let collectors: Vec<_> =
        (0..12).map(|_| command().args(["gc", "-q", text(&layout)]).spawn().unwrap()).collect();
    for mut process in edits.into_iter().chain(collectors) {
        assert!(process.wait().unwrap().success());
    }
    ocicle(["check", text(&layout)]);
    ocicle(["gc", text(&layout)]);
    assert_eq!(blobs(&layout), 26);
}

#[test]
fn a_damaged_index_stops_gc_before_it_removes_anything() {
    let Some(fixture) = ODD.layout() else { return };
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    fs::write(layout.join("blobs/sha256").join("0".repeat(64)), "stray").unwrap();
    let resolved = ocicle(["resolve", "--format", "plain", &at(&layout, "odd")]);
    let digest = resolved.split_whitespace().find(|word| word.starts_with("sha256:")).unwrap();
    let file = layout.join("blobs/sha256").join(digest.trim_start_matches("sha256:"));
    let bytes = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap(); // it may be shared with the fixture
    fs::write(&file, bytes.replacen('{', "[", 1)).unwrap();
    let before = blobs(&layout);
    let error = fails(4, ["gc", text(&layout)]);
    assert!(error.contains(digest), "{error}");
    assert_eq!(blobs(&layout), before);
    assert!(fails(2, ["gc", &at(&layout, "odd")]).contains("whole store"));
}
