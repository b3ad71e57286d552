//! Copies to and from a registry, by this command and others.

use ocicle_tests::{
    ocicle::{at, json, ocicle, text},
    registry::{Protection, Registry},
    tools::{have, run},
};

#[test]
fn images_there_and_back_are_the_same_bytes() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    let layout = registry.layout();
    // Debian's registry does not know Docker's lists of foreign types, but both kinds of documents.
    for tag in ["v1", "docker"] {
        let remote = registry.at(&format!("app:{tag}"));
        let digest = registry.run(["copy", &at(&layout, tag), &remote]);
        let back = registry.path(&format!("back-{tag}"));
        assert_eq!(registry.run(["copy", &remote, &format!("oci:{}", text(&back))]), digest, "{tag}");
        let raw = |reference: &str| registry.run(["raw", "manifest", reference]);
        assert_eq!(raw(&at(&layout, tag)), raw(&remote));
        assert_eq!(raw(&at(&layout, tag)), raw(&at(&back, tag)));
        ocicle(["check", text(&back)]);
        let again = registry.command().args(["copy", &at(&layout, tag), &remote]).output().unwrap();
        let said = String::from_utf8(again.stderr).unwrap();
        assert!(said.contains("copied 0 blobs"), "{said}");
    }
    let by_digest = format!("docker://{}/app@{}", registry.host(), registry.digest(&registry.at("app:v1")));
    assert_eq!(registry.digest(&by_digest), registry.digest(&at(&layout, "v1")));
    let one = registry.at("app:v1//platform=linux/arm/v7");
    registry.run(["copy", &one, &format!("oci-archive:{}#v7", text(&registry.path("v7.tar")))]);
    assert_eq!(json(&["ls", text(&registry.path("v7.tar"))])["entries"].as_array().map(Vec::len), Some(1));
}

#[test]
fn all_tags_of_a_store() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    let layout = registry.layout();
    for tag in ["v1", "docker"] {
        registry.run(["copy", &at(&layout, tag), &registry.at("app")]);
    }
    let tags = |args: &[&str]| -> Vec<String> {
        let listed: Vec<_> = ["ls", "--json"].iter().chain(args).collect();
        let listing: serde_json::Value = serde_json::from_str(&registry.run(listed)).unwrap();
        let mut tags: Vec<_> = listing["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["tag"].as_str().unwrap().to_owned())
            .collect();
        tags.sort();
        tags
    };
    let app = registry.at("app");
    assert_eq!(tags(&[&app]), ["docker", "v1"]);
    assert_eq!(tags(&[&app, "--tags", "v*"]), ["v1"]);
    assert_eq!(tags(&[&app, "--last", "1"]).len(), 1);
    registry.run(["copy", "--all", &app, &registry.at("other")]);
    assert_eq!(tags(&[&registry.at("other")]), ["docker", "v1"]);
    let back = registry.path("back");
    registry.run(["copy", "--all", &app, &format!("oci:{}", text(&back))]);
    ocicle(["check", text(&back)]);
    // Without a tag, `latest` is meant.
    registry.fails(3, ["copy", &app, &format!("oci:{}", text(&back))]);
}

#[test]
fn tags_that_exist_can_be_left_alone() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    let layout = registry.layout();
    let (local, archive) = (registry.path("local"), registry.path("a.tar"));
    for target in
        [registry.at("app"), format!("oci:{}", text(&local)), format!("oci-archive:{}", text(&archive))]
    {
        let fragment = |tag: &str| format!("{target}#{tag}");
        registry.run(["copy", &at(&layout, "v1"), &target]);
        let before = registry.digest(&fragment("v1"));
        let docker = at(&layout, "docker");
        let kept =
            registry.command().args(["copy", "--no-clobber", &docker, &fragment("v1")]).output().unwrap();
        assert!(kept.status.success(), "{kept:?}");
        assert!(String::from_utf8_lossy(&kept.stderr).contains("skipping tag v1: it exists"), "{kept:?}");
        assert_eq!(registry.digest(&fragment("v1")), before);
        registry.run(["copy", "--no-clobber", &docker, &fragment("v2")]);
        assert_eq!(registry.digest(&fragment("v2")), registry.digest(&docker));
        registry.run(["copy", &docker, &fragment("v1")]);
        assert_eq!(registry.digest(&fragment("v1")), registry.digest(&docker));
    }
}

