//! Malicious tables.

use super::layers::{Layer, NAMES, content, estargz, gzip, json, plain_tar, read, with_footer, zstd_chunked};
use crate::{
    error::{Error, ErrorKind, Result},
    layer::{
        Change, Entry, EntryKind,
        testing::{Item, dir, file, path, put},
    },
    limits::Limits,
    spec::Compression,
};

fn error(layer: &Layer, limits: Limits) -> String {
    read(layer, &limits).unwrap_err().to_string()
}

/// Returns the changes of a table with these entries.
fn changes(entries: &str, limits: Limits) -> Result<Vec<Change>> {
    Ok(read(&zstd_chunked(&[], &json(entries), 64, b"GNUlInUx"), &limits)?.unwrap())
}

#[test]
fn places_outside_the_blob() {
    let before = gzip(b"before");
    let table = gzip(&plain_tar(&[file("stargz.index.json", &json(""))]));
    let at = |at: &str| with_footer(&before, &table, at, true);
    let good = before.len();
    assert_eq!(read(&at(&format!("{good:016X}")), &Limits::default()).unwrap().unwrap().len(), 1);
    for (place, reason) in [
        ("ffffffffffffffff", "position 18446744073709551615 is beyond"),
        ("00000000000000ff", "position 255 is beyond"),
        (&format!("{:016x}", good + table.len()), "is beyond the end of the layer"),
        (&format!("{:016x}", good + 1), "its content is"),
        ("0000000000000000", "header at byte 0"),
        ("-000000000000001", "invalid position"),
        ("+000000000000001", "invalid position"),
        ("000000000000000g", "invalid position"),
    ] {
        let error = error(&at(place), Limits::default());
        assert!(error.contains(reason), "{place}: {error}");
        assert!(error.starts_with("table of contents of layer sha256:"), "{error}");
    }

    for (position, reason) in [
        ("18446744073709551615:1:1:1", "exceed the layer"),
        ("0:1000000:1:1", "exceed the layer"),
        ("9:9:9", "is not four numbers"),
        ("9:9:9:1:1", "is not four numbers"),
        ("9:+9:9:1", "is not four numbers"),
        ("9::9:1", "is not four numbers"),
        ("9:18446744073709551616:9:1", "is not four numbers"),
        ("0:9:9:2", "unknown type 2"),
        ("0:0:0:1", "its content is not zstd"),
    ] {
        let mut layer = zstd_chunked(&[], &json(""), 64, b"GNUlInUx");
        layer
            .annotations
            .insert("io.github.containers.zstd-chunked.manifest-position".into(), position.into());
        let error = error(&layer, Limits::default());
        assert!(error.contains(reason), "{position}: {error}");
    }
}

#[test]
fn every_truncation_is_an_error_or_no_table() {
    for layer in [
        estargz(&content(), &json(NAMES)),
        zstd_chunked(&content(), &json(NAMES), 64, b"GNUlInUx"),
        zstd_chunked(&content(), &json(NAMES), 64, b"GNUlInUx").annotated(),
    ] {
        for length in 0..layer.blob.len() {
            let mut cut = layer.clone();
            cut.blob.truncate(length);
            match read(&cut, &Limits::default()) {
                Ok(None) => {}
                Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "{length}: {error}"),
                // Only the last frame is missing, which is not needed.
                Ok(Some(_)) => assert!(!layer.annotations.is_empty() && length >= layer.blob.len() - 72),
            }
        }
    }
}

#[test]
fn every_flipped_byte_is_survived() {
    for layer in [estargz(&content(), &json(NAMES)), zstd_chunked(&content(), &json(NAMES), 64, b"GNUlInUx")]
    {
        for at in 0..layer.blob.len() {
            let mut flipped = layer.clone();
            flipped.blob[at] ^= 0xff;
            let _ = read(&flipped, &Limits::default());
        }
    }
}

