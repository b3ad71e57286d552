#![allow(clippy::unwrap_used, reason = "tests may")]

use super::*;

fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let mut length = key.len() + value.len() + 3;
    length += length.to_string().len();
    length = key.len() + value.len() + 3 + length.to_string().len();
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}

fn pax(records: &[(&str, &[u8])]) -> Result<Pax, Reason> {
    let mut pax = Pax::default();
    pax.add(&records.iter().flat_map(|(key, value)| record(key, value)).collect::<Vec<_>>())?;
    Ok(pax)
}

#[test]
fn later_records_win_and_empty_ones_delete() {
    let pax = pax(&[
        ("path", b"a=b\n"),
        ("uid", b"5"),
        ("uid", b"6"),
        ("gid", b"7"),
        ("gid", b""),
        ("comment", b"x"),
    ]);
    let pax = pax.unwrap();
    assert_eq!(pax.path.as_deref(), Some(&b"a=b\n"[..]));
    assert_eq!((pax.uid, pax.gid, pax.size), (Some(6), None, None));
}

#[test]
fn times() {
    for (text, seconds, nanoseconds) in [
        ("0", 0, 0),
        ("1700000000.5", 1_700_000_000, 500_000_000),
        ("1.", 1, 0),
        ("1.123456789987", 1, 123_456_789),
        ("-1", -1, 0),
        ("-1.5", -2, 500_000_000),
        ("-0.000000001", -1, 999_999_999),
        ("-9223372036854775807.5", i64::MIN, 500_000_000),
    ] {
        assert_eq!(time(text.as_bytes()), Ok(Time { seconds, nanoseconds }), "{text}");
    }
    for text in ["", "-", ".5", "1.-5", "1e5", "NaN", "+1", "9223372036854775808", "--1", "1.5.5"] {
        assert!(time(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn xattrs_of_both_spellings() {
    let mut pax = pax(&[
        ("LIBARCHIVE.xattr.user.a", b"AAEC"),
        ("LIBARCHIVE.xattr.user.both", b"bm8"),
        ("SCHILY.xattr.user.both", b"\0=\n"),
        ("LIBARCHIVE.xattr.user.%3d%25", b"YQ=="),
        ("SCHILY.xattr.user.empty", b"1"),
        ("SCHILY.xattr.user.empty", b""),
    ])
    .unwrap();
    let xattrs: Vec<_> =
        pax.take_xattrs().into_iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
    assert_eq!(
        xattrs,
        [
            (b"user.=%".to_vec(), b"a".to_vec()),
            (b"user.a".to_vec(), b"\0\x01\x02".to_vec()),
            (b"user.both".to_vec(), b"\0=\n".to_vec()),
            (b"user.empty".to_vec(), b"".to_vec()),
        ]
    );
}

#[test]
fn sparse_records_of_all_formats() {
    let zero =
        pax(&[("GNU.sparse.offset", b"0"), ("GNU.sparse.numbytes", b"5"), ("GNU.sparse.offset", b"9")]);
    assert_eq!(zero.unwrap().sparse.numbers, [0, 5, 9]);
    assert!(pax(&[("GNU.sparse.numbytes", b"5")]).is_err());
    assert_eq!(pax(&[("GNU.sparse.map", b"0,5,9,1")]).unwrap().sparse.numbers, [0, 5, 9, 1]);
    assert!(pax(&[("GNU.sparse.map", b"0,,9,1")]).is_err());
}

#[test]
fn broken_records_are_errors() {
    for records in [
        &b"path=a\n"[..],
        b"9 path=a",
        b"99 path=a\n",
        b"10 path=a\nx",
        b"8 path=a\n",
        b"+9 path=a\n",
        b"6 path\n",
        b"5 =a\n",
        b"0 ",
        b" path=a\n",
        b"\0\0\0\0",
        b"99999999999999999999 path=a\n",
    ] {
        assert!(Pax::default().add(records).is_err(), "{:?}", String::from_utf8_lossy(records));
    }
    assert!(pax(&[("path", b"a\0b")]).is_err());
    assert!(pax(&[("uid", b"-1")]).is_err());
    assert!(pax(&[("LIBARCHIVE.xattr.user.a", b"!")]).is_err());
    assert!(pax(&[("LIBARCHIVE.xattr.user.%4", b"YQ")]).is_err());
    assert!(pax(&[("SCHILY.xattr.", b"1")]).is_err());
}
