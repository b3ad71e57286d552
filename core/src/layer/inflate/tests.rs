//! Tests of all decoders.
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::io::{Read, Write};

use flate2::write::GzEncoder;

use super::{zstd_pure, *};
use crate::error::ErrorKind;

const TEXT: &[u8] = b"the same text again and again, the same text again and again";

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zstd(content: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(content, ruzstd::encoding::CompressionLevel::Fastest)
}

fn skippable(content: &[u8]) -> Vec<u8> {
    [&[0x53, 0x2a, 0x4d, 0x18][..], &(content.len() as u32).to_le_bytes(), content].concat()
}

/// Reads with a buffer of three bytes, so that every state is left and entered again.
fn drop_by_drop(mut reader: impl Read) -> io::Result<Vec<u8>> {
    let (mut content, mut buffer) = (Vec::new(), [0; 3]);
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(content),
            got => content.extend_from_slice(&buffer[..got]),
        }
    }
}

fn inflate(compression: Compression, blob: &[u8]) -> Result<Vec<u8>> {
    let inflate = Inflate::new(blob, "it", &Limits::default())?;
    assert_eq!(inflate.compression(), compression);
    drop_by_drop(inflate).map_err(Error::io("read"))
}

fn inflate_pure(blob: &[u8]) -> Result<Vec<u8>, String> {
    let mut zstd = zstd_pure::Zstd::new(Input::new(blob), 27).unwrap();
    let (mut content, mut buffer) = (Vec::new(), [0; 3]);
    loop {
        match zstd.read(&mut buffer) {
            Ok(0) => return Ok(content),
            Ok(got) => content.extend_from_slice(&buffer[..got]),
            Err(Failure::Data(reason)) => return Err(reason),
            Err(Failure::Read(error)) => return Err(error.to_string()),
        }
    }
}

#[test]
fn gzip_members_and_padding() {
    let one = gzip(TEXT);
    let twice = [TEXT, TEXT].concat();
    assert_eq!(inflate(Compression::Gzip, &one).unwrap(), TEXT);
    assert_eq!(inflate(Compression::Gzip, &[&one[..], &gzip(b""), &one].concat()).unwrap(), twice);
    assert_eq!(inflate(Compression::Gzip, &[&one[..], &[0; 700]].concat()).unwrap(), TEXT);
    for tail in [&b"garbage"[..], b"\0\0garbage", b"\0\0\x1f\x8b", b"\x1f\x8b\x08", b"\x1f"] {
        let error = inflate(Compression::Gzip, &[&one, tail].concat()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{tail:?}: {error}");
    }
}

#[test]
fn thousands_of_empty_members() {
    let blob = gzip(b"").repeat(20_000);
    assert_eq!(inflate(Compression::Gzip, &blob).unwrap(), b"");
}

#[test]
fn zstd_frames_and_skippable_frames() {
    let one = zstd(TEXT);
    let twice = [TEXT, TEXT].concat();
    for (blob, content) in [
        (one.clone(), TEXT),
        ([&one[..], &one].concat(), &twice),
        ([&skippable(b"before")[..], &one, &skippable(b""), &one, &skippable(b"after")].concat(), &twice),
        (zstd(b""), b""),
    ] {
        assert_eq!(inflate(Compression::Zstd, &blob).unwrap(), content);
        assert_eq!(inflate_pure(&blob).unwrap(), content);
    }
    for tail in [&b"garbage"[..], b"\0\0\0\0", b"\x28\xb5\x2f", b"\x53\x2a\x4d\x18\x05\0\0\0abc"] {
        let blob = [&one, tail].concat();
        assert_eq!(inflate(Compression::Zstd, &blob).unwrap_err().kind(), ErrorKind::Corrupt, "{tail:?}");
        assert!(inflate_pure(&blob).is_err(), "{tail:?}");
    }
}

#[test]
fn every_truncation_is_an_error() {
    // What is shorter than the first bytes of the format is not of the format.
    for end in 3..gzip(TEXT).len() {
        assert_eq!(
            inflate(Compression::Gzip, &gzip(TEXT)[..end]).unwrap_err().kind(),
            ErrorKind::Corrupt,
            "{end}"
        );
    }
    for end in 4..zstd(TEXT).len() {
        assert_eq!(
            inflate(Compression::Zstd, &zstd(TEXT)[..end]).unwrap_err().kind(),
            ErrorKind::Corrupt,
            "{end}"
        );
        assert!(inflate_pure(&zstd(TEXT)[..end]).is_err(), "{end}");
    }
}

#[test]
fn a_flipped_bit_is_an_error() {
    let mut blob = gzip(TEXT);
    let middle = blob.len() - 8;
    blob[middle] ^= 1;
    assert_eq!(inflate(Compression::Gzip, &blob).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn a_window_over_128_mib_is_an_error() {
    // Magic, a descriptor without options, a window of 2^28 bytes, then one empty last block.
    let blob = |exponent: u8| [&[0x28, 0xb5, 0x2f, 0xfd, 0, (exponent - 10) << 3][..], &[1, 0, 0]].concat();
    assert_eq!(inflate(Compression::Zstd, &blob(27)).unwrap(), b"");
    assert_eq!(inflate_pure(&blob(27)).unwrap(), b"");
    assert_eq!(inflate(Compression::Zstd, &blob(28)).unwrap_err().kind(), ErrorKind::Corrupt);
    assert!(inflate_pure(&blob(28)).is_err());
}

#[test]
fn the_first_bytes_tell_the_compression() {
    assert_eq!(inflate(Compression::Zstd, &zstd(TEXT)).unwrap(), TEXT);
    assert_eq!(inflate(Compression::None, TEXT).unwrap(), TEXT);
    assert_eq!(inflate(Compression::None, b"").unwrap(), b"");
    let error = Inflate::new(&b"\xfd7zXZ\0"[..], "it", &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "it: unsupported compression: xz");
}
