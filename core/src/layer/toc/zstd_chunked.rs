//! zstd:chunked: the table is a zstd frame inside a skippable frame; annotations, and a skippable frame at
//! the end of the blob, have its position.
//!
//! Source: containers/storage, `pkg/chunked/internal/minimal/compression.go`, and earlier writers: skopeo 1.9
//! and stargz-snapshotter 0.12 write the annotations without `github`, and a shorter last frame. The reader
//! there uses only the annotations, but layers in archives and layouts often have lost them.

use std::io::Read as _;

use super::{Blob, Table, check_size, verify};
use crate::{
    error::{Error, Result},
    layer::inflate::{BoxedBlob, Inflate},
    limits::Limits,
    spec::{Compression, Descriptor},
};

pub(super) const PREFIXES: [&str; 2] = ["io.github.containers.zstd-chunked.", "io.containers.zstd-chunked."];
/// `offset:size:size of the JSON:type`.
const POSITION: &str = "manifest-position";
/// The digest of the frame.
const CHECKSUM: &str = "manifest-checksum";

/// Bytes of the content of the last frame: four numbers as in the annotation, optionally three with the
/// position of the archive's headers (tar-split), and the magic.
const FOOTERS: [usize; 2] = [64, 40];
/// The second is an earlier spelling of the first.
const MAGIC: [&[u8]; 2] = [b"GNUlInUx", b"GnUlInUx"];
/// The magic of a skippable frame; its size follows, in 4 bytes.
const SKIPPABLE: &[u8] = b"\x50\x2a\x4d\x18";
const FRAME_HEADER: usize = 8;

/// The position of the table, and its type.
struct Position {
    start: u64,
    size: u64,
    json_size: u64,
    kind: u64,
}

/// The only type: that of stargz.
const KIND: u64 = 1;

pub(super) fn find(blob: &mut Blob<'_>, descriptor: &Descriptor, limits: &Limits) -> Result<Option<Table>> {
    let annotated = PREFIXES
        .iter()
        .find_map(|prefix| descriptor.annotations.get(&format!("{prefix}{POSITION}")))
        .map(|text| {
            annotation(text).ok_or_else(|| blob.bad(format!("{POSITION}: {text:?} is not four numbers")))
        });
    let position = match annotated {
        Some(position) => position?,
        None => match footer(&blob.tail((FRAME_HEADER + FOOTERS[0]) as u64)?) {
            Some(position) => position,
            None => return Ok(None),
        },
    };
    let json = read(blob, &position, descriptor, limits)?;
    Ok(Some(Table { json, own: None }))
}

fn annotation(text: &str) -> Option<Position> {
    let mut numbers = text.split(':').map(|digits| {
        digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    });
    let mut next = || numbers.next().flatten();
    let position = Position { start: next()?, size: next()?, json_size: next()?, kind: next()? };
    numbers.next().is_none().then_some(position)
}

fn footer(tail: &[u8]) -> Option<Position> {
    FOOTERS.iter().find_map(|&size| {
        let frame = tail.get(tail.len().checked_sub(FRAME_HEADER + size)?..)?;
        let content =
            frame.strip_prefix(SKIPPABLE)?.strip_prefix(&u32::try_from(size).ok()?.to_le_bytes())?;
        if !MAGIC.iter().any(|magic| content.ends_with(magic)) {
            return None;
        }
        let mut numbers = content.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes));
        let mut next = || numbers.next();
        Some(Position { start: next()?, size: next()?, json_size: next()?, kind: next()? })
    })
}

/// Reads and decompresses the frame.
fn read(
    blob: &mut Blob<'_>,
    position: &Position,
    descriptor: &Descriptor,
    limits: &Limits,
) -> Result<Vec<u8>> {
    let Position { start, size, json_size, kind } = *position;
    let what = blob.what.clone();
    if kind != KIND {
        return Err(Error::Unsupported(format!("{what}: unknown type {kind}")));
    }
    let end = start
        .checked_add(size)
        .filter(|end| *end <= blob.size)
        .ok_or_else(|| blob.bad(format!("{size} bytes at position {start} exceed the layer")))?;
    check_size(&what, size.max(json_size), limits)?;
    let frame = blob.bytes(start, end)?;
    for prefix in PREFIXES {
        verify(&what, descriptor, &format!("{prefix}{CHECKSUM}"), &frame)?;
    }
    let mut json = Vec::new();
    // Limits::layer_size is for what the table lists; the table itself was checked above.
    let limits = Limits { layer_size: u64::MAX, ..*limits };
    let frame: BoxedBlob<'_> = Box::new(&frame[..]);
    let inflate = Inflate::new(frame, &what, &limits)?;
    if inflate.compression() != Compression::Zstd {
        return Err(Error::layer(what, "its content is not zstd"));
    }
    inflate
        .take(json_size.saturating_add(1))
        .read_to_end(&mut json)
        .map_err(Error::io(format_args!("read {what}")))?;
    match json.len() as u64 == json_size {
        true => Ok(json),
        false => Err(Error::layer(what, format!("is not {json_size} bytes long"))),
    }
}
