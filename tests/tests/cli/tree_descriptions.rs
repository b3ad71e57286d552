//! Trees from descriptions, merged and split; read by skopeo.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ocicle_tests::{
    fixtures::{ODD, copy_of},
    nested,
    ocicle::{at, fails, json, ocicle, text},
    temp::TempDir,
    tools::{have, run},
};
use serde_json::Value;

fn nested_layout(temp: &TempDir) -> PathBuf {
    let layout = temp.path().join("images");
    nested::layout(&layout);
    layout
}

/// Digests by tag.
fn tags(layout: &Path) -> Vec<(String, String)> {
    let listing = json(&["ls", text(layout)]);
    let entries = listing["entries"].as_array().unwrap();
    let pair = |entry: &Value| {
        (entry["tag"].as_str().unwrap_or("-").to_owned(), entry["digest"].as_str().unwrap().to_owned())
    };
    entries.iter().map(pair).collect()
}

#[test]
fn exported_descriptions_apply_as_toml_and_json() {
    let temp = TempDir::new().unwrap();
    let layout = nested_layout(&temp);
    let before = fs::read(layout.join("index.json")).unwrap();
    for language in ["toml", "json"] {
        for deep in [&[][..], &["--deep"]] {
            let words = ["tree", "export", text(&layout), "--format", language];
            let description = ocicle(words.iter().chain(deep));
            let file = temp.path().join("description");
            fs::write(&file, &description).unwrap();
            // Nothing changes where it is from.
            let told = ocicle(["tree", "apply", "--dry-run", text(&file), text(&layout)]);
            assert!(told.lines().all(|line| line.starts_with("  ")), "{told}");
            ocicle(["tree", "apply", text(&file), text(&layout)]);
            assert_eq!(fs::read(layout.join("index.json")).unwrap(), before, "{description}");
        }
    }
    // In another store the same tree is made, once the images that it refers to are there.
    let deep = ocicle(["tree", "export", "--deep", &at(&layout, "v1")]);
    assert!(
        deep.contains("[[root.index.manifests]]") && deep.contains("platform = \"linux/arm/v7\""),
        "{deep}"
    );
    let (file, other) = (temp.path().join("v1.toml"), temp.path().join("other"));
    fs::write(&file, &deep).unwrap();
    ocicle(["init", text(&other)]);
    let error = fails(2, ["tree", "apply", text(&file), text(&other)]);
    assert!(error.contains("in the store"), "{error}");
    ocicle(["copy", &at(&layout, "v1"), text(&other)]);
    ocicle(["rm", &at(&other, "v1")]);
    let made = ocicle(["tree", "apply", text(&file), text(&other)]);
    assert_eq!(made, format!("{}  #v1\n", tags(&layout)[0].1));
}

const DESCRIPTION: &str = r##"
# An application for two platforms, with an SBOM about the index, and a signature about the SBOM.
[[root]]
tag = "app"
name = "app"
[root.index.annotations]
"org.opencontainers.image.title" = "app"
[[root.index.manifests]]
from = "IMAGES#v1//platform=linux/amd64"
[[root.index.manifests]]
from = "IMAGES#v1//platform=linux/arm/v7"
annotations = { "example.note" = "slow" }

[[root]]
name = "sbom"
[root.manifest]
artifact_type = "application/spdx+json"
subject = "@app"
[[root.manifest.layers]]
media_type = "application/spdx+json"
blob = { file = "sbom.json" }

[[root]]
[root.manifest]
artifact_type = "application/vnd.example.signature"
subject = "@sbom"
[[root.manifest.layers]]
media_type = "application/vnd.example.signature"
blob = { text = "signed" }
data = "embed"
"##;

