//! Two large images beside what other tools, and a slow model, make of them.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod disk;
mod layers;
mod memory;
mod waste;

use std::{
    fs,
    path::{Path, PathBuf},
};

use ocicle_tests::{
    large,
    ocicle::{at, ocicle, text},
    temp::TempDir,
    tools::{have, root, run},
};

#[test]
fn a_gigabyte_is_what_umoci_unpacks() {
    if !root() || !have(&["umoci", "tar", "find", "diff", "mtree"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = large::big();
    let bundle = temp.path().join("bundle");
    run("umoci", ["unpack", "--image", &format!("{}:top", text(&layout)), text(&bundle)]);
    let top = bundle.join("rootfs");
    let names = compare_all(&layout, &top, &temp);
    assert_eq!(names, 1849, "what the maker says: see tests/src/large/big.rs");

    // Of one layer, of two, through a link; from the first layer, from an upper one.
    for (path, on_disk) in [
        ("data/noise-9", "data/noise-9"),
        ("/data/noise-6-too", "noise-6-from-above"),
        ("becomes-a-link/42", "tree/7/42"),
        ("log/text-9", "log/text-9"),
        ("tree/5/new", "tree/5/new"),
    ] {
        let found = ocicle_tests::ocicle::try_ocicle(["cat", &at(&layout, "top"), path]);
        assert!(found.status.success() && found.stdout == fs::read(top.join(on_disk)).unwrap(), "{path}");
    }
}

#[test]
fn a_hundred_thousand_files_are_what_tar_unpacks() {
    if !root() || !have(&["tar", "find", "diff", "mtree"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    // umoci takes half a minute for this one.
    let names = compare_all(&large::many(), &unpacked_by_tar(&large::many(), "top", &temp), &temp);
    assert_eq!(names, 103_575, "what the maker says: see tests/src/large/many.rs");
}

/// Compares the list, the export, and the differences from the base with the tree on disk of `top`. Gives the number of names.
fn compare_all(layout: &Path, top: &Path, temp: &TempDir) -> usize {
    let image = at(layout, "top");
    let on_disk = disk::listing(top);
    let listed = ocicle(["files", "--format", "plain", &image]);
    disk::assert_equal(&disk::listing_of_ocicle(&listed), &on_disk);

    let archive = temp.path().join("all.tar");
    ocicle(["export", &image, text(&archive)]);
    disk::assert_archive_is(&archive, top, &on_disk);
    fs::remove_file(&archive).unwrap();

    let base = unpacked_by_tar(layout, "base", temp);
    let code = ocicle_tests::ocicle::try_ocicle(["diff", "--json", &at(layout, "base"), &image]);
    assert_eq!(code.status.code(), Some(5));
    disk::assert_differences(&serde_json::from_slice(&code.stdout).unwrap(), &base, top);
    on_disk.len()
}

fn unpacked_by_tar(layout: &Path, tag: &str, temp: &TempDir) -> PathBuf {
    let root = temp.path().join(tag);
    layers::lay(&layers::of(layout, tag), &root);
    root
}

#[test]
fn waste_is_what_a_slow_model_finds() {
    for layout in [large::big(), large::many()] {
        let found = ocicle(["waste", "--json", &at(&layout, "top")]);
        waste::assert_is(&serde_json::from_str(&found).unwrap(), &layers::of(&layout, "top"));
    }
}

#[test]
fn memory_does_not_grow_with_the_image() {
    if !have(&["python3"]) {
        return;
    }
    // Contents are never kept: a gigabyte takes no more than a kilobyte. Names are.
    for (layout, most) in [(large::big(), 64), (large::many(), 256)] {
        let (base, top) = (at(&layout, "base"), at(&layout, "top"));
        for words in [
            &["files", "--json", &top][..],
            &["export", &top, "-"],
            &["waste", "--json", &top],
            &["diff", "--json", &base, &top],
            &["find", "--larger", "1GB", &top],
            &["mtree", &top],
            &["check", text(&layout)],
        ] {
            let peak = memory::peak_mebibytes(words);
            assert!(peak < most, "{words:?} takes {peak} MiB; there is room for {most}");
        }
    }
}
