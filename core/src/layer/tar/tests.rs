//! Tests of the reader on archives made by hand, byte by byte.
#![allow(clippy::unwrap_used, reason = "tests may")]

mod hostile;
mod names;
mod sparse;

use super::{BLOCK, TarReader, field, kind};
use crate::{
    attrs::Time,
    error::{Error, ErrorKind, Result},
    layer::{Change, ChangeSource, Entry, EntryKind},
    limits::Limits,
    name::EntryPath,
};

/// A header to be changed and finished. Starts as an empty ustar file with mode 0644, owner 1:2, time 3.
struct Header([u8; BLOCK]);

impl Header {
    fn new(kind: u8, name: &str) -> Self {
        let mut header = Self([0; BLOCK]);
        header.set(field::NAME, name.as_bytes());
        header.set(field::MODE, b"0000644\0");
        header.set(field::UID, b"0000001\0");
        header.set(field::GID, b"0000002\0");
        header.set(field::SIZE, b"00000000000\0");
        header.set(field::MTIME, b"00000000003\0");
        header.set(field::MAGIC, b"ustar\x0000");
        header.0[field::TYPE] = kind;
        header
    }

    fn set(&mut self, range: std::ops::Range<usize>, bytes: &[u8]) {
        self.0[range][..bytes.len()].copy_from_slice(bytes);
    }

    fn with(mut self, range: std::ops::Range<usize>, bytes: &[u8]) -> Self {
        self.set(range, bytes);
        self
    }

    fn gnu(self) -> Self {
        self.with(field::MAGIC, b"ustar  \0")
    }

    fn size(self, size: usize) -> Self {
        self.with(field::SIZE, format!("{size:011o}\0").as_bytes())
    }

    fn link(self, target: &str) -> Self {
        self.with(field::LINK, target.as_bytes())
    }

    /// Returns the header with its checksum.
    fn finish(self) -> Vec<u8> {
        let mut header = self.with(field::CHECKSUM, b"        ");
        let sum: u32 = header.0.iter().map(|&byte| u32::from(byte)).sum();
        header.set(field::CHECKSUM, format!("{sum:06o}\0 ").as_bytes());
        header.0.to_vec()
    }

    /// Returns the header, then content in whole blocks.
    fn body(self, content: &[u8]) -> Vec<u8> {
        let mut bytes = self.size(content.len()).finish();
        bytes.extend_from_slice(&padded(content));
        bytes
    }
}

fn padded(content: &[u8]) -> Vec<u8> {
    let mut bytes = content.to_vec();
    bytes.resize(content.len().next_multiple_of(BLOCK), 0);
    bytes
}

fn file(name: &str, content: &[u8]) -> Vec<u8> {
    Header::new(kind::FILE, name).body(content)
}

fn record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let length = (rest..).find(|length| rest + length.to_string().len() == *length).unwrap();
    format!("{length} {key}={value}\n")
}

fn pax(kind: u8, records: &[(&str, &str)]) -> Vec<u8> {
    let records: String = records.iter().map(|(key, value)| record(key, value)).collect();
    Header::new(kind, "pax").body(records.as_bytes())
}

fn path(text: &str) -> EntryPath {
    EntryPath::clean(text.as_bytes(), &Limits::default()).unwrap()
}

type Seen = Vec<(Change, Vec<u8>)>;

/// Returns all changes with their contents. The archive comes in pieces of 700 bytes, so that headers are
/// cut.
fn read(parts: &[&[u8]], limits: &Limits) -> Result<Seen> {
    let archive = parts.concat();
    let pieces = std::io::BufReader::with_capacity(700, &archive[..]);
    let mut reader = TarReader::new(pieces, "it", limits);
    let mut seen = Seen::new();
    while let Some((change, body)) = reader.next_change()? {
        let mut content = Vec::new();
        body.read_to_end(&mut content).map_err(Error::io("body"))?;
        if let Change::Put(Entry { kind: EntryKind::File { size }, .. }) = &change {
            assert_eq!(content.len() as u64, *size);
        }
        seen.push((change, content));
    }
    reader.drain()?;
    Ok(seen)
}