#[test]
fn a_tree_is_made_of_images_of_another_store() {
    let temp = TempDir::new().unwrap();
    let images = nested_layout(&temp);
    let (file, layout) = (temp.path().join("app.toml"), temp.path().join("layout"));
    fs::write(&file, DESCRIPTION.replace("IMAGES", text(&images))).unwrap();
    fs::write(temp.path().join("sbom.json"), "{}").unwrap();
    ocicle(["init", text(&layout)]);
    let told = ocicle(["tree", "apply", "--dry-run", text(&file), text(&layout)]);
    assert_eq!(told.lines().filter(|line| line.starts_with("+ ")).count(), 3, "{told}");
    assert_eq!(tags(&layout).len(), 0);
    let made = ocicle(["tree", "apply", text(&file), text(&layout)]);
    assert_eq!(made, ocicle(["tree", "apply", text(&file), text(&layout)]));
    assert_eq!(tags(&layout).len(), 3);
    let tree = ocicle(["ls", "--tree", text(&layout)]);
    let lines: Vec<&str> = tree.lines().map(|line| line.split("  ").next().unwrap()).collect();
    assert!(
        lines[0] == "#app"
            && tree.contains("application/vnd.example.signature")
            && tree.contains("about sha256:"),
        "{tree}"
    );
    ocicle(["check", text(&layout)]);
    ocicle(["gc", text(&layout)]);
    assert_eq!(ocicle(["cat", &at(&layout, "app//platform=linux/arm"), "file"]), "arm v7");
    let manifest = json(&["ls", text(&layout)])["entries"][2]["digest"].as_str().unwrap().to_owned();
    let manifest: Value =
        serde_json::from_slice(&fs::read(layout.join("blobs").join(manifest.replace(':', "/"))).unwrap())
            .unwrap();
    assert_eq!(manifest["layers"][0]["data"], "c2lnbmVk");
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.oci.empty.v1+json");
    if have(&["skopeo"]) {
        let copy = temp.path().join("copy");
        let (from, to) = (format!("oci:{}:app", text(&layout)), format!("oci:{}:app", text(&copy)));
        run("skopeo", ["copy", "--quiet", "--all", &from, &to]);
        assert_eq!(ocicle(["cat", &at(&copy, "app//platform=linux/arm/v7"), "file"]), "arm v7");
    }
    // An edit, seen before it is made.
    fs::write(&file, DESCRIPTION.replace("IMAGES", text(&images)).replace("linux/arm/v7", "linux/arm/v6"))
        .unwrap();
    let told = ocicle(["tree", "apply", "--dry-run", text(&file), text(&layout)]);
    let signs: Vec<&str> = told
        .lines()
        .map(|line| &line[..line.len() - line.trim_start_matches(['+', '-', '~', ' ']).len()])
        .collect();
    assert_eq!(signs[..4], ["~ ", "    ", "+   ", "-   "], "{told}");
}

#[test]
fn bad_descriptions_change_nothing() {
    let temp = TempDir::new().unwrap();
    let layout = nested_layout(&temp);
    let before = fs::read(layout.join("index.json")).unwrap();
    let file = temp.path().join("x.toml");
    for (description, code, part) in [
        ("[[root]]\ncolour = 1\n", 2, "unknown field `colour`"),
        ("[[root]\n", 2, "x.toml"),
        ("{\"root\": [", 2, "x.toml"),
        ("[[root]]\ntag = 'a'\nfrom = '#absent'\n", 3, "nothing matches \"absent\""),
        ("[[root]]\ntag = 'a'\nfrom = 'nowhere#v1'\n", 3, "nowhere"),
        ("[[root]]\ntag = 'a'\nfrom = '#v1'\nplatform = 'linux'\n", 2, "root[0]"),
        ("[[root]]\ntag = 'a'\nblob = { file = 'absent' }\nmedia_type = 'a/b'\n", 1, "absent"),
        ("[[root]]\ntag = 'ok'\nfrom = '#v1'\n[[root]]\ntag = 'ok'\nfrom = '#docker'\n", 2, "the tag ok"),
    ] {
        fs::write(&file, description).unwrap();
        let error = fails(code, ["tree", "apply", text(&file), text(&layout)]);
        assert!(error.contains(part), "{description}: {error}");
        assert_eq!(fs::read(layout.join("index.json")).unwrap(), before, "{description}");
    }
    assert!(fails(1, ["tree", "apply", "absent.toml", text(&layout)]).contains("absent.toml"));
}

