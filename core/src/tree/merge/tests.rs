use super::super::{
    Tree,
    merge::Merge,
    testing::{Item, apply, clear, dir, file, link, put, remove, show, symlink, tree},
};
use crate::{
    error::ErrorKind,
    layer::{Change, EntryKind},
    limits::Limits,
};

fn shown(layers: &[&[Item]]) -> String {
    show(&tree(layers).unwrap())
}

fn refused(layers: &[&[Item]]) -> String {
    let error = tree(layers).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    error.to_string()
}

#[test]
fn an_entry_implies_its_parents() {
    assert_eq!(shown(&[&[file("a/b/f", "x")]]), "/ d755 @0\n/a d755 @0\n/a/b d755 @0\n/a/b/f f644 @1 1 x1\n");
}

#[test]
fn a_directory_keeps_its_children_and_anything_else_replaces() {
    let base: &[Item] = &[dir("d"), file("d/f", "x")];
    assert_eq!(shown(&[base, &[dir("d")]]), "/ d755 @0\n/d d755 @1\n/d/f f644 @1 1 x1\n");
    assert_eq!(shown(&[base, &[file("d", "yy")]]), "/ d755 @0\n/d f644 @1 2 x1\n");
    assert_eq!(shown(&[base, &[put("d/f", EntryKind::Dir)]]), "/ d755 @0\n/d d755 @1\n/d/f d755 @1\n");
    assert_eq!(shown(&[base, &[put("d/f", EntryKind::Fifo)]]), "/ d755 @0\n/d d755 @1\n/d/f p\n");
}

#[test]
fn a_whiteout_hides_only_lower_layers_at_any_position() {
    let base: &[Item] = &[file("d/old", "x"), file("d/both", "x")];
    let expected = "/ d755 @0\n/d d755 @0\n/d/both f644 @1 2 x1\n";
    assert_eq!(shown(&[base, &[remove("d/old"), remove("d/both"), file("d/both", "yy")]]), expected);
    assert_eq!(shown(&[base, &[file("d/both", "yy"), remove("d/both"), remove("d/old")]]), expected);
}

#[test]
fn an_opaque_whiteout_hides_only_lower_layers_at_any_position() {
    let base: &[Item] = &[file("d/old", "x"), file("d/sub/old", "x"), file("d/sub2/old", "x")];
    let expected = "/ d755 @0\n/d d755 @1\n/d/new f644 @1 1 x1\n/d/sub d755 @0\n/d/sub/new f644 @1 1 x1\n";
    assert_eq!(shown(&[base, &[dir("d"), clear("d"), file("d/new", "n"), file("d/sub/new", "n")]]), expected);
    assert_eq!(shown(&[base, &[file("d/sub/new", "n"), file("d/new", "n"), clear("d"), dir("d")]]), expected);
}

#[test]
fn a_directory_hidden_and_written_below_loses_its_lower_attributes() {
    let base: &[Item] = &[dir("d"), file("d/old", "x")];
    let expected = "/ d755 @0\n/d d755 @0\n/d/new f644 @1 1 x1\n";
    assert_eq!(shown(&[base, &[file("d/new", "n"), remove("d")]]), expected);
    assert_eq!(shown(&[base, &[remove("d"), file("d/new", "n")]]), expected);
}

/// Returns the tree of a base and a layer, which must be the same for all orders of the layer's changes.
fn in_all_orders(base: &[Item], changes: &[Item]) -> String {
    let mut orders: Vec<Vec<usize>> = vec![vec![]];
    for next in 0..changes.len() {
        orders = orders
            .iter()
            .flat_map(|order| (0..=next).map(move |at| [&order[..at], &[next][..], &order[at..]].concat()))
            .collect();
    }
    let mut found = orders.iter().map(|order| {
        let layer: Vec<Item> = order.iter().map(|&at| changes[at].clone()).collect();
        shown(&[base, &layer])
    });
    let first = found.next().unwrap();
    for (other, order) in found.zip(&orders[1..]) {
        assert_eq!(other, first, "{order:?}");
    }
    first
}

#[test]
fn a_whiteout_does_not_go_through_a_link_of_its_own_layer() {
    let base: &[Item] = &[file("b/x", "x")];
    let kept = "/ d755 @0\n/a -> b\n/b d755 @0\n/b/x f644 @1 1 x1\n";
    assert_eq!(in_all_orders(base, &[symlink("a", "b"), remove("a/x")]), kept);
    assert_eq!(in_all_orders(base, &[symlink("a", "b"), clear("a")]), kept);
}