fn read_ok(parts: &[&[u8]]) -> Seen {
    read(parts, &Limits::default()).unwrap()
}

/// Returns the error for an archive that must be refused.
fn read_err(parts: &[&[u8]]) -> String {
    let error = read(parts, &Limits::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    error.to_string()
}

/// Returns the only entry.
fn only(parts: &[&[u8]]) -> Entry {
    match read_ok(parts).as_slice() {
        [(Change::Put(entry), _)] => entry.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn all_fields_of_a_file() {
    let seen = read_ok(&[&file("a/b", b"content"), &file("c", b""), &[0; 1024]]);
    let [(Change::Put(first), content), (Change::Put(second), _)] = seen.as_slice() else {
        panic!("{seen:?}")
    };
    assert_eq!(first.path, path("a/b"));
    assert_eq!((first.attrs.mode, first.attrs.uid, first.attrs.gid), (0o644, 1, 2));
    assert_eq!(first.attrs.mtime, Time::from_seconds(3));
    assert_eq!((first.kind.clone(), &content[..]), (EntryKind::File { size: 7 }, &b"content"[..]));
    assert_eq!(second.path, path("c"));
}

#[test]
fn all_types() {
    let device = |kind| {
        Header::new(kind, "n").with(field::MAJOR, b"0000010\0").with(field::MINOR, b"0000003\0").finish()
    };
    for (bytes, kind) in [
        (file("n", b""), EntryKind::File { size: 0 }),
        (Header::new(kind::OLD_FILE, "n").finish(), EntryKind::File { size: 0 }),
        (Header::new(kind::CONTIGUOUS, "n").body(b"x"), EntryKind::File { size: 1 }),
        (Header::new(kind::DIR, "n/").finish(), EntryKind::Dir),
        (Header::new(kind::OLD_FILE, "n/").finish(), EntryKind::Dir),
        (Header::new(kind::FILE, "n/").finish(), EntryKind::Dir),
        (
            Header::new(kind::SYMLINK, "n").link("../t").finish(),
            EntryKind::Symlink { target: b"../t"[..].into() },
        ),
        (Header::new(kind::HARD_LINK, "n").link("./t").finish(), EntryKind::HardLink { to: path("t") }),
        (device(kind::CHAR), EntryKind::Char { major: 8, minor: 3 }),
        (device(kind::BLOCK), EntryKind::Block { major: 8, minor: 3 }),
        (Header::new(kind::FIFO, "n").finish(), EntryKind::Fifo),
    ] {
        let entry = only(&[&bytes]);
        assert_eq!((entry.path, entry.kind), (path("n"), kind));
    }
    for kind in *b"DMNXA\x01" {
        assert!(read_err(&[&Header::new(kind, "n").finish()]).contains("unknown entry type"));
    }
    assert_eq!(read_ok(&[&Header::new(kind::GNU_VOLUME, "label").finish()]), []);
}

#[test]
fn only_files_have_content() {
    for kind in [kind::DIR, kind::SYMLINK, kind::HARD_LINK, kind::CHAR, kind::FIFO] {
        let odd = Header::new(kind, "n").link("t").size(1000).finish();
        assert_eq!(read_ok(&[&odd, &file("next", b"")]).len(), 2);
    }
}

#[test]
fn symbolic_links_have_mode_777_and_modes_have_12_bits() {
    assert_eq!(only(&[&Header::new(kind::SYMLINK, "n").link("t").finish()]).attrs.mode, 0o777);
    let typed = Header::new(kind::FILE, "n").with(field::MODE, b"0104755\0").finish();
    assert_eq!(only(&[&typed]).attrs.mode, 0o4755);
}

#[test]
fn pax_records_win_over_the_header() {
    let entry = only(&[
        &pax(
            kind::PAX,
            &[
                ("path", "näme"),
                ("uid", "3000000000"),
                ("gid", "2"),
                ("mtime", "-1.5"),
                ("size", "3"),
                ("SCHILY.xattr.user.a", "1"),
            ],
        ),
        // The size in the header is invalid: it must not be used.
        &Header::new(kind::FILE, "short").with(field::SIZE, b"junk").finish(),
        &padded(b"abc"),
    ]);
    assert_eq!(entry.path, path("näme"));
    assert_eq!((entry.attrs.uid, entry.attrs.gid), (3_000_000_000, 2));
    assert_eq!(entry.attrs.mtime, Time { seconds: -2, nanoseconds: 500_000_000 });
    assert_eq!(entry.kind, EntryKind::File { size: 3 });
    assert_eq!(entry.attrs.xattrs.get(&b"user.a"[..]).map(|value| &value[..]), Some(&b"1"[..]));
}

#[test]
fn global_records_stay_until_they_are_replaced() {
    let seen = read_ok(&[
        &pax(kind::PAX_GLOBAL, &[("comment", "of git"), ("uid", "7"), ("gid", "8")]),
        &file("a", b""),
        &pax(kind::PAX, &[("uid", ""), ("gid", "9")]),
        &file("b", b""),
        &file("c", b""),
    ]);
    let owners: Vec<_> = seen
        .iter()
        .map(|(change, _)| match change {
            Change::Put(entry) => (entry.attrs.uid, entry.attrs.gid),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(owners, [(7, 8), (1, 9), (7, 8)]);
    for key in ["path", "linkpath", "size", "GNU.sparse.size"] {
        assert!(read_err(&[&pax(kind::PAX_GLOBAL, &[(key, "1")]), &file("a", b"")]).contains("global"));
    }
}

#[test]
fn whiteouts_are_changes_whatever_their_type() {
    let seen = read_ok(&[
        &file("a/.wh.gone", b"content of a whiteout"),
        &Header::new(kind::DIR, "a/.wh..wh..opq/").finish(),
        &Header::new(kind::SYMLINK, ".wh.link").link("x").finish(),
        &file(".wh..wh.plnk/1.2", b"of AUFS"),
        &file("b", b"x"),
    ]);
    let changes: Vec<_> = seen.iter().map(|(change, content)| (change.clone(), content.len())).collect();
    assert_eq!(
        changes[..3],
        [
            (Change::Remove(path("a/gone")), 0),
            (Change::ClearLower(path("a")), 0),
            (Change::Remove(path("link")), 0),
        ]
    );
    assert_eq!(changes.len(), 4);
    assert!(read_err(&[&file("a/.wh.", b"")]).contains("entry \"a/.wh.\""));
}

#[test]
fn bodies_may_be_left_unread() {
    let archive = [file("a", &[1; 1300]), file("b", &[2; 600])].concat();
    let mut reader = TarReader::new(&archive[..], "it", &Limits::default());
    let (_, body) = reader.next_change().unwrap().unwrap();
    body.read_exact(&mut [0; 5]).unwrap();
    let (_, body) = reader.next_change().unwrap().unwrap();
    let mut content = Vec::new();
    body.read_to_end(&mut content).unwrap();
    assert_eq!(content, [2; 600]);
}

#[test]
fn ends() {
    let one = file("a", b"x");
    for end in [&[][..], &[0; 512], &[0; 1024], &[0; 10240]] {
        assert_eq!(read_ok(&[&one, end]).len(), 1, "{}", end.len());
    }
    // Anything may follow the end.
    assert_eq!(read_ok(&[&one, &[0; 1024], b"anything", &one]).len(), 1);
    assert_eq!(read_ok(&[]), []);
    assert!(read_err(&[&one, &[0; 512], &one]).contains("single block"));
    assert!(read_err(&[&one, &[0; 100]]).contains("truncated at byte"));
}