#[test]
fn tables_over_the_limits_are_not_read() {
    let tight = Limits { toc: 10_000, header: 1000, ..Limits::default() };
    let spaces = |count| format!("{}{}", json(""), " ".repeat(count));
    assert!(read(&estargz(&[], &spaces(9000)), &tight).unwrap().is_some());
    assert!(read(&zstd_chunked(&[], &spaces(9000), 64, b"GNUlInUx"), &tight).unwrap().is_some());
    for layer in [estargz(&[], &spaces(10_000)), zstd_chunked(&[], &spaces(10_000), 64, b"GNUlInUx")] {
        assert!(error(&layer, tight).ends_with("more than the limit of 10000 (toc)"));
    }

    // A frame that holds more than it declares, or less.
    for size in [9_999, 10, 26] {
        let mut layer = zstd_chunked(&[], &spaces(1 << 20), 64, b"GNUlInUx").annotated();
        for value in layer.annotations.values_mut().filter(|value| value.ends_with(":1")) {
            let numbers: Vec<_> = value.split(':').collect();
            *value = format!("{}:{}:{size}:1", numbers[0], numbers[1]);
        }
        assert!(error(&layer, tight).contains(&format!("is not {size} bytes")));
    }

    // An archive with a large entry in front of the table, which the tar reader skips.
    let ignored = Item(put("x", EntryKind::Dir).0, Vec::new());
    let Change::Put(ignored) = ignored.0 else { panic!("an entry") };
    let mut tar = plain_tar(&[
        Item(Change::Put(Entry { kind: EntryKind::File { size: 1 << 20 }, ..ignored }), vec![0; 1 << 20]),
        file("stargz.index.json", &json("")),
    ]);
    rename(&mut tar, b".wh..wh.x");
    let error = error(&with_footer(b"", &gzip(&tar), "0000000000000000", true), tight);
    assert!(error.contains("the archive is truncated at byte"), "{error}");
}

