#![allow(clippy::unwrap_used, reason = "tests may")]

use super::*;
use crate::{
    error::ErrorKind,
    fs::{Dir as _, mem::MemDir},
    image::{
        layers::merged,
        testing::{image, overwrite},
    },
    layer::on_disk::OnDisk,
    limits::Limits,
    store::{Repository, memory::MemoryStore},
    tree::{
        Tree,
        testing::{Item, apply, dir, file, link, remove, show, symlink},
    },
};

fn disk(items: &[Item]) -> MemDir {
    let root = MemDir::new();
    let mut merge = Merge::new(Tree::new(), RootfsSink::new(root.clone()), &Limits::default());
    apply(&mut merge, &[items]).unwrap();
    merge.finish().unwrap();
    root
}

fn shown(root: &MemDir) -> String {
    show(&scan(root, &Limits::default()).unwrap())
}

fn extracted(
    store: &Repository<MemoryStore>,
    image: &Image,
    root: &MemDir,
    options: &ExtractOptions,
) -> Result<(), ExtractError> {
    extract(store, image, root.clone(), options).map(drop)
}

#[test]
fn an_empty_directory_becomes_the_root() {
    let store = Repository::in_memory().unwrap();
    let image = image(&store, &[&[dir("etc"), file("etc/f", "x"), link("g", "etc/f")], &[remove("g")]]);
    let root = MemDir::new();
    extracted(&store, &image, &root, &ExtractOptions::default()).unwrap();
    let expected = merged(&store, &image, &OnDisk::default()).unwrap();
    assert_eq!(shown(&root), show(&expected));
}

#[test]
fn existing_content_is_merged_over() {
    let mine = [
        dir("etc"),
        file("etc/mine", "mine"),
        file("etc/both", "mine"),
        link("other", "etc/both"),
        file("gone", "x"),
    ];
    let root = disk(&[&mine[..], &[symlink("lib", "usr/lib"), file("usr/lib/mine", "m")]].concat());
    let store = Repository::in_memory().unwrap();
    let base = [file("etc/both", "the image's"), file("new/f", "x"), dir("lib")];
    let image = image(&store, &[&base, &[remove("gone")]]);
    let options = ExtractOptions::default().keep_dirlinks(true);
    extracted(&store, &image, &root, &options).unwrap();
    assert_eq!(
        shown(&root),
        "/ d755 @0\n/etc d755 @1\n/etc/both f644 @1 11 x1\n/etc/mine f644 @1 4 x1\n/lib -> usr/lib\n\
         /new d755 @0\n/new/f f644 @1 1 x1\n/other f644 @1 4 x1\n\
         /usr d755 @0\n/usr/lib d755 @1\n/usr/lib/mine f644 @1 1 x1\n"
    );
    // Without the option the link is removed, and its target is kept.
    extracted(&store, &image, &root, &ExtractOptions::default()).unwrap();
    let after = shown(&root);
    assert!(after.contains("/lib d755 @1\n") && after.contains("/usr/lib/mine f644"), "{after}");
}

#[test]
fn a_failure_empties_an_empty_directory_and_is_reported_in_others() {
    let store = Repository::in_memory().unwrap();
    let image = image(&store, &[&[file("a", "1")], &[file("b", "2")]]);
    overwrite(&store, &image.manifest.view().layers[1].digest, b"corrupt");
    let root = MemDir::new();
    let failed = extracted(&store, &image, &root, &ExtractOptions::default()).unwrap_err();
    assert_eq!(
        (failed.partial, failed.error.kind(), root.names().unwrap().len()),
        (false, ErrorKind::Corrupt, 0)
    );

    let root = disk(&[file("mine", "mine")]);
    let failed = extracted(&store, &image, &root, &ExtractOptions::default()).unwrap_err();
    assert_eq!((failed.partial, failed.error.kind()), (true, ErrorKind::Corrupt));
    assert!(failed.to_string().ends_with("\nthe directory now holds part of the image"), "{failed}");
    let after = shown(&root);
    assert!(after.contains("/mine f644 @1 4 x1\n") && after.contains("/a f644"), "{after}");
}

#[test]
fn layers_can_be_left_out() {
    let store = Repository::in_memory().unwrap();
    let image = image(&store, &[&[file("a", "1")], &[file("b", "2")]]);
    let (root, layers) = (MemDir::new(), &image.manifest.view().layers);
    let from = |layer| ExtractOptions::default().start_from(layer);
    extracted(&store, &image, &root, &from(layers[1].digest.clone())).unwrap();
    assert_eq!(shown(&root), "/ d755 @0\n/b f644 @1 1 x1\n");
    let unknown = image.descriptor.digest.clone();
    let failed = extracted(&store, &image, &root, &from(unknown)).unwrap_err();
    assert_eq!((failed.partial, failed.error.kind()), (false, ErrorKind::NotFound));
}
