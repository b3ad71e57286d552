//! Layouts that are odd in one place: the rest of them works.

use std::fs;

use ocicle_tests::{
    handmade::{Archive, Layer, layout},
    nested::{Maker, digest, linux, tagged},
    ocicle::{at, command, fails, json, ocicle, text},
    temp::TempDir,
};
use serde_json::{Value, json};

#[test]
fn a_malformed_entry_is_listed_checked_and_removed() {
    let temp = TempDir::new().unwrap();
    let make = Maker::new(temp.path());
    let good = tagged(&make.image(&linux("amd64", None), "good"), "good");
    let mut bad = tagged(&make.image(&linux("arm64", None), "bad"), "bad");
    bad["digest"] = json!("sha256:short");
    make.root(&[bad, good.clone(), json!(7)]);
    let store = text(temp.path());
    assert_eq!(ocicle(["cat", &at(temp.path(), "good"), "/file"]), "good");
    let listing = json(&["ls", store]);
    let kinds: Vec<&str> =
        listing["entries"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["malformed", "manifest", "malformed"]);
    assert!(ocicle(["ls", store]).contains("malformed"));
    assert!(ocicle(["ls", "--tree", store]).contains("malformed"));
    let output = command().args(["check", store]).output().unwrap();
    let found = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(4), "{found}");
    assert!(
        found.contains("pos=0: ") && found.contains("entry 0 is malformed: ") && found.contains("pos=2: "),
        "{found}"
    );
    let error = fails(4, ["stat", &at(temp.path(), "bad")]);
    assert!(error.contains("entry 0 is malformed: "), "{error}");
    // What it names is unknown, so nothing is removed, and nothing is left out of a whole copy.
    fails(4, ["gc", store]);
    fails(4, ["copy", store, &format!("oci:{}", text(&temp.path().join("copy")))]);
    // Edits of the others keep it.
    ocicle(["tag", &at(temp.path(), "good"), "new"]);
    assert_eq!(json(&["ls", store])["entries"].as_array().unwrap().len(), 4);
    ocicle(["rm", &at(temp.path(), "bad")]);
    ocicle(["rm", &at(temp.path(), "pos=1")]);
    assert!(ocicle(["check", store]).ends_with("nothing wrong\n"));
    ocicle(["gc", store]);
    assert_eq!(ocicle(["cat", &at(temp.path(), "new"), "/file"]), "good");
}

#[test]
fn a_tagged_image_is_not_below_itself() {
    let temp = TempDir::new().unwrap();
    let make = Maker::new(temp.path());
    make.root(&[tagged(&make.image(&linux("amd64", None), "a"), "v1")]);
    let error = fails(3, ["stat", &at(temp.path(), "v1//platform=linux/amd64")]);
    let hint = "hint: `//` means below; the object itself is #tag=v1,platform=linux/amd64\n";
    assert!(error.ends_with(hint), "{error}");
    ocicle(["stat", &at(temp.path(), "tag=v1,platform=linux/amd64")]);
    let error = fails(3, ["stat", &at(temp.path(), "v1//platform=linux/arm64")]);
    assert!(!error.contains("hint"), "{error}");
}

#[test]
fn an_image_saved_for_one_platform_is_found() {
    let temp = TempDir::new().unwrap();
    let make = Maker::new(temp.path());
    let [amd64, arm64] = ["amd64", "arm64"].map(|name| make.image(&linux(name, None), name));
    make.root(&[tagged(&make.index(&[amd64.clone(), arm64.clone()]), "v1")]);
    make.forget(&arm64);
    assert_eq!(ocicle(["cat", &at(temp.path(), "v1"), "/file"]), "amd64");
    let error = fails(3, ["resolve", &at(temp.path(), "v1//type=manifest")]);
    let lines: Vec<&str> = error.lines().filter(|line| line.ends_with("(not in the store)")).collect();
    assert!(matches!(lines[..], [line] if line.contains(digest(&arm64).as_str())), "{error}");
}

