//! The expectations of umoci's own test suite.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use ocicle_tests::{
    ocicle::text,
    tools::{have, root, run},
};
use serde_json::{Value, json};

use super::{Front, config};

/// A directory with a layout `images`, and in it a blank image `latest`.
fn with_blank() -> Front {
    let front = Front::new();
    front.run(&["init", "--layout", "images"]);
    front.run(&["new", "--image", "images"]);
    front
}

fn stat(front: &Front, image: &str) -> Value {
    serde_json::from_str(&front.run(&["stat", "--json", "--image", image])).unwrap()
}

#[test]
fn without_a_root_file_system_the_environment_is_path_and_term() {
    let front = with_blank();
    let environment = |words: &[&str]| {
        front.run(&[&["raw", "runtime-config", "--image", "images"][..], words, &["config.json"]].concat());
        let spec: Value = serde_json::from_slice(&fs::read(front.path("config.json")).unwrap()).unwrap();
        let names = spec["process"]["env"].as_array().unwrap().iter();
        names
            .map(|variable| variable.as_str().unwrap().split('=').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(environment(&[]), ["PATH", "TERM"]);
    front.run(&["config", "--image", "images", "--config.user", "1:2", "--config.env", "A=1"]);
    assert_eq!(environment(&[]), ["PATH", "TERM", "A"]);
    fs::create_dir(front.path("rootfs")).unwrap();
    assert_eq!(environment(&["--rootfs", "rootfs"]), ["PATH", "TERM", "A", "HOME"]);
}

#[test]
fn what_root_adds_belongs_to_the_owner_of_the_layout() {
    let front = with_blank();
    if !root() {
        return;
    }
    front.run(&["rm", "--image", "images"]);
    fs::remove_dir_all(front.path("images/blobs")).unwrap(); // directories are made again
    run("chown", ["-R", "1234:2345", text(&front.path("images"))]);
    front.run(&["new", "--image", "images"]);
    front.run(&["insert", "--image", "images", "umoci", "/bin/umoci"]);
    let mut left = vec![front.path("images")];
    while let Some(path) = left.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (1234, 2345), "{}", path.display());
        if metadata.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
}

#[test]
fn a_blank_image_is_described_as_by_umoci() {
    let front = with_blank();
    let created = "2025-09-05T13:05:10.12345+10:00";
    front.run(&["config", "--no-history", "--created", created, "--image", "images"]);
    let arch = config(&front.path("images"), "latest")["architecture"].as_str().unwrap().to_owned();
    let found = stat(&front, "images");
    let [config, manifest] =
        ["config", "manifest"].map(|name| found[name]["descriptor"]["digest"].as_str().unwrap().to_owned());
    if arch == "amd64" {
        assert_eq!(config, "sha256:e5101a46118c740a7709af8eaeec19cbc50a567f4fe7741f8420af39a3779a77");
        assert_eq!(manifest, "sha256:98a4b5d5fe4ea076a0a9059075dad54741e055fd0fa016903a8e2b858dcbad80");
    }
    let expected = format!(
        "== MANIFEST ==\nSchema Version: 2\nMedia Type: application/vnd.oci.image.manifest.v1+json\n\
        Config:\n\tDescriptor:\n\t\tMedia Type: application/vnd.oci.image.config.v1+json\n\
        \t\tDigest: {config}\n\t\tSize: 135B\n\
        Descriptor:\n\tMedia Type: application/vnd.oci.image.manifest.v1+json\n\
        \tDigest: {manifest}\n\tSize: 249B\n\
        \tAnnotations:\n\t\torg.opencontainers.image.ref.name: latest\n\n\
        == CONFIG ==\nCreated: {created}\nAuthor: \"\"\nPlatform:\n\tOS: linux\n\tArchitecture: {arch}\n\
        Image Config:\n\tUser: \"\"\n\tCommand: (empty)\n\
        Descriptor:\n\tMedia Type: application/vnd.oci.image.config.v1+json\n\
        \tDigest: {config}\n\tSize: 135B\n\n\
        == HISTORY ==\nLAYER CREATED CREATED BY SIZE COMMENT\n"
    );
    if arch == "amd64" {
        assert_eq!(front.run(&["stat", "--image", "images"]), expected);
    }
}