#[test]
fn a_whiteout_goes_through_a_link_of_a_lower_layer_that_stays() {
    let base: &[Item] = &[file("b/x", "x"), file("b/y", "y"), symlink("a", "b")];
    let gone = "/ d755 @0\n/a -> b\n/b d755 @0\n/b/y f644 @1 1 x1\n";
    assert_eq!(in_all_orders(base, &[remove("a/x"), file("f", "f")]).replace("/f f644 @1 1 x1\n", ""), gone);
    let base: &[Item] = &[file("b/x", "x"), symlink("a", "b")];
    for whiteout in [remove("a/x"), clear("a")] {
        let removed = "/ d755 @0\n/b d755 @0\n/b/x f644 @1 1 x1\n";
        assert_eq!(in_all_orders(base, &[whiteout.clone(), remove("a")]), removed);
        let replaced = "/ d755 @0\n/a d755 @1\n/b d755 @0\n/b/x f644 @1 1 x1\n";
        assert_eq!(in_all_orders(base, &[whiteout.clone(), dir("a")]), replaced);
        let elsewhere = "/ d755 @0\n/a -> c\n/b d755 @0\n/b/x f644 @1 1 x1\n";
        assert_eq!(in_all_orders(base, &[whiteout, symlink("a", "c")]), elsewhere);
    }
    // One link behind another.
    let base: &[Item] = &[file("d/b/x", "x"), symlink("d/a", "b"), symlink("l", "d")];
    let kept = "/ d755 @0\n/d d755 @0\n/d/b d755 @0\n/d/b/x f644 @1 1 x1\n/l -> d\n";
    assert_eq!(in_all_orders(base, &[remove("l/a/x"), remove("l/a")]), kept);
}

#[test]
fn a_whiteout_of_an_absent_path_has_no_effect() {
    assert_eq!(shown(&[&[remove("a/b"), clear("c"), remove("d")]]), "/ d755 @0\n");
}

#[test]
fn hard_links_share_one_inode() {
    let made = tree(&[&[file("a", "x"), link("b", "a")], &[link("d/c", "b")]]).unwrap();
    assert_eq!(show(&made), "/ d755 @0\n/a f644 @1 1 x3\n/b f644 @1 1 x3\n/d d755 @0\n/d/c f644 @1 1 x3\n");
    assert_eq!(
        shown(&[&[file("a", "x"), link("b", "a")], &[file("a", "yy")]]),
        "/ d755 @0\n/a f644 @1 2 x1\n/b f644 @1 1 x1\n"
    );
}

#[test]
fn a_hard_link_to_a_lower_file_survives_its_whiteout() {
    let base: &[Item] = &[file("a", "x")];
    let expected = "/ d755 @0\n/b f644 @1 1 x1\n";
    assert_eq!(shown(&[base, &[link("b", "a"), remove("a")]]), expected);
    assert_eq!(
        shown(&[base, &[link("d/b", "a"), clear("d"), remove("a")]]),
        "/ d755 @0\n/d d755 @0\n/d/b f644 @1 1 x1\n"
    );
}

#[test]
fn a_link_is_written_through_inside_the_root() {
    let usr: &[Item] = &[dir("usr/lib"), symlink("lib", "usr/lib")];
    assert_eq!(
        shown(&[usr, &[file("lib/f", "x")]]),
        "/ d755 @0\n/lib -> usr/lib\n/usr d755 @0\n/usr/lib d755 @1\n/usr/lib/f f644 @1 1 x1\n"
    );
    let climbing: &[Item] = &[symlink("out", "../../../etc")];
    assert_eq!(
        shown(&[climbing, &[file("out/f", "x")]]),
        "/ d755 @0\n/etc d755 @0\n/etc/f f644 @1 1 x1\n/out -> ../../../etc\n"
    );
    let absolute: &[Item] = &[symlink("a/out", "/etc")];
    assert_eq!(
        shown(&[absolute, &[file("a/out/f", "x")]]),
        "/ d755 @0\n/a d755 @0\n/a/out -> /etc\n/etc d755 @0\n/etc/f f644 @1 1 x1\n"
    );
}

#[test]
fn a_directory_replaces_a_file() {
    assert_eq!(
        shown(&[&[file("a", "x")], &[file("a/b", "y")]]),
        "/ d755 @0\n/a d755 @0\n/a/b f644 @1 1 x1\n"
    );
}

#[test]
fn invalid_changes_are_refused() {
    let cases: [(&[&[Item]], &str); 8] = [
        (&[&[link("a", "a")]], "a (hard link to a): the link points to itself"),
        (&[&[dir("d"), link("a", "d")]], "a (hard link to d): the target is a directory"),
        (&[&[link("a", "b"), file("b", "x")]], "target not found in lower layers"),
        (&[&[file("", "x")]], "is not a directory"),
        (&[&[remove("")]], "cannot remove the root directory"),
        (
            &[&[file("d/t", "x")], &[link("d", "d/t")]],
            "the hard link replaces its target, or a directory above it",
        ),
        // The id of the removed target is reused by the directory on the path.
        (
            &[&[file("a", "x"), link("a/b", "a")]],
            "the hard link replaces its target, or a directory above it",
        ),
        (
            &[&[symlink("l", "t")], &[file("l/f", "x"), remove("l")]],
            "removes a symbolic link of a lower layer",
        ),
    ];
    for (layers, reason) in cases {
        let message = refused(layers);
        assert!(message.contains(reason), "{message}");
    }
}

