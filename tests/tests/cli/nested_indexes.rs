//! Trees of indexes: drawn, resolved, explained, edited; and read by skopeo.

use std::path::PathBuf;

use ocicle_tests::{
    nested,
    ocicle::{at, fails, json, ocicle, text, try_ocicle},
    temp::TempDir,
    tools::{have, run},
};
use serde_json::Value;

fn layout(temp: &TempDir) -> PathBuf {
    let layout = temp.path().join("images");
    nested::layout(&layout);
    layout
}

/// Replaces the digests in a text by numbers, in order of appearance.
fn with_numbers(text: &str) -> String {
    let mut known: Vec<String> = Vec::new();
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("sha256:") {
        let (before, digest) = rest.split_at(at);
        let end = 7 + digest[7..].find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digest.len() - 7);
        let short = digest[7..end.min(19)].to_owned();
        let number = known.iter().position(|it| *it == short).unwrap_or_else(|| {
            known.push(short);
            known.len() - 1
        });
        out.push_str(before);
        out.push_str(&format!("<{number}>"));
        rest = &digest[end..];
    }
    out + rest
}

#[test]
fn ls_draws_a_tree() {
    let temp = TempDir::new().unwrap();
    let drawn = with_numbers(&ocicle(["ls", "--tree", text(&layout(&temp))]));
    assert_eq!(
        drawn,
        "\
#v1  index  <0>
├─ manifest  linux/amd64  <1>  2.2 kB
│  ├─ ← <2>
│  └─ ← <3>
├─ index  <4>
│  ├─ manifest  linux/arm/v6  <5>  2.2 kB
│  └─ manifest  linux/arm/v7  <6>  2.2 kB
└─ attestation  unknown/unknown  <3>  291 B  about <1>
#same  index  <0>  (as above)
#docker  index  <7>
├─ manifest  linux/amd64  <8>  2.2 kB
└─ manifest  linux/arm64/v8  <9>  2.2 kB
#sparse  index  <10>
├─ manifest  linux/amd64  <1>  2.2 kB  (as above)
└─ manifest  linux/arm64  <11>  not readable here
(no tag)  application/spdx+json  <2>  28 B  about <1>
"
    );
    let listing = json(&["ls", "--tree", text(&layout(&temp))]);
    let amd64 = &listing["entries"][0]["entries"][0];
    assert_eq!((amd64["referrers"].as_array().unwrap().len(), &amd64["shared"]), (2, &Value::Bool(true)));
    assert_eq!(listing["entries"][4]["subject"], amd64["digest"]);
    assert_eq!(listing, json(&["ls", text(&layout(&temp))]));
}

#[test]
fn every_place_is_shown() {
    let temp = TempDir::new().unwrap();
    let layout = layout(&temp);
    let all = |selector: &str| -> Vec<String> {
        let found = ocicle(["resolve", "--all", "--format", "plain", &at(&layout, selector)]);
        found.lines().map(|line| line.split(",digest=").next().unwrap().to_owned()).collect()
    };
    assert_eq!(all("platform=linux/amd64"), ["pos=0//pos=0", "pos=1//pos=0", "pos=2//pos=0", "pos=3//pos=0"]);
    assert_eq!(all("v1//platform=linux/arm"), ["pos=0//pos=1//pos=0", "pos=0//pos=1//pos=1"]);
    // Normalised: armhf is arm/v7, and arm64/v8 is arm64.
    assert_eq!(all("v1//platform=linux/armhf"), ["pos=0//pos=1//pos=1"]);
    assert_eq!(all("docker//platform=linux/aarch64"), ["pos=2//pos=1"]);
    // BuildKit writes the type with a hyphen, which is nothing special.
    assert_eq!(
        all("annotation.vnd.docker.reference.type=attestation-manifest"),
        ["pos=0//pos=2", "pos=1//pos=2"]
    );
    // Each of them is exact.
    let found = json(&["resolve", "--all", &at(&layout, "type=manifest")]);
    for place in found["found"].as_array().unwrap() {
        let selector = place["selector"].as_str().unwrap();
        assert_eq!(all(selector).len(), 1, "{selector}");
        assert_eq!(json(&["resolve", &at(&layout, selector)])["digest"], place["digest"]);
    }
    assert!(fails(3, ["resolve", "--all", &at(&layout, "v2")]).contains("#v1, #same, #docker, #sparse"));
}

