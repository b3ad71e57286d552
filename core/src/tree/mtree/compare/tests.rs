use super::*;
use crate::{
    fs::{AttrChange, DirPosix as _, DirWrite as _, Special, mem::MemDir},
    tree::{
        Content, Tree,
        mtree::{Dialect, write_for_umoci, write_tree},
    },
};
use std::io::Write as _;

/// Returns a directory in which every keyword can be wrong.
fn disk() -> MemDir {
    let root = MemDir::new();
    let name = Name::literal;
    root.create_dir(name("d")).unwrap();
    let dir = root.open_dir(name("d")).unwrap();
    dir.create_file(name("f")).unwrap().write_all(b"hi\n").unwrap();
    root.hard_link(name("hard"), &dir, name("f")).unwrap();
    dir.symlink(name("l"), b"to here").unwrap();
    dir.create_node(name("c"), Special::Char(1, 3)).unwrap();
    let xattrs: Xattrs = [((*b"user.a").into(), (*b"v").into())].into();
    let change = AttrChange {
        owner: Some((5, 6)),
        mode: Some(0o4755),
        xattrs: Some(&xattrs),
        mtime: Some(Time { seconds: -2, nanoseconds: 500_000_000 }),
    };
    dir.set_attrs(name("f"), &change).unwrap();
    for (dir, name) in [(&dir, "l"), (&dir, "c"), (&root, "d")] {
        let change = AttrChange::default().mtime(Time::from_seconds(7));
        dir.set_attrs(Name::literal(name), &change).unwrap();
    }
    let change = AttrChange::default().mtime(Time::EPOCH);
    root.set_self_attrs(&change).unwrap();
    root
}

/// Returns the same as a tree.
fn tree() -> Tree {
    let root = disk();
    let mut tree = Tree::new();
    let name = Name::literal;
    let attrs = |dir: &MemDir, name: Name<'_>| {
        let metadata = dir.metadata(name).unwrap();
        crate::attrs::Attrs {
            mode: metadata.mode,
            uid: metadata.uid,
            gid: metadata.gid,
            mtime: metadata.mtime,
            xattrs: dir.xattrs(name).unwrap(),
        }
    };
    let dir = root.open_dir(name("d")).unwrap();
    let d =
        tree.insert(Tree::ROOT, name("d"), attrs(&root, name("d")), Content::Dir(BTreeMap::new())).unwrap();
    let mut hashed = crate::hash::Sha256Read::new(&b"hi\n"[..]);
    io::copy(&mut hashed, &mut io::sink()).unwrap();
    let content = Content::File { size: 3, sha256: Some(hashed.finish().1) };
    let file = tree.insert(d, name("f"), attrs(&dir, name("f")), content).unwrap();
    tree.insert(d, name("l"), attrs(&dir, name("l")), Content::Symlink((*b"to here").into())).unwrap();
    tree.insert(d, name("c"), attrs(&dir, name("c")), Content::Char(1, 3)).unwrap();
    tree.link(Tree::ROOT, name("hard"), file).unwrap();
    tree
}

fn differences(manifest: &str, root: &MemDir) -> Vec<String> {
    let mut found = Vec::new();
    let mut counted = 0;
    let count = compare(&mut manifest.as_bytes(), root, &Limits::default(), &mut |difference| {
        counted += u64::from(!matches!(difference, Difference::Unchecked { .. }));
        found.push(difference.to_string());
        Ok(())
    })
    .unwrap();
    assert_eq!(count, counted);
    found
}

fn manifest(dialect: Dialect) -> String {
    let mut text = Vec::new();
    match dialect {
        Dialect::Umoci => write_for_umoci(&tree(), &disk(), &mut text).unwrap(),
        _ => write_tree(&tree(), dialect, &mut text).unwrap(),
    }
    String::from_utf8(text).unwrap()
}

#[test]
fn an_unchanged_directory_has_no_difference() {
    for dialect in Dialect::ALL {
        assert_eq!(differences(&manifest(dialect), &disk()), [""; 0], "{dialect}");
    }
}

