//! Trees of indexes that buildah, skopeo and umoci made: listed, resolved, explained, and compared with
//! skopeo.

use ocicle::{digest::Algorithm, hash::digest_of};
use ocicle_tests::{
    fixtures::NESTED,
    ocicle::{at, fails, json, ocicle, text},
    temp::TempDir,
    tools::{have, run},
};
use serde_json::Value;

/// Returns a tree without its digests and sizes.
fn shape(drawn: &str) -> Vec<String> {
    let lines = drawn.lines().map(|line| {
        let words = line.split("  ").filter(|word| {
            let about = word.trim_start_matches("about ");
            !about.starts_with("sha256:") && !word.ends_with('B')
        });
        let line = words.collect::<Vec<_>>().join(" ");
        line.split(" sha256:").next().unwrap().to_owned()
    });
    lines.collect()
}

#[test]
fn ls_draws_trees_of_buildah_and_skopeo() {
    let Some(layout) = NESTED.layout() else { return };
    let drawn = ocicle(["ls", "--tree", text(&layout)]);
    let wanted = "\
#multi index
├─ manifest linux/amd64
│ ├─ ←
│ └─ ←
├─ manifest linux/arm64/v8
│ └─ ←
├─ manifest linux/arm/v7
└─ manifest linux/arm/v6
#single manifest linux/riscv64
#also manifest linux/riscv64 (as above)
#docker index
├─ manifest linux/amd64
├─ manifest linux/arm64/v8
├─ manifest linux/arm/v7
└─ manifest linux/arm/v6
#nested index
├─ ←
├─ index (as above)
├─ index
│ └─ manifest linux/riscv64 (as above)
└─ index (as above)
#attested index
├─ manifest linux/amd64 (as above)
├─ manifest linux/arm64/v8 (as above)
├─ attestation unknown/unknown
└─ attestation unknown/unknown
#twice manifest linux/amd64 (as above)
#twice manifest linux/arm64/v8 (as above)
#holes index
├─ manifest linux/amd64 (as above)
├─ manifest linux/s390x not readable here
└─ index not readable here
(no tag) application/spdx+json
(no tag) index application/vnd.example.list";
    assert_eq!(shape(&drawn), wanted.lines().collect::<Vec<_>>(), "{drawn}");
    let sparse = ocicle(["ls", "--tree", text(&layout.with_file_name("sparse"))]);
    assert_eq!(sparse.matches("not readable here").count(), 4, "{sparse}");
}

#[test]
fn ls_lists_below_a_selected_index() {
    let Some(layout) = NESTED.layout() else { return };
    let drawn = ocicle(["ls", "--tree", &at(&layout, "nested//pos=1")]);
    assert_eq!(shape(&drawn), ["index", "└─ manifest linux/riscv64"], "{drawn}");
    let whole = json(&["ls", text(&layout)]);
    let below = json(&["ls", &at(&layout, "nested")]);
    assert_eq!(below["entries"], serde_json::json!([whole["entries"][4]]));
    let below = json(&["ls", &at(&layout, "nested//pos=1")]);
    assert_eq!(below["entries"], serde_json::json!([whole["entries"][4]["entries"][1]]));
    fails(3, ["ls", &at(&layout, "nowhere")]);
    fails(3, ["ls", &at(&layout, "twice")]);
}

#[test]
fn every_place_of_an_object_is_found() {
    let Some(layout) = NESTED.layout() else { return };
    let all = |selector: &str| -> Vec<String> {
        let found = ocicle(["resolve", "--all", "--format", "plain", &at(&layout, selector)]);
        found.lines().map(|line| line.split(",digest=").next().unwrap().to_owned()).collect()
    };
    assert_eq!(
        all("nested//platform=linux/aarch64"),
        ["pos=4//pos=0//pos=1", "pos=4//pos=2//pos=1"],
        "an index that is in the tree twice"
    );
    assert_eq!(all("platform=linux/riscv64"), ["pos=1", "pos=2", "pos=4//pos=1//pos=0"]);
    assert_eq!(all("twice"), ["pos=6", "pos=7"]);
    assert_eq!(all("multi//platform=linux/armhf"), ["pos=0//pos=2"]);
    assert_eq!(
        all("type=application/vnd.docker.distribution.manifest.v2%2Bjson,platform=linux/arm"),
        ["pos=3//pos=2", "pos=3//pos=3"]
    );
    // The annotation is in the manifest and the index, not in the entries that refer to them.
    assert_eq!(all("artifact=application/spdx+json"), ["pos=9"]);
    assert_eq!(all("artifact=application/vnd.example.list"), ["pos=10"]);
    assert_eq!(all("holes//platform=linux/s390x"), ["pos=8//pos=1"]);
    // Attestations are for no platform, so an image of one is found in spite of them.
    assert!(ocicle(["stat", &at(&layout, "attested//platform=linux/amd64")]).contains("linux/amd64"));
    let error = fails(3, ["stat", &at(&layout, "attested")]);
    assert!(error.contains("ambiguous: 2 objects") && !error.contains("unknown"), "{error}");
}

