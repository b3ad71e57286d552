//! Reading the sample tree.

use std::io::{self, ErrorKind::*, Read, Seek, SeekFrom};

use super::{Cases, FILES, LINKS, content, listed, name, refused};
use crate::fs::{Dir, File, FileType, Metadata};

pub(super) fn cases<D: Dir>() -> Cases<D> {
    vec![
        ("read: names come in byte order", names_come_in_byte_order),
        ("read: types and sizes", types_and_sizes),
        ("read: directories open and others do not", directories_open_and_others_do_not),
        ("read: files open and others do not", files_open_and_others_do_not),
        ("read: a file can be read from any position", a_file_can_be_read_from_any_position),
        ("read: links keep their target", links_keep_their_target),
        ("read: a missing name is not found", a_missing_name_is_not_found),
        ("read: extended attributes can be asked for", extended_attributes_can_be_asked_for),
    ]
}

/// Returns the links that this sample has.
fn links<D: Dir>(dir: &D) -> io::Result<Vec<(&'static str, &'static str)>> {
    let names = dir.names()?;
    let there = |link: &&str| names.iter().any(|found| found.as_name() == name(link));
    Ok(LINKS.into_iter().filter(|(link, _)| there(link)).collect())
}

/// Returns the files in the directory itself.
fn files() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.into_iter().filter(|(path, _)| !path.contains('/'))
}

fn names_come_in_byte_order<D: Dir>(dir: &D) -> io::Result<()> {
    let mut expected: Vec<&str> = files().map(|(file, _)| file).chain(["dir"]).collect();
    expected.extend(links(dir)?.into_iter().map(|(link, _)| link));
    expected.sort_unstable();
    let expected: Vec<String> =
        expected.iter().map(|name| name.as_bytes().escape_ascii().to_string()).collect();
    assert_eq!(listed(dir)?, expected);
    // The list starts again each time.
    assert_eq!(listed(dir)?, expected);
    assert_eq!(listed(&dir.open_dir(name("dir"))?)?, ["inside"]);
    Ok(())
}

fn types_and_sizes<D: Dir>(dir: &D) -> io::Result<()> {
    let of = |metadata: &Metadata| (metadata.file_type, metadata.size);
    for (file, content) in files() {
        let metadata = dir.metadata(name(file))?;
        assert_eq!(of(&metadata), (FileType::File, content.len() as u64), "{file}");
        assert_eq!(of(&dir.open_file(name(file))?.metadata()?), of(&metadata), "{file}");
    }
    for (link, target) in links(dir)? {
        assert_eq!(of(&dir.metadata(name(link))?), (FileType::Symlink, target.len() as u64), "{link}");
    }
    assert_eq!(dir.metadata(name("dir"))?.file_type, FileType::Dir);
    let inner = dir.open_dir(name("dir"))?;
    let identity = |metadata: Metadata| (metadata.file_type, metadata.dev, metadata.ino);
    assert_eq!(identity(inner.self_metadata()?), identity(dir.metadata(name("dir"))?));
    assert_eq!(of(&inner.metadata(name("inside"))?), (FileType::File, "inside".len() as u64));
    Ok(())
}

fn directories_open_and_others_do_not<D: Dir>(dir: &D) -> io::Result<()> {
    for (each, _) in files().chain(links(dir)?) {
        assert_eq!(refused(dir.open_dir(name(each))), NotADirectory, "{each}");
    }
    // The handles are independent.
    let (one, two) = (dir.open_dir(name("dir"))?, dir.open_dir(name("dir"))?);
    drop(one);
    assert_eq!(content(&two, "inside")?, "inside");
    Ok(())
}

fn files_open_and_others_do_not<D: Dir>(dir: &D) -> io::Result<()> {
    for (file, expected) in files() {
        assert_eq!(content(dir, file)?, expected, "{file}");
    }
    for (link, _) in links(dir)? {
        assert_eq!(refused(dir.open_file(name(link))), InvalidInput, "{link}");
    }
    assert_eq!(refused(dir.open_file(name("dir"))), IsADirectory);
    Ok(())
}

fn a_file_can_be_read_from_any_position<D: Dir>(dir: &D) -> io::Result<()> {
    let mut file = dir.open_file(name("file"))?;
    let mut text = String::new();
    assert_eq!(file.seek(SeekFrom::End(-5))?, 7);
    file.read_to_string(&mut text)?;
    assert_eq!((text.as_str(), file.stream_position()?), ("there", 12));

    // Another position does not move the file's own.
    file.seek(SeekFrom::Start(1))?;
    let mut byte = [0];
    assert_eq!((file.read_at(&mut byte, 11)?, byte), (1, *b"e"));
    assert_eq!(file.read_at(&mut byte, 12)?, 0);
    assert_eq!(file.read_at(&mut byte, 1 << 40)?, 0);
    assert_eq!((file.read(&mut byte)?, byte), (1, *b"e"));
    assert_eq!(file.seek(SeekFrom::Current(3))?, 5);

    assert_eq!(refused(file.seek(SeekFrom::End(-13))), InvalidInput);
    Ok(())
}

fn links_keep_their_target<D: Dir>(dir: &D) -> io::Result<()> {
    for (link, target) in links(dir)? {
        assert_eq!(dir.read_link(name(link))?, target.as_bytes(), "{link}");
    }
    for each in ["file", "dir"] {
        assert_eq!(refused(dir.read_link(name(each))), InvalidInput, "{each}");
    }
    Ok(())
}

fn a_missing_name_is_not_found<D: Dir>(dir: &D) -> io::Result<()> {
    for each in ["none", "inside", "fil"] {
        assert_eq!(refused(dir.open_dir(name(each))), NotFound, "{each}");
        assert_eq!(refused(dir.open_file(name(each))), NotFound, "{each}");
        assert_eq!(refused(dir.metadata(name(each))), NotFound, "{each}");
        assert_eq!(refused(dir.read_link(name(each))), NotFound, "{each}");
        if dir.support().xattrs {
            assert_eq!(refused(dir.xattrs(name(each))), NotFound, "{each}");
        }
    }
    Ok(())
}

fn extended_attributes_can_be_asked_for<D: Dir>(dir: &D) -> io::Result<()> {
    dir.self_xattrs()?;
    for each in dir.names()? {
        dir.xattrs(each.as_name())?;
    }
    Ok(())
}