#[test]
fn every_keyword_is_compared() {
    for (from, to, expected) in [
        ("mode=04755", "mode=0755", "d/f: mode expected 0755, found 04755"),
        ("uid=5", "uid=4", "d/f: uid expected 4, found 5"),
        ("gid=6", "gid=4", "d/f: gid expected 4, found 6"),
        ("nlink=2", "nlink=1", "d/f: nlink expected 1, found 2"),
        ("size=3", "size=4", "d/f: size expected 4, found 3"),
        ("time=-2.500000000", "time=-2.500000001", "d/f: time expected -2.500000001, found -2.500000000"),
        ("=dmE=", "", "d/f: xattr.user.b expected dmE=, found none"),
        ("link=to", "link=2", r"d/l: link expected 2\040here, found to\040here"),
        ("device=native,1,3", "device=native,1,5", "d/c: device expected native,1,5, found native,1,3"),
        ("type=char", "type=block", "d/c: type expected block, found char"),
        (
            "sha256digest=98ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be4",
            "sha256digest=08ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be4",
            "d/f: sha256digest expected 08ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be4, \
             found 98ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be4",
        ),
    ] {
        let text = manifest(Dialect::Native);
        // Only the entry in the directory, not the other name of it.
        let (before, at) = text.split_at(text.find("\nd ").unwrap());
        let changed = if to.is_empty() {
            at.replacen(" xattr.user.a", " xattr.user.b=dmE= xattr.user.a", 1)
        } else {
            at.replacen(from, to, 1)
        };
        assert_ne!(at, changed, "{from}");
        assert_eq!(differences(&format!("{before}{changed}"), &disk()), [expected]);
    }
}

#[test]
fn missing_and_extra_and_more_attributes() {
    let root = disk();
    let name = Name::literal;
    root.create_dir(name("new")).unwrap();
    root.open_dir(name("new")).unwrap().create_dir(name("unlisted")).unwrap();
    let dir = root.open_dir(name("d")).unwrap();
    dir.remove_file(name("l")).unwrap();
    let xattrs: Xattrs = [
        ((*b"user.a").into(), (*b"v").into()),
        ((*b"user.more").into(), (*b"").into()),
        ((*b"security.selinux").into(), (*b"x").into()),
    ]
    .into();
    let mtime = Some(Time::from_seconds(7));
    dir.set_attrs(name("c"), &AttrChange { xattrs: Some(&xattrs), mtime, ..AttrChange::default() }).unwrap();
    let change = AttrChange { mtime, ..AttrChange::default() };
    root.set_attrs(name("d"), &change).unwrap();
    root.set_self_attrs(&AttrChange { mtime: Some(Time::EPOCH), ..change }).unwrap();
    let all = differences(&manifest(Dialect::Native), &root);
    let xattrs =
        ["d/c: xattr.user.a expected none, found dg==", "d/c: xattr.user.more expected none, found "];
    assert_eq!(all, [xattrs[0], xattrs[1], "new: extra", "d/l: missing"]);
    // umoci lists attributes of files and directories only; BSD lists none.
    assert_eq!(differences(&manifest(Dialect::Umoci), &root), ["new: extra", "d/l: missing"]);
    assert_eq!(differences(&manifest(Dialect::Bsd), &root), ["new: extra", "d/l: missing"]);
}

#[test]
fn hard_links_that_were_broken_up() {
    let text = manifest(Dialect::Native);
    let root = disk();
    let name = Name::literal;
    let dir = root.open_dir(name("d")).unwrap();
    root.remove_file(name("hard")).unwrap();
    root.create_file(name("hard")).unwrap().write_all(b"hi\n").unwrap();
    root.hard_link(name("also"), &root, name("hard")).unwrap();
    dir.hard_link(name("too"), &dir, name("f")).unwrap();
    let all = differences(&text, &root);
    assert!(all.contains(&"hard: inode expected that of d/f, found another".to_owned()), "{all:?}");
}

#[test]
fn flags_and_unchecked_keywords() {
    let manifest = "#mtree\n. type=dir ignore\nd/ type=dir\nnot type=file\n";
    assert_eq!(differences(manifest, &disk()), [""; 0]);
    let manifest = "\
        . type=dir md5=0 flags=none\n\
        hard nochange uid=9 uname=root\n\
        gone optional\n\
        d type=dir ignore\n\
        x\n\
        ..\n\
        d.x\n";
    assert_eq!(differences(manifest, &disk()), ["d.x: missing", "flags: not checked", "md5: not checked"]);
}

#[test]
fn as_json() {
    let path = EntryPath::clean(b"a\xff", &Limits::default()).unwrap();
    let keyword = "uid".to_owned();
    let changed =
        Difference::Changed { path, keyword: keyword.clone(), expected: "0".into(), found: "1".into() };
    assert_eq!(
        serde_json::to_string(&changed).unwrap(),
        r#"{"difference":"changed","path":"a\\377","keyword":"uid","expected":"0","found":"1"}"#
    );
    assert_eq!(
        serde_json::to_string(&Difference::Missing { path: EntryPath::root() }).unwrap(),
        r#"{"difference":"missing","path":"."}"#
    );
    assert_eq!(
        serde_json::to_string(&Difference::Unchecked { keyword }).unwrap(),
        r#"{"difference":"unchecked","keyword":"uid"}"#
    );
}
