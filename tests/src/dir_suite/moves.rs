//! Hard links and renames.

use std::io::{self, ErrorKind::*, Read, Write};

use ocicle::fs::{DirPosix, FileType};

use super::{Case, climbing_link, listed, name, one_of_each, refused};

pub(super) fn cases<D: DirPosix>() -> [(&'static str, Case<D>); 6] {
    [
        ("a hard link is the same file", a_hard_link_is_the_same_file),
        ("a hard link links the link itself", a_hard_link_links_the_link_itself),
        ("a rename replaces a file", a_rename_replaces_a_file),
        ("a rename moves a directory", a_rename_moves_a_directory),
        ("a handle is of a directory, not of its name", a_handle_is_of_a_directory_not_of_its_name),
        ("a rename minds the types", a_rename_minds_the_types),
    ]
}

fn a_hard_link_is_the_same_file<D: DirPosix>(dir: &D) -> io::Result<()> {
    dir.create_dir(name("sub"))?;
    let sub = dir.open_dir(name("sub"))?;
    dir.create_file(name("one"))?.write_all(b"content")?;
    sub.hard_link(name("two"), dir, name("one"))?;
    assert_eq!(dir.metadata(name("one"))?, sub.metadata(name("two"))?);
    assert_eq!(dir.metadata(name("one"))?.nlink, 2);
    dir.remove_file(name("one"))?;
    assert_eq!(sub.metadata(name("two"))?.nlink, 1);
    assert_eq!(content(&sub, "two")?, "content");
    assert_eq!(refused(dir.hard_link(name("dir"), dir, name("sub"))), PermissionDenied);
    Ok(())
}

fn a_hard_link_links_the_link_itself<D: DirPosix>(dir: &D) -> io::Result<()> {
    let made = one_of_each(dir)?;
    for each in made.into_iter().filter(|each| *each != "dir") {
        dir.hard_link(name("new"), dir, name(each))?;
        assert_eq!(dir.metadata(name("new"))?, dir.metadata(name(each))?, "{each}");
        dir.remove_file(name("new"))?;
    }
    Ok(())
}

fn a_rename_replaces_a_file<D: DirPosix>(dir: &D) -> io::Result<()> {
    dir.create_dir(name("sub"))?;
    let sub = dir.open_dir(name("sub"))?;
    dir.create_file(name("new"))?.write_all(b"new")?;
    sub.create_file(name("old"))?.write_all(b"old")?;
    let ino = dir.metadata(name("new"))?.ino;
    dir.rename(name("new"), &sub, name("old"))?;
    assert_eq!((listed(dir)?, listed(&sub)?), (vec!["sub".into()], vec!["old".into()]));
    assert_eq!((content(&sub, "old")?.as_str(), sub.metadata(name("old"))?.ino), ("new", ino));

    // A link is moved and replaced itself, wherever it points.
    sub.symlink(name("link"), b"old")?;
    if !climbing_link(&sub, "up", b"..")? {
        sub.symlink(name("up"), b".")?;
    }
    sub.rename(name("link"), &sub, name("up"))?;
    assert_eq!(sub.read_link(name("up"))?, b"old");
    sub.rename(name("old"), &sub, name("up"))?;
    assert_eq!((listed(&sub)?, content(&sub, "up")?), (vec!["up".into()], "new".into()));
    sub.rename(name("up"), &sub, name("up"))?;
    assert_eq!(listed(&sub)?, ["up"]);
    Ok(())
}

fn a_rename_moves_a_directory<D: DirPosix>(dir: &D) -> io::Result<()> {
    for each in ["from", "to", "empty"] {
        dir.create_dir(name(each))?;
    }
    dir.open_dir(name("from"))?.create_file(name("inside"))?;
    dir.rename(name("from"), dir, name("empty"))?;
    let to = dir.open_dir(name("to"))?;
    dir.rename(name("empty"), &to, name("moved"))?;
    assert_eq!(listed(dir)?, ["to"]);
    assert_eq!(listed(&to.open_dir(name("moved"))?)?, ["inside"]);
    Ok(())
}

fn a_handle_is_of_a_directory_not_of_its_name<D: DirPosix>(dir: &D) -> io::Result<()> {
    for each in ["from", "to"] {
        dir.create_dir(name(each))?;
    }
    let (from, to) = (dir.open_dir(name("from"))?, dir.open_dir(name("to"))?);
    from.create_file(name("inside"))?;
    dir.rename(name("from"), &to, name("moved"))?;
    assert_eq!(listed(&from)?, ["inside"]);
    assert_eq!(refused(dir.rename(name("to"), &from, name("loop"))), InvalidInput);
    Ok(())
}

fn a_rename_minds_the_types<D: DirPosix>(dir: &D) -> io::Result<()> {
    for each in ["dir", "full"] {
        dir.create_dir(name(each))?;
    }
    dir.open_dir(name("full"))?.create_file(name("inside"))?;
    dir.create_file(name("file"))?;
    assert_eq!(refused(dir.rename(name("file"), dir, name("dir"))), IsADirectory);
    assert_eq!(refused(dir.rename(name("dir"), dir, name("file"))), NotADirectory);
    assert_eq!(refused(dir.rename(name("dir"), dir, name("full"))), DirectoryNotEmpty);
    assert_eq!(listed(dir)?, ["dir", "file", "full"]);
    assert_eq!(dir.metadata(name("file"))?.file_type, FileType::File);
    Ok(())
}

fn content<D: DirPosix>(dir: &D, of: &str) -> io::Result<String> {
    let mut text = String::new();
    dir.open_file(name(of))?.read_to_string(&mut text)?;
    Ok(text)
}