#[test]
fn images_are_merged_and_an_index_is_split() {
    let Some(fixture) = ODD.layout() else { return };
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let odd = at(&layout, "odd");
    ocicle(["config", &odd, "--arch", "arm64", "--tag", "arm"]);
    ocicle(["config", &odd, "--arch", "arm", "--variant", "v7", "--tag", "armv7"]);
    // From elsewhere, too.
    let other = temp.path().join("other");
    ocicle(["copy", &at(&layout, "armv7"), &format!("oci-archive:{}", text(&other))]);
    ocicle(["config", text(&other), "--author", "elsewhere"]);
    let blobs = || fs::read_dir(layout.join("blobs/sha256")).unwrap().count();
    let before = blobs();
    ocicle(["tag", "-n", "--merge", &odd, &at(&layout, "arm"), text(&other), "multi"]);
    assert_eq!(blobs(), before, "a dry run writes nothing");
    let merged = ocicle(["tag", "--merge", &odd, &at(&layout, "arm"), text(&other), "multi"]);
    assert!(merged.ends_with("  #multi\n"), "{merged}");
    let platforms = |reference: &str| -> Vec<String> {
        let found = ocicle(["resolve", "--all", "--format", "plain", &format!("{reference}//type=manifest")]);
        found.lines().map(|line| line.split('\t').nth(2).unwrap().to_owned()).collect()
    };
    let multi = at(&layout, "multi");
    assert_eq!(platforms(&multi), ["linux/amd64", "linux/arm64", "linux/arm/v7"]);
    if have(&["skopeo"]) {
        let copy = temp.path().join("copy");
        run(
            "skopeo",
            [
                "copy",
                "--quiet",
                "--all",
                &format!("oci:{}:multi", text(&layout)),
                &format!("oci:{}:multi", text(&copy)),
            ],
        );
        assert_eq!(platforms(&at(&copy, "multi")), platforms(&multi));
    }
    // Equal platforms.
    ocicle(["config", &odd, "--user", "www", "--tag", "www"]);
    let error = fails(2, ["tag", "--merge", &multi, &at(&layout, "www"), "multi"]);
    assert!(error.contains("linux/amd64 is the platform of") && error.contains("--replace"), "{error}");
    let told = ocicle(["tag", "--merge", "--replace", "--dry-run", &multi, &at(&layout, "www"), "multi"]);
    assert!(told.contains("~ #multi"), "{told}");
    assert_eq!(
        ocicle(["tag", "--merge", &multi, &multi, "again"]).split("  ").next(),
        merged.split("  ").next()
    );
    ocicle(["tag", "--merge", "--replace", &multi, &at(&layout, "www"), "multi"]);
    assert_eq!(platforms(&multi), ["linux/arm64", "linux/arm/v7", "linux/amd64"]);
    assert!(ocicle(["stat", &format!("{multi}//platform=linux/amd64"), "--json"]).contains("\"www\""));

    ocicle(["tag", "--split", &multi]);
    let names: Vec<String> = tags(&layout).into_iter().map(|(tag, _)| tag).collect();
    for name in ["multi-linux-amd64", "multi-linux-arm64", "multi-linux-arm-v7"] {
        assert!(names.iter().any(|tag| tag == name), "{names:?}");
    }
    ocicle(["tag", "--split", &multi, "{architecture}{variant}"]);
    assert_eq!(platforms(&multi).len(), 3);
    ocicle(["cat", &at(&layout, "armv7"), "twice"]);
    assert!(fails(1, ["tag", "--split", &multi, "{os}"]).contains("would both be tagged linux"));
    assert!(fails(1, ["tag", "--split", &odd]).contains("not an index"));
    assert!(fails(2, ["tag", "--merge", &odd, "x"]).contains("two objects"));
    ocicle(["check", text(&layout)]);
}

#[test]
fn platforms_are_changed() {
    let temp = TempDir::new().unwrap();
    let layout = nested_layout(&temp);
    let said = |selector: &str| json(&["resolve", &at(&layout, selector)])["platform"].clone();
    let arm = "v1//pos=1//pos=1";
    let old = json(&["resolve", &at(&layout, arm)])["digest"].clone();
    ocicle(["platform", &at(&layout, arm), "linux/arm/v8"]);
    assert_eq!(said(arm), serde_json::json!({"architecture": "arm", "os": "linux", "variant": "v8"}));
    assert_eq!(json(&["resolve", &at(&layout, arm)])["digest"], old);
    // The other tag did not change.
    assert_eq!(said("same//pos=1//pos=1")["variant"], "v7");
    ocicle(["platform", &at(&layout, arm), "--from-config"]);
    assert_eq!(said(arm)["variant"], "v7");
    ocicle(["platform", &at(&layout, arm), "linux/arm/v6", "--config", "--dry-run"]);
    assert_eq!(json(&["resolve", &at(&layout, arm)])["digest"], old);
    ocicle(["platform", &at(&layout, arm), "freebsd/riscv64", "--config"]);
    assert_eq!(said(arm), serde_json::json!({"architecture": "riscv64", "os": "freebsd"}));
    let stat = json(&["stat", &at(&layout, arm)]);
    assert_eq!(
        (&stat["config"]["os"], &stat["config"]["architecture"]),
        (&"freebsd".into(), &"riscv64".into())
    );
    assert_eq!(stat["config"]["variant"], Value::Null);
    assert!(fails(2, ["platform", &at(&layout, arm), "linux"]).contains("linux"));
    ocicle(["check", text(&layout)]);
}
