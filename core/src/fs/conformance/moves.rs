//! Renames.

use std::io::{self, ErrorKind::*, Write};

use super::{Cases, content, listed, name, refused};
use crate::fs::{DirWrite, FileType};

pub(super) fn cases<D: DirWrite>() -> Cases<D> {
    vec![
        ("a rename replaces a file", a_rename_replaces_a_file),
        ("a rename moves a directory", a_rename_moves_a_directory),
        ("a handle is of a directory, not of its name", a_handle_is_of_a_directory_not_of_its_name),
        ("a rename minds the types", a_rename_minds_the_types),
    ]
}

fn a_rename_replaces_a_file<D: DirWrite>(dir: &D) -> io::Result<()> {
    dir.create_dir(name("sub"))?;
    let sub = dir.open_dir(name("sub"))?;
    dir.create_file(name("new"))?.write_all(b"new")?;
    sub.create_file(name("old"))?.write_all(b"old")?;
    let ino = dir.metadata(name("new"))?.ino;
    dir.rename(name("new"), &sub, name("old"))?;
    assert_eq!((listed(dir)?, listed(&sub)?), (vec!["sub".into()], vec!["old".into()]));
    assert_eq!((content(&sub, "old")?.as_str(), sub.metadata(name("old"))?.ino), ("new", ino));
    sub.rename(name("old"), &sub, name("old"))?;
    assert_eq!(listed(&sub)?, ["old"]);
    Ok(())
}

fn a_rename_moves_a_directory<D: DirWrite>(dir: &D) -> io::Result<()> {
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

fn a_handle_is_of_a_directory_not_of_its_name<D: DirWrite>(dir: &D) -> io::Result<()> {
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

fn a_rename_minds_the_types<D: DirWrite>(dir: &D) -> io::Result<()> {
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