#[test]
fn a_resolution_is_explained() {
    let temp = TempDir::new().unwrap();
    let layout = layout(&temp);
    let explained =
        ocicle(["resolve", "--explain", &at(&layout, "v1//pos=1,type=index//platform=linux/armel")]);
    assert_eq!(
        with_numbers(&explained),
        "\
#v1//pos=1,type=index//platform=linux/armel
of all places    tag=v1                5 → 1  of #v1, #same, #docker, #sparse
somewhere below  pos=1                 3 → 1  of pos=0, pos=1, pos=2
and              type=index            1 → 1
somewhere below  platform=linux/armel  2 → 1  of platform=linux/arm/v6, platform=linux/arm/v7
= #pos=0//pos=1//pos=0,digest=<0>
"
    );
    // What cannot be resolved is explained before it fails.
    let output = try_ocicle(["resolve", "--explain", "--json", &at(&layout, "v1//platform=linux/s390x")]);
    assert_eq!(output.status.code(), Some(3));
    let error = String::from_utf8_lossy(&output.stderr);
    let explained: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&explained["clauses"][1]["before"], &explained["clauses"][1]["after"]),
        (&5.into(), &0.into())
    );
    assert!(explained["found"].as_array().unwrap().is_empty());
    assert!(
        error
            .contains("\"platform=linux/s390x\" of #v1//platform=linux/s390x; there is platform=linux/amd64"),
        "{error}"
    );
    let error = fails(3, ["resolve", &at(&layout, "v1//platform=linux/arm")]);
    assert!(error.contains("ambiguous: 2 objects") && error.contains("#platform=linux/arm/v6 "), "{error}");
}

#[test]
fn trees_are_edited_checked_and_read_by_skopeo() {
    let temp = TempDir::new().unwrap();
    let layout = layout(&temp);
    let listed = |tree: &Value| tree["entries"].as_array().unwrap().len();
    let checked = ocicle(["check", text(&layout)]);
    assert!(
        checked.contains("warning: pos=3//pos=1: is not in the store: this index is sparse"),
        "{checked}"
    );
    ocicle(["config", &at(&layout, "v1//platform=linux/arm/v7"), "--user", "www"]);
    let after = json(&["ls", text(&layout)]);
    assert_eq!((listed(&after), listed(&after["entries"][0])), (5, 3));
    assert_ne!(after["entries"][0]["digest"], after["entries"][1]["digest"]);
    assert_eq!(after["entries"][0]["entries"][0], {
        let mut other = after["entries"][1]["entries"][0].clone();
        other["selector"] = after["entries"][0]["entries"][0]["selector"].clone();
        other
    });
    ocicle(["gc", text(&layout)]);
    ocicle(["check", text(&layout)]);
    if !have(&["skopeo"]) {
        return;
    }
    for tag in ["v1", "same", "sparse"] {
        let image = format!("oci:{}:{tag}", text(&layout));
        let raw = run("skopeo", ["inspect", "--raw", &image]);
        let digest = ocicle::hash::digest_of(ocicle::digest::Algorithm::Sha256, &raw);
        assert_eq!(json(&["resolve", &at(&layout, tag)])["digest"], digest.as_str(), "{tag}");
    }
    // skopeo finds nothing of Docker's types in a layout, and copies indexes of one level; sparse ones, one
    // image at a time.
    let (oci, copy) = (temp.path().join("oci"), temp.path().join("copy"));
    ocicle(["copy", "--format", "oci", &at(&layout, "docker"), text(&oci)]);
    let (from, to) = (format!("oci:{}:docker", text(&oci)), format!("oci:{}:docker", text(&copy)));
    run("skopeo", ["copy", "--quiet", "--all", &from, &to]);
    let one = ["copy", "--quiet", "--override-arch", "amd64", "--override-os", "linux"];
    run(
        "skopeo",
        one.iter()
            .copied()
            .chain([&*format!("oci:{}:sparse", text(&layout)), &*format!("oci:{}:sparse", text(&copy))]),
    );
    assert_eq!(ocicle(["cat", &at(&copy, "sparse"), "file"]), "amd64");
    assert_eq!(ocicle(["cat", &at(&copy, "docker//platform=linux/arm64"), "file"]), "docker arm");
    ocicle(["check", text(&copy)]);
}
