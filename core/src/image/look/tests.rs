#![allow(clippy::unwrap_used, reason = "tests may")]

use std::collections::BTreeMap;

use super::{
    FileRow, Indexes, LayerFiles, Look, MissingIndex, PathHistory, each_file, list_files, read_file,
};
use crate::{
    digest::Digest,
    error::ErrorKind,
    image::{
        Image,
        testing::{image, overwrite},
    },
    name::EntryPath,
    store::{Repository, memory::MemoryStore},
    tree::{
        provenance::ChangeKind,
        testing::{dir, file, link, path, remove, symlink},
    },
};

fn look() -> (Repository<MemoryStore>, Image, Look) {
    let store = Repository::in_memory().unwrap();
    let base = [
        dir("etc"),
        file("etc/hosts", "old"),
        file("gone", "x"),
        symlink("l", "/etc/../etc/hosts"),
        file("keep", "kept"),
    ];
    let top =
        [remove("gone"), file("etc/hosts", "new one"), link("same", "keep"), symlink("nowhere", "gone")];
    let image = image(&store, &[&base, &top]);
    let look = Look::inside(&store, &image).unwrap();
    (store, image, look)
}

/// Keeps no indexes.
struct Nowhere;

impl Indexes for Nowhere {
    fn load(&mut self, _: &Digest) -> Option<Vec<u8>> {
        None
    }

    fn keep(&mut self, _: &Digest, _: &[u8]) {}
}

/// Keeps indexes in memory.
#[derive(Default)]
struct Kept(BTreeMap<Digest, Vec<u8>>);

impl Indexes for Kept {
    fn load(&mut self, blob: &Digest) -> Option<Vec<u8>> {
        self.0.get(blob).cloned()
    }

    fn keep(&mut self, blob: &Digest, index: &[u8]) {
        self.0.insert(blob.clone(), index.to_vec());
    }
}

fn layer(store: &Repository<MemoryStore>, image: &Image, layer: usize) -> LayerFiles {
    LayerFiles::open(store, image, layer, &mut Nowhere).unwrap()
}

#[test]
fn a_layer_lists_files_as_it_has_them() {
    let store = Repository::in_memory().unwrap();
    let image = image(
        &store,
        &[
            &[
                file("hidden", "12345"),
                file("replaced", "1"),
                dir("d"),
                file("d/gone", "12"),
                link("hard", "hidden"),
            ],
            &[remove("hidden"), file("replaced", "1234"), remove("d"), link("again", "hard")],
        ],
    );
    let look = Look::inside(&store, &image).unwrap();
    let lines = |number: usize| {
        let rows = layer(&store, &image, number).list(&look, &EntryPath::root());
        let line = |FileRow { path, change, file, .. }: FileRow| {
            let file = file.map(|file| (file.size, file.nlink));
            format!("{path} {} {file:?}", change.unwrap().name())
        };
        rows.into_iter().map(line).collect::<Vec<_>>()
    };
    assert_eq!(
        lines(0),
        [
            "hidden added Some((5, 2))",
            "replaced added Some((1, 1))",
            "d added Some((0, 1))",
            "d/gone added Some((2, 1))",
            "hard linked Some((5, 2))",
        ]
    );
    assert_eq!(
        lines(1),
        [
            "hidden removed None",
            "replaced replaced Some((4, 1))",
            "d/gone removed None",
            "d removed None",
            "again linked Some((5, 2))",
        ]
    );
}

