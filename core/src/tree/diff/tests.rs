use proptest::prelude::*;

use super::{
    super::{
        Content, Tree,
        merge::Merge,
        rootfs::{RootfsSink, Stamp},
        testing::{Item, Record, apply, clear, dir, file, link, path, put, remove, show, symlink},
    },
    Baseline, DiffOptions, diff,
};
use crate::{
    attrs::{Time, Xattrs},
    fs::{AttrChange, Dir as _, DirPosix as _, DirWrite as _, FilePosix as _, mem::MemDir},
    layer::{Change, EntryKind},
    limits::Limits,
    name::Name,
};
use std::io::{Seek as _, SeekFrom, Write as _};

const NEVER: Time = Time { seconds: i64::MAX, nanoseconds: 0 };

fn unpacked(layers: &[&[Item]]) -> (Tree, MemDir, Vec<Stamp>) {
    let root = MemDir::new();
    let mut merge = Merge::new(Tree::new(), RootfsSink::new(root.clone()), &Limits::default());
    apply(&mut merge, layers).unwrap();
    let (tree, sink) = merge.finish().unwrap();
    (tree, root, sink.into_stamps())
}

fn changes(tree: &Tree, root: &MemDir, stamps: &[Stamp], settled: Time) -> Vec<Item> {
    let mut record = Record::default();
    let summary =
        diff(Baseline { tree, stamps, settled }, root, &DiffOptions::default(), &mut record).unwrap();
    assert_eq!(summary.changes, record.0.len() as u64);
    record.0
}

fn names(items: &[Item]) -> Vec<String> {
    items
        .iter()
        .map(|Item(change, _)| match change {
            Change::Put(entry) => match &entry.kind {
                EntryKind::HardLink { to } => format!("{} => {to}", entry.path),
                _ => entry.path.to_string(),
            },
            Change::Remove(path) => format!("-{path}"),
            Change::ClearLower(path) => format!("--{path}"),
        })
        .collect()
}

fn read(root: &MemDir) -> Tree {
    let found = changes(&Tree::new(), root, &[], Time::EPOCH);
    super::super::testing::tree(&[&found]).unwrap()
}

#[test]
fn an_untouched_directory_has_no_changes() {
    let (tree, root, stamps) = unpacked(&[&[
        dir("d"),
        file("d/f", "x"),
        link("d/g", "d/f"),
        symlink("l", "d"),
        put("p", EntryKind::Fifo),
    ]]);
    assert_eq!(names(&changes(&tree, &root, &stamps, NEVER)), Vec::<String>::new(), "by stamps");
    assert_eq!(names(&changes(&tree, &root, &[], Time::EPOCH)), Vec::<String>::new(), "by reading");
    assert_eq!(
        names(&changes(&tree, &root, &stamps, Time::EPOCH)),
        Vec::<String>::new(),
        "with stamps too young"
    );
}

#[test]
fn a_file_with_a_proven_stamp_is_not_read() {
    // The tree differs from the disk, which is seen only if the file is read.
    let (mut tree, root, stamps) = unpacked(&[&[file("f", "x")]]);
    let id = tree.get(&path("f")).unwrap();
    tree.inode_mut(id).content = Content::File { size: 1, sha256: Some([0; 32]) };
    assert_eq!(names(&changes(&tree, &root, &stamps, NEVER)), Vec::<String>::new());
    assert_eq!(
        names(&changes(&tree, &root, &stamps, Time::EPOCH)),
        ["f"],
        "a stamp too young proves nothing"
    );
    assert_eq!(names(&changes(&tree, &root, &[], NEVER)), ["f"]);
}

#[test]
fn changed_content_with_an_old_time_is_found() {
    let (tree, root, stamps) = unpacked(&[&[file("f", "x"), file("g", "x")]]);
    root.remove_file(Name::literal("f")).unwrap();
    let mut written = root.create_file(Name::literal("f")).unwrap();
    written.write_all(b"y").unwrap();
    let change = AttrChange::default().mode(0o644).mtime(Time::from_seconds(1));
    written.set_attrs(&change).unwrap();
    drop(written);
    let found = changes(&tree, &root, &stamps, NEVER);
    assert_eq!(names(&found), ["", "f"]);
    assert_eq!(found[1].1, b"y");
}

#[test]
fn changed_attributes_alone_are_a_change() {
    let (tree, root, stamps) = unpacked(&[&[dir("d"), file("f", "x"), symlink("l", "f")]]);
    let owner = AttrChange::default().owner(5, 6);
    for name in ["d", "f", "l"] {
        root.set_attrs(Name::literal(name), &owner).unwrap();
    }
    assert_eq!(names(&changes(&tree, &root, &stamps, NEVER)), ["d", "f", "l"]);
    let xattrs = Xattrs::from([(b"user.a"[..].into(), b"b"[..].into())]);
    let (tree, root, stamps) = unpacked(&[&[file("f", "x")]]);
    root.set_attrs(Name::literal("f"), &AttrChange::default().xattrs(&xattrs)).unwrap();
    assert_eq!(names(&changes(&tree, &root, &stamps, NEVER)), ["f"]);
}

