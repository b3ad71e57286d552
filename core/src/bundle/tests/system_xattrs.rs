//! Attributes that belong to the system are recorded, not set: they are not missed, and they come back.

use super::*;
use crate::{
    attrs::Xattrs,
    fs::{AttrChange, DirPosix as _},
    layer::{Entry, overlayfs::Namespace},
    tree::{
        mtree::{Difference, compare},
        testing::Item,
    },
};

fn labels() -> Xattrs {
    Xattrs::from([(b"security.selinux"[..].into(), b"system_u:object_r:etc_t:s0\0"[..].into())])
}

/// Returns an entry with the attribute.
fn labelled(Item(change, content): Item) -> Item {
    let Change::Put(mut entry) = change else { unreachable!("it puts something") };
    entry.attrs.xattrs = labels();
    Item(Change::Put(entry), content)
}

fn labelled_image(store: &Repository<MemoryStore>) -> (Image, Resolution) {
    let root = Item(
        Change::Put(Entry {
            path: crate::name::EntryPath::root(),
            attrs: crate::attrs::Attrs::implied_dir(),
            kind: crate::layer::EntryKind::Dir,
        }),
        Vec::new(),
    );
    let items = [root, dir("d"), file("d/f", "x"), file("f", "x"), symlink("l", "f")].map(labelled);
    let image = image(store, &[&items]);
    let at = tag(store, "t", &image.descriptor);
    (image, at)
}

/// Returns the changes of a bundle whose files are all read, as path and attributes.
fn changes(bundle: &MemDir) -> Vec<(String, Xattrs)> {
    let mut record = Record::default();
    let options = CompareOptions::default().verify(true);
    Bundle::open(bundle, &Limits::default()).unwrap().changes(&options, &mut record).unwrap();
    let put = |Item(change, _)| match change {
        Change::Put(Entry { path, attrs, .. }) => (path.to_string(), attrs.xattrs),
        other => unreachable!("{other:?}"),
    };
    record.0.into_iter().map(put).collect()
}

#[test]
fn they_are_not_missed_on_the_disk() {
    for format in [Format::Native, Format::Umoci, Format::Overlayfs(Namespace::Trusted)] {
        let store = Repository::in_memory().unwrap();
        let (image, at) = labelled_image(&store);
        let bundle = MemDir::new();
        unpack(&store, &image, &at, &bundle, &UnpackOptions::default().format(format)).unwrap();
        assert_eq!(changes(&bundle), [], "{format:?}");
    }
}

#[test]
fn a_check_of_the_manifest_reports_them_as_unchecked() {
    let store = Repository::in_memory().unwrap();
    let (image, at) = labelled_image(&store);
    let bundle = unpacked(&store, &image, &at);
    let manifest = read(&bundle, Name::literal(MTREE));
    assert!(manifest.contains("xattr.security.selinux="), "{manifest}");
    let mut found = Vec::new();
    let mut report = |difference| {
        found.push(difference);
        Ok(())
    };
    compare(&mut manifest.as_bytes(), &rootfs(&bundle), &Limits::default(), &mut report).unwrap();
    assert_eq!(found, [Difference::Unchecked { keyword: "xattr.security.selinux".into() }]);
}

#[test]
fn an_entry_that_changed_keeps_them_and_another_type_does_not() {
    let store = Repository::in_memory().unwrap();
    let (image, at) = labelled_image(&store);
    let bundle = unpacked(&store, &image, &at);
    let root = rootfs(&bundle);
    let mode = AttrChange::default().mode(0o700);
    for name in ["d", "f"] {
        root.set_attrs(Name::literal(name), &mode).unwrap();
    }
    root.remove_file(Name::literal("l")).unwrap();
    write(&root, "l", "a file now");
    let expected = [("", labels()), ("d", labels()), ("f", labels()), ("l", Xattrs::new())];
    assert_eq!(changes(&bundle), expected.map(|(path, xattrs)| (path.to_owned(), xattrs)));
}

#[test]
fn what_overlayfs_copied_up_keeps_them() {
    let store = Repository::in_memory().unwrap();
    let (image, at) = labelled_image(&store);
    let bundle = MemDir::new();
    let options = UnpackOptions::default().format(Format::Overlayfs(Namespace::Trusted));
    unpack(&store, &image, &at, &bundle, &options).unwrap();
    let upper = bundle.open_dir(Name::literal("upper")).unwrap();
    write(&upper, "f", "changed");
    write(&upper, "new", "new");
    let expected = [("", labels()), ("f", labels()), ("new", Xattrs::new())];
    assert_eq!(changes(&bundle), expected.map(|(path, xattrs)| (path.to_owned(), xattrs)));
}
