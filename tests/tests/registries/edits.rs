//! Edits of images on a registry are pushes.

use std::fs;

use ocicle_tests::{
    ocicle::{at, ocicle, text},
    registry::{Protection, Registry},
};

#[test]
fn every_edit_works_on_a_registry() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    let layout = registry.layout();
    registry.run(["copy", &at(&layout, "v1"), &registry.at("app")]);
    let file = registry.path("file");
    fs::write(&file, "content").unwrap();
    let image = registry.at("app:v1//platform=linux/amd64");
    registry.run(["config", &image, "--label", "a=b", "--tag", "configured", "--only"]);
    let one = |tag: &str| registry.at(&format!("app:{tag}"));
    assert!(registry.run(["raw", "config", &one("configured")]).contains(r#""a":"b""#));
    registry.run(["insert", &one("configured"), text(&file), "/file", "--tag", "inserted"]);
    assert_eq!(registry.run(["cat", &one("inserted"), "/file"]), "content");
    registry.run(["annotate", &one("inserted"), "k=v", "--tag", "annotated"]);
    assert!(registry.run(["raw", "manifest", &one("annotated")]).contains(r#""k":"v""#));
    registry.run(["squash", &one("inserted"), "--tag", "flat"]);
    assert_eq!(registry.run(["cat", &one("flat"), "/file"]), "content");
    registry.run(["recompress", &one("inserted"), "--compress", "zstd", "--tag", "zstd"]);
    assert_eq!(registry.run(["mtree", &one("zstd")]), registry.run(["mtree", &one("inserted")]));
    assert!(registry.run(["raw", "manifest", &one("zstd")]).contains("tar+zstd"));
    registry.run(["tag", &one("flat"), "moved"]);
    assert_eq!(registry.digest(&one("moved")), registry.digest(&one("flat")));
    let arm = registry.at("app:v1//platform=linux/arm/v7");
    registry.run(["tag", "--merge", &one("flat"), &arm, "merged"]);
    assert!(registry.run(["ls", "--tree", &one("merged")]).contains("linux/arm/v7"));
    registry.run([
        "rebase",
        &one("inserted"),
        "--old-base",
        &one("configured"),
        "--onto",
        &one("configured"),
        "--tag",
        "rebased",
    ]);
    let description = registry.path("tree.toml");
    fs::write(&description, registry.run(["tree", "export", "--deep", &one("flat")])).unwrap();
    registry.run(["tree", "apply", text(&description), &registry.at("app")]);
    registry.fails(1, ["platform", &one("flat"), "linux/arm64"]);
    registry.run(["new", &registry.at("blank:v1")]);
    let back = registry.path("back");
    registry.run(["copy", "--all", &registry.at("app"), &format!("oci:{}", text(&back))]);
    ocicle(["check", text(&back)]);
}

#[test]
fn a_bundle_is_packed_into_a_registry() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    let layout = registry.layout();
    registry.run(["copy", &at(&layout, "v1//platform=linux/amd64"), &registry.at("app:v1")]);
    let bundle = registry.path("bundle");
    registry.run(["unpack", "--rootless", &registry.at("app:v1"), text(&bundle)]);
    fs::write(bundle.join("rootfs/new"), "new").unwrap();
    registry.run(["repack", text(&bundle), &registry.at("app:v2")]);
    assert_eq!(registry.run(["cat", &registry.at("app:v2"), "/new"]), "new");
    // The lower layers were there.
    let dry = registry.run(["repack", "--dry-run", text(&bundle), &registry.at("app:v3")]);
    assert!(dry.contains("/new"), "{dry}");
    registry.fails(3, ["stat", &registry.at("app:v3")]);
}

#[test]
fn a_tag_is_removed_alone_or_not_at_all() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    let layout = registry.layout();
    registry.run(["copy", &at(&layout, "v1"), &registry.at("app")]);
    registry.run(["tag", &registry.at("app:v1"), "same"]);
    // This version of the registry knows only the removal of manifests.
    let said = registry.fails(1, ["rm", &registry.at("app:v1")]);
    assert!(said.contains("with all their tags"), "{said}");
    for tag in ["v1", "same"] {
        assert_eq!(registry.digest(&registry.at(&format!("app:{tag}"))), registry.digest(&at(&layout, "v1")));
    }
    assert!(registry.fails(1, ["gc", &registry.at("app")]).contains("by itself"));
}
