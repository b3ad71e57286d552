mod round_trip;

use super::{TarWriter, decimal, fit_path};
use crate::{
    attrs::{Attrs, Time, Xattrs},
    layer::{Change, ChangeSink as _, Entry, EntryKind},
    limits::Limits,
    name::EntryPath,
};

fn path(text: &[u8]) -> EntryPath {
    EntryPath::clean(text, &Limits::default()).unwrap()
}

fn entry(at: &str, kind: EntryKind) -> Entry {
    let attrs = Attrs { mode: 0o644, uid: 1, gid: 2, mtime: Time::from_seconds(3), ..Attrs::default() };
    Entry { path: path(at.as_bytes()), attrs, kind }
}

fn archive(changes: &[(Change, &[u8])]) -> Vec<u8> {
    let mut writer = TarWriter::new(Vec::new());
    for (change, body) in changes {
        writer.put(change, &mut &body[..]).unwrap();
    }
    writer.finish().unwrap()
}

fn one(entry: Entry, body: &[u8]) -> Vec<u8> {
    archive(&[(Change::Put(entry), body)])
}

fn text(block: &[u8]) -> String {
    String::from_utf8_lossy(block).trim_end_matches('\0').to_owned()
}

#[test]
fn a_plain_ustar_header_is_used_where_it_suffices() {
    let made = one(entry("d/f", EntryKind::File { size: 3 }), b"abc");
    assert_eq!(made.len(), 4 * 512);
    assert_eq!(text(&made[..100]), "d/f");
    assert_eq!(&made[100..156], b"0000644\x000000001\x000000002\x0000000000003\x0000000000003\x00007577\0 ");
    assert_eq!(&made[156..157], b"0");
    assert_eq!(&made[257..265], b"ustar\x0000");
    assert_eq!(&made[512..516], b"abc\0");
    assert!(made[1024..].iter().all(|&byte| byte == 0));
}

#[test]
fn names_of_directories_root_and_whiteouts() {
    let name = |change: Change| text(&archive(&[(change, b"")])[..100]);
    assert_eq!(name(Change::Put(entry("d", EntryKind::Dir))), "d/");
    assert_eq!(name(Change::Put(entry("", EntryKind::Dir))), "./");
    assert_eq!(name(Change::Remove(path(b"a/b"))), "a/.wh.b");
    assert_eq!(name(Change::ClearLower(path(b"a"))), "a/.wh..wh..opq");
}

#[test]
fn long_names_split_or_go_to_pax() {
    let mut block = [0; 512];
    let long = [&b"p".repeat(155)[..], b"/", &b"n".repeat(100)].concat();
    assert!(fit_path(&mut block, &long));
    assert_eq!((block[345 + 154], block[99]), (b'p', b'n'));
    for bad in [
        b"n".repeat(101),
        [b"p/".repeat(80), b"n".repeat(101)].concat(),
        [b"/".to_vec(), b"n".repeat(100)].concat(),
    ] {
        assert!(!fit_path(&mut [0; 512], &bad));
    }
    let made = one(entry(&"n".repeat(200), EntryKind::Fifo), b"");
    assert_eq!(made[156], b'x');
    assert!(text(&made[512..1024]).starts_with(&format!("210 path={}\n", "n".repeat(200))));
    assert_eq!(text(&made[..100]), format!("PaxHeaders.0/{}", "n".repeat(87)));
}

#[test]
fn values_beyond_ustar_go_to_pax_records_in_a_fixed_order() {
    let mut entry = entry("f", EntryKind::Symlink { target: b"\xff".repeat(101).into() });
    entry.attrs = Attrs {
        mode: 0o777,
        uid: 3_000_000_000,
        gid: 2_097_152,
        mtime: Time { seconds: -2, nanoseconds: 750_000_000 },
        xattrs: Xattrs::from([
            (b"user.b"[..].into(), b"\0\n"[..].into()),
            (b"user.a"[..].into(), b""[..].into()),
        ]),
    };
    let made = one(entry, b"");
    let size = usize::from_str_radix(&text(&made[124..136]), 8).unwrap();
    let records: Vec<&[u8]> = made[512..512 + size].split(|&byte| byte == b'=').collect();
    let keys: Vec<String> = records[..records.len() - 1]
        .iter()
        .map(|record| String::from_utf8_lossy(record).rsplit(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        keys,
        ["hdrcharset", "linkpath", "uid", "gid", "mtime", "SCHILY.xattr.user.a", "SCHILY.xattr.user.b"]
    );
    assert!(made[512..512 + size].ends_with(b"26 SCHILY.xattr.user.b=\0\n\n"));
}

#[test]
fn times_are_decimal_numbers() {
    for (seconds, nanoseconds, shown) in [
        (0, 500_000_000, "0.5"),
        (5, 1, "5.000000001"),
        (10, 0, "10"),
        (-1, 750_000_000, "-0.25"),
        (-2, 750_000_000, "-1.25"),
        (-10, 0, "-10"),
        (i64::MIN, 1, "-9223372036854775807.999999999"),
    ] {
        assert_eq!(decimal(Time { seconds, nanoseconds }), shown);
    }
}

#[test]
fn a_body_of_another_length_is_an_error() {
    let put = |size: u64, body: &[u8]| {
        let change = Change::Put(entry("f", EntryKind::File { size }));
        TarWriter::new(Vec::new()).put(&change, &mut &body[..]).map_err(|error| error.to_string())
    };
    assert_eq!(put(3, b"ab").unwrap_err(), "/f: shrank while it was read: expected 3 bytes");
    assert_eq!(put(1, b"ab").unwrap_err(), "/f: grew while it was read: expected 1 bytes");
    assert_eq!(put(2, b"ab"), Ok(()));
    let mut broken = TarWriter::new(Vec::new());
    let change = Change::Put(entry("f", EntryKind::File { size: 3 }));
    assert!(broken.put(&change, &mut &b"ab"[..]).is_err());
    assert!(broken.finish().is_err(), "half an archive is not finished");
}

#[test]
fn entries_that_no_archive_can_hold_are_refused() {
    let put = |entry: Entry| {
        TarWriter::new(Vec::new()).put(&Change::Put(entry), &mut &b""[..]).unwrap_err().to_string()
    };
    assert!(put(entry("d/.wh.x", EntryKind::Fifo)).contains("names that start with .wh."));
    assert!(put(entry("l", EntryKind::Symlink { target: b"a\0b"[..].into() })).contains("NUL"));
    assert!(put(entry("d", EntryKind::Char { major: 1, minor: 0x20_0000 })).contains("exceeds 2097151"));
}
