use super::*;
use crate::tree::Content;
use crate::{
    attrs::{Attrs, Time, Xattrs},
    fs::{DirWrite as _, mem::MemDir},
    name::Name,
};

/// Returns an entry of each type, with values that are easy to get wrong.
fn small_tree() -> Tree {
    let mut tree = Tree::new();
    let attrs = |mode, uid, gid, seconds, nanoseconds| Attrs {
        mode,
        uid,
        gid,
        mtime: Time { seconds, nanoseconds },
        xattrs: Xattrs::new(),
    };
    let mut put = |dir, name: &'static [u8], attrs, content| {
        tree.insert(dir, Name::new(name).unwrap(), attrs, content).unwrap()
    };
    let empty = || Content::Dir(std::collections::BTreeMap::new());
    let dir = put(Tree::ROOT, b"a dir", attrs(0o2755, 5, 0, -2, 500_000_000), empty());
    let mut with_xattrs = attrs(0o4755, 1234, 70000, 1, 5);
    with_xattrs.xattrs.insert((*b"user.a=b").into(), (*b"\x00\xff").into());
    with_xattrs.xattrs.insert((*b"user.e").into(), (*b"").into());
    let file = put(dir, b"#f", with_xattrs, Content::File { size: 3, sha256: Some([0xab; 32]) });
    put(dir, b"l", attrs(0o777, 5, 0, 0, 0), Content::Symlink((*br"x y\").into()));
    put(Tree::ROOT, b"*", attrs(0, 0, 0, 0, 0), Content::File { size: 0, sha256: None });
    put(Tree::ROOT, b"b", attrs(0o664, 0, 6, 0, 0), Content::Block(259, 65537));
    put(Tree::ROOT, b"p", attrs(0o600, 0, 0, 0, 0), Content::Fifo);
    tree.link(Tree::ROOT, Name::literal("hard"), file).unwrap();
    tree
}

fn text(tree: &Tree, dialect: Dialect) -> String {
    let mut text = Vec::new();
    write_tree(tree, dialect, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

const SHA: &str = "abababababababababababababababababababababababababababababababab";

#[test]
fn native() {
    let file = format!(
        "type=file mode=04755 uid=1234 gid=70000 nlink=2 size=3 sha256digest={SHA} time=1.000000005 \
         xattr.user.a\\075b=AP8= xattr.user.e= inode=1"
    );
    assert_eq!(
        text(&small_tree(), Dialect::Native),
        format!(
            r"#mtree v1.0 ocicle native 1
. type=dir mode=0755 uid=0 gid=0 time=0.000000000
\052 type=file mode=0 uid=0 gid=0 nlink=1 size=0 time=0.000000000
b type=block mode=0664 uid=0 gid=6 nlink=1 size=0 device=native,259,65537 time=0.000000000
hard {file}
p type=fifo mode=0600 uid=0 gid=0 nlink=1 size=0 time=0.000000000
a\040dir type=dir mode=02755 uid=5 gid=0 time=-2.500000000
\043f {file}
l type=link mode=0777 uid=5 gid=0 nlink=1 size=4 link=x\040y\\ time=0.000000000
..
"
        )
    );
}

#[test]
fn portable() {
    let file =
        format!("type=file mode=04755 uid=1234 gid=70000 nlink=2 size=3 sha256digest={SHA} time=1.000000005");
    assert_eq!(
        text(&small_tree(), Dialect::Portable),
        format!(
            r"#mtree v2.0
. type=dir mode=0755 uid=0 gid=0 time=0.000000000
./\052 type=file mode=0 uid=0 gid=0 nlink=1 size=0 time=0.000000000
./b type=block mode=0664 uid=0 gid=6 nlink=1 size=0 device=native,259,65537 time=0.000000000
./hard {file}
./p type=fifo mode=0600 uid=0 gid=0 nlink=1 size=0 time=0.000000000
./a\040dir type=dir mode=02755 uid=5 gid=0 time=-2.500000000
./a\040dir/\043f {file}
./a\040dir/l type=link mode=0777 uid=5 gid=0 nlink=1 size=4 link=x\040y\\ time=0.000000000
"
        )
    );
}

#[test]
fn bsd() {
    let file =
        format!("type=file mode=04755 uid=1234 gid=70000 nlink=2 size=3 sha256digest={SHA} time=1.000000005");
    assert_eq!(
        text(&small_tree(), Dialect::Bsd),
        format!(
            r"#mtree v1.0
. type=dir mode=0755 uid=0 gid=0 time=0.000000000
b type=block mode=0664 uid=0 gid=6 nlink=1 device=native,259,65537 time=0.000000000
hard {file}
p type=fifo mode=0600 uid=0 gid=0 nlink=1 time=0.000000000
a\040dir type=dir mode=02755 uid=5 gid=0 time=-2.500000000
\043f {file}
l type=link mode=0777 uid=5 gid=0 nlink=1 link=x\040y\\ time=0.000000000
..
\052 type=file mode=0 uid=0 gid=0 nlink=1 size=0 time=0.000000000
"
        )
    );
}

#[test]
fn umoci() {
    let file = format!("nlink=2 tar_time=1.000000000 sha256digest={SHA} xattr.user.a=b=AP8= xattr.user.e=");
    let without_disk = format!(
        r"#      keywords: size,type,uid,gid,mode,link,nlink,tar_time,sha256digest,xattr

# .
/set type=file mode=0664 uid=0 gid=0
. type=dir mode=0755 tar_time=0.000000000
    \052 size=0 mode=0 nlink=1 tar_time=0.000000000
    b size=0 type=block gid=6 nlink=1 tar_time=0.000000000
    hard size=3 uid=1234 gid=70000 mode=04755 {file}
    p size=0 type=fifo mode=0600 nlink=1 tar_time=0.000000000

# a\040dir
/set type=file mode=0664 uid=5 gid=0
a\040dir type=dir mode=02755 tar_time=-2.000000000
    \043f size=3 uid=1234 gid=70000 mode=04755 {file}
    l size=4 type=link mode=0777 link=x\040y\\ nlink=1 tar_time=0.000000000
..
..
"
    );
    assert_eq!(text(&small_tree(), Dialect::Umoci), without_disk);
}

#[test]
fn umoci_with_what_the_disk_says_of_directories() {
    let root = MemDir::new();
    let name = Name::literal("d");
    root.create_dir(name).unwrap();
    let mut tree = Tree::new();
    let dir = tree.insert(Tree::ROOT, name, Attrs::implied_dir(), Content::Dir(Default::default())).unwrap();
    tree.insert(dir, Name::literal("f"), Attrs::default(), Content::File { size: 0, sha256: None }).unwrap();
    let mut text = Vec::new();
    write_for_umoci(&tree, &root, &mut text).unwrap();
    let (top, below) = (root.self_metadata().unwrap(), root.metadata(name).unwrap());
    // In memory, as on btrfs, the link count of a directory is 1, which /set covers.
    assert_eq!((top.nlink, below.nlink), (1, 1));
    assert_eq!(
        String::from_utf8(text).unwrap(),
        format!(
            "#      keywords: size,type,uid,gid,mode,link,nlink,tar_time,sha256digest,xattr

# .
/set type=file nlink=1 mode=0664 uid=0 gid=0
. size={} type=dir mode=0755 tar_time=0.000000000

# d
d size={} type=dir mode=0755 tar_time=0.000000000
    f size=0 mode=0 tar_time=0.000000000
..
..
",
            top.size, below.size
        )
    );
    root.remove_dir(name).unwrap();
    let error = write_for_umoci(&tree, &root, &mut Vec::new()).unwrap_err();
    assert!(error.to_string().starts_with("open directory d: "), "{error}");
}

#[test]
fn longer_patterns_go_first() {
    let mut tree = Tree::new();
    for name in ["*", "a*", "a", "z"] {
        let content = Content::File { size: 0, sha256: None };
        tree.insert(Tree::ROOT, Name::literal(name), Attrs::default(), content).unwrap();
    }
    let names: Vec<String> = text(&tree, Dialect::Bsd)
        .lines()
        .skip(2)
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["a", "z", r"a\052", r"\052"]);
}