#[test]
fn whiteouts_come_first_and_cover_whole_directories() {
    let (tree, root, stamps) = unpacked(&[&[dir("d"), file("d/f", "x"), file("z", "x")]]);
    root.open_dir(Name::literal("d")).unwrap().remove_file(Name::literal("f")).unwrap();
    root.remove_dir(Name::literal("d")).unwrap();
    root.create_file(Name::literal("a")).unwrap();
    assert_eq!(names(&changes(&tree, &root, &stamps, NEVER)), ["", "-d", "a"]);
}

#[test]
fn a_changed_time_of_the_root_alone_is_not_a_change() {
    let (tree, root, stamps) = unpacked(&[&[file("f", "x")]]);
    root.set_self_attrs(&AttrChange::default().mtime(Time::from_seconds(9))).unwrap();
    assert_eq!(names(&changes(&tree, &root, &stamps, NEVER)), Vec::<String>::new());
    root.set_self_attrs(&AttrChange::default().mode(0o700)).unwrap();
    assert_eq!(names(&changes(&tree, &root, &stamps, NEVER)), [""]);
}

#[test]
fn a_new_name_of_an_old_file_sends_all_its_names() {
    let (tree, root, stamps) = unpacked(&[&[file("b", "x")]]);
    root.hard_link(Name::literal("a"), &root, Name::literal("b")).unwrap();
    assert_eq!(names(&changes(&tree, &root, &stamps, NEVER)), ["", "a", "b => a"]);
}

#[test]
fn a_broken_hard_link_is_sent_as_a_file_of_its_own() {
    let (tree, root, stamps) = unpacked(&[&[file("a", "x"), link("b", "a")]]);
    root.remove_file(Name::literal("b")).unwrap();
    let mut copy = root.create_file(Name::literal("b")).unwrap();
    copy.write_all(b"x").unwrap();
    copy.set_attrs(&AttrChange::default().mode(0o644).mtime(Time::from_seconds(1))).unwrap();
    drop(copy);
    let found = changes(&tree, &root, &stamps, NEVER);
    let mut merge = Merge::new(tree, (), &Limits::default());
    apply(&mut merge, &[&found]).unwrap();
    assert!(merge.finish().unwrap().0 == read(&root));
}

#[test]
fn a_file_that_grows_in_place_is_sent_whole() {
    let (tree, root, stamps) = unpacked(&[&[file("f", "x")]]);
    root.remove_file(Name::literal("f")).unwrap();
    let mut grown = root.create_file(Name::literal("f")).unwrap();
    grown.seek(SeekFrom::Start(3)).unwrap();
    grown.write_all(b"y").unwrap();
    drop(grown);
    assert_eq!(changes(&tree, &root, &stamps, NEVER)[1].1, b"\0\0\0y");
}

fn any_path() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 1..4).prop_map(|parts| parts.join("/"))
}

fn any_item() -> impl Strategy<Value = Item> {
    prop_oneof![
        3 => (any_path(), "[xy]{0,2}").prop_map(|(at, text)| file(&at, &text)),
        2 => any_path().prop_map(|at| dir(&at)),
        1 => (any_path(), any_path()).prop_map(|(at, to)| link(&at, &to)),
        1 => (any_path(), prop::sample::select(vec!["q", "/q/r"])).prop_map(|(at, to)| symlink(&at, to)),
        1 => any_path().prop_map(|at| put(&at, EntryKind::Char { major: 1, minor: 3 })),
        1 => any_path().prop_map(|at| remove(&at)),
        1 => any_path().prop_map(|at| clear(&at)),
    ]
}

/// Applies the changes that can be applied.
fn lenient(merge: &mut Merge<RootfsSink<MemDir>>, items: &[Item]) {
    for item in items {
        let _ = apply(merge, &[std::slice::from_ref(item)]);
    }
}

proptest! {
    #[test]
    fn the_disk_is_what_the_tree_says(layers in prop::collection::vec(any_item(), 0..30)) {
        let root = MemDir::new();
        let mut merge = Merge::new(Tree::new(), RootfsSink::new(root.clone()), &Limits::default());
        lenient(&mut merge, &layers);
        let tree = merge.finish().unwrap().0;
        let on_disk = read(&root);
        prop_assert_eq!(show(&on_disk), show(&tree));
        prop_assert!(on_disk == tree);
    }

    #[test]
    fn applying_the_difference_gives_the_other(
        before in prop::collection::vec(any_item(), 0..25),
        after in prop::collection::vec(any_item(), 0..10),
        by_stamps in any::<bool>(),
    ) {
        let root = MemDir::new();
        let mut merge = Merge::new(Tree::new(), RootfsSink::new(root.clone()), &Limits::default());
        lenient(&mut merge, &before);
        let (old, sink) = merge.finish().unwrap();
        let stamps = sink.into_stamps();
        let mut merge = Merge::new(old.clone(), RootfsSink::new(root.clone()), &Limits::default());
        lenient(&mut merge, &after);
        merge.finish().unwrap();

        let stamps = if by_stamps { &stamps[..] } else { &[] };
        let found = changes(&old, &root, stamps, NEVER);
        let mut applied = Merge::new(old, (), &Limits::default());
        apply(&mut applied, &[&found]).unwrap();
        let applied = applied.finish().unwrap().0;
        let on_disk = read(&root);
        prop_assert_eq!(show(&applied), show(&on_disk));
        prop_assert!(applied == on_disk);
    }
}
