#![allow(clippy::unwrap_used, reason = "tests may")]

use super::{
    BASE_DIGEST, Conflict, conflicts, conflicts_without, layers_of_base, rebase, reorder, without_layer,
};
use crate::{
    image::{Image, edit::with_config, layers::merged, testing::image},
    layer::on_disk::OnDisk,
    spec::History,
    store::{Repository, memory::MemoryStore},
    tree::{
        mtree::{self, Dialect},
        testing::{Item, clear, dir, file, link, remove, symlink},
    },
};

fn manifest(store: &Repository<MemoryStore>, image: &Image) -> String {
    let tree = merged(store, image, &OnDisk::default()).unwrap();
    let mut text = Vec::new();
    mtree::write_tree(&tree, Dialect::Native, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn entry() -> History {
    History { created_by: Some("me".into()), empty_layer: Some(true), ..History::default() }
}

fn line(Conflict { path, base, image }: &Conflict) -> String {
    format!("/{path}: {} below, {} above", base.name(), image.name())
}

/// Returns the conflicts of moving layers that were made on `old` onto `new`.
fn found(old: &[Item], upper: &[&[Item]], new: &[Item]) -> Vec<String> {
    let store = Repository::in_memory().unwrap();
    let all: Vec<&[Item]> = std::iter::once(old).chain(upper.iter().copied()).collect();
    let (image, new) = (image(&store, &all), image(&store, &[new]));
    let conflicts = conflicts(&store, &image, 1, &new).unwrap();
    conflicts.iter().map(line).collect()
}

#[test]
fn layers_move_to_a_new_base() {
    let store = Repository::in_memory().unwrap();
    let base: &[Item] = &[dir("lib"), file("lib/a", "1"), file("conf", "old")];
    let patched: &[&[Item]] =
        &[&[dir("lib"), file("lib/a", "2"), file("conf", "old")], &[file("lib/b", "new")]];
    let app: &[Item] = &[dir("app"), file("app/x", "x"), remove("conf")];
    let image_before = image(&store, &[base, app]);
    let (old, new) = (image(&store, &[base]), image(&store, patched));
    let count = layers_of_base(&image_before, &old).unwrap();
    assert_eq!(count, 1);
    assert!(conflicts(&store, &image_before, 1, &new).unwrap().is_empty());
    let after = rebase(&store, &image_before, &old, &new, Some(&entry())).unwrap();
    let expected = image(&store, &[patched[0], patched[1], app]);
    assert_eq!(manifest(&store, &after), manifest(&store, &expected));
    assert_eq!(after.manifest.view().layers, expected.manifest.view().layers);
    let history = after.config.view().history.clone().unwrap();
    assert_eq!((history.len(), history[3].created_by.as_deref()), (4, Some("me")));
    assert_eq!(after.manifest.view().annotations[BASE_DIGEST], new.descriptor.digest.as_str());
    Image::open(&store, &after.descriptor).unwrap();
    // Not its base.
    let message = layers_of_base(&image_before, &new).unwrap_err().to_string();
    assert!(message.contains("of its 2 layers the image has the first 0"), "{message}");
}

#[test]
fn paths_changed_on_both_sides_conflict() {
    let old: &[Item] =
        &[dir("d"), file("d/f", "old"), file("same", "old"), file("gone", "g"), dir("t"), file("t/f", "1")];
    assert_eq!(
        found(
            old,
            &[&[
                file("d/f", "image"),
                file("same", "new"),
                file("gone", "image"),
                file("free", "x"),
                file("t/f", "2")
            ]],
            &[dir("d"), file("d/f", "base"), file("same", "new"), symlink("t", "d"), file("free", "base")],
        ),
        [
            "/d/f: changed below, replaced above",
            "/free: added below, added above",
            "/gone: removed below, replaced above",
            "/t: changed below, replaced above",
            "/t/f: removed below, replaced above",
        ]
    );
    // Paths that the layers do not touch are not in conflict.
    assert_eq!(
        found(old, &[&[file("new", "x")]], &[file("d", "all"), file("other", "o")]),
        Vec::<String>::new()
    );
}

#[test]
fn paths_removed_with_a_directory_conflict() {
    let old: &[Item] = &[dir("d"), file("d/f", "1"), dir("o"), file("o/f", "1")];
    let new: &[Item] =
        &[dir("d"), file("d/f", "1"), file("d/more", "2"), dir("o"), file("o/f", "1"), file("o/more", "2")];
    assert_eq!(
        found(old, &[&[remove("d"), clear("o")]], new),
        ["/d/more: added below, removed above", "/o/more: added below, removed above"]
    );
}

#[test]
fn a_hard_link_to_an_absent_file_is_refused() {
    let store = Repository::in_memory().unwrap();
    let image_before = image(&store, &[&[file("a", "1")], &[link("b", "a")]]);
    let new = image(&store, &[&[file("c", "1")]]);
    let error = conflicts(&store, &image_before, 1, &new).unwrap_err().to_string();
    assert!(error.contains("hard link to a"), "{error}");
}

#[test]
fn a_layer_is_left_out_where_nothing_above_needs_it() {
    let store = Repository::in_memory().unwrap();
    let layers: [&[Item]; 3] = [&[file("a", "1")], &[file("b", "2")], &[file("c", "3"), file("a", "4")]];
    let before = image(&store, &layers);
    assert!(conflicts_without(&store, &before, 1).unwrap().is_empty());
    let after = without_layer(&store, &before, 1, Some(&entry())).unwrap();
    assert_eq!(manifest(&store, &after), manifest(&store, &image(&store, &[layers[0], layers[2]])));
    assert_eq!(after.config.view().history.clone().unwrap().len(), 3);
    Image::open(&store, &after.descriptor).unwrap();
    // The third changes a file of the first.
    let conflicts = conflicts_without(&store, &before, 0).unwrap();
    assert_eq!(conflicts.iter().map(line).collect::<Vec<_>>(), ["/a: removed below, replaced above"]);
}

#[test]
fn layers_change_places_where_the_files_stay() {
    let store = Repository::in_memory().unwrap();
    let before = image(&store, &[&[file("a", "1")], &[file("b", "2")], &[file("a", "3")]]);
    let after = reorder(&store, &before, &[1, 0, 2], None).unwrap();
    assert_eq!(manifest(&store, &after), manifest(&store, &before));
    let ids = |image: &Image| image.layers().map(|(_, id)| id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&after), [1, 0, 2].map(|at| ids(&before)[at].clone()));
    let message = reorder(&store, &before, &[2, 1, 0], None).unwrap_err().to_string();
    assert!(message.contains("/a would differ"), "{message}");
    for wrong in [&[0, 1][..], &[0, 0, 1], &[0, 1, 3]] {
        assert!(reorder(&store, &before, wrong, None).unwrap_err().to_string().contains("3 layers"));
    }
}

/// Returns an image with these history entries; `-` before one means that it has no layer.
fn with_history(store: &Repository<MemoryStore>, image: &Image, entries: &[&str]) -> Image {
    let entries: Vec<History> = entries
        .iter()
        .map(|text| match text.strip_prefix('-') {
            Some(text) => by(text).without_layer(),
            None => by(text),
        })
        .collect();
    let config = image.config.edit("config", |config| config.set("history", &entries)).unwrap();
    with_config(store, image, config, Ok).unwrap()
}

fn by(text: &str) -> History {
    History { created_by: Some(text.into()), ..History::default() }
}

/// Returns the history in the form of [`with_history`].
fn history_of(image: &Image) -> Vec<String> {
    let entries = image.config.view().history.iter().flatten();
    let text = |entry: &History| {
        let mark = if entry.makes_layer() { "" } else { "-" };
        format!("{mark}{}", entry.created_by.as_deref().unwrap_or_default())
    };
    entries.map(text).collect()
}

#[test]
fn a_rebase_replaces_the_history_of_the_base_and_keeps_that_of_the_layers() {
    let store = Repository::in_memory().unwrap();
    let (lower, upper, other): (&[Item], &[Item], &[Item]) =
        (&[file("a", "1")], &[file("b", "2")], &[file("c", "3")]);
    let (plain_old, plain_new) = (image(&store, &[lower]), image(&store, &[other]));
    let plain_image = image(&store, &[lower, upper]);
    for (old, before, new, after) in [
        // Empty entries of the old base are not repeated.
        (
            &["base", "-CMD"][..],
            &["base", "-CMD", "-ENV", "app", "-USER"][..],
            &["next", "-CMD 2"][..],
            &["next", "-CMD 2", "-ENV", "app", "-USER"][..],
        ),
        // Surplus entries of the new base do not take the layer of the image.
        (&["base"], &["base", "app"], &["next", "surplus"], &["next", "-surplus", "app"]),
        // Nor do those of the old one.
        (&["base", "surplus"], &["base", "surplus", "app"], &["next"], &["next", "app"]),
        (&["base", "surplus"], &["base", "-surplus", "app"], &["next"], &["next", "app"]),
        // A base without a history, under an image with one.
        (&[], &["app"], &["next"], &["next", "app"]),
        (&[], &["", "app"], &["next"], &["next", "app"]),
        (&[], &["base", "app"], &[], &["", "app"]),
        // An edited history: the layers are counted.
        (&["base"], &["other", "-x", "app", "surplus"], &["next"], &["next", "-x", "app", "-surplus"]),
    ] {
        let old = with_history(&store, &plain_old, old);
        let new = with_history(&store, &plain_new, new);
        let image = with_history(&store, &plain_image, before);
        let rebased = rebase(&store, &image, &old, &new, None).unwrap();
        assert_eq!(history_of(&rebased), after);
        // There and back again.
        let again = rebase(&store, &rebased, &new, &new, None).unwrap();
        assert_eq!(history_of(&again), after);
    }
}
