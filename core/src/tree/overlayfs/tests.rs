use std::{collections::BTreeMap, io::Read as _};

use super::{super::testing::*, *};
use crate::{
    error::ErrorKind,
    fs::{Dir as _, FileType, mem::MemDir},
    layer::EntryKind as Entry,
    limits::Limits,
    name::EntryPath,
    tree::{merge::Merge, seen::attrs_of},
};

/// Writes layers, and returns the tree and the base directory.
fn written(layers: &[&[Item]]) -> Result<(Tree, MemDir)> {
    written_with(layers, false)
}

fn written_with(layers: &[&[Item]], keep_dirlinks: bool) -> Result<(Tree, MemDir)> {
    let base = MemDir::new();
    let merge =
        Merge::new(Tree::new(), OverlayfsSink::new(base.clone(), Namespace::Trusted), &Limits::default());
    let mut merge = merge.keep_dirlinks(keep_dirlinks);
    apply(&mut merge, layers)?;
    let (tree, written) = merge.finish()?;
    assert_eq!(written.count(), layers.len().max(1));
    assert_eq!(base.names().unwrap().len(), written.count(), "something is left beside the layers");
    Ok((tree, base))
}

/// Lists a directory of a layer, one entry in a line: `d/` or `d/ opaque`, `f =content`, `w -`, `l ->target`.
fn listing(dir: &MemDir, prefix: &str, lines: &mut Vec<String>) {
    for name in dir.names().unwrap() {
        let name = name.as_name();
        let path = format!("{prefix}{name}");
        let metadata = dir.metadata(name).unwrap();
        match metadata.file_type {
            FileType::Dir => {
                let opaque = is_opaque(dir, name);
                lines.push(format!("{path}/{}", if opaque { " opaque" } else { "" }));
                listing(&dir.open_dir(name).unwrap(), &format!("{path}/"), lines);
            }
            FileType::Char if metadata.rdev == (0, 0) => lines.push(format!("{path} -")),
            FileType::File => lines.push(format!("{path} ={}", content(dir, name))),
            FileType::Symlink => lines.push(format!("{path} ->")),
            other => lines.push(format!("{path} {other:?}")),
        }
    }
}

fn layer(layers: &[&[Item]], number: &'static str) -> Vec<String> {
    let (_, base) = written(layers).unwrap();
    assert_eq!(linked(mounted(&base, layers.len())), unpacked(layers, false).unwrap());
    let mut lines = Vec::new();
    listing(&base.open_dir(Name::literal(number)).unwrap(), "", &mut lines);
    lines
}

