//! Symbolic links, hard links, fifos and devices.

use std::{
    io::{self, ErrorKind::*, Write},
    sync::mpsc,
    thread,
    time::Duration,
};

use super::{Cases, bytes, climbing_link, content, fill, listed, name, one_of_each, refused};
use crate::fs::{DirPosix, FileType, Special};

pub(super) fn cases<D: DirPosix + 'static>() -> Cases<D> {
    vec![
        ("links can be read", links_can_be_read),
        ("names and targets are bytes", names_and_targets_are_bytes),
        ("types and sizes", types_and_sizes),
        ("devices keep their numbers", devices_keep_their_numbers),
        ("links keep their target", links_keep_their_target),
        ("a name taken by anything is refused", a_name_taken_by_anything_is_refused),
        ("only files open as files", only_files_open_as_files),
        ("only directories open as directories", only_directories_open_as_directories),
        ("anything but a directory is removed as a file", anything_but_a_directory_is_removed_as_a_file),
        ("a hard link is the same file", a_hard_link_is_the_same_file),
        ("a hard link links the link itself", a_hard_link_links_the_link_itself),
        ("a rename moves and replaces the link itself", a_rename_moves_and_replaces_the_link_itself),
    ]
}

fn links_can_be_read<D: DirPosix + 'static>(dir: &D) -> io::Result<()> {
    fill(dir)?;
    for (link, target) in super::LINKS {
        dir.symlink(name(link), target.as_bytes())?;
    }
    super::dir(dir, &[]);
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
    use FileType::*;
    let mut found = Vec::new();
    for each in one_of_each(dir)? {
        let metadata = dir.metadata(name(each))?;
        assert_eq!(metadata.dev, dir.self_metadata()?.dev, "{each}");
        found.push(metadata.file_type);
    }
    let expected = [Dir, File, Symlink, Symlink, Fifo, Char];
    assert_eq!(found, expected.into_iter().take(found.len()).collect::<Vec<_>>());
    let size = |of| Ok::<_, io::Error>(dir.metadata(name(of))?.size);
    assert_eq!((size("link")?, size("dangling")?), (4, 7));
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
    assert_eq!(listed(dir)?, [""; 0]);
    Ok(())
}

fn a_name_taken_by_anything_is_refused<D: DirPosix>(dir: &D) -> io::Result<()> {
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
    assert_eq!(refused(dir.hard_link(name("new"), dir, name("none"))), NotFound);
    // Least of all is anything made where a dangling link points to.
    assert_eq!(refused(dir.metadata(name("nowhere"))), NotFound);
    Ok(())
}

fn only_files_open_as_files<D: DirPosix + 'static>(dir: &D) -> io::Result<()> {
    dir.create_dir(name("sub"))?;
    let sub = dir.open_dir(name("sub"))?;
    let made = one_of_each(&sub)?;
    in_time(move || {
        for each in made.into_iter().filter(|each| *each != "file") {
            let expected = if each == "dir" { IsADirectory } else { InvalidInput };
            assert_eq!(refused(sub.open_file(name(each))), expected, "{each}");
        }
        sub.open_file(name("file")).map(drop)
    })
}

/// Runs in a thread of its own where there are threads, so that a driver that blocks (on a fifo) fails
/// instead of hanging.
fn in_time(act: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    if cfg!(target_family = "wasm") {
        return act();
    }
    let (done, finished) = mpsc::channel();
    thread::spawn(move || done.send(act()));
    finished.recv_timeout(Duration::from_secs(20)).expect("an end, without a panic")
}

fn only_directories_open_as_directories<D: DirPosix>(dir: &D) -> io::Result<()> {
    let made = one_of_each(dir)?;
    dir.symlink(name("here"), b".")?;
    dir.symlink(name("to-dir"), b"dir")?;
    for each in made.into_iter().filter(|each| *each != "dir").chain(["here", "to-dir"]) {
        assert_eq!(refused(dir.open_dir(name(each))), NotADirectory, "{each}");
    }
    Ok(())
}

fn anything_but_a_directory_is_removed_as_a_file<D: DirPosix>(dir: &D) -> io::Result<()> {
    let made = one_of_each(dir)?;
    assert_eq!(refused(dir.remove_file(name("dir"))), IsADirectory);
    for each in made.into_iter().filter(|each| *each != "dir") {
        assert_eq!(refused(dir.remove_dir(name(each))), NotADirectory, "{each}");
        if each != "file" {
            dir.remove_file(name(each))?;
        }
    }
    assert_eq!(listed(dir)?, ["dir", "file"]);
    Ok(())
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

fn a_rename_moves_and_replaces_the_link_itself<D: DirPosix>(dir: &D) -> io::Result<()> {
    dir.create_file(name("old"))?.write_all(b"content")?;
    dir.symlink(name("link"), b"old")?;
    if !climbing_link(dir, "up", b"..")? {
        dir.symlink(name("up"), b".")?;
    }
    dir.rename(name("link"), dir, name("up"))?;
    assert_eq!(dir.read_link(name("up"))?, b"old");
    dir.rename(name("old"), dir, name("up"))?;
    assert_eq!((listed(dir)?, content(dir, "up")?), (vec!["up".into()], "content".into()));
    Ok(())
}