#[test]
fn what_is_there_is_mounted_and_not_sent() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    let layout = registry.layout();
    registry.run(["copy", &at(&layout, "v1"), &registry.at("app")]);
    let copied = registry
        .command()
        .args(["-v", "copy", &registry.at("app:v1"), &registry.at("other:v1")])
        .output()
        .unwrap();
    let said = String::from_utf8(copied.stderr).unwrap();
    assert!(said.contains("mounted"), "{said}");
    registry.run(["copy", &registry.at("other:v1"), &format!("oci:{}", text(&registry.path("back")))]);
    ocicle(["check", text(&registry.path("back"))]);
}

#[test]
fn images_of_skopeo_and_for_skopeo() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    if !have(&["skopeo"]) {
        return;
    }
    // skopeo compresses what is not, and the digests differ then.
    let one = registry.path("one");
    let image = at(&one, "v1");
    std::fs::write(registry.path("file"), "content").unwrap();
    registry.run(["init", text(&one)]);
    registry.run(["new", &image]);
    registry.run(["insert", &image, text(&registry.path("file")), "/file"]);
    let digest = registry.digest(&image);
    let skopeo = |from: &str, to: &str| {
        run("skopeo", ["copy", "--quiet", "--src-tls-verify=false", "--dest-tls-verify=false", from, to]);
    };
    skopeo(&format!("oci:{}:v1", text(&registry.path("one"))), &registry.at("theirs:v1"));
    assert_eq!(registry.digest(&registry.at("theirs:v1")), digest);
    registry.run(["copy", &image, &registry.at("ours:v1")]);
    skopeo(&registry.at("ours:v1"), &format!("oci:{}:v1", text(&registry.path("back"))));
    assert_eq!(registry.digest(&at(&registry.path("back"), "v1")), digest);
}

#[test]
fn what_a_registry_cannot_keep_is_said() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    let layout = registry.layout();
    // No tag, and an index whose entries are elsewhere.
    let untagged = at(&layout, "v1//platform=linux/amd64");
    let untagged = registry.fails(1, ["copy", &untagged, &registry.at("app")]);
    assert!(untagged.contains("keeps no entries without a tag"), "{untagged}");
    let sparse = registry.fails(1, ["copy", &at(&layout, "sparse"), &registry.at("app")]);
    assert!(sparse.contains("not there"), "{sparse}");
    registry.run(["copy", &at(&layout, "v1"), &registry.at("app")]);
    let annotated = ["annotate", "--descriptor", &registry.at("app:v1"), "x=y"];
    assert!(registry.fails(1, annotated).contains("keeps no annotations of entries"));
    let odd = registry.fails(1, ["copy", &at(&layout, "v1"), &format!("{}#a/b", registry.at("app"))]);
    assert!(odd.contains("not a tag of a registry"), "{odd}");
    let gone = registry.fails(3, ["stat", &registry.at("app:v9")]);
    assert!(gone.contains("v9"), "{gone}");
    registry.fails(2, ["stat", "docker://debian"]);
}

#[test]
fn what_is_about_an_image_is_copied_along() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    let layout = registry.layout();
    registry.run(["copy", "--referrers", &at(&layout, "v1"), &registry.at("app")]);
    // This version of the registry keeps no lists: there is one under a tag.
    let amd64 = registry.digest(&at(&layout, "v1//platform=linux/amd64"));
    let list = registry.at(&format!("app:{}", amd64.replace(':', "-")));
    let sbom = registry.digest(&at(&layout, "artifact=application/spdx%2Bjson"));
    assert!(registry.run(["raw", "manifest", &list]).contains(&sbom));
    let back = registry.path("back");
    registry.run(["copy", "--referrers", &registry.at("app:v1"), &format!("oci:{}", text(&back))]);
    ocicle(["check", text(&back)]);
    assert_eq!(registry.digest(&at(&back, &format!("digest={sbom}"))), sbom);
    let again = registry
        .command()
        .args(["copy", "--referrers", &registry.at("app:v1"), &registry.at("other:v1")])
        .output()
        .unwrap();
    assert!(again.status.success(), "{again:?}");
    assert!(
        registry
            .run(["raw", "manifest", &registry.at(&format!("other:{}", amd64.replace(':', "-")))])
            .contains(&sbom)
    );
    let local = registry.path("local");
    registry.run(["copy", "--referrers", &at(&layout, "v1"), &format!("oci:{}", text(&local))]);
    assert_eq!(registry.digest(&at(&local, &format!("digest={sbom}"))), sbom);
}