fn cat(at: &str) -> crate::Result<String> {
    let (store, image, look) = look();
    let mut out = Vec::new();
    read_file(&store, &image, &look, &path(at), &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn one_file_is_read_from_its_layer() {
    let read = |at| cat(at).unwrap();
    assert_eq!(
        [read("etc/hosts"), read("l"), read("same"), read("keep")],
        ["new one", "new one", "kept", "kept"]
    );
    let kind = |at| cat(at).unwrap_err().kind();
    assert_eq!(
        [kind("gone"), kind("nowhere"), kind("etc"), kind("")],
        [ErrorKind::NotFound, ErrorKind::NotFound, ErrorKind::Unsupported, ErrorKind::Unsupported]
    );
}

#[test]
fn every_file_is_visited_once() {
    let (store, image, look) = look();
    let mut found = Vec::new();
    each_file(&store, &image, &look, &|_| true, &mut |id, body| {
        let mut text = String::new();
        body.read_to_string(&mut text).unwrap();
        found.push((look.tree.inode(id).nlink, text));
        Ok(())
    })
    .unwrap();
    assert_eq!(found, [(2, "kept".into()), (1, "new one".into())]);
}

#[test]
fn the_list_names_the_layer_of_every_path() {
    let (store, image, look) = look();
    let lines = |files: &[FileRow]| {
        let change = |row: &FileRow| row.change.map_or("-", ChangeKind::name);
        let line = |row: &FileRow| format!("/{} {} {}", row.path, row.layer, change(row));
        files.iter().map(line).collect::<Vec<_>>()
    };
    let all = list_files(&look, &EntryPath::root()).unwrap();
    assert_eq!(
        lines(&all),
        ["/ 1 -", "/etc 1 -", "/etc/hosts 2 -", "/keep 1 -", "/l 1 -", "/nowhere 2 -", "/same 1 -"]
    );
    assert_eq!(lines(&list_files(&look, &path("etc")).unwrap()), ["/etc 1 -", "/etc/hosts 2 -"]);
    assert_eq!(list_files(&look, &path("et")).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(
        lines(&layer(&store, &image, 1).list(&look, &EntryPath::root())),
        ["/gone 2 removed", "/etc/hosts 2 replaced", "/same 2 linked", "/nowhere 2 added"]
    );
}

#[test]
fn a_path_has_a_history() {
    let (_, image, look) = look();
    let history = PathHistory::new(&look, &image, &path("gone")).unwrap();
    let changes: Vec<_> =
        history.changes.iter().map(|change| (change.layer, change.kind.name(), change.size)).collect();
    assert_eq!((&changes[..], history.exists), (&[(1, "added", 1), (2, "removed", 0)][..], false));
    assert_eq!(PathHistory::new(&look, &image, &path("never")).unwrap_err().kind(), ErrorKind::NotFound);
}

/// Returns text that deflate cannot make much smaller than a half.
fn digits(length: usize) -> String {
    let mut state = 1_u32;
    let digit = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from_digit(state >> 28, 16).unwrap()
    };
    (0..length).map(digit).collect()
}

#[test]
fn missing_indexes_of_large_layers_are_built_and_kept() {
    let store = Repository::in_memory().unwrap();
    let large = digits(3 << 20);
    let files = ["a", "b", "c", "d", "e", "f"].map(|name| [file(name, &large), file("last", name)]);
    let image =
        image(&store, &[&files[0], &files[1], &[file("small", "1")], &files[2], &files[3], &files[4]]);
    let mut kept = Kept::default();
    let look = Look::indexed(&store, &image, &mut kept, MissingIndex::Build).unwrap();
    let list = |look: &Look| list_files(look, &EntryPath::root()).unwrap();
    assert_eq!(list(&look), list(&Look::inside(&store, &image).unwrap()));
    let blobs: Vec<_> = image.layers().map(|(blob, _)| blob.digest.clone()).collect();
    assert_eq!(
        blobs.iter().map(|blob| kept.0.contains_key(blob)).collect::<Vec<_>>(),
        [true, true, false, true, true, true]
    );
    let mut content = Vec::new();
    read_file(&store, &image, &look, &path("last"), &mut content).unwrap();
    assert_eq!(content, b"e");

    // An index that was kept is not built again; the first failure counts, whatever the threads.
    kept.0.remove(&blobs[1]);
    kept.0.remove(&blobs[3]);
    for at in [0, 1, 3] {
        overwrite(&store, &blobs[at], b"damaged");
    }
    let error = Look::indexed(&store, &image, &mut kept, MissingIndex::Build).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains(blobs[1].as_str()), "{error}");
}
