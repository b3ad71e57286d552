//! Making, listing, describing and removing entries.

use std::io::{self, ErrorKind::*, Write};

use ocicle::fs::{DirPosix, FileType, Metadata, Special};

use super::{Case, bytes, climbing_link, listed, name, one_of_each, refused};

pub(super) fn cases<D: DirPosix>() -> [(&'static str, Case<D>); 9] {
    [
        ("names come in byte order", names_come_in_byte_order),
        ("names and targets are bytes", names_and_targets_are_bytes),
        ("types and sizes", types_and_sizes),
        ("devices keep their numbers", devices_keep_their_numbers),
        ("links keep their target", links_keep_their_target),
        ("a taken name is refused", a_taken_name_is_refused),
        ("a missing name is not found", a_missing_name_is_not_found),
        ("directories open and others do not", directories_open_and_others_do_not),
        ("removing minds the type", removing_minds_the_type),
    ]
}

fn names_come_in_byte_order<D: DirPosix>(dir: &D) -> io::Result<()> {
    assert_eq!(listed(dir)?, [""; 0]);
    for each in ["b", "a.b", "B", "a", "é", "a-", ".hidden", "..."] {
        dir.create_file(name(each))?;
    }
    assert_eq!(listed(dir)?, ["...", ".hidden", "B", "a", "a-", "a.b", "b", "\\xc3\\xa9"]);
    // The list starts anew each time.
    dir.remove_file(name("a"))?;
    assert_eq!(listed(dir)?, ["...", ".hidden", "B", "a-", "a.b", "b", "\\xc3\\xa9"]);
    Ok(())
}

fn names_and_targets_are_bytes<D: DirPosix>(dir: &D) -> io::Result<()> {
    dir.symlink(name("link"), b"\xff")?;
    assert_eq!(dir.read_link(name("link"))?, b"\xff");
    dir.remove_file(name("link"))?;
    let longest = [b'n'; 255];
    for each in [&b"\xff\xfe"[..], b"new\nline", b"back\\slash", b"-rf", &longest] {
        dir.create_dir(bytes(each))?;
        assert_eq!(dir.metadata(bytes(each))?.file_type, FileType::Dir);
    }
    let longest = "n".repeat(255);
    assert_eq!(listed(dir)?, ["-rf", "back\\\\slash", "new\\nline", longest.as_str(), "\\xff\\xfe"]);
    Ok(())
}

fn types_and_sizes<D: DirPosix>(dir: &D) -> io::Result<()> {
    let made = one_of_each(dir)?;
    dir.create_file(name("five"))?.write_all(b"12345")?;
    let mut found = Vec::new();
    for each in made {
        let metadata = dir.metadata(name(each))?;
        assert_eq!(metadata.dev, dir.self_metadata()?.dev, "{each}");
        found.push(metadata.file_type);
    }
    use FileType::*;
    assert_eq!(found, [Dir, File, Symlink, Symlink, Fifo, Char][..found.len()]);
    let size = |of| Ok::<_, io::Error>(dir.metadata(name(of))?.size);
    assert_eq!((size("file")?, size("five")?, size("link")?, size("dangling")?), (0, 5, 4, 7));

    let inner = dir.open_dir(name("dir"))?;
    let identity = |metadata: Metadata| (metadata.file_type, metadata.dev, metadata.ino);
    assert_eq!(identity(inner.self_metadata()?), identity(dir.metadata(name("dir"))?));
    assert_ne!(identity(inner.self_metadata()?), identity(dir.self_metadata()?));
    Ok(())
}

fn devices_keep_their_numbers<D: DirPosix>(dir: &D) -> io::Result<()> {
    if !dir.support().devices {
        return Ok(());
    }
    dir.create_node(name("char"), Special::Char(4095, 1_048_575))?;
    dir.create_node(name("block"), Special::Block(8, 300))?;
    let found = |of| dir.metadata(name(of)).map(|metadata| (metadata.file_type, metadata.rdev));
    assert_eq!(found("char")?, (FileType::Char, (4095, 1_048_575)));
    assert_eq!(found("block")?, (FileType::Block, (8, 300)));
    assert_eq!(dir.self_metadata()?.rdev, (0, 0));
    Ok(())
}

fn links_keep_their_target<D: DirPosix>(dir: &D) -> io::Result<()> {
    let long = [b't'; 4000];
    let mut targets = vec![&b"../x/./y//z/"[..], b".", &long];
    if dir.support().absolute_links {
        targets.push(b"/etc/passwd");
    }
    for target in targets {
        if !target.starts_with(b"..") {
            dir.symlink(name("link"), target)?;
        } else if !climbing_link(dir, "link", target)? {
            continue;
        }
        assert_eq!(dir.read_link(name("link"))?, target);
        dir.remove_file(name("link"))?;
    }
    assert_eq!(refused(dir.symlink(name("empty"), b"")), InvalidInput);
    assert_eq!(refused(dir.symlink(name("nul"), b"a\0b")), InvalidInput);
    dir.create_file(name("file"))?;
    assert_eq!(refused(dir.read_link(name("file"))), InvalidInput);
    assert_eq!(listed(dir)?, ["file"]);
    Ok(())
}

fn a_taken_name_is_refused<D: DirPosix>(dir: &D) -> io::Result<()> {
    let made = one_of_each(dir)?;
    dir.create_file(name("other"))?;
    for each in made.iter().copied().map(name) {
        assert_eq!(refused(dir.create_file(each)), AlreadyExists, "{each}");
        assert_eq!(refused(dir.create_dir(each)), AlreadyExists, "{each}");
        assert_eq!(refused(dir.symlink(each, b"x")), AlreadyExists, "{each}");
        assert_eq!(refused(dir.hard_link(each, dir, name("other"))), AlreadyExists, "{each}");
        if dir.support().fifos {
            assert_eq!(refused(dir.create_node(each, Special::Fifo)), AlreadyExists, "{each}");
        }
    }
    // Least of all is anything made where a dangling link points to.
    assert_eq!(refused(dir.metadata(name("nowhere"))), NotFound);
    Ok(())
}

fn a_missing_name_is_not_found<D: DirPosix>(dir: &D) -> io::Result<()> {
    let none = name("none");
    assert_eq!(refused(dir.open_dir(none)), NotFound);
    assert_eq!(refused(dir.open_file(none)), NotFound);
    assert_eq!(refused(dir.metadata(none)), NotFound);
    assert_eq!(refused(dir.read_link(none)), NotFound);
    assert_eq!(refused(dir.hard_link(name("new"), dir, none)), NotFound);
    assert_eq!(refused(dir.rename(none, dir, name("new"))), NotFound);
    assert_eq!(refused(dir.remove_file(none)), NotFound);
    assert_eq!(refused(dir.remove_dir(none)), NotFound);
    if dir.support().xattrs {
        assert_eq!(refused(dir.xattrs(none)), NotFound);
    }
    Ok(())
}

fn directories_open_and_others_do_not<D: DirPosix>(dir: &D) -> io::Result<()> {
    let made = one_of_each(dir)?;
    dir.symlink(name("here"), b".")?;
    dir.symlink(name("to-dir"), b"dir")?;
    for each in made.into_iter().filter(|each| *each != "dir").chain(["here", "to-dir"]) {
        assert_eq!(refused(dir.open_dir(name(each))), NotADirectory, "{each}");
    }
    dir.open_dir(name("dir"))?.create_file(name("inside"))?;
    assert_eq!(listed(&dir.open_dir(name("dir"))?)?, ["inside"]);
    Ok(())
}

fn removing_minds_the_type<D: DirPosix>(dir: &D) -> io::Result<()> {
    let made = one_of_each(dir)?;
    dir.open_dir(name("dir"))?.create_file(name("inside"))?;
    assert_eq!(refused(dir.remove_dir(name("dir"))), DirectoryNotEmpty);
    dir.open_dir(name("dir"))?.remove_file(name("inside"))?;
    assert_eq!(refused(dir.remove_file(name("dir"))), IsADirectory);
    for each in made.into_iter().filter(|each| *each != "dir") {
        assert_eq!(refused(dir.remove_dir(name(each))), NotADirectory, "{each}");
        if each != "file" {
            dir.remove_file(name(each))?;
        }
    }
    assert_eq!(listed(dir)?, ["dir", "file"]);
    dir.remove_dir(name("dir"))?;
    dir.remove_file(name("file"))?;
    assert_eq!(listed(dir)?, [""; 0]);
    Ok(())
}
