use std::io::{Read, Write};

use super::*;
use crate::{
    error::ErrorKind,
    fs::{DirPosix as _, DirWrite as _, Special, mem::MemDir},
};

/// Returns a root with the file `usr/lib/passwd`, and these links in `etc`.
fn root(links: &[(&'static str, &str)]) -> Result<MemDir> {
    let root = MemDir::from_files([(path("usr/lib/passwd"), b"root".to_vec())])?;
    let made = (|| {
        root.create_dir(Name::literal("etc"))?;
        let etc = root.open_dir(Name::literal("etc"))?;
        etc.create_file(Name::literal("here"))?.write_all(b"here")?;
        links.iter().try_for_each(|(name, target)| etc.symlink(Name::literal(name), target.as_bytes()))
    })();
    made.map_err(Error::io("prepare"))?;
    Ok(root)
}

fn path(text: &str) -> EntryPath {
    EntryPath::clean(text.as_bytes(), &Limits::default()).unwrap_or_default()
}

fn content(root: &MemDir, text: &str) -> Result<Option<String>> {
    let Some(mut file) = open_file_in_root(root, &path(text), &Limits::default())? else {
        return Ok(None);
    };
    let mut content = String::new();
    file.read_to_string(&mut content).map_err(Error::io("read"))?;
    Ok(Some(content))
}

#[test]
fn links_are_followed_inside_the_root() -> Result<()> {
    let links = [
        ("plain", "here"),
        ("dots", "./../etc//here"),
        ("absolute", "/usr/lib/passwd"),
        ("above", "../../../../usr/lib/passwd"),
        ("dir", "/usr/./lib"),
        ("chain", "absolute"),
    ];
    let root = root(&links)?;
    let cases = [
        ("etc/here", "here"),
        ("etc/plain", "here"),
        ("etc/dots", "here"),
        ("etc/absolute", "root"),
        ("etc/above", "root"),
        ("etc/dir/passwd", "root"),
        ("etc/chain", "root"),
    ];
    for (path, expected) in cases {
        assert_eq!(content(&root, path)?.as_deref(), Some(expected), "{path}");
    }
    Ok(())
}

#[test]
fn what_is_not_there_is_none() -> Result<()> {
    let root = root(&[("dangling", "/no/where"), ("through", "here/below")])?;
    for path in ["none", "none/passwd", "etc/dangling", "etc/through", "etc/here/below", "etc/dangling/x"] {
        assert_eq!(content(&root, path)?, None, "{path}");
    }
    Ok(())
}

#[test]
fn what_is_no_file_is_an_error() -> Result<()> {
    let root = root(&[("dir", "../usr"), ("fifo", "/pipe"), ("up", "..")])?;
    root.create_node(Name::literal("pipe"), Special::Fifo).map_err(Error::io("prepare"))?;
    for path in ["", "etc", "etc/dir", "etc/fifo", "pipe", "etc/up"] {
        assert_eq!(content(&root, path).map_err(|error| error.kind()), Err(ErrorKind::Io), "{path}");
    }
    Ok(())
}

#[test]
fn as_many_links_as_the_limit_and_no_more() -> Result<()> {
    let root = root(&[("one", "here"), ("two", "one"), ("three", "two"), ("loop", "loop")])?;
    let limits = Limits { links: 2, ..Limits::default() };
    assert!(open_file_in_root(&root, &path("etc/two"), &limits)?.is_some());
    let error = open_file_in_root(&root, &path("etc/three"), &limits).map(|_| ());
    assert_eq!(
        error.map_err(|error| error.to_string()),
        Err("links of etc/three: more than the limit of 2 (links)".into())
    );
    assert_eq!(content(&root, "etc/loop").map_err(|error| error.kind()), Err(ErrorKind::Limit));
    Ok(())
}

#[test]
fn a_component_too_long_for_a_name_is_an_error() -> Result<()> {
    let target = "x".repeat(256);
    let root = root(&[("long", &target)])?;
    assert_eq!(content(&root, "etc/long").map_err(|error| error.kind()), Err(ErrorKind::Io));
    Ok(())
}