#[test]
fn a_clause_that_fails_is_named() {
    let Some(layout) = NESTED.layout() else { return };
    let error = |selector: &str| fails(3, ["resolve", &at(&layout, selector)]);
    let message = error("multi//type=manifest,platform=linux/s390x");
    assert!(
        message.contains("nothing matches \"platform=linux/s390x\" of #multi//type=manifest,platform="),
        "{message}"
    );
    assert!(
        message.contains(
            "there is platform=linux/amd64, platform=linux/arm64/v8, platform=linux/arm/v7, platform=linux/arm/v6\n"
        ),
        "{message}"
    );
    let message = error("multi//platform=linux/amd64,type=index");
    assert!(
        message.contains("nothing matches \"type=index\" of #multi//platform=linux/amd64,type=index; there is type=manifest\n"),
        "{message}"
    );
    let message = error("holes//platform=linux/ppc64le");
    assert!(message.contains("platform=linux/s390x") && message.contains("(not in the store)"), "{message}");
}

/// `sh` and `bash` pass a suggested reference on unchanged, without quotes.
#[test]
fn suggested_references_need_no_quotes() {
    let Some(layout) = NESTED.layout() else { return };
    let temp = TempDir::new().unwrap();
    let copy = ocicle_tests::fixtures::copy_of(&layout, temp.path());
    let index = copy.join("index.json");
    let mut root: Value = serde_json::from_slice(&std::fs::read(&index).unwrap()).unwrap();
    let names = ["a b", "$(exit 9)", "*;?[!x]", "~", "'\"\\`", "#&|<>(){}", "x,y=z//%41", "é\t!", "-"];
    for (number, name) in names.iter().enumerate() {
        root["manifests"][number]["annotations"]["org.opencontainers.image.ref.name"] = (*name).into();
    }
    std::fs::write(&index, root.to_string()).unwrap();
    for (number, name) in names.iter().enumerate() {
        let listed = json(&["ls", text(&copy)]);
        assert_eq!(listed["entries"][number]["tag"], *name);
    }
    let error = fails(3, ["resolve", text(&copy)]);
    let proposals: Vec<&str> = error.split("there is ").nth(1).unwrap().trim_end().split(", ").collect();
    assert_eq!(proposals.len(), 11, "{error}");
    for (number, proposal) in proposals.iter().enumerate() {
        for shell in ["sh", "bash"] {
            if !have(&[shell]) {
                continue;
            }
            let said = run(shell, ["-c", &format!("printf %s layout{proposal}")]);
            assert_eq!(String::from_utf8(said).unwrap(), format!("layout{proposal}"), "{shell}");
        }
        let found = json(&["resolve", &format!("{}{proposal}", text(&copy))]);
        assert_eq!(found["hops"][0]["position"], number, "{proposal}");
    }
}

#[test]
fn skopeo_sees_the_same_objects() {
    let Some(layout) = NESTED.layout() else { return };
    let raw = |image: &str| {
        let raw = run("skopeo", ["inspect", "--raw", image]);
        digest_of(Algorithm::Sha256, &raw).to_string()
    };
    for tag in ["multi", "single", "also", "nested", "attested", "holes"] {
        let digest = json(&["resolve", &at(&layout, tag)])["digest"].clone();
        assert_eq!(digest, raw(&format!("oci:{}:{tag}", text(&layout))), "{tag}");
    }
    let sparse = layout.with_file_name("sparse");
    let multi = json(&["resolve", &at(&sparse, "multi")])["digest"].clone();
    assert_eq!(multi, raw(&format!("oci:{}:multi", text(&sparse))));
    assert_eq!(multi, json(&["resolve", &at(&layout, "multi")])["digest"]);
    // From an index it takes the image of a platform, as a selector does.
    for (arch, variant) in [("amd64", ""), ("arm64", "v8"), ("arm", "v7"), ("arm", "v6")] {
        let image = format!("oci:{}:attested", text(&layout));
        let image = if arch == "arm" { image.replace("attested", "multi") } else { image };
        let options = ["--override-os", "linux", "--override-arch", arch, "--override-variant", variant];
        let inspected = run("skopeo", options.iter().copied().chain(["inspect", "--config", &image]));
        let config: Value = serde_json::from_slice(&inspected).unwrap();
        let slash = if variant.is_empty() { "" } else { "/" };
        let tag = image.rsplit(':').next().unwrap();
        let stat = json(&["stat", &at(&layout, &format!("{tag}//platform=linux/{arch}{slash}{variant}"))]);
        assert_eq!(stat["config"]["rootfs"], config["rootfs"], "{arch}{variant}");
    }
    // A copy of all of an index, with the attestations, is the same tree.
    let temp = TempDir::new().unwrap();
    let copy = temp.path().join("copy");
    let (from, to) = (format!("oci:{}:attested", text(&layout)), format!("oci:{}:attested", text(&copy)));
    run("skopeo", ["copy", "--quiet", "--all", &from, &to]);
    assert_eq!(
        json(&["resolve", &at(&copy, "attested")])["digest"],
        json(&["resolve", &at(&layout, "attested")])["digest"]
    );
    assert!(!ocicle(["ls", "--tree", text(&copy)]).contains("not readable"));
}
