//! Functions built on the calls: removing trees, and reading files as the root directory's own.

use std::io::{self, ErrorKind::*, Write};

use super::{Cases, climbing_link, listed, name, one_of_each, refused};
use crate::{
    fs::{AttrChange, DirPosix, open_file_in_root, remove_tree},
    limits::Limits,
    name::EntryPath,
};

pub(super) fn cases<D: DirPosix>() -> Cases<D> {
    vec![
        ("a tree is removed and no link followed", a_tree_is_removed_and_no_link_followed),
        ("a closed directory is opened up", a_closed_directory_is_opened_up),
        ("a deep tree is removed", a_deep_tree_is_removed),
        ("a file is found inside the root", a_file_is_found_inside_the_root),
    ]
}

fn a_tree_is_removed_and_no_link_followed<D: DirPosix>(dir: &D) -> io::Result<()> {
    dir.create_dir(name("kept"))?;
    dir.open_dir(name("kept"))?.create_file(name("file"))?;
    dir.create_dir(name("tree"))?;
    let tree = dir.open_dir(name("tree"))?;
    one_of_each(&tree)?;
    climbing_link(&tree, "out", b"../kept")?;
    one_of_each(&tree.open_dir(name("dir"))?)?;
    remove_tree(dir, name("tree"))?;
    dir.symlink(name("link"), b"kept")?;
    remove_tree(dir, name("link"))?;
    assert_eq!(listed(dir)?, ["kept"]);
    assert_eq!(listed(&dir.open_dir(name("kept"))?)?, ["file"]);
    assert_eq!(refused(remove_tree(dir, name("tree"))), NotFound);
    Ok(())
}

fn a_closed_directory_is_opened_up<D: DirPosix>(dir: &D) -> io::Result<()> {
    if !dir.support().mode {
        return Ok(());
    }
    dir.create_dir(name("top"))?;
    let top = dir.open_dir(name("top"))?;
    for mode in [0o000, 0o500, 0o600, 0o300] {
        let mode_name = format!("{mode:o}");
        top.create_dir(name(&mode_name))?;
        let inner = top.open_dir(name(&mode_name))?;
        inner.create_file(name("file"))?;
        inner.set_self_attrs(&AttrChange::default().mode(mode))?;
    }
    top.set_self_attrs(&AttrChange::default().mode(0))?;
    remove_tree(dir, name("top"))?;
    assert_eq!(listed(dir)?, [""; 0]);
    Ok(())
}

/// Deeper than the usual number of files a process may open (1024).
fn a_deep_tree_is_removed<D: DirPosix>(dir: &D) -> io::Result<()> {
    dir.create_dir(name("deep"))?;
    let mut at = dir.open_dir(name("deep"))?;
    for _ in 0..1300 {
        at.create_dir(name("d"))?;
        at.create_dir(name("e"))?;
        at = at.open_dir(name("d"))?;
    }
    drop(at);
    remove_tree(dir, name("deep"))?;
    assert_eq!(listed(dir)?, [""; 0]);
    Ok(())
}

fn a_file_is_found_inside_the_root<D: DirPosix>(dir: &D) -> io::Result<()> {
    dir.create_file(name("passwd"))?.write_all(b"root:x:0:0")?;
    dir.create_dir(name("etc"))?;
    let etc = dir.open_dir(name("etc"))?;
    climbing_link(&etc, "passwd", b"../../../../../../../../passwd")?;
    if dir.support().absolute_links {
        etc.symlink(name("absolute"), b"/etc/passwd")?;
    }
    let limits = Limits::default();
    for each in ["etc/passwd", "etc/absolute"].iter().take(etc.names()?.len()) {
        let path = EntryPath::clean(each.as_bytes(), &limits).expect("a path");
        let file = open_file_in_root(dir, &path, &limits).expect("no error").expect("a file");
        let text = io::read_to_string(file)?;
        assert_eq!(text, "root:x:0:0", "{each}");
    }
    Ok(())
}