fn content(dir: &MemDir, name: Name<'_>) -> String {
    let mut text = String::new();
    dir.open_file(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

fn is_opaque(dir: &MemDir, name: Name<'_>) -> bool {
    dir.xattrs(name).unwrap().get(&b"trusted.overlay.opaque"[..]).is_some_and(|value| **value == *b"y")
}

/// Lists what overlayfs shows, according to its documentation: paths to attributes, and an id for files with
/// several names.
fn mounted(base: &MemDir, count: usize) -> BTreeMap<EntryPath, (String, u64)> {
    let layers = (0..count.max(1)).rev().map(|number| base.open_dir(number_name(number).unwrap().as_name()));
    let mut seen = BTreeMap::new();
    show_merged(&layers.map(std::result::Result::unwrap).collect::<Vec<_>>(), &EntryPath::root(), &mut seen);
    seen
}

fn show_merged(dirs: &[MemDir], path: &EntryPath, seen: &mut BTreeMap<EntryPath, (String, u64)>) {
    let attrs = attrs_of(&dirs[0]).unwrap();
    seen.insert(path.clone(), (format!("d{:o} @{}", attrs.mode, attrs.mtime.seconds), 0));
    let mut names: Vec<NameBuf> = dirs.iter().flat_map(|dir| dir.names().unwrap()).collect();
    names.sort();
    names.dedup();
    for name in &names {
        let (name, mut below) = (name.as_name(), Vec::new());
        for dir in dirs {
            let Ok(metadata) = dir.metadata(name) else { continue };
            if metadata.file_type == FileType::Dir {
                below.push(dir.open_dir(name).unwrap());
                if is_opaque(dir, name) {
                    break;
                }
                continue;
            }
            let whiteout = metadata.file_type == FileType::Char && metadata.rdev == (0, 0);
            if below.is_empty() && !whiteout {
                let text = match metadata.file_type {
                    FileType::File => content(dir, name),
                    other => format!("{other:?}"),
                };
                let line = format!("{:o} @{} {text}", metadata.mode, metadata.mtime.seconds);
                seen.insert(path.join(name), (line, metadata.ino));
            }
            break;
        }
        if !below.is_empty() {
            show_merged(&below, &path.join(name), seen);
        }
    }
}

/// Lists a plain root directory likewise.
fn unpacked(layers: &[&[Item]], keep_dirlinks: bool) -> Result<BTreeMap<EntryPath, (String, EntryPath)>> {
    let root = MemDir::new();
    let merge = Merge::new(Tree::new(), RootfsSink::new(root.clone()), &Limits::default());
    let mut merge = merge.keep_dirlinks(keep_dirlinks);
    apply(&mut merge, layers)?;
    merge.finish()?;
    let mut seen = BTreeMap::new();
    show_merged(&[root], &EntryPath::root(), &mut seen);
    Ok(linked(seen))
}

/// Replaces ids by the first name of each file.
fn linked(seen: BTreeMap<EntryPath, (String, u64)>) -> BTreeMap<EntryPath, (String, EntryPath)> {
    let mut first = HashMap::new();
    let name = |(path, (line, ino)): (EntryPath, (String, u64))| {
        let first = if ino == 0 { path.clone() } else { first.entry(ino).or_insert(path.clone()).clone() };
        (path, (line, first))
    };
    seen.into_iter().map(name).collect()
}

#[test]
fn a_whiteout_marks_what_lower_layers_have() {
    let base: &[Item] = &[file("d/a", "1"), file("d/b", "2"), file("e/x", "3")];
    assert_eq!(layer(&[base], "0"), ["d/", "d/a =1", "d/b =2", "e/", "e/x =3"]);
    assert_eq!(layer(&[base, &[remove("d/a"), remove("e"), remove("none")]], "1"), ["d/", "d/a -", "e -"]);
    // What the layer itself put needs no whiteout, whatever the order.
    assert_eq!(layer(&[base, &[file("n", "4"), remove("n")]], "1"), ["n =4"]);
    assert_eq!(layer(&[base, &[remove("d/a"), file("d/a", "4")]], "1"), ["d/", "d/a =4"]);
    assert_eq!(layer(&[base, &[file("d/a", "4"), remove("d/a")]], "1"), ["d/", "d/a =4"]);
    // Nothing is left of what is removed twice, and nothing is hidden that never showed.
    assert_eq!(layer(&[base, &[remove("e")], &[file("e", "5")], &[remove("e")]], "3"), ["e -"]);
}

#[test]
fn a_directory_is_opaque_where_it_replaces_what_was_removed() {
    let base: &[Item] = &[dir("d"), file("d/a", "1"), file("f", "2")];
    assert_eq!(layer(&[base, &[dir("d"), file("d/b", "3")]], "1"), ["d/", "d/b =3"]);
    assert_eq!(layer(&[base, &[remove("d"), dir("d"), file("d/b", "3")]], "1"), ["d/ opaque", "d/b =3"]);
    assert_eq!(layer(&[base, &[dir("d"), file("d/b", "3"), remove("d")]], "1"), ["d/ opaque", "d/b =3"]);
    assert_eq!(layer(&[base, &[dir("f"), file("f/b", "3")]], "1"), ["f/ opaque", "f/b =3"]);
    assert_eq!(layer(&[base, &[file("d", "3")]], "1"), ["d =3"]);
    assert_eq!(layer(&[base, &[file("d", "3")], &[dir("d")]], "2"), ["d/ opaque"]);
}

#[test]
fn an_opaque_whiteout_before_and_after_what_the_layer_puts() {
    let base: &[Item] = &[file("d/a", "1"), file("d/sub/b", "2"), file("d/c", "3")];
    let expected = ["d/ opaque", "d/n =4", "d/sub/", "d/sub/n =5"];
    let (n, sub) = (file("d/n", "4"), file("d/sub/n", "5"));
    assert_eq!(layer(&[base, &[clear("d"), n.clone(), sub.clone()]], "1"), expected);
    assert_eq!(layer(&[base, &[n.clone(), sub.clone(), clear("d")]], "1"), expected);
    // Whiteouts made before the opaque whiteout are no longer needed.
    assert_eq!(layer(&[base, &[remove("d/a"), n, sub, remove("d/sub/b"), clear("d")]], "1"), expected);
    // Overlayfs ignores the mark on the root of a layer.
    assert_eq!(
        layer(&[base, &[file("d/n", "4"), clear("")]], "1"),
        ["d/ opaque", "d/n =4"] // the directory is left, and so is nothing else to hide
    );
    assert_eq!(layer(&[base, &[file("x", "4"), clear("")]], "1"), ["d -", "x =4"]);
}

#[test]
fn a_hard_link_copies_up_all_names_of_a_lower_file() {
    let base: &[Item] = &[file("a", "1"), link("b", "a"), symlink("l", "a"), file("e/f", "2")];
    assert_eq!(layer(&[base, &[link("d/n", "a")]], "1"), ["a =1", "b =1", "d/", "d/n =1"]);
    assert_eq!(layer(&[base, &[link("n", "a"), link("m", "b")]], "1"), ["a =1", "b =1", "m =1", "n =1"]);
    assert_eq!(layer(&[base, &[link("n", "a"), remove("a")]], "1"), ["a -", "b =1", "n =1"]);
    assert_eq!(layer(&[base, &[link("n", "l")]], "1"), ["l ->", "n ->"]);
    // An existing name that is put again outlives a whiteout.
    let two: &[Item] = &[file("e/f", "2"), link("e/g", "e/f")];
    assert_eq!(layer(&[two, &[link("e/f", "e/g"), clear("e")]], "1"), ["e/ opaque", "e/f =2"]);
    assert_eq!(layer(&[two, &[link("e/f", "e/g"), file("e/f", "3")]], "1"), ["e/", "e/f =3", "e/g =2"]);
    assert_eq!(layer(&[two, &[link("e/f", "e/g"), dir("e/f")]], "1"), ["e/", "e/f/ opaque", "e/g =2"]);
    // From two layers below, over a layer that has the directory as well.
    assert_eq!(layer(&[base, &[file("e/g", "3")], &[link("e/n", "e/f")]], "2"), ["e/", "e/f =2", "e/n =2"]);
    // Within the layer it is an ordinary hard link.
    assert_eq!(layer(&[base, &[file("n", "4"), link("m", "n")]], "1"), ["m =4", "n =4"]);
}

#[test]
fn links_along_paths_and_attributes_of_directories() {
    let base: &[Item] = &[dir("usr"), dir("usr/bin"), symlink("bin", "usr/bin"), file("usr/bin/a", "1")];
    assert_eq!(
        layer(&[base, &[file("bin/n", "2"), remove("bin/a")]], "1"),
        ["usr/", "usr/bin/", "usr/bin/a -", "usr/bin/n =2"]
    );
    // A directory that is put only for its attributes.
    assert_eq!(layer(&[base, &[dir("usr/bin")]], "1"), ["usr/", "usr/bin/"]);
    assert_eq!(layer(&[base, &[dir("bin")]], "1"), ["bin/ opaque"]);
    assert_eq!(layer(&[base, &[]], "1"), [""; 0]);
}

#[test]
fn an_image_without_layers_is_one_empty_directory() {
    assert_eq!(layer(&[], "0"), [""; 0]);
}

#[test]
fn attributes_that_look_like_marks_are_escaped() {
    let mut marked = dir("d");
    if let crate::layer::Change::Put(entry) = &mut marked.0 {
        entry.attrs.xattrs.insert(b"trusted.overlay.opaque"[..].into(), b"y"[..].into());
        entry.attrs.xattrs.insert(b"user.overlay.opaque"[..].into(), b"y"[..].into());
    }
    let (_, base) = written(&[&[marked]]).unwrap();
    let top = base.open_dir(Name::literal("0")).unwrap();
    let names: Vec<_> = top.xattrs(Name::literal("d")).unwrap().into_keys().collect();
    assert_eq!(
        names,
        [&b"trusted.overlay.overlay.opaque"[..], b"user.overlay.opaque"].map(std::sync::Arc::from)
    );
}

#[test]
fn a_device_that_would_be_a_whiteout_is_refused() {
    let error = written(&[&[put("dev/x", Entry::Char { major: 0, minor: 0 })]]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().starts_with("/dev/x is a character device 0:0"), "{error}");
}

/// Random layers with few names, so that everything meets everything.
#[test]
fn a_mounted_overlay_equals_a_plain_unpack() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut below = |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % bound
    };
    let (mut done, mut refused) = (0, 0);
    for _ in 0..4000 {
        let mut any_path = || {
            let depth = 1 + below(3);
            (0..depth).map(|_| ["a", "b", "c"][below(3) as usize]).collect::<Vec<_>>().join("/")
        };
        let paths: Vec<String> = (0..60).map(|_| any_path()).collect();
        let mut layers = Vec::new();
        for number in 0..1 + below(4) {
            let mut items = Vec::new();
            for _ in 0..below(7) {
                let path = &*paths[below(60) as usize];
                let other = &*paths[below(60) as usize];
                items.push(match below(12) {
                    0..=3 => file(path, &format!("{number} {path}")),
                    4 | 5 => dir(path),
                    6 => symlink(path, &format!("/{other}")),
                    7 | 8 => link(path, other),
                    9 | 10 => remove(path),
                    _ => clear(path),
                });
            }
            // Leave out dangling hard links, which would fail the whole layer.
            let mut kept: Vec<Item> = Vec::new();
            for item in items {
                kept.push(item);
                let mut all: Vec<&[Item]> = layers.iter().map(Vec::as_slice).collect();
                all.push(&kept);
                if tree(&all).is_err() {
                    kept.pop();
                    refused += 1;
                }
            }
            layers.push(kept);
        }
        let layers: Vec<&[Item]> = layers.iter().map(Vec::as_slice).collect();
        for keep in [false, true] {
            match (written_with(&layers, keep), unpacked(&layers, keep)) {
                (Ok((_, base)), Ok(plain)) => {
                    assert_eq!(linked(mounted(&base, layers.len())), plain, "{keep} {layers:#?}");
                    done += 1;
                }
                (Err(a), Err(b)) if keep => assert_eq!(a.to_string(), b.to_string()),
                (a, b) => panic!("{:?} {:?} {keep} {layers:#?}", a.err(), b.err()),
            }
        }
    }
    assert!(done > 7500, "{done}");
    assert!(refused < 20_000, "{refused} were left out");
}
