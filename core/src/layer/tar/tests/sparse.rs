//! Files with holes, in the four formats GNU tar has written.

use super::*;

/// `start`, a hole, `end` at 2000, and a hole up to 3000.
fn expected() -> Vec<u8> {
    let mut content = vec![0; 3000];
    content[..5].copy_from_slice(b"start");
    content[2000..2003].copy_from_slice(b"end");
    content
}

fn check(parts: &[&[u8]]) {
    let seen = read_ok(&[parts, &[&file("next", b"n")]].concat());
    let [(Change::Put(entry), content), (Change::Put(next), _)] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!((&entry.path, &entry.kind), (&path("name"), &EntryKind::File { size: 3000 }));
    assert_eq!((content, &next.path), (&expected(), &path("next")));
}

fn old_gnu(numbers: &[u64], more: bool) -> Header {
    let mut header = Header::new(kind::GNU_SPARSE, "name").gnu().with(483..495, b"00000005670\0");
    for (slot, number) in numbers.iter().enumerate() {
        header.set(386 + slot * 12..398 + slot * 12, format!("{number:011o}\0").as_bytes());
    }
    header.0[482] = u8::from(more);
    header
}

#[test]
fn old_gnu_in_the_header() {
    check(&[&old_gnu(&[0, 5, 2000, 3, 3000, 0], false).body(b"startend")]);
}

#[test]
fn old_gnu_with_an_extension() {
    let mut extension = [0; 512];
    extension[..12].copy_from_slice(b"00000003720\0");
    extension[12..24].copy_from_slice(b"00000000003\0");
    let header = old_gnu(&[0, 1, 1, 1, 2, 1, 3, 2], true).size(8).finish();
    check(&[&header, &extension, &padded(b"startend")]);
    assert!(read_err(&[&header]).contains("truncated inside the sparse map"));
}

#[test]
fn pax_0_0() {
    let records = [
        ("GNU.sparse.size", "3000"),
        ("GNU.sparse.numblocks", "2"),
        ("GNU.sparse.offset", "0"),
        ("GNU.sparse.numbytes", "5"),
        ("GNU.sparse.offset", "2000"),
        ("GNU.sparse.numbytes", "3"),
    ];
    check(&[&pax(kind::PAX, &records), &file("name", b"startend")]);
    assert!(
        read_err(&[&pax(kind::PAX, &records[..5]), &file("name", b"startend")]).contains("without a length")
    );
    assert!(read_err(&[&pax(kind::PAX, &records[..4]), &file("name", b"start")]).contains("wrong number"));
    assert!(
        read_err(&[&pax(kind::PAX, &records[1..]), &file("name", b"startend")]).contains("without a size")
    );
}

#[test]
fn pax_0_1() {
    let records =
        [("GNU.sparse.size", "3000"), ("GNU.sparse.name", "name"), ("GNU.sparse.map", "0,5,2000,3")];
    check(&[&pax(kind::PAX, &records), &file("GNUSparseFile.1/name", b"startend")]);
}

#[test]
fn pax_1_0() {
    let records = [
        ("GNU.sparse.major", "1"),
        ("GNU.sparse.minor", "0"),
        ("GNU.sparse.name", "name"),
        ("GNU.sparse.realsize", "3000"),
    ];
    let stored = [&padded(b"2\n0\n5\n2000\n3\n")[..], b"startend"].concat();
    check(&[&pax(kind::PAX, &records), &file("GNUSparseFile.1/name", &stored)]);
    // A map of two blocks.
    let long =
        [&padded(format!("{}2\n0\n5\n2000\n3\n", "0".repeat(600)).as_bytes())[..], b"startend"].concat();
    check(&[&pax(kind::PAX, &records), &file("GNUSparseFile.1/name", &long)]);
    // The map would reach over the stored bytes into the next entry.
    let cut = padded(b"2\n0\n5\n");
    assert!(read_err(&[&pax(kind::PAX, &records), &file("x", &cut), &file("y", b"")]).contains("sparse map"));
    let unknown = [("GNU.sparse.major", "2"), ("GNU.sparse.size", "1")];
    assert!(read_err(&[&pax(kind::PAX, &unknown), &file("x", b"")]).contains("2.0"));
}

#[test]
fn wrong_maps_are_errors() {
    for map in ["0,9,2000,3", "0,5,4,3", "0,5,2999,3", "0,5", "0,18446744073709551615,1,1"] {
        let records = [("GNU.sparse.size", "3000"), ("GNU.sparse.map", map)];
        read_err(&[&pax(kind::PAX, &records), &file("name", b"startend")]);
    }
}

#[test]
fn holes_count_for_the_limit() {
    let limits = Limits { layer_size: 5999, ..Limits::default() };
    let records = [("GNU.sparse.size", "3000"), ("GNU.sparse.map", "3000,0")];
    let entry = [pax(kind::PAX, &records), file("name", b"")].concat();
    assert_eq!(read(&[&entry], &limits).unwrap().len(), 1);
    assert_eq!(read(&[&entry, &entry], &limits).unwrap_err().kind(), ErrorKind::Limit);
}
