use std::io::{Read, Seek, SeekFrom, Write};

use super::*;
use crate::{attrs::Time, fs::File, limits::Limits};

fn name(text: &'static str) -> Name<'static> {
    Name::literal(text)
}

fn path(text: &str) -> EntryPath {
    EntryPath::clean(text.as_bytes(), &Limits::default()).unwrap()
}

#[test]
fn every_change_advances_the_clock_by_one_nanosecond() {
    let root = MemDir::new();
    assert_eq!(root.self_metadata().unwrap().ctime, Time::EPOCH);
    let mut file = root.create_file(name("f")).unwrap();
    assert_eq!(root.self_metadata().unwrap().mtime, Time { seconds: 0, nanoseconds: 1 });
    file.write_all(b"x").unwrap();
    assert_eq!(file.metadata().unwrap().mtime, Time { seconds: 0, nanoseconds: 2 });
    root.set_attrs(name("f"), &AttrChange::default().mtime(Time::from_seconds(-5))).unwrap();
    let metadata = root.metadata(name("f")).unwrap();
    assert_eq!((metadata.mtime, metadata.ctime.nanoseconds), (Time::from_seconds(-5), 3));
    root.set_attrs(name("f"), &AttrChange::default()).unwrap();
    assert_eq!(root.metadata(name("f")).unwrap().ctime.nanoseconds, 3, "a change of nothing is no change");
}

#[test]
fn a_reader_keeps_the_content_from_when_it_was_opened() {
    let root = MemDir::new();
    let mut file = root.create_file(name("f")).unwrap();
    file.write_all(b"one").unwrap();
    let mut reader = root.open_file(name("f")).unwrap();
    file.write_all(b"two").unwrap();
    let mut seen = String::new();
    reader.read_to_string(&mut seen).unwrap();
    assert_eq!(seen, "one");
    assert_eq!(root.metadata(name("f")).unwrap().size, 6);
    assert_eq!(reader.write(b"x").unwrap_err().kind(), ErrorKind::PermissionDenied);
}

#[test]
fn an_unlinked_file_exists_while_it_is_open() {
    let root = MemDir::new();
    let mut file = root.create_file(name("f")).unwrap();
    root.remove_file(name("f")).unwrap();
    file.write_all(b"still here").unwrap();
    file.rewind().unwrap();
    let mut seen = String::new();
    file.read_to_string(&mut seen).unwrap();
    assert_eq!((seen.as_str(), file.metadata().unwrap().nlink), ("still here", 0));
    let ino = file.metadata().unwrap().ino;
    assert!(root.0.lock().inode(ino).is_ok());
    drop(file);
    assert!(root.0.lock().inode(ino).is_err());
}

#[test]
fn a_removed_directory_takes_no_entries() {
    let root = MemDir::new();
    root.create_dir(name("d")).unwrap();
    let dir = root.open_dir(name("d")).unwrap();
    root.remove_dir(name("d")).unwrap();
    assert_eq!(dir.create_file(name("f")).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_directory_cannot_move_into_itself() {
    let root = MemDir::new();
    root.create_dir(name("a")).unwrap();
    let a = root.open_dir(name("a")).unwrap();
    a.create_dir(name("b")).unwrap();
    let b = a.open_dir(name("b")).unwrap();
    assert_eq!(root.rename(name("a"), &b, name("c")).unwrap_err().kind(), ErrorKind::InvalidInput);
    b.create_dir(name("c")).unwrap();
    a.rename(name("b"), &root, name("b")).unwrap();
    assert_eq!(b.names().unwrap().len(), 1);
}

#[test]
fn writing_past_the_end_leaves_zeros_and_far_past_it_is_an_error() {
    let root = MemDir::new();
    let mut file = root.create_file(name("f")).unwrap();
    file.seek(SeekFrom::Start(2)).unwrap();
    file.write_all(b"ab").unwrap();
    file.seek(SeekFrom::End(-3)).unwrap();
    file.write_all(b"xyz!").unwrap();
    file.rewind().unwrap();
    let mut seen = Vec::new();
    file.read_to_end(&mut seen).unwrap();
    assert_eq!(seen, b"\0xyz!");
    file.seek(SeekFrom::Start(u64::MAX - 1)).unwrap();
    assert!(file.write(b"abc").is_err());
    assert_eq!(file.metadata().unwrap().size, 5);
}

#[test]
fn different_file_systems_are_different_devices() {
    let (a, b) = (MemDir::new(), MemDir::new());
    a.create_file(name("f")).unwrap();
    assert_eq!(a.rename(name("f"), &b, name("f")).unwrap_err().kind(), ErrorKind::CrossesDevices);
    assert_eq!(b.hard_link(name("f"), &a, name("f")).unwrap_err().kind(), ErrorKind::CrossesDevices);
}

#[test]
fn from_files_refuses_conflicting_paths() {
    let built = |paths: &[&str]| {
        MemDir::from_files(paths.iter().map(|text| (path(text), Vec::new())))
            .map(|root| root.names().unwrap().len())
            .map_err(|error| error.to_string())
    };
    assert_eq!(built(&["a/b", "a/c", "d"]), Ok(2));
    assert_eq!(built(&["a", "a"]), Err("a already exists".into()));
    assert_eq!(built(&["a", "a/b"]), Err("a/b already exists".into()));
    assert_eq!(built(&["a/b", "a"]), Err("a already exists".into()));
    assert_eq!(built(&[""]), Err("cannot create a file at the root path".into()));
}
