//! `ocicle annotate`.

use std::{fs, path::Path};

use ocicle_tests::{
    ocicle::{at, fails, ocicle, text},
    temp::TempDir,
    tools::{have, run},
};
use serde_json::Value;

fn document(layout: &Path, digest: &str) -> Value {
    let blob = layout.join("blobs").join(digest.trim().replace(':', "/"));
    serde_json::from_slice(&fs::read(blob).unwrap()).unwrap()
}

/// Creates an index of two platforms, tagged `v1`, in an index, tagged `outer`.
fn nested(temp: &TempDir) -> std::path::PathBuf {
    let layout = temp.path().join("images");
    ocicle(["init", text(&layout)]);
    for platform in ["linux/amd64", "linux/arm64"] {
        ocicle(["new", "--platform", platform, &at(&layout, platform.split_once('/').unwrap().1)]);
    }
    let index_json = layout.join("index.json");
    let mut root: Value = serde_json::from_slice(&fs::read(&index_json).unwrap()).unwrap();
    let mut entries = root["manifests"].take();
    for entry in entries.as_array_mut().unwrap() {
        let architecture = entry["annotations"]["org.opencontainers.image.ref.name"].take();
        entry["platform"] = serde_json::json!({ "os": "linux", "architecture": architecture });
        entry.as_object_mut().unwrap().remove("annotations");
    }
    let media_type = "application/vnd.oci.image.index.v1+json";
    let index = |entries: Value, tag: &str| {
        let value = serde_json::json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": entries });
        let bytes = serde_json::to_vec(&value).unwrap();
        let file = temp.path().join("document");
        fs::write(&file, &bytes).unwrap();
        let sum = String::from_utf8(run("sha256sum", [text(&file)])).unwrap()[..64].to_owned();
        fs::write(layout.join("blobs/sha256").join(&sum), &bytes).unwrap();
        serde_json::json!({ "mediaType": media_type, "digest": format!("sha256:{sum}"), "size": bytes.len(),
            "annotations": { "org.opencontainers.image.ref.name": tag } })
    };
    let v1 = index(entries, "v1");
    let mut inner = v1.clone();
    inner.as_object_mut().unwrap().remove("annotations");
    let outer = index(Value::Array(vec![inner]), "outer");
    root["manifests"] = Value::Array(vec![v1, outer]);
    fs::write(&index_json, serde_json::to_vec(&root).unwrap()).unwrap();
    layout
}

#[test]
fn any_object_at_any_depth() {
    if !have(&["sha256sum"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = nested(&temp);
    let before = fs::read(layout.join("index.json")).unwrap();
    let blobs = || fs::read_dir(layout.join("blobs/sha256")).unwrap().count();
    let count = blobs();
    let image = at(&layout, "outer//platform=linux/arm64");
    assert_eq!(ocicle(["annotate", "-n", &image, "a=b"]), "");
    assert_eq!((fs::read(layout.join("index.json")).unwrap(), blobs()), (before, count));

    // An image two indexes down: those above follow, and `v1`, which has the same image, does not.
    let v1 = ocicle(["resolve", "--json", &at(&layout, "tag=v1")]);
    let digest = ocicle(["annotate", &image, "a=b", "c=d=e", "empty="]);
    let expected = serde_json::json!({ "a": "b", "c": "d=e", "empty": "" });
    assert_eq!(document(&layout, &digest)["annotations"], expected);
    assert!(ocicle(["resolve", "--format", "plain", &image]).contains(digest.trim()));
    let entry = |text: &str| serde_json::from_str::<Value>(text).unwrap()["digest"].clone();
    assert_eq!(entry(&ocicle(["resolve", "--json", &at(&layout, "tag=v1")])), entry(&v1));
    let digest = ocicle(["annotate", &image, "--remove", "a", "--remove", "empty", "c=f"]);
    assert_eq!(document(&layout, &digest)["annotations"], serde_json::json!({ "c": "f" }));

    // An index, under a new tag.
    let digest = ocicle(["annotate", &at(&layout, "tag=v1"), "title=two", "--tag", "v2"]);
    assert_eq!(document(&layout, &digest)["annotations"], serde_json::json!({ "title": "two" }));
    assert!(ocicle(["resolve", "--format", "plain", &at(&layout, "tag=v2")]).contains(digest.trim()));
    assert!(ocicle(["check", text(&layout)]).ends_with("nothing wrong\n"));
}

#[test]
fn annotations_of_a_descriptor() {
    if !have(&["sha256sum"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = nested(&temp);
    let image = at(&layout, "v1//platform=linux/arm64");
    let hop = |reference: &str| {
        let found: Value = serde_json::from_str(&ocicle(["resolve", "--json", reference])).unwrap();
        found["hops"].as_array().unwrap().last().unwrap()["descriptor"].clone()
    };
    let before = hop(&image);
    let digest = ocicle(["annotate", "--descriptor", &image, "note=slow"]);
    assert_eq!(digest.trim(), before["digest"]);
    let mut expected = before.clone();
    expected["annotations"] = serde_json::json!({ "note": "slow" });
    assert_eq!(hop(&image), expected);
    assert!(ocicle(["resolve", &at(&layout, "v1//annotation.note=slow")]).contains("linux/arm64"));
    ocicle(["annotate", "--descriptor", &image, "--remove", "note"]);
    assert_eq!(hop(&image), before);
    // In index.json.
    ocicle(["annotate", "--descriptor", &at(&layout, "tag=v1"), "note=all"]);
    assert_eq!(hop(&at(&layout, "tag=v1"))["annotations"]["note"], "all");
    assert!(ocicle(["check", text(&layout)]).ends_with("nothing wrong\n"));
}

#[test]
fn mistakes_change_nothing() {
    if !have(&["sha256sum"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = nested(&temp);
    let before = fs::read(layout.join("index.json")).unwrap();
    let v1 = at(&layout, "tag=v1");
    let error = fails(3, ["annotate", &v1, "--remove", "missing"]);
    assert_eq!(error, "error: annotation missing not found (the object has no annotations)\n");
    fails(2, ["annotate", &v1]);
    fails(2, ["annotate", &v1, "no-value"]);
    fails(2, ["annotate", &v1, "=x"]);
    let error = fails(2, ["annotate", "--descriptor", &v1, "org.opencontainers.image.ref.name=v2"]);
    assert!(error.contains("is the tag"), "{error}");
    fails(3, ["annotate", &at(&layout, "nothing"), "a=b"]);
    // The same image at two places: the reference must name one.
    let image: Value =
        serde_json::from_str(&ocicle(["resolve", "--json", &at(&layout, "v1//platform=linux/arm64")]))
            .unwrap();
    let error =
        fails(2, ["annotate", &at(&layout, &format!("digest={}", image["digest"].as_str().unwrap())), "a=b"]);
    assert!(error.contains("is at 2 places"), "{error}");
    assert_eq!(fs::read(layout.join("index.json")).unwrap(), before);
}
