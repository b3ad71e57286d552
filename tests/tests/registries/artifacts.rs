//! Files about an image in a registry.

use std::fs;

use ocicle_tests::{
    ocicle::{at, text},
    registry::{Protection, Registry},
};

#[test]
fn attached_in_a_registry_and_pulled_again() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    let layout = registry.layout();
    let remote = registry.at("app:v1");
    registry.run(["copy", &at(&layout, "v1"), &remote]);
    let file = registry.path("sbom.json");
    fs::write(&file, "{}").unwrap();
    let sbom = registry.run(["attach", &remote, text(&file), "--type", "application/spdx+json"]);
    let by_digest = format!("docker://{}/app@{}", registry.host(), sbom.trim());
    let notes = registry.run(["attach", &by_digest, "--type", "a/notes", "-a", "x=y"]);
    let found = |reference: &str| -> serde_json::Value {
        serde_json::from_str(&registry.run(["discover", "--json", reference])).unwrap()
    };
    let tree = found(&remote);
    assert_eq!(tree["referrers"][0]["digest"].as_str(), Some(sbom.trim()), "{tree}");
    assert_eq!(tree["referrers"][0]["artifactType"], "application/spdx+json");
    assert_eq!(tree["referrers"][0]["referrers"][0]["digest"].as_str(), Some(notes.trim()), "{tree}");
    assert_eq!(tree["referrers"][0]["referrers"][0]["annotations"]["x"], "y");
    let out = registry.path("out");
    registry.run(["pull", &by_digest, "--output", text(&out)]);
    assert_eq!(fs::read(out.join("sbom.json")).unwrap(), b"{}");
    // Nothing changed for those that only want the image.
    assert_eq!(registry.digest(&remote), registry.digest(&at(&layout, "v1")));
    // Without a tag, `latest` is meant.
    registry.run(["copy", &at(&layout, "v1"), &registry.at("app:latest")]);
    registry.run(["tag", &registry.at("app"), "next"]);
    assert_eq!(registry.digest(&registry.at("app:next")), registry.digest(&remote));
    registry.run(["copy", &at(&layout, "v1"), &registry.at("single:v1")]);
    registry.fails(3, ["tag", &registry.at("single"), "next"]);
}
