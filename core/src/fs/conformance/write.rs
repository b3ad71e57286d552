//! Making and removing files and directories, their content, and locks.

use std::{
    io::{self, ErrorKind::*, Read, Seek, SeekFrom, Write},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use super::{Cases, listed, name, refused};
use crate::fs::{DirWrite, File as _, FileType, FileWrite as _, Metadata};

pub(super) fn cases<D: DirWrite + 'static>() -> Cases<D> {
    vec![
        ("names come in byte order", names_come_in_byte_order),
        ("types and identities", types_and_identities),
        ("a taken name is refused", a_taken_name_is_refused),
        ("a missing name is not found", a_missing_name_is_not_found),
        ("removing minds the type", removing_minds_the_type),
        ("a file is written and read", a_file_is_written_and_read),
        ("a file knows its metadata", a_file_knows_its_metadata),
        ("what is shared can be read by everyone", what_is_shared_can_be_read_by_everyone),
        ("what is given has the owner of the directory", what_is_given_has_the_owner_of_the_directory),
        ("a lock excludes another handle", a_lock_excludes_another_handle),
        ("a lock that is held is not waited for", a_lock_that_is_held_is_not_waited_for),
        ("shared locks exclude only an exclusive one", shared_locks_exclude_only_an_exclusive_one),
        ("syncing works", syncing_works),
    ]
}

fn names_come_in_byte_order<D: DirWrite>(dir: &D) -> io::Result<()> {
    assert_eq!(listed(dir)?, [""; 0]);
    for each in ["b", "a.b", "B", "a", "é", "a-", ".hidden", "..."] {
        dir.create_file(name(each))?;
    }
    assert_eq!(listed(dir)?, ["...", ".hidden", "B", "a", "a-", "a.b", "b", "\\xc3\\xa9"]);
    // The list starts again each time.
    dir.remove_file(name("a"))?;
    assert_eq!(listed(dir)?, ["...", ".hidden", "B", "a-", "a.b", "b", "\\xc3\\xa9"]);
    Ok(())
}

fn types_and_identities<D: DirWrite>(dir: &D) -> io::Result<()> {
    dir.create_dir(name("dir"))?;
    dir.create_file(name("five"))?.write_all(b"12345")?;
    let (inner, five) = (dir.metadata(name("dir"))?, dir.metadata(name("five"))?);
    assert_eq!((inner.file_type, five.file_type, five.size), (FileType::Dir, FileType::File, 5));
    let own = dir.self_metadata()?;
    assert_eq!((inner.dev, five.dev), (own.dev, own.dev));
    let identity = |metadata: Metadata| (metadata.file_type, metadata.dev, metadata.ino);
    assert_eq!(identity(dir.open_dir(name("dir"))?.self_metadata()?), identity(inner.clone()));
    assert_ne!(identity(inner), identity(own));
    Ok(())
}

fn a_taken_name_is_refused<D: DirWrite>(dir: &D) -> io::Result<()> {
    dir.create_dir(name("dir"))?;
    dir.create_file(name("file"))?;
    for each in ["dir", "file"].map(name) {
        assert_eq!(refused(dir.create_file(each)), AlreadyExists, "{each}");
        assert_eq!(refused(dir.create_dir(each)), AlreadyExists, "{each}");
    }
    Ok(())
}

fn a_missing_name_is_not_found<D: DirWrite>(dir: &D) -> io::Result<()> {
    let none = name("none");
    assert_eq!(refused(dir.rename(none, dir, name("new"))), NotFound);
    assert_eq!(refused(dir.remove_file(none)), NotFound);
    assert_eq!(refused(dir.remove_dir(none)), NotFound);
    if dir.support().mode {
        assert_eq!(refused(dir.share(none)), NotFound);
    }
    Ok(())
}

fn removing_minds_the_type<D: DirWrite>(dir: &D) -> io::Result<()> {
    dir.create_dir(name("dir"))?;
    dir.create_file(name("file"))?;
    dir.open_dir(name("dir"))?.create_file(name("inside"))?;
    assert_eq!(refused(dir.remove_dir(name("dir"))), DirectoryNotEmpty);
    dir.open_dir(name("dir"))?.remove_file(name("inside"))?;
    assert_eq!(refused(dir.remove_file(name("dir"))), IsADirectory);
    assert_eq!(refused(dir.remove_dir(name("file"))), NotADirectory);
    assert_eq!(listed(dir)?, ["dir", "file"]);
    dir.remove_dir(name("dir"))?;
    dir.remove_file(name("file"))?;
    assert_eq!(listed(dir)?, [""; 0]);
    Ok(())
}