/// Renames the first entry of an archive.
fn rename(tar: &mut [u8], name: &[u8]) {
    tar[..100].fill(0);
    tar[..name.len()].copy_from_slice(name);
    tar[148..156].fill(b' ');
    let sum: u32 = tar[..512].iter().map(|&byte| u32::from(byte)).sum();
    tar[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

#[test]
fn another_archive_than_that_of_the_table() {
    let table = || file("stargz.index.json", &json(""));
    for (items, reason) in [
        (vec![], "no stargz.index.json"),
        (vec![dir("stargz.index.json")], "no stargz.index.json"),
        (vec![file("a", ""), table()], "no stargz.index.json"),
        (vec![table(), file("a", "")], "not the last entry"),
        (vec![table(), table()], "not the last entry"),
    ] {
        let error =
            error(&with_footer(b"", &gzip(&plain_tar(&items)), "0000000000000000", true), Limits::default());
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn documents_of_another_shape() {
    for (json, reason) in [
        ("", "EOF"),
        ("[]", "expected a table of contents"),
        ("{}", "missing field `entries`"),
        (r#"{"version":1}"#, "missing field `entries`"),
        (r#"{"entries":[]}"#, "missing field `version`"),
        (r#"{"version":2,"entries":[]}"#, "unknown version 2"),
        (r#"{"version":1,"version":1,"entries":[]}"#, "duplicate field `version`"),
        (r#"{"version":1,"entries":[],"entries":[]}"#, "duplicate field `entries`"),
        (r#"{"version":1,"entries":{}}"#, "expected a list of entries"),
        (r#"{"version":1,"entries":[]} {}"#, "trailing characters"),
        (&json(r#"{"type":"dir","type":"dir"}"#), "duplicate field `type`"),
        (&json(r#"{"name":"a"}"#), "missing field `type`"),
        (&format!("{{\"version\":1,\"entries\":[],\"more\":{}", "[".repeat(10_000)), "EOF"),
    ] {
        let error = error(&zstd_chunked(&[], json, 64, b"GNUlInUx"), Limits::default());
        assert!(error.contains(reason), "{json}: {error}");
    }
}

#[test]
fn entries_that_no_archive_may_have() {
    for (entry, reason) in [
        (r#""name":"","type":"reg""#, "the root must be a directory"),
        (r#""name":"a/..","type":"symlink","linkName":"b""#, "the root must be a directory"),
        (r#""name":"a\u0000b","type":"dir""#, "NUL in name"),
        (r#""name":"a","type":"socket""#, "unknown entry type \"socket\""),
        (r#""name":"a/","type":"reg","size":1"#, "the name of the file ends with"),
        (r#""name":"a","type":"reg","size":-1"#, "expected u64"),
        (r#""name":"a","type":"reg","mode":-1"#, "expected u64"),
        (r#""name":"a","type":"reg","uid":4294967295"#, "is out of range"),
        (r#""name":"a","type":"reg","gid":4294967296"#, "is out of range"),
        (r#""name":"a","type":"char","devMajor":4294967296"#, "expected u32"),
        (r#""name":"a","type":"symlink""#, "the symbolic link has no target"),
        (r#""name":"a","type":"symlink","linkName":"b\u0000""#, "NUL"),
        (r#""name":"a","type":"hardlink""#, "the hard link points to the root"),
        (r#""name":"a","type":"hardlink","linkName":"../..""#, "the hard link points to the root"),
        (r#""name":"a","type":"chunk""#, "chunk without a file"),
        (r#""name":"a","type":"dir","modtime":"yesterday""#, "not an RFC 3339 date"),
        (r#""name":"a","type":"dir","xattrs":{"":"""#, "expected"),
        (r#""name":"a","type":"dir","xattrs":{"":""}"#, "without a name"),
        (r#""name":"a","type":"dir","xattrs":{"user.a":"*"}"#, "is not base64"),
        (r#""name":"a/.wh.","type":"reg""#, "whiteout without a name"),
        (r#""name":"a/.wh.b/c","type":"reg""#, "below a whiteout"),
    ] {
        let error = changes(&format!("{{{entry}}}"), Limits::default()).unwrap_err();
        assert!(error.to_string().contains(reason), "{entry}: {error}");
        assert!(matches!(error, Error::Layer { .. }), "{error:?}");
    }
    let link = r#"{"name":"d","type":"dir"},{"name":"d","type":"chunk"}"#;
    assert!(
        changes(link, Limits::default())
            .unwrap_err()
            .to_string()
            .contains("entry \"d\": chunk without a file")
    );
}

#[test]
fn names_that_climb_stop_at_the_root() {
    let entries = r#"{"name":"../../etc/./passwd","type":"reg"},
        {"name":"a","type":"hardlink","linkName":"/../b/../c"}"#;
    let paths = [path("etc/passwd"), path("a")];
    let found = changes(entries, Limits::default()).unwrap();
    for (change, path) in found.iter().zip(paths) {
        assert!(matches!(change, Change::Put(entry) if entry.path == path), "{change:?}");
    }
    assert!(
        matches!(&found[1], Change::Put(Entry { kind: EntryKind::HardLink { to }, .. }) if *to == path("c"))
    );
}

#[test]
fn limits_apply_to_tables() {
    let two = r#"{"name":"a","type":"reg","size":6},{"name":"bcd","type":"reg","size":6}"#;
    let all = Limits::default();
    for (limits, reason) in [
        (Limits { entries: 1, ..all }, "more than the limit of 1 (entries)"),
        (Limits { layer_size: 11, ..all }, "more than the limit of 11 (layer_size)"),
        (Limits { path: 2, ..all }, "path longer than the limit of 2 bytes"),
    ] {
        let error = changes(two, limits).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    let large = r#"{"name":"a","type":"reg","size":18446744073709551615},{"name":"b","type":"reg","size":1}"#;
    assert_eq!(changes(large, Limits { layer_size: u64::MAX, ..all }).unwrap().len(), 2);
    assert_eq!(changes(two, Limits { entries: 2, layer_size: 12, path: 3, ..all }).unwrap().len(), 2);
}

#[test]
fn a_blob_of_another_size_is_not_the_layer() {
    let layer = estargz(&[], &json(""));
    let store = Layer::new(Compression::Gzip, layer.blob[1..].to_vec());
    let descriptor = layer.descriptor();
    let error = crate::layer::toc::read_toc(&crate::Repository::new(&store, Limits::default()), &descriptor)
        .unwrap_err();
    assert!(matches!(error, Error::Mismatch { property: "size", .. }), "{error}");
}
