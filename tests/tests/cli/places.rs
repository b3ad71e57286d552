//! Edits of images that occur at several places, and their referrers.

use std::{fs, path::PathBuf};

use ocicle::{digest::Algorithm, hash::digest_of};
use ocicle_tests::{
    ocicle::{at, command, fails, ocicle, stat, text, try_ocicle},
    temp::TempDir,
};
use serde_json::{Value, json};

struct Layout {
    temp: TempDir,
    path: PathBuf,
}

impl Layout {
    /// Stores one image, twice in an index under `v1`, in an index in an index under `deep`, and alone under
    /// `alone`; and an SBOM of it.
    fn new() -> Self {
        let temp = TempDir::new().unwrap();
        let path = temp.path().join("layout");
        ocicle(["init", text(&path)]);
        let mut made = command();
        made.args(["new", &at(&path, "alone"), "--platform", "linux/amd64"]).env("SOURCE_DATE_EPOCH", "1");
        assert!(made.output().unwrap().status.success());
        let layout = Self { temp, path };
        let image = layout.entries()[0].clone();
        let entry = |platform: Value| {
            let mut entry = image.clone();
            entry["annotations"].take();
            entry.as_object_mut().unwrap().remove("annotations");
            entry["platform"] = platform;
            entry
        };
        let index = |entries: &[Value]| {
            let media_type = "application/vnd.oci.image.index.v1+json";
            layout
                .blob(media_type, &json!({"schemaVersion": 2, "mediaType": media_type, "manifests": entries}))
        };
        let both = index(&[
            entry(json!({"os": "linux", "architecture": "amd64"})),
            entry(json!({"os": "linux", "architecture": "amd64", "variant": "v2"})),
        ]);
        let deep = index(&[index(&[entry(json!({"os": "linux", "architecture": "amd64"}))])]);
        let empty = json!({"mediaType": "application/vnd.oci.empty.v1+json", "size": 2, "data": "e30=",
            "digest": digest_of(Algorithm::Sha256, b"{}").to_string()});
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let subject = json!({"mediaType": media_type, "digest": image["digest"], "size": image["size"]});
        let mut sbom = layout.blob(
            media_type,
            &json!({"schemaVersion": 2, "mediaType": media_type, "artifactType": "text/spdx", "config": empty,
                "layers": [empty], "subject": subject}),
        );
        sbom["artifactType"] = "text/spdx".into();
        let tagged = |mut entry: Value, tag: &str| {
            entry["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
            entry
        };
        let root =
            json!({"schemaVersion": 2, "manifests": [image, tagged(both, "v1"), tagged(deep, "deep"), sbom]});
        fs::write(layout.path.join("index.json"), root.to_string()).unwrap();
        layout.check();
        layout
    }

    /// Checks the store: the only fault is that one image cannot be for two platforms.
    fn check(&self) {
        let found =
            String::from_utf8(try_ocicle(["check", "--format", "plain", text(&self.path)]).stdout).unwrap();
        let problems = found.lines().filter(|line| !line.contains("layers is empty"));
        let wrong: Vec<_> =
            problems.filter(|line| !line.contains("platform linux/amd64/v2 in the index")).collect();
        assert_eq!(wrong, [""; 0]);
    }

    fn blob(&self, media_type: &str, document: &Value) -> Value {
        let bytes = document.to_string().into_bytes();
        let digest = digest_of(Algorithm::Sha256, &bytes);
        fs::write(self.path.join("blobs/sha256").join(digest.encoded()), &bytes).unwrap();
        json!({"mediaType": media_type, "digest": digest.to_string(), "size": bytes.len()})
    }

    fn entries(&self) -> Vec<Value> {
        let root: Value = serde_json::from_slice(&fs::read(self.path.join("index.json")).unwrap()).unwrap();
        root["manifests"].as_array().unwrap().clone()
    }

    /// Returns the labels of the images at these places; each must be there.
    fn labels(&self, places: &[&str]) -> Vec<Option<String>> {
        let labels = places.iter().map(|place| {
            let stat: Value = stat(&at(&self.path, place));
            stat["config"]["config"]["Labels"]["a"].as_str().map(str::to_owned)
        });
        labels.collect()
    }
}

const PLACES: [&str; 4] = ["alone", "v1//pos=0", "v1//pos=1", "deep//pos=0//pos=0"];

#[test]
fn scopes_are_one_place_one_tag_or_the_store() {
    let none = || None;
    let b = || Some("b".to_owned());
    for (scope, place, expected) in [
        ("place", "v1//pos=1", [none(), none(), b(), none()]),
        ("tag", "v1//pos=1", [none(), b(), b(), none()]),
        ("all", "v1//pos=1", [b(), b(), b(), b()]),
        ("place", "alone", [b(), none(), none(), none()]),
        ("place", "deep", [none(), none(), none(), b()]),
    ] {
        let layout = Layout::new();
        let before = layout.entries();
        ocicle(["config", &at(&layout.path, place), "--label", "a=b", "--scope", scope, "-q"]);
        assert_eq!(layout.labels(&PLACES), expected, "{scope} {place}");
        let platform = |place| {
            let found: Value =
                serde_json::from_str(&ocicle(["resolve", "--json", &at(&layout.path, place)])).unwrap();
            found["platform"]["variant"].as_str().map(str::to_owned)
        };
        assert_eq!((platform("v1//pos=0"), platform("v1//pos=1")), (None, Some("v2".into())));
        for (number, (before, after)) in before.iter().zip(layout.entries()).enumerate() {
            let touched = expected[..]
                .iter()
                .zip([0, 1, 1, 2])
                .any(|(label, entry)| label.is_some() && entry == number);
            assert_eq!(*before != after, touched, "{scope} {place}: entry {number}");
        }
        layout.check();
    }
}

#[test]
fn several_places_must_be_named() {
    let layout = Layout::new();
    let before = fs::read(layout.path.join("index.json")).unwrap();
    let error = fails(2, ["config", &at(&layout.path, "v1"), "--label", "a=b"]);
    assert!(error.contains("2 places") && error.contains("#pos=1//pos=0"), "{error}");
    assert!(fails(2, ["config", &at(&layout.path, "v1"), "--label", "a=b", "--only"]).contains("--tag"));
    assert!(
        fails(2, ["config", &at(&layout.path, "alone"), "--label", "a=b", "--tag", "x", "--scope", "all"])
            .contains("a new tag is one tree")
    );
    assert_eq!(fs::read(layout.path.join("index.json")).unwrap(), before);
}

#[test]
fn a_new_tag_has_the_tree_or_the_image_alone() {
    let layout = Layout::new();
    ocicle(["config", &at(&layout.path, "v1//pos=1"), "--label", "a=b", "--tag", "tree", "-q"]);
    ocicle(["config", &at(&layout.path, "v1//pos=1"), "--label", "a=b", "--tag", "only", "--only", "-q"]);
    assert_eq!(
        layout.labels(&["v1//pos=1", "tree//pos=0", "tree//pos=1", "only"]),
        [None, None, Some("b".into()), Some("b".into())]
    );
    let entries = layout.entries();
    let only = &entries[5];
    assert_eq!(only["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(only["platform"]["variant"], "v2");
}

#[test]
fn referrers_are_named_and_follow_on_request() {
    let layout = Layout::new();
    let output = try_ocicle(["config", &at(&layout.path, "alone"), "--label", "a=b", "-n"]);
    assert!(output.status.success());
    let output = try_ocicle(["config", &at(&layout.path, "alone"), "--label", "a=b"]);
    let warning = String::from_utf8(output.stderr).unwrap();
    let sbom = layout.entries()[3]["digest"].as_str().unwrap().to_owned();
    assert_eq!(
        warning,
        format!("warning: {sbom} (text/spdx) refers to the replaced object: see --referrers\n")
    );

    let layout = Layout::new();
    let digest = ocicle(["config", &at(&layout.path, "alone"), "--label", "a=b", "--referrers", "copy"]);
    let entries = layout.entries();
    assert_eq!((entries.len(), &entries[4]["artifactType"]), (5, &"text/spdx".into()));
    let copy = entries[4]["digest"].as_str().unwrap().trim_start_matches("sha256:").to_owned();
    let copy: Value =
        serde_json::from_slice(&fs::read(layout.path.join("blobs/sha256").join(copy)).unwrap()).unwrap();
    assert_eq!(copy["subject"]["digest"], digest.trim_end());
    layout.check();

    let layout = Layout::new();
    ocicle(["config", &at(&layout.path, "alone"), "--label", "a=b", "--referrers", "drop"]);
    assert_eq!(layout.entries().len(), 3);
    assert!(layout.temp.path().exists());
}
