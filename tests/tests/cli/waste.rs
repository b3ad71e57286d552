//! `ocicle waste`, compared with other tools.

use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt as _, path::Path};

use ocicle_tests::{
    fixtures::ODD,
    ocicle::{at, command, fails, json, ocicle, text},
    temp::TempDir,
    tools::{have, root, run},
};
use serde_json::Value;

/// Sizes of the files below a directory, by inode.
fn sizes(dir: &Path, found: &mut BTreeMap<u64, u64>) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        if metadata.is_dir() {
            sizes(&entry.path(), found);
        } else if metadata.is_file() {
            found.insert(metadata.ino(), metadata.len());
        }
    }
}

#[test]
fn stored_and_visible_sizes_agree_with_tar_and_the_disk() {
    let Some(layout) = ODD.layout() else { return };
    if !root() || !have(&["tar", "zstd"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let image = at(&layout, "odd");
    let found = json(&["waste", &image]);
    let mut stored = Vec::new();
    for layer in found["layers"].as_array().unwrap() {
        let blob = layout.join("blobs").join(layer["digest"].as_str().unwrap().replace(':', "/"));
        let listed = String::from_utf8(run("tar", ["--numeric-owner", "-tvf", text(&blob)])).unwrap();
        let files = listed.lines().filter(|line| line.starts_with('-'));
        let whiteouts = |line: &&str| !line.contains("/.wh.") && !line.contains(" .wh.");
        let sum: u64 = files
            .filter(whiteouts)
            .map(|line| line.split_whitespace().nth(2).unwrap().parse::<u64>().unwrap())
            .sum();
        stored.push(sum);
    }
    let ours: Vec<u64> =
        found["layers"].as_array().unwrap().iter().map(|layer| layer["stored"].as_u64().unwrap()).collect();
    assert_eq!(ours, stored);
    let bundle = temp.path().join("bundle");
    ocicle(["unpack", &image, text(&bundle)]);
    let mut files = BTreeMap::new();
    sizes(&bundle.join("rootfs"), &mut files);
    assert_eq!(found["visible"], files.values().sum::<u64>());
    assert_eq!(
        found["stored"].as_u64().unwrap(),
        found["visible"].as_u64().unwrap() + found["hidden"].as_u64().unwrap()
    );
    assert!(found["removedWithDirectory"].as_u64().unwrap() > 0, "{found}");
}

/// Layers: 1000 bytes in two files; one of them again, one removed.
fn wasteful(temp: &TempDir) -> String {
    let layout = temp.path().join("layout");
    ocicle(["init", text(&layout)]);
    let image = at(&layout, "waste");
    let source = temp.path().join("source");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("a"), [b'a'; 600]).unwrap();
    fs::write(source.join("b"), [b'b'; 400]).unwrap();
    ocicle(["new", &image]);
    ocicle(["insert", &image, text(&source), "/d"]);
    ocicle(["insert", &image, text(&source.join("a")), "/d/a"]);
    ocicle(["insert", &image, "--whiteout", "/d/b"]);
    image
}

#[test]
fn a_waste_threshold_fails_when_exceeded() {
    let temp = TempDir::new().unwrap();
    let image = wasteful(&temp);
    let found = json(&["waste", &image]);
    assert_eq!(
        (&found["stored"], &found["hidden"], &found["metadataOnly"]),
        (&1600.into(), &1000.into(), &600.into())
    );
    assert_eq!((&found["removed"], &found["efficiency"]), (&400.into(), &0.375.into()));
    assert_eq!(found["layers"][0]["createdBy"], "ocicle insert");
    let worst: Vec<_> = found["paths"].as_array().unwrap().iter().map(|row| &row["path"]).collect();
    assert_eq!(worst, ["/d/a", "/d/b"]);
    for passes in ["1000", "1kB", "62.5%", "100%"] {
        ocicle(["waste", &image, "--fail-above", passes]);
    }
    for fails_at in ["999", "0", "62.4%", "0%"] {
        let error = fails(5, ["waste", &image, "--fail-above", fails_at]);
        assert!(error.contains("--fail-above"), "{error}");
    }
    assert!(fails(2, ["waste", &image, "--fail-above", "lots"]).contains("not a size"));
}

#[test]
fn the_thresholds_of_dive_are_understood() {
    let temp = TempDir::new().unwrap();
    let image = wasteful(&temp);
    let found =
        command().args(["waste", &image, "--metric", "dive"]).current_dir(temp.path()).output().unwrap();
    // /d/a: 600 + 600, /d/b: 400 + 0; 600 of 1600 in the upper layers.
    let text_found = String::from_utf8(found.stdout).unwrap();
    assert_eq!(
        text_found,
        "efficiency: 37.5000 %\nwastedBytes: 1600 bytes (1.6 kB)\nuserWastedPercent: 266.6667 %\n\
         FAIL: highestUserWastedPercent: 2.6666666666666665 is more than 0.1\n\
         SKIP: highestWastedBytes: rule disabled\n\
         FAIL: lowestEfficiency: 0.375 is less than 0.9\n"
    );
    assert_eq!(found.status.code(), Some(5));

    let rules = temp.path().join(".dive-ci");
    fs::write(
        &rules,
        "rules:\n  # a comment\n  lowestEfficiency: 0.3\n  highestWastedBytes: \"2KB\"\n  highestUserWastedPercent: disabled\n",
    )
    .unwrap();
    let passes = command()
        .args(["waste", &image, "--metric", "dive", "--json"])
        .current_dir(temp.path())
        .output()
        .unwrap();
    assert_eq!(passes.status.code(), Some(0), "{passes:?}");
    let found: Value = serde_json::from_slice(&passes.stdout).unwrap();
    let status: Vec<_> = found["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["status"].as_str().unwrap())
        .collect();
    assert_eq!((status, found["wastedBytes"].as_u64()), (vec!["SKIP", "PASS", "PASS"], Some(1600)));

    for (rules_text, part) in [
        ("rules:\n  lowestEfficency: 0.3\n", "unknown rule \"lowestEfficency\""),
        ("rules:\n  lowestEfficiency: 3\n", "from 0 to 1"),
        ("rules:\n  highestWastedBytes: much\n", "not a size"),
        ("- 1\n", "expected `rules:`"),
        ("rules: [", ".dive-ci"),
    ] {
        fs::write(&rules, rules_text).unwrap();
        let error = fails(2, ["waste", &image, "--metric", "dive", "--dive-ci", text(&rules)]);
        assert!(error.contains(part), "{error}");
    }
    assert!(fails(1, ["waste", &image, "--metric", "dive", "--dive-ci", "absent"]).contains("absent"));
}
