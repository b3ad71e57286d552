//! Two large images, compared with other tools and with a slow model.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod disk;
mod layers;
mod memory;
mod model;
mod sandbox;

use std::{fs, path::Path};

use ocicle_tests::{
    large,
    ocicle::{at, text},
    temp::TempDir,
    tools::{have, root, run},
};
use serde_json::Value;

/// MiB that each command may take. Contents are never kept: a gigabyte takes no more than a kilobyte. Names
/// are.
const BIG: u64 = 64;
/// MiB for a hundred thousand names.
const MANY: u64 = 256;

#[test]
fn a_gigabyte_unpacks_as_with_umoci() {
    if !root() || !have(&["umoci", "tar", "find", "diff", "mtree", "python3"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = large::big();
    let bundle = temp.path().join("bundle");
    run("umoci", ["unpack", "--image", &format!("{}:top", text(&layout)), text(&bundle)]);
    let top = bundle.join("rootfs");
    let names = compare_all(BIG, &layout, &top, &temp);
    assert_eq!(names, 1849, "what the maker says: see tests/src/large/big.rs");

    // Through a link to a file of another layer, and by a name from an upper layer.
    for (path, on_disk) in [("becomes-a-link/42", "tree/7/42"), ("/noise-6-from-above", "data/noise-6-too")] {
        let found = memory::within(BIG, &["cat", &at(&layout, "top"), path]);
        assert!(found == fs::read(top.join(on_disk)).unwrap(), "{path}");
    }
}

#[test]
fn a_hundred_thousand_files_unpack_as_with_tar() {
    if !root() || !have(&["tar", "find", "diff", "mtree", "python3"]) {
        return;
    }
    let temp = TempDir::in_memory().unwrap();
    let (layout, top) = (large::many(), temp.path().join("top"));
    // umoci takes half a minute for this one.
    layers::lay(&layers::of(&layout, "top"), &top);
    let names = compare_all(MANY, &layout, &top, &temp);
    assert_eq!(names, 103_575, "what the maker says: see tests/src/large/many.rs");
}

/// Compares the list, the export, and the differences from the base with the tree on disk of `top`. Gives the
/// number of names.
fn compare_all(most: u64, layout: &Path, top: &Path, temp: &TempDir) -> usize {
    let image = at(layout, "top");
    let on_disk = disk::listing(top);
    let listed = String::from_utf8(memory::within(most, &["files", "--format", "plain", &image])).unwrap();
    disk::assert_equal(&disk::listing_of_ocicle(&listed), &on_disk);

    let archive = temp.path().join("all.tar");
    memory::within(most, &["export", &image, text(&archive)]);
    disk::assert_archive_is(&archive, top, &on_disk);
    fs::remove_file(&archive).unwrap();

    let base = temp.path().join("base");
    layers::lay(&layers::of(layout, "base"), &base);
    let differences = memory::within(most, &["diff", "--json", &at(layout, "base"), &image]);
    disk::assert_differences(&json(&differences), &base, top);
    on_disk.len()
}

#[test]
fn waste_and_layers_agree_with_a_slow_model() {
    if !have(&["python3"]) {
        return;
    }
    for (most, layout) in [(BIG, large::big()), (MANY, large::many())] {
        let image = at(&layout, "top");
        let layers = layers::of(&layout, "top");
        let model = model::Model::new(&layers);
        model.assert_waste(&json(&memory::within(most, &["waste", "--json", &image])), &layers);
        model.assert_layers(&json(&memory::within(most, &["files", "--json", &image])));
    }
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}
