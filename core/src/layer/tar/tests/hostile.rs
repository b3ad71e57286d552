//! Invalid archives: each is an error, none a panic.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;

#[test]
fn truncation_anywhere_is_an_error_but_after_the_content_of_an_entry() {
    let archive = [pax(kind::PAX, &[("uid", "5")]), file("a", &[1; 600]), file("b", b"")].concat();
    // The padding of the last file may be missing.
    let whole = 1536 + 600..=2560;
    for end in 1..archive.len() {
        let cut = read(&[&archive[..end]], &Limits::default());
        assert_eq!(cut.is_ok(), whole.contains(&end), "{end}: {cut:?}");
    }
}

#[test]
fn dangling_and_repeated_extensions_are_errors() {
    let extension = pax(kind::PAX, &[("uid", "5")]);
    assert!(read_err(&[&extension]).contains("after an extended header"));
    assert!(read_err(&[&extension, &[0; 1024]]).contains("after an extended header"));
    assert!(read_err(&[&extension, &extension, &file("a", b"")]).contains("two extended headers"));
    let long = Header::new(kind::GNU_LONG_NAME, "L").gnu().body(b"other\0");
    assert!(read_err(&[&pax(kind::PAX, &[("path", "a")]), &long, &file("a", b"")]).contains("name both in"));
}

/// Each entry may have some; all of them stay in memory.
#[test]
fn extended_attributes_are_limited_in_total() {
    let entry = |name| [pax(kind::PAX, &[("SCHILY.xattr.user.a", "12345678")]), file(name, b"")].concat();
    let two = [entry("a"), entry("b")].concat();
    let limits = |xattrs| Limits { xattrs, ..Limits::default() };
    // A name of six bytes and a value of eight once, and two pairs of pointers.
    let changes = read(&[&two], &limits(78)).unwrap();
    let xattrs = changes.iter().filter_map(|(change, _)| match change {
        Change::Put(entry) => entry.attrs.xattrs.first_key_value(),
        _ => None,
    });
    let [a, b] = xattrs.collect::<Vec<_>>()[..] else { panic!("two attributes") };
    assert!(Arc::ptr_eq(a.0, b.0) && Arc::ptr_eq(a.1, b.1), "equal texts are held once");
    let error = read(&[&two], &limits(77)).unwrap_err();
    assert!(matches!(error, Error::Limit { name: "xattrs", limit: 77, .. }), "{error}");
}

#[test]
fn wrong_checksums() {
    let mut header = file("a", b"");
    header[0] ^= 1;
    let error = read_err(&[&header]);
    assert!(error.starts_with("it, header at byte 0: not a tar header"), "{error}");
    assert!(read_err(&[&[b'x'; 512]]).contains("checksum"));
}

