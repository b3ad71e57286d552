//! Content, and locks.

use std::{
    io::{self, ErrorKind::*, Read, Seek, SeekFrom, Write},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use ocicle::fs::{Dir, File, FileType};

use super::{Case, name, one_of_each, refused};

pub(super) fn cases<D: Dir + 'static>() -> [(&'static str, Case<D>); 5] {
    [
        ("a file is written and read", a_file_is_written_and_read),
        ("a file knows its metadata", a_file_knows_its_metadata),
        ("files open and others do not", files_open_and_others_do_not),
        ("a lock excludes another handle", a_lock_excludes_another_handle),
        ("syncing works", syncing_works),
    ]
}

fn a_file_is_written_and_read<D: Dir>(dir: &D) -> io::Result<()> {
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

fn a_file_knows_its_metadata<D: Dir>(dir: &D) -> io::Result<()> {
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

/// In a thread of its own, so that a driver that blocks on the fifo fails instead of hanging.
fn files_open_and_others_do_not<D: Dir + 'static>(dir: &D) -> io::Result<()> {
    dir.create_dir(name("d"))?;
    let made = one_of_each(dir)?;
    dir.create_file(name("real"))?.write_all(b"real")?;
    let (done, finished) = mpsc::channel();
    let here = reopened(dir)?;
    thread::spawn(move || {
        for each in made.into_iter().filter(|each| *each != "file") {
            let expected = if each == "dir" { IsADirectory } else { InvalidInput };
            assert_eq!(refused(here.open_file(name(each))), expected, "{each}");
        }
        let _ = done.send(());
    });
    finished.recv_timeout(Duration::from_secs(20)).expect("no error, and no waiting for a writer");
    dir.open_file(name("real"))?;
    Ok(())
}

fn a_lock_excludes_another_handle<D: Dir + 'static>(dir: &D) -> io::Result<()> {
    dir.create_dir(name("locked"))?;
    let held = dir.open_dir(name("locked"))?.lock()?;
    let other = dir.open_dir(name("locked"))?;
    let (done, finished) = mpsc::channel();
    let waiting = thread::spawn(move || {
        let lock = other.lock().map(drop);
        let _ = done.send(lock.map_err(|error| error.to_string()));
    });
    assert_eq!(finished.recv_timeout(Duration::from_millis(100)), Err(RecvTimeoutError::Timeout));
    drop(held);
    assert_eq!(finished.recv_timeout(Duration::from_secs(20)), Ok(Ok(())));
    waiting.join().expect("the thread ends");

    // Another directory has another lock, and the handle that was locked is free to be locked again.
    let _one = dir.open_dir(name("locked"))?.lock()?;
    let _two = dir.lock()?;
    Ok(())
}

fn syncing_works<D: Dir>(dir: &D) -> io::Result<()> {
    dir.create_file(name("file"))?.sync()?;
    dir.open_file(name("file"))?.sync()?;
    dir.sync()
}

/// Moves everything made so far into a directory, and opens that: a handle that a thread can own.
fn reopened<D: Dir>(dir: &D) -> io::Result<D> {
    let inner = dir.open_dir(name("d"))?;
    for each in dir.names()? {
        if each.as_name() != name("d") && each.as_name() != name("real") {
            dir.rename(each.as_name(), &inner, each.as_name())?;
        }
    }
    Ok(inner)
}
