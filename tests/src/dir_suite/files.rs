//! Content, and locks.

use std::{
    io::{self, ErrorKind::*, Read, Seek, SeekFrom, Write},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use ocicle::fs::{DirPosix, File as _, FileType, FileWrite as _};

use super::{Case, name, one_of_each, refused};

pub(super) fn cases<D: DirPosix + 'static>() -> [(&'static str, Case<D>); 5] {
    [
        ("a file is written and read", a_file_is_written_and_read),
        ("a file knows its metadata", a_file_knows_its_metadata),
        ("files open and others do not", files_open_and_others_do_not),
        ("a lock excludes another handle", a_lock_excludes_another_handle),
        ("syncing works", syncing_works),
    ]
}

fn a_file_is_written_and_read<D: DirPosix>(dir: &D) -> io::Result<()> {
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

fn a_file_knows_its_metadata<D: DirPosix>(dir: &D) -> io::Result<()> {
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

fn files_open_and_others_do_not<D: DirPosix + 'static>(dir: &D) -> io::Result<()> {
    dir.create_dir(name("sub"))?;
    let sub = dir.open_dir(name("sub"))?;
    let made = one_of_each(&sub)?;
    in_time(move || {
        for each in made.into_iter().filter(|each| *each != "file") {
            let expected = if each == "dir" { IsADirectory } else { InvalidInput };
            assert_eq!(refused(sub.open_file(name(each))), expected, "{each}");
        }
        sub.open_file(name("file"))?;
        Ok(())
    })
}

/// In a thread of its own where there are threads, so that a driver that blocks (on a fifo) fails instead of hanging.
fn in_time(act: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    if cfg!(target_family = "wasm") {
        return act();
    }
    let (done, finished) = mpsc::channel();
    thread::spawn(move || done.send(act()));
    finished.recv_timeout(Duration::from_secs(20)).expect("an end, without a panic")
}

fn a_lock_excludes_another_handle<D: DirPosix + 'static>(dir: &D) -> io::Result<()> {
    dir.create_dir(name("locked"))?;
    let held = dir.open_dir(name("locked"))?.lock()?;
    let other = dir.open_dir(name("locked"))?;
    // Another directory has another lock.
    drop(dir.lock()?);
    if cfg!(target_family = "wasm") {
        // Nobody could release it while we wait.
        assert!([Deadlock, TimedOut].contains(&refused(other.lock())));
        drop(held);
        return other.lock().map(drop);
    }
    let (done, finished) = mpsc::channel();
    let waiting = thread::spawn(move || {
        let lock = other.lock().map(drop);
        let _ = done.send(lock.map_err(|error| error.to_string()));
    });
    assert_eq!(finished.recv_timeout(Duration::from_millis(100)), Err(RecvTimeoutError::Timeout));
    drop(held);
    assert_eq!(finished.recv_timeout(Duration::from_secs(20)), Ok(Ok(())));
    waiting.join().expect("the thread ends");
    dir.open_dir(name("locked"))?.lock().map(drop)
}

fn syncing_works<D: DirPosix>(dir: &D) -> io::Result<()> {
    dir.create_file(name("file"))?.sync()?;
    dir.open_file(name("file"))?.sync()?;
    dir.sync()
}
