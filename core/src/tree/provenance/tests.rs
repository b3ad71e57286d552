#![allow(clippy::unwrap_used, reason = "tests may")]

use super::{ChangeKind, PathChange, Provenance};
use crate::{
    limits::Limits,
    name::EntryPath,
    tree::{
        Tree,
        merge::Merge,
        testing::{Item, apply, clear, dir, file, link, path, remove, symlink},
    },
};

fn what(kind: ChangeKind, removed_with: Option<&EntryPath>) -> String {
    let with = removed_with.map(|path| format!(" with /{path}")).unwrap_or_default();
    format!("{}{with}", kind.name())
}

fn notes(layers: &[&[Item]]) -> (Tree, Provenance) {
    let mut merge = Merge::new(Tree::new(), Provenance::new(), &Limits::default());
    apply(&mut merge, layers).unwrap();
    merge.finish().unwrap()
}

fn lines(provenance: &Provenance) -> Vec<String> {
    let line = |change: &PathChange| {
        let what = what(change.kind, change.removed_with.as_ref());
        format!("{} /{} {what} {}", change.layer, change.path, change.size)
    };
    provenance.changes().iter().map(line).collect()
}

#[test]
fn changes_have_the_type_of_what_is_put_or_removed() {
    let (_, provenance) = notes(&[
        &[dir("d"), file("d/a", "a"), symlink("s", "d"), link("l", "d/a"), file("x", "x")],
        &[dir("d"), remove("s"), remove("l"), dir("x")],
        &[remove("d"), symlink("x", "d")],
    ]);
    let line = |change: &PathChange| format!("{} /{} {:?}", change.layer, change.path, change.file_type);
    let lines: Vec<_> = provenance.changes().iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "0 /d Dir",
            "0 /d/a File",
            "0 /s Symlink",
            "0 /l File",
            "0 /x File",
            "1 /d Dir",
            "1 /s Symlink",
            "1 /l File",
            "1 /x Dir",
            "2 /d/a File",
            "2 /d Dir",
            "2 /x Symlink",
        ]
    );
}

#[test]
fn the_changes_of_each_layer_are_listed() {
    let (tree, provenance) = notes(&[
        &[dir("d"), file("d/a", "aa"), file("d/b", "b"), file("c", "c"), link("l", "c")],
        &[file("d/a", "aaa"), file("c", "c"), remove("l"), dir("d")],
        &[remove("d"), file("n/f", "x")],
    ]);
    assert_eq!(
        lines(&provenance),
        [
            "0 /d added 0",
            "0 /d/a added 2",
            "0 /d/b added 1",
            "0 /c added 1",
            "0 /l linked 0",
            "1 /d/a replaced 3",
            "1 /c attributes 1",
            "1 /l removed 0",
            "1 /d attributes 0",
            "2 /d/a removed with /d 0",
            "2 /d/b removed with /d 0",
            "2 /d removed 0",
            "2 /n added 0",
            "2 /n/f added 1",
        ]
    );
    let origin = |at: &str| provenance.origin(tree.get(&path(at)).unwrap());
    assert_eq!((origin("c").layer, origin("c").ordinal), (1, 1));
    assert_eq!((origin("n/f").layer, origin("n/f").ordinal), (2, 0));
}

#[test]
fn the_fate_of_each_content_is_reported() {
    let (_, provenance) = notes(&[
        &[dir("d"), file("d/a", "aa"), file("d/b", "b"), link("l", "d/b"), file("m", "m"), file("t", "1")],
        &[file("t", "22"), file("t", "333"), file("m", "m"), remove("d")],
        &[remove("l"), file("o", "o")],
        &[file("o", "x"), remove("t"), dir("t")],
    ]);
    let line = |stored: &super::Stored| {
        let fate = stored.hidden.as_ref().map_or("there".into(), |hidden| {
            format!("{} by {}", what(hidden.kind, hidden.removed_with.as_ref()), hidden.layer)
        });
        format!("{}.{} /{} {} {fate}", stored.origin.layer, stored.origin.ordinal, stored.path, stored.size)
    };
    let lines: Vec<String> = provenance.stored().iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "0.0 /d/a 2 removed with /d by 1",
            "0.1 /d/b 1 removed by 2",
            "0.2 /m 1 attributes by 1",
            "0.3 /t 1 replaced by 1",
            "1.0 /t 2 replaced by 1",
            "1.1 /t 3 replaced by 3",
            "1.2 /m 1 there",
            "2.0 /o 1 replaced by 3",
            "3.0 /o 1 there",
        ]
    );
    assert!(provenance.stored()[4].sha256.is_none() && provenance.stored()[5].sha256.is_some());
}

#[test]
fn directories_are_from_the_layer_that_made_or_listed_them() {
    let (tree, provenance) = notes(&[
        &[dir("d"), dir("e"), file("was-file", "1")],
        &[dir("new"), dir("e"), file("implied/by", "2"), dir("was-file"), file("d/f", "3")],
    ]);
    let layer = |at: &str| provenance.origin(tree.get(&path(at)).unwrap()).layer;
    assert_eq!(["d", "e", "new", "implied", "was-file"].map(layer), [0, 1, 1, 1, 1]);
}

#[test]
fn opaque_whiteouts_name_their_directory() {
    let (_, provenance) = notes(&[
        &[dir("o"), file("o/a", "a"), dir("o/s"), file("o/s/b", "b")],
        &[clear("o"), file("o/new", "n"), file("o/a", "a")],
    ]);
    assert_eq!(
        lines(&provenance)[4..],
        ["1 /o/a attributes 1", "1 /o/s/b removed with /o 0", "1 /o/s removed with /o 0", "1 /o/new added 1",]
    );
}