#[test]
fn loops_of_links_end_at_the_limit() {
    let error = tree(&[&[symlink("a", "b"), symlink("b", "a")], &[file("a/f", "x")]]).unwrap_err();
    assert_eq!(error.to_string(), "a: symbolic links followed: more than the limit of 255 (links)");
}

#[test]
fn a_body_of_another_length_is_refused() {
    let Item(change, _) = file("f", "long");
    let error = tree(&[&[Item(change, b"short".to_vec())]]).unwrap_err();
    assert_eq!(error.to_string(), "f: the content has 5 bytes instead of 4");
}

fn with_dirlinks(layers: &[&[Item]]) -> String {
    let mut merge = Merge::new(Tree::new(), (), &Limits::default()).keep_dirlinks(true);
    apply(&mut merge, layers).unwrap();
    show(&merge.finish().unwrap().0)
}

#[test]
fn a_link_to_a_directory_is_replaced_unless_kept() {
    let base: &[Item] =
        &[put("usr/lib", EntryKind::Dir), symlink("lib", "usr/lib"), symlink("usr/l", "../lib")];
    let layer: &[Item] = &[dir("lib"), file("lib/f", "x"), file("usr/l/g", "yy")];
    assert_eq!(
        shown(&[base, layer]),
        "/ d755 @0\n/lib d755 @1\n/lib/f f644 @1 1 x1\n/lib/g f644 @1 2 x1\n/usr d755 @0\n/usr/l -> ../lib\n\
         /usr/lib d755 @1\n"
    );
    assert_eq!(
        with_dirlinks(&[base, layer]),
        "/ d755 @0\n/lib -> usr/lib\n/usr d755 @0\n/usr/l -> ../lib\n/usr/lib d755 @1\n\
         /usr/lib/f f644 @1 1 x1\n/usr/lib/g f644 @1 2 x1\n"
    );
}

#[test]
fn the_directory_behind_a_link_gets_the_attributes() {
    let base: &[Item] = &[file("usr/lib/f", "x"), symlink("lib", "/usr/lib"), symlink("up", "..")];
    let layer: &[Item] = &[dir("lib"), dir("up")];
    assert_eq!(
        with_dirlinks(&[base, layer]),
        "/ d755 @1\n/lib -> /usr/lib\n/up -> ..\n/usr d755 @0\n/usr/lib d755 @1\n/usr/lib/f f644 @1 1 x1\n"
    );
    // A whiteout in the same layer hides the content, but not the directory.
    let hidden: &[Item] = &[dir("lib"), remove("usr/lib")];
    assert!(with_dirlinks(&[base, hidden]).ends_with("/usr d755 @0\n/usr/lib d755 @1\n"));
}

#[test]
fn links_to_other_than_directories_are_replaced() {
    let expected = "/ d755 @0\n/l d755 @1\n";
    for target in ["nowhere", "l", "l/x", "f/x"] {
        let base: &[Item] = &[symlink("l", target)];
        assert_eq!(with_dirlinks(&[base, &[dir("l")]]), expected, "{target}");
        assert_eq!(
            with_dirlinks(&[base, &[dir("l"), file("l/f", "x")]]),
            format!("{expected}/l/f f644 @1 1 x1\n")
        );
    }
    let base: &[Item] = &[file("d/f", "x"), symlink("d/l", "f")];
    assert_eq!(
        with_dirlinks(&[base, &[dir("d/l"), file("d/l/g", "y")]]),
        "/ d755 @0\n/d d755 @0\n/d/f f644 @1 1 x1\n/d/l d755 @1\n/d/l/g f644 @1 1 x1\n"
    );
    // A link of the same layer is replaced, and so is one by anything but a directory.
    let base: &[Item] = &[dir("d"), symlink("l", "d")];
    assert_eq!(
        with_dirlinks(&[&[dir("d"), symlink("l", "d"), dir("l")]]),
        "/ d755 @0\n/d d755 @1\n/l d755 @1\n"
    );
    assert_eq!(with_dirlinks(&[base, &[file("l", "x")]]), "/ d755 @0\n/d d755 @1\n/l f644 @1 1 x1\n");
}

#[test]
fn extended_attributes_are_limited_over_all_layers() {
    let with_xattr = |at| {
        let Item(mut change, content) = file(at, "x");
        if let Change::Put(entry) = &mut change {
            entry.attrs.xattrs.insert(b"user.a"[..].into(), b"12345678"[..].into());
        }
        Item(change, content)
    };
    let layers: [&[Item]; 2] = [&[with_xattr("a")], &[with_xattr("a")]];
    let applied = |xattrs| {
        let mut merge = Merge::new(Tree::new(), (), &Limits { xattrs, ..Limits::default() });
        apply(&mut merge, &layers).map_err(|error| error.to_string())
    };
    // A name of six bytes and a value of eight once, and two pairs of pointers.
    assert_eq!(applied(78), Ok(()));
    assert!(applied(77).unwrap_err().ends_with("more than the limit of 77 (xattrs)"));
}