#[test]
fn checksums_of_signed_bytes() {
    let mut header = Header::new(kind::FILE, "n");
    header.0[1] = 0xc3;
    let mut bytes = header.finish();
    let sum: i32 = bytes
        .iter()
        .enumerate()
        .map(|(at, &byte)| if field::CHECKSUM.contains(&at) { 32 } else { i32::from(byte as i8) })
        .sum();
    bytes[field::CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    assert_eq!(only(&[&bytes]).path.as_bytes(), b"n\xc3");
}

#[test]
fn numbers_out_of_range() {
    let none = Header::new(kind::FILE, "a").with(field::UID, b"\x80\0\0\0\xff\xff\xff\xff").finish();
    assert!(read_err(&[&none]).contains("uid 4294967295"));
    let wrapping = pax(kind::PAX, &[("gid", "4294967296")]);
    assert!(read_err(&[&wrapping, &file("a", b"")]).contains("gid 4294967296"));
    let negative = Header::new(kind::FILE, "a").with(field::SIZE, &[0xff; 12]).finish();
    assert!(read_err(&[&negative]).contains("size: -1"));
    let words = Header::new(kind::FILE, "a").with(field::MODE, b"rw-r--r-").finish();
    assert!(read_err(&[&words]).contains("not an octal number"));
    let device = Header::new(kind::CHAR, "a").with(field::MAJOR, b"\x80\0\0\x01\0\0\0\0").finish();
    assert!(read_err(&[&device]).contains("does not fit into 32 bits"));
}

#[test]
fn a_size_cannot_hide_behind_a_name() {
    let records = pax(kind::PAX, &[("path", "a/"), ("size", "3")]);
    assert!(
        read_err(&[&records, &Header::new(kind::FILE, "a").finish(), &padded(b"abc")]).contains("ends with")
    );
    assert!(read_err(&[&Header::new(kind::FILE, "a/").body(b"abc")]).contains("ends with"));
}

#[test]
fn sparse_records_where_they_make_no_sense() {
    let records = pax(kind::PAX, &[("GNU.sparse.name", "other"), ("GNU.sparse.size", "3")]);
    assert!(read_err(&[&records, &Header::new(kind::DIR, "a").finish()]).contains("not a file"));
    assert!(
        read_err(&[&records, &Header::new(kind::GNU_SPARSE, "a").gnu().finish()]).contains("two formats")
    );
}

#[test]
fn limits_hold() {
    let limits = Limits { entries: 2, header: 1000, layer_size: 2000, ..Limits::default() };
    let kind_of = |parts: &[&[u8]]| read(parts, &limits).map_err(|error| error.to_string());
    let small = file("a", b"");
    assert!(kind_of(&[&small, &small]).is_ok());
    assert!(kind_of(&[&small, &small, &small]).unwrap_err().contains("(entries)"));
    let comment = "c".repeat(700);
    let extension = pax(kind::PAX, &[("comment", &comment)]);
    let long = Header::new(kind::GNU_LONG_NAME, "L").gnu().body(&[b'n'; 400]);
    assert!(kind_of(&[&extension, &small]).is_ok());
    assert!(kind_of(&[&extension, &long, &small]).unwrap_err().contains("(header)"));
    let global = pax(kind::PAX_GLOBAL, &[("comment", &comment)]);
    assert!(kind_of(&[&global, &global]).unwrap_err().contains("(header)"));
    let big = Header::new(kind::FILE, "a").size(2001).finish();
    assert!(kind_of(&[&big]).unwrap_err().contains("(layer_size)"));
    let huge = pax(kind::PAX, &[("size", "18446744073709551615")]);
    assert!(kind_of(&[&huge, &small]).unwrap_err().contains("(layer_size)"));
}

#[test]
fn the_largest_sizes_overflow_nothing() {
    let limits = Limits { layer_size: u64::MAX, header: u64::MAX, ..Limits::default() };
    let huge = pax(kind::PAX, &[("size", "18446744073709551615")]);
    assert_eq!(read(&[&huge, &file("a", b"")], &limits).unwrap_err().kind(), ErrorKind::Corrupt);
    let mut reader = TarReader::new(&huge[..], "it", &limits);
    assert!(reader.next_change().is_err());
    let extension =
        Header::new(kind::PAX, "x").with(field::SIZE, b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff").finish();
    assert_eq!(read(&[&extension], &limits).unwrap_err().kind(), ErrorKind::Corrupt);
}

/// Returns an archive with everything that the reader supports.
fn everything() -> Vec<u8> {
    let sparse = [("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "3000")];
    [
        pax(kind::PAX_GLOBAL, &[("uid", "1")]),
        pax(
            kind::PAX,
            &[("path", "a"), ("mtime", "-1.5"), ("SCHILY.xattr.user.a", "1"), ("LIBARCHIVE.xattr.b", "YQ")],
        ),
        file("x", b"content"),
        pax(kind::PAX, &sparse),
        file("s", &[&padded(b"1\n100\n3\n")[..], b"abc"].concat()),
        pax(kind::PAX, &[("GNU.sparse.size", "9"), ("GNU.sparse.map", "1,2,5,1")]),
        file("t", b"abc"),
        Header::new(kind::GNU_LONG_NAME, "L").gnu().body(b"a/long/name\0"),
        Header::new(kind::GNU_SPARSE, "g")
            .gnu()
            .with(386..398, b"00000000001\0")
            .with(398..410, b"00000000002\0")
            .with(483..495, b"00000000011\0")
            .body(b"xy"),
        Header::new(kind::HARD_LINK, "h").link("a").finish(),
        file("d/.wh.x", b""),
        vec![0; 1024],
    ]
    .concat()
}

/// Corrects all checksums, so that mutations get past them.
fn with_checksums(archive: &mut [u8]) {
    for block in archive.chunks_exact_mut(BLOCK).filter(|block| block[field::MAGIC].starts_with(b"ustar")) {
        block[field::CHECKSUM].fill(b' ');
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[field::CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
}

#[test]
fn everything_is_read() {
    assert_eq!(read_ok(&[&everything()]).len(), 6);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn changed_archives_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut archive = everything();
        for (at, byte) in changes {
            let at = at.index(archive.len());
            archive[at] = byte;
        }
        with_checksums(&mut archive);
        if let Some(cut) = cut {
            archive.truncate(cut.index(archive.len()));
        }
        let limits = Limits { layer_size: 1 << 20, ..Limits::default() };
        if let Err(error) = read(&[&archive], &limits) {
            prop_assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Limit), "{}", error);
        }
    }
}
