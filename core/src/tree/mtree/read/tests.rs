use proptest::prelude::*;

use super::*;
use crate::{
    attrs::{Time, Xattrs},
    name::Name,
    tree::mtree::{Dialect, write_tree},
};

fn read(text: &[u8]) -> Result<Tree> {
    read_tree("manifest", &mut &text[..], &Limits::default())
}

fn native(tree: &Tree) -> Vec<u8> {
    let mut text = Vec::new();
    write_tree(tree, Dialect::Native, &mut text).unwrap();
    text
}

fn any_attrs() -> impl Strategy<Value = Attrs> {
    let xattrs = prop::collection::btree_map(
        prop::collection::vec(any::<u8>(), 0..9).prop_map(Into::into),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(Into::into),
        0..3,
    );
    (0..=0o7777_u32, any::<u32>(), any::<u32>(), any::<i64>(), 0..1_000_000_000_u32, xattrs).prop_map(
        |(mode, uid, gid, seconds, nanoseconds, xattrs): (_, _, _, _, _, Xattrs)| Attrs {
            mode,
            uid,
            gid,
            mtime: Time { seconds, nanoseconds },
            xattrs,
        },
    )
}

fn any_content() -> impl Strategy<Value = Content> {
    prop_oneof![
        (any::<u64>(), any::<Option<[u8; 32]>>()).prop_map(|(size, sha256)| Content::File { size, sha256 }),
        Just(Content::Dir(BTreeMap::new())),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(|target| Content::Symlink(target.into())),
        any::<(u32, u32)>().prop_map(|(major, minor)| Content::Char(major, minor)),
        any::<(u32, u32)>().prop_map(|(major, minor)| Content::Block(major, minor)),
        Just(Content::Fifo),
        Just(Content::Socket),
    ]
}

/// Generates a few bytes, so that names collide in every way, or any bytes.
fn any_name() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(prop::sample::select(b"a. #\\/=*\n".to_vec()), 1..4),
        prop::collection::vec(any::<u8>(), 1..6),
    ]
}

/// Grows a tree: each step picks a place and a name, and adds a new entry or a hard link.
fn any_tree() -> impl Strategy<Value = Tree> {
    let step = (any::<usize>(), any_name(), any_attrs(), any_content(), any::<Option<usize>>());
    (any_attrs(), prop::collection::vec(step, 0..24)).prop_map(|(root, steps)| {
        let mut tree = Tree::new();
        tree.inode_mut(Tree::ROOT).attrs = root;
        let mut ids = vec![Tree::ROOT];
        for (place, name, attrs, content, link) in steps {
            let Ok(name) = Name::new(&name) else { continue };
            let dir = ids[place % ids.len()];
            match link {
                Some(target) => {
                    tree.link(dir, name, ids[target % ids.len()]);
                }
                None => ids.extend(tree.insert(dir, name, attrs, content)),
            }
        }
        tree
    })
}

proptest! {
    #[test]
    fn a_tree_comes_back_equal(tree in any_tree()) {
        let text = native(&tree);
        let back = read(&text).unwrap();
        prop_assert!(back == tree, "{}", text.escape_ascii());
        prop_assert_eq!(native(&back), text);
    }

    #[test]
    fn every_dialect_lists_the_same_paths(tree in any_tree()) {
        let mut expected: Vec<_> = tree.iter().map(|(path, _)| path).collect();
        expected.sort();
        for dialect in Dialect::ALL {
            let mut text = Vec::new();
            write_tree(&tree, dialect, &mut text).unwrap();
            let mut input = &text[..];
            let entries: Result<Vec<_>> = Parser::new("m", &mut input, &Limits::default()).collect();
            let mut paths: Vec<_> = entries.unwrap().into_iter().map(|spec| spec.path).collect();
            paths.sort();
            prop_assert_eq!(&paths, &expected);
        }
    }

    #[test]
    fn no_input_makes_it_panic(text in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&[super::super::NATIVE_HEADER, &text].concat());
    }
}

#[test]
fn each_error_names_its_line() {
    let root = ". type=dir mode=0755 uid=0 gid=0 time=0.0\n";
    let file = "type=file mode=0644 uid=0 gid=0 time=0.0 size=1";
    for (text, expected) in [
        ("", "no entries: expected '.' as the first one".to_owned()),
        ("a type=dir\n", "line 2: the first entry must be '. type=dir'".into()),
        (". type=dir mode=0755 uid=0 gid=0\n", "line 2: time is missing".into()),
        (&format!("{root}a {file}\n"), "line 3: nlink is missing".into()),
        (&format!("{root}a {file} nlink=2\n"), "line 3: nlink is 2, but it has 1 names".into()),
        (&format!("{root}a {file} nlink=1 flags=none\n"), "line 3: unknown keyword 'flags'".into()),
        (
            &format!("{root}a {file} nlink=1\n\na {file} nlink=1\n"),
            "line 5: \"a\" is listed twice, or its parent is not a directory".into(),
        ),
        (
            &format!("{root}a {file} nlink=2 inode=1\nb {file} nlink=2 mode=0600 inode=1\n"),
            "line 4: differs from the first line with the same inode number".into(),
        ),
        (&format!("{root}./x/y {file} nlink=1\n"), "line 3: its parent directory \"x\" is not listed".into()),
        (&format!("{root}a type=char mode=0 uid=0 gid=0 time=0.0\n"), "line 3: device is missing".into()),
        (&format!("{root}..\n..\n"), "line 4: '..' above the root".into()),
        (
            &format!("{root}/usr {file}\n"),
            "line 3: '/usr' starts with '/': expected a name, a path like ./a/b, /set or /unset".into(),
        ),
        (&format!("{root}a\\057b {file}\n"), "line 3: invalid path \"a/b\": name contains '/'".into()),
        (
            &format!("{root}./a/../b {file}\n"),
            "line 3: invalid path \"..\": '.' and '..' are not names".into(),
        ),
        (&format!("{root}a\\0 {file}\n"), "line 3: invalid path \"a\\0\": NUL in name".into()),
        (&format!("{root}a {file} \\\n nlink=x\n"), "line 3: nlink=x: not a decimal number".into()),
    ] {
        let error = read(&[super::super::NATIVE_HEADER, text.as_bytes()].concat()).unwrap_err();
        assert_eq!(error.to_string(), format!("manifest: {expected}"), "{text}");
    }
}

#[test]
fn other_dialects_are_refused() {
    let expected = "manifest: not a manifest of the native dialect: expected the first line \
                    '#mtree v1.0 ocicle native 1'";
    assert_eq!(read(b"").unwrap_err().to_string(), expected);
    assert_eq!(read(b"#mtree v2.0\n. type=dir\n").unwrap_err().to_string(), expected);
}

#[test]
fn limits_hold() {
    let mut text = native(&Tree::new());
    text.extend_from_slice(b"abc type=dir mode=0 uid=0 gid=0 time=0.0\n");
    let error = |limits: Limits| read_tree("m", &mut &text[..], &limits).unwrap_err().to_string();
    let all = Limits::default();
    assert_eq!(error(Limits { path: 2, ..all }), "m: line 3: more than the limit of 2 (path)");
    assert_eq!(error(Limits { entries: 1, ..all }), "m: line 3: more than the limit of 1 (entries)");
    text.resize(text.len() + 1200, b' ');
    assert_eq!(
        read_tree("m", &mut &text[..], &Limits { header: 0, path: 9, ..all }).unwrap_err().to_string(),
        "m: line 4 is longer than 1096 bytes: more than the limit of 0 (header)"
    );
}
