#![allow(clippy::unwrap_used, reason = "tests may")]

use super::*;
use crate::{attrs::Attrs, layer::EntryKind, limits::Limits};

fn path(text: &str) -> EntryPath {
    EntryPath::clean(text.as_bytes(), &Limits::default()).unwrap()
}

fn put(text: &str) -> Change {
    Change::Put(Entry { path: path(text), attrs: Attrs::default(), kind: EntryKind::Dir })
}

#[test]
fn whiteouts_and_changes_are_inverse() {
    for (whiteout, change) in [
        ("a/.wh.b", Change::Remove(path("a/b"))),
        (".wh.b", Change::Remove(path("b"))),
        (".wh...b", Change::Remove(path("..b"))),
        ("a/.wh..wh..opq", Change::ClearLower(path("a"))),
        (".wh..wh..opq", Change::ClearLower(EntryPath::root())),
    ] {
        assert_eq!(meaning(&path(whiteout)).unwrap(), Meaning::Whiteout(change.clone()), "{whiteout}");
        assert_eq!(archive_path(&change).unwrap(), path(whiteout), "{whiteout}");
    }
}

#[test]
fn ordinary_names_are_left_alone() {
    for name in ["", "a.wh.b", "wh.b", ".wh", "a/.w/h", ".WH.a"] {
        assert_eq!(meaning(&path(name)).unwrap(), Meaning::Ordinary, "{name}");
        assert_eq!(archive_path(&put(name)).unwrap(), path(name));
    }
}

#[test]
fn aufs_files_are_ignored() {
    for name in
        [".wh..wh.aufs", ".wh..wh.plnk", ".wh..wh.plnk/12.34", ".wh..wh.orph/.wh.x", "a/.wh..wh.x/b/c"]
    {
        assert_eq!(meaning(&path(name)).unwrap(), Meaning::Ignored, "{name}");
    }
}

#[test]
fn whiteouts_that_name_nothing_are_errors() {
    for name in [".wh.", "a/.wh.", ".wh..", "a/.wh...", "a/.wh.f/child", ".wh..wh..opq/child"] {
        assert!(meaning(&path(name)).is_err(), "{name}");
    }
}

#[test]
fn entries_that_no_archive_can_hold_are_errors() {
    let long = "n".repeat(252);
    for change in [
        put(".wh.a"),
        put("a/.wh.b/c"),
        Change::Remove(EntryPath::root()),
        Change::Remove(path(&long)),
        Change::Remove(path("a/.wh.b")),
        Change::ClearLower(path(".wh.a")),
    ] {
        assert!(archive_path(&change).is_err(), "{change:?}");
    }
    assert!(archive_path(&Change::Remove(path(&long[1..]))).is_ok());
}
