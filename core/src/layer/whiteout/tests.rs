#![allow(clippy::unwrap_used, reason = "tests may")]

use super::*;
use crate::{attrs::Attrs, layer::EntryKind, limits::Limits};

fn path(text: &str) -> EntryPath {
    EntryPath::clean(text.as_bytes(), &Limits::default()).unwrap()
}

fn meant(raw: &str) -> Result<Meaning, String> {
    meaning(raw.as_bytes(), &Limits::default())
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
        assert_eq!(meant(whiteout).unwrap(), Meaning::Whiteout(change.clone()), "{whiteout}");
        assert_eq!(archive_path(&change).unwrap(), whiteout.as_bytes(), "{whiteout}");
    }
}

#[test]
fn ordinary_names_are_left_alone() {
    for name in ["", "a.wh.b", "wh.b", ".wh", "a/.w/h", ".WH.a"] {
        assert_eq!(meant(name).unwrap(), Meaning::Ordinary(path(name)), "{name}");
        assert_eq!(archive_path(&put(name)).unwrap(), name.as_bytes());
    }
}

#[test]
fn aufs_files_are_ignored() {
    for name in
        [".wh..wh.aufs", ".wh..wh.plnk", ".wh..wh.plnk/12.34", ".wh..wh.orph/.wh.x", "a/.wh..wh.x/b/c"]
    {
        assert_eq!(meant(name).unwrap(), Meaning::Ignored, "{name}");
    }
}

#[test]
fn whiteouts_that_name_nothing_are_errors() {
    for name in [".wh.", "a/.wh.", ".wh..", "a/.wh...", "a/.wh.f/child", ".wh..wh..opq/child"] {
        assert!(meant(name).is_err(), "{name}");
    }
}

#[test]
fn entries_that_no_archive_can_hold_are_errors() {
    for change in [
        put(".wh.a"),
        put("a/.wh.b/c"),
        Change::Remove(EntryPath::root()),
        Change::Remove(path("a/.wh.b")),
        Change::ClearLower(path(".wh.a")),
    ] {
        assert!(archive_path(&change).is_err(), "{change:?}");
    }
}

#[test]
fn a_whiteout_can_be_longer_than_a_name() {
    let limits = Limits::default();
    let longest = "n".repeat(255);
    let dirs = "d/".repeat((limits.path - 255) / 2);
    for hidden in ["n".repeat(252), longest.clone(), format!("a/{longest}"), format!("{dirs}{longest}")] {
        let change = Change::Remove(path(&hidden));
        let whiteout = archive_path(&change).unwrap();
        assert_eq!(meaning(&whiteout, &limits).unwrap(), Meaning::Whiteout(change));
    }
    for refused in [
        format!(".wh.{longest}n"),
        format!(".wh.{longest}/f"),
        format!("{longest}n"),
        format!("{dirs}dd/.wh.{longest}"),
        format!("{longest}n/.wh.f"),
    ] {
        assert!(meant(&refused).is_err(), "{} bytes", refused.len());
    }
    // AUFS has no such names, but they begin like its own.
    assert_eq!(meant(&format!(".wh..wh.{}", &longest[4..])).unwrap(), Meaning::Ignored);
}