fn a_file_is_written_and_read<D: DirWrite>(dir: &D) -> io::Result<()> {
    let mut made = dir.create_file(name("file"))?;
    made.write_all(b"hello, world")?;
    assert_eq!(made.seek(SeekFrom::Start(7))?, 7);
    made.write_all(b"there")?;
    assert_eq!(made.seek(SeekFrom::End(-5))?, 7);
    let mut text = String::new();
    made.read_to_string(&mut text)?;
    assert_eq!(text, "there");

    let mut opened = dir.open_file(name("file"))?;
    text.clear();
    opened.read_to_string(&mut text)?;
    assert_eq!(text, "hello, there");
    assert_eq!(opened.stream_position()?, 12);
    assert!(opened.write(b"x").is_err());
    Ok(())
}

fn a_file_knows_its_metadata<D: DirWrite>(dir: &D) -> io::Result<()> {
    let mut file = dir.create_file(name("file"))?;
    file.write_all(&[7; 100_000])?;
    file.sync()?;
    let metadata = file.metadata()?;
    assert_eq!((metadata.file_type, metadata.size, metadata.nlink), (FileType::File, 100_000, 1));
    assert_eq!(metadata, dir.metadata(name("file"))?);
    assert_eq!(metadata, dir.open_file(name("file"))?.metadata()?);
    if dir.support().mode {
        assert_eq!(metadata.mode, 0o600);
    }
    Ok(())
}

fn what_is_shared_can_be_read_by_everyone<D: DirWrite>(dir: &D) -> io::Result<()> {
    dir.create_dir(name("dir"))?;
    dir.create_file(name("file"))?;
    let modes = || Ok::<_, io::Error>((dir.metadata(name("dir"))?.mode, dir.metadata(name("file"))?.mode));
    let before = modes()?;
    dir.share(name("dir"))?;
    dir.share(name("file"))?;
    match dir.support().mode {
        true => assert_eq!((before, modes()?), ((0o700, 0o600), (0o755, 0o644))),
        false => assert_eq!(before, modes()?),
    }
    Ok(())
}

fn what_is_given_has_the_owner_of_the_directory<D: DirWrite>(dir: &D) -> io::Result<()> {
    let file = dir.create_file(name("file"))?;
    dir.give(&file)?;
    let (given, own) = (file.metadata()?, dir.self_metadata()?);
    if dir.support().owner {
        assert_eq!((given.uid, given.gid), (own.uid, own.gid));
    }
    Ok(())
}

fn a_lock_excludes_another_handle<D: DirWrite + 'static>(dir: &D) -> io::Result<()> {
    dir.create_dir(name("locked"))?;
    let held = dir.open_dir(name("locked"))?.lock()?;
    // Another directory has another lock.
    drop(dir.lock()?);
    waits_for(held, dir.open_dir(name("locked"))?, |dir| dir.lock().map(drop))?;
    dir.open_dir(name("locked"))?.lock().map(drop)
}

fn a_lock_that_is_held_is_not_waited_for<D: DirWrite>(dir: &D) -> io::Result<()> {
    dir.create_dir(name("locked"))?;
    let locked = || dir.open_dir(name("locked"));
    let held = locked()?.try_lock()?;
    assert!(held.is_some());
    assert!(locked()?.try_lock()?.is_none());
    drop(held);
    let shared = locked()?.lock_shared()?;
    assert!(locked()?.try_lock()?.is_none());
    drop(shared);
    assert!(locked()?.try_lock()?.is_some());
    Ok(())
}

fn shared_locks_exclude_only_an_exclusive_one<D: DirWrite + 'static>(dir: &D) -> io::Result<()> {
    dir.create_dir(name("locked"))?;
    let locked = || dir.open_dir(name("locked"));
    let shared = (locked()?.lock_shared()?, locked()?.lock_shared()?);
    // In a sandbox each wait that ends in vain takes ten seconds, and one is enough.
    if cfg!(target_family = "wasm") {
        drop(shared);
        return locked()?.lock().map(drop);
    }
    waits_for(shared, locked()?, |dir| dir.lock().map(drop))?;
    waits_for(locked()?.lock()?, locked()?, |dir| dir.lock_shared().map(drop))
}

/// Tests that a lock cannot be taken before those that are held are dropped.
fn waits_for<D: DirWrite + 'static>(
    held: impl Sized,
    dir: D,
    lock: fn(&D) -> io::Result<()>,
) -> io::Result<()> {
    if cfg!(target_family = "wasm") {
        // There is no other thread to release it while this one waits.
        assert!([Deadlock, TimedOut].contains(&refused(lock(&dir))));
        drop(held);
        return lock(&dir);
    }
    let (done, finished) = mpsc::channel();
    let waiting = thread::spawn(move || {
        let _ = done.send(lock(&dir).map_err(|error| error.to_string()));
    });
    assert_eq!(finished.recv_timeout(Duration::from_millis(100)), Err(RecvTimeoutError::Timeout));
    drop(held);
    assert_eq!(finished.recv_timeout(Duration::from_secs(20)), Ok(Ok(())));
    waiting.join().expect("the thread ends");
    Ok(())
}

fn syncing_works<D: DirWrite>(dir: &D) -> io::Result<()> {
    dir.create_file(name("file"))?.sync()?;
    dir.open_file(name("file"))?.sync()?;
    dir.sync()
}
