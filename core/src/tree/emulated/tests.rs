#![allow(clippy::unwrap_used, reason = "tests may")]

use std::io::Write as _;

use super::{Defaults, Emulated};
use crate::{
    attrs::{Attrs, Time, Xattrs},
    error::Result,
    fs::{AttrChange, Dir, DirPosix as _, DirWrite as _, Support, mem::MemDir},
    layer::{Change, Entry, EntryKind},
    limits::Limits,
    name::{EntryPath, Name},
    tree::{
        Tree,
        diff::{Baseline, DiffOptions, diff},
        merge::Merge,
        rootfs::RootfsSink,
        testing::{Item, Record, apply, dir, file, link, symlink},
    },
};

/// The capabilities of a WASI sandbox.
const HELD: Support = Support::NONE;

fn odd(path: &[u8], kind: EntryKind) -> Item {
    let xattrs: Xattrs = [(b"user.a"[..].into(), b"1"[..].into())].into();
    let attrs =
        Attrs { mode: 0o4711, uid: 7, gid: 8, mtime: Time { seconds: -5, nanoseconds: 500_000_000 }, xattrs };
    let path = EntryPath::clean(path, &Limits::default()).unwrap();
    Item(Change::Put(Entry { path, attrs, kind }), Vec::new())
}

fn image() -> Vec<Item> {
    vec![
        dir("d"),
        file("d/f", "abc"),
        link("h", "d/f"),
        odd(b"d/null", EntryKind::Char { major: 1, minor: 3 }),
        link("zero", "d/null"),
        odd(b"sda", EntryKind::Block { major: 8, minor: 0 }),
        odd(b"pipe", EntryKind::Fifo),
        odd(b"setuid", EntryKind::File { size: 0 }),
        odd(b"closed", EntryKind::Dir),
        odd(b"latin-\xe9", EntryKind::File { size: 0 }),
        odd(b"latin-\xe9-link", EntryKind::Symlink { target: b"latin-\xe9"[..].into() }),
        symlink("d/absolute", "/etc/passwd"),
        symlink("d/climbing", "../../../x"),
        symlink("d/relative", "f"),
    ]
}

/// Returns the image on a disk that holds so little, and the original tree.
fn unpacked() -> (MemDir, Tree) {
    let disk = MemDir::new();
    let limits = Limits::default();
    let root = Emulated::new(disk.clone(), HELD, None, Defaults::default());
    let mut merge = Merge::new(Tree::new(), RootfsSink::new(root), &limits);
    apply(&mut merge, &[&image()]).unwrap();
    (disk, merge.finish().unwrap().0)
}

fn changes(disk: &MemDir, tree: &Tree, defaults: Defaults) -> Result<Vec<Item>> {
    let root = Emulated::new(disk.clone(), HELD, Some(tree), defaults);
    let mut record = Record::default();
    diff(Baseline::unstamped(tree), &root, &DiffOptions::default(), &mut record)?;
    Ok(record.0)
}

fn name(text: &'static str) -> Name<'static> {
    Name::literal(text)
}

#[test]
fn unpacked_entries_are_read_back_unchanged() {
    let (disk, tree) = unpacked();
    assert!(changes(&disk, &tree, Defaults::default()).unwrap().is_empty());
    // The disk has the form that it can hold.
    let d = disk.open_dir(name("d")).unwrap();
    assert_eq!(d.read_link(name("absolute")).unwrap(), b"../etc/passwd");
    assert_eq!(d.read_link(name("climbing")).unwrap(), b"../x");
    assert_eq!(disk.read_link(name("latin-%E9-link")).unwrap(), b"latin-%E9");
    let (null, zero) = (d.metadata(name("null")).unwrap(), disk.metadata(name("zero")).unwrap());
    assert_eq!((null.ino, null.size, null.uid), (zero.ino, 0, 0));
}

#[test]
fn an_empty_file_stands_for_a_link_that_could_not_be_made() {
    let (disk, tree) = unpacked();
    let d = disk.open_dir(name("d")).unwrap();
    let mtime = Some(d.metadata(name("climbing")).unwrap().mtime);
    d.remove_file(name("climbing")).unwrap();
    let mut file = d.create_file(name("climbing")).unwrap();
    d.set_attrs(name("climbing"), &AttrChange { mtime, ..AttrChange::default() }).unwrap();
    let time = tree.inode(tree.child(Tree::ROOT, name("d")).unwrap()).attrs.mtime;
    d.set_self_attrs(&AttrChange::default().mtime(time)).unwrap();
    assert!(changes(&disk, &tree, Defaults::default()).unwrap().is_empty());
    let root = Emulated::new(disk.clone(), HELD, Some(&tree), Defaults::default());
    let emulated = root.open_dir(name("d")).unwrap();
    assert_eq!(emulated.read_link(name("climbing")).unwrap(), b"../../../x");
    // With content, it has become a file.
    file.write_all(b"1").unwrap();
    let found = changes(&disk, &tree, Defaults::default()).unwrap();
    assert!(
        matches!(&found[..], [Item(Change::Put(Entry { kind: EntryKind::File { size: 1 }, .. }), _)]),
        "{found:?}"
    );
}

#[test]
fn new_entries_get_defaults_and_changed_ones_keep_their_attributes() {
    let (disk, tree) = unpacked();
    disk.create_file(name("new")).unwrap().write_all(b"1").unwrap();
    disk.remove_file(name("setuid")).unwrap();
    disk.create_file(name("setuid")).unwrap().write_all(b"2").unwrap();
    disk.remove_file(name("pipe")).unwrap();
    disk.symlink(name("pipe"), b"d").unwrap();
    let defaults = Defaults { owner: (5, 6), mode: 0o640 };
    let found = changes(&disk, &tree, defaults).unwrap();
    let of = |wanted: &str| {
        let entries = found.iter().filter_map(|Item(change, _)| match change {
            Change::Put(entry) => Some(entry),
            _ => None,
        });
        let found: Vec<_> = entries.filter(|entry| entry.path.to_string() == wanted).collect();
        assert_eq!(found.len(), 1, "{wanted}");
        (found[0].attrs.clone(), found[0].kind.clone())
    };
    let (attrs, kind) = of("setuid");
    assert_eq!((attrs.mode, attrs.uid, attrs.gid, attrs.xattrs.len()), (0o4711, 7, 8, 1));
    assert_eq!(kind, EntryKind::File { size: 1 });
    // The disk of this test shows the mode that a file was made with.
    let (attrs, _) = of("new");
    assert_eq!((attrs.mode, attrs.uid, attrs.gid), (0o600, 5, 6));
    let (attrs, kind) = of("pipe");
    assert_eq!((attrs.uid, attrs.xattrs.len(), kind), (5, 0, EntryKind::Symlink { target: b"d"[..].into() }));
}

#[test]
fn directory_modes_add_search_for_readers() {
    let (disk, tree) = unpacked();
    for (mode, expected) in [(0o644, 0o755), (0o600, 0o700), (0o444, 0o555)] {
        let defaults = Defaults { owner: (0, 0), mode };
        let mut found = disk.metadata(name("d")).unwrap();
        found.mode = 0; // as a sandbox shows it
        let seen = super::form::seen(&found, None, &HELD, &defaults).unwrap();
        assert_eq!(seen.metadata.mode, expected);
    }
    assert_eq!(tree.len(), image().len() - 1);
}

#[test]
fn a_disk_with_full_support_is_unchanged() {
    assert_eq!(Support { owner: false, devices: false, ..Support::ALL }.effective(), Support::ALL);
    assert_eq!(HELD.effective(), HELD);
}