#[test]
fn a_wrong_compression_is_warned_of_once() {
    let temp = TempDir::new().unwrap();
    let mut layer = Layer::plain(Archive::new().file("file", "content").end());
    layer.media_type = "application/vnd.oci.image.layer.v1.tar+gzip";
    layout(temp.path(), &[layer.clone(), Layer::plain(Archive::new().file("other", "x").end())]);
    for args in [vec!["cat", "/file"], vec!["files", "/"], vec!["waste"]] {
        let image = at(temp.path(), "t");
        let words = [&args[..1], &[&image], &args[1..]].concat();
        let output = command().args(&words).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{error}");
        let warning =
            format!("warning: layer {}: its media type says gzip, its content none\n", layer.diff_id);
        assert_eq!(error.matches("warning").count(), 1, "{words:?}: {error}");
        assert!(error.contains(&warning), "{words:?}: {error}");
        let output = command().args(&words).arg("--quiet").output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    }
}

#[test]
fn artifacts_and_what_docker_adds_are_shown() {
    let temp = TempDir::new().unwrap();
    let make = Maker::new(temp.path());
    let image = make.image(&linux("amd64", None), "a");
    let sbom = make.artifact("application/spdx+json", &image, b"{}");
    let proof = make.attestation(&image);
    make.root(&[tagged(&image, "v1"), tagged(&sbom, "sbom"), tagged(&proof, "proof")]);
    let shown = ocicle(["stat", &at(temp.path(), "sbom")]);
    for part in [
        "Artifact type application/spdx+json\n",
        &format!("Subject       {}\n", digest(&image)),
        "Layers        1 (2 B)\n",
        "  application/spdx+json\n",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(json(&["stat", &at(temp.path(), "sbom")])["artifactType"], "application/spdx+json");
    assert!(ocicle(["stat", &at(temp.path(), "proof")]).contains("application/vnd.in-toto+json"));
    fails(3, ["stat", &at(temp.path(), "none")]);
    ocicle([
        "config",
        &at(temp.path(), "v1"),
        "--healthcheck",
        "CMD-SHELL true",
        "--health-interval",
        "90s",
        "--health-retries",
        "3",
    ]);
    let shown = ocicle(["stat", &at(temp.path(), "v1")]);
    assert!(shown.contains("Healthcheck  ") && shown.contains(", interval 90s, retries 3\n"), "{shown}");
}

/// Returns the entries of a store: tag, and the digests of the objects that refer to each.
fn referrers(store: &str) -> Vec<(String, usize, Value)> {
    let listing = json(&["ls", store]);
    let entries = listing["entries"].as_array().unwrap().iter();
    let count = |entry: &Value| entry["referrers"].as_array().unwrap().len();
    let tag = |entry: &Value| entry["tag"].as_str().unwrap_or("-").to_owned();
    entries.map(|entry| (tag(entry), count(entry), entry["attests"].clone())).collect()
}

#[test]
fn cosign_tags_are_about_an_image() {
    let temp = TempDir::new().unwrap();
    let make = Maker::new(temp.path());
    let image = make.image(&linux("amd64", None), "a");
    let name = |about: &str| format!("{}.sig", about.replace(':', "-"));
    let signature = make.image(&linux("amd64", None), "signature");
    let old = digest(&image).to_string();
    make.root(&[tagged(&image, "v1"), tagged(&signature, &name(&old))]);
    let store = text(temp.path());
    assert_eq!(referrers(store), [("v1".into(), 1, Value::Null), (name(&old), 0, json!(old))]);
    let tree = ocicle(["ls", "--tree", store]);
    assert!(tree.contains("about sha256:"), "{tree}");
    let edit = |more: &[&str]| {
        let output =
            command().args(["config", &at(temp.path(), "v1"), "--user"]).args(more).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let new = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        (new, String::from_utf8(output.stderr).unwrap())
    };
    let (_, warned) = edit(&["x", "--tag", "v2"]);
    assert!(warned.contains("refers to the replaced object"), "{warned}");
    let (new, _) = edit(&["y", "--referrers", "copy"]);
    assert_eq!(
        referrers(store).iter().map(|(tag, ..)| tag.as_str()).collect::<Vec<_>>(),
        ["v1", &name(&old), "v2", &name(&new)]
    );
    let (newer, _) = edit(&["z", "--referrers", "drop"]);
    let tags: Vec<_> = referrers(store).into_iter().map(|(tag, ..)| tag).collect();
    assert_eq!(tags, ["v1".to_owned(), name(&old), "v2".into()], "{newer}");
    fs::metadata(temp.path().join("index.json")).unwrap();
}

#[test]
fn indexes_annotations_and_media_types_are_compared() {
    let temp = TempDir::new().unwrap();
    let make = Maker::new(temp.path());
    let [a, b, c] = [("amd64", "1"), ("arm64", "1"), ("arm64", "2")]
        .map(|(architecture, content)| make.image(&linux(architecture, None), content));
    let (before, after) = (make.index(&[a.clone(), b.clone()]), make.index(&[c.clone(), a.clone()]));
    make.root(&[tagged(&before, "before"), tagged(&after, "after"), tagged(&a, "image")]);
    let store = |tag: &str| at(temp.path(), tag);
    let diff = |args: &[&str], code: i32| {
        let output = command().arg("diff").args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(
        diff(&[&store("before"), &store("after")], 5),
        format!("~ linux/arm64  {} → {}\n", digest(&b), digest(&c))
    );
    assert_eq!(diff(&[&store("before"), &store("before")], 0), "");
    ocicle(["annotate", &store("after"), "note=1"]);
    let found = diff(&[&store("before"), &store("after")], 5);
    assert!(found.starts_with("index annotations.note: nothing → \"1\"\n~ linux/arm64"), "{found}");
    // Of images, too.
    ocicle(["annotate", &store("image"), "note=1", "--tag", "noted"]);
    let pair = [store("image"), store("noted")];
    assert_eq!(diff(&[&pair[0], &pair[1]], 5), "manifest annotations.note: nothing → \"1\"\n");
    let json = diff(&[&pair[0], &pair[1], "--json"], 5);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["manifest"][0], json!({ "field": "annotations.note", "after": "1" }));
}

#[test]
fn all_images_of_a_platform_are_copied() {
    let temp = TempDir::new().unwrap();
    let from = temp.path().join("from");
    let make = Maker::new(&from);
    let index = |content: &str| {
        make.index(
            &["amd64", "arm64"].map(|name| make.image(&linux(name, None), &format!("{content} {name}"))),
        )
    };
    make.root(&[tagged(&index("one"), "app:1"), tagged(&index("two"), "app:2"), index("three")]);
    let from = at(&temp.path().join("from"), "platform=linux/arm64");
    for kind in ["oci-archive", "docker-archive"] {
        let file = temp.path().join(format!("{kind}.tar"));
        ocicle(["copy", "--all", &from, &format!("{kind}:{}", text(&file))]);
        let listing = json(&["ls", text(&file)]);
        let tags: Vec<_> =
            listing["entries"].as_array().unwrap().iter().map(|entry| entry["tag"].clone()).collect();
        assert_eq!(tags, [json!("app:1"), json!("app:2"), Value::Null], "{kind}");
        assert_eq!(ocicle(["cat", &at(&file, "app:2"), "/file"]), "two arm64");
    }
    fails(3, ["copy", &from, &format!("oci-archive:{}", text(&temp.path().join("x.tar")))]);
    fails(
        3,
        ["copy", "--all", &format!("{from}x"), &format!("oci-archive:{}", text(&temp.path().join("x.tar")))],
    );
}
