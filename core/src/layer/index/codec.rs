//! The encoding of an index: numbers as LEB128, byte strings with their length in front, and the SHA-256 of
//! everything at the end.

use std::io;

use super::{LayerIndex, Place, is_file};
use crate::{
    attrs::{Attrs, Time, Xattrs},
    digest::Digest,
    error::Error,
    hash::{Sha256, Sha256Read},
    layer::{
        Change, Entry, EntryKind,
        inflate::points::{Inside, Point},
    },
    limits::Limits,
    name::EntryPath,
};

/// The first bytes of an index. The number changes with the format.
const MAGIC: &[u8] = b"ocicle layer index 2\n";
/// Length of a SHA-256 in bytes.
const SUM: usize = 32;

pub(super) fn encode(index: &LayerIndex) -> Vec<u8> {
    let mut out = Encoder(MAGIC.to_vec());
    out.bytes(index.blob.as_str().as_bytes());
    out.bytes(index.diff_id.as_str().as_bytes());
    out.number(index.points.len() as u64);
    for Point { blob, content, inside } in &index.points {
        out.number(*blob);
        out.number(*content);
        match inside {
            None => out.number(0),
            Some(Inside { bits: (count, bits), window }) => {
                out.number(1);
                out.0.extend([*count, *bits]);
                out.bytes(window);
            }
        }
    }
    out.number(index.changes.len() as u64);
    for (change, place) in &index.changes {
        out.change(change);
        if !is_file(change) {
            continue;
        }
        match place {
            None => out.number(0),
            Some(Place { at, sha256 }) => {
                out.number(1 + u64::from(sha256.is_some()));
                out.number(*at);
                out.0.extend(sha256.iter().flatten());
            }
        }
    }
    let sum = sum(&out.0);
    out.0.extend(sum);
    out.0
}

fn sum(bytes: &[u8]) -> Sha256 {
    let mut hashed = Sha256Read::new(bytes);
    let _ = io::copy(&mut hashed, &mut io::sink()); // memory can be read
    hashed.finish().1
}

struct Encoder(Vec<u8>);

impl Encoder {
    fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn change(&mut self, change: &Change) {
        let Entry { path, attrs, kind } = match change {
            Change::Remove(path) => {
                self.number(0);
                return self.bytes(path.as_bytes());
            }
            Change::ClearLower(path) => {
                self.number(1);
                return self.bytes(path.as_bytes());
            }
            Change::Put(entry) => entry,
        };
        match kind {
            EntryKind::File { size } => {
                self.number(2);
                self.number(*size);
            }
            EntryKind::Dir => self.number(3),
            EntryKind::Symlink { target } => {
                self.number(4);
                self.bytes(target);
            }
            EntryKind::HardLink { to } => {
                self.number(5);
                self.bytes(to.as_bytes());
            }
            EntryKind::Char { major, minor } | EntryKind::Block { major, minor } => {
                self.number(if matches!(kind, EntryKind::Char { .. }) { 6 } else { 7 });
                self.number(u64::from(*major));
                self.number(u64::from(*minor));
            }
            EntryKind::Fifo => self.number(8),
        }
        self.bytes(path.as_bytes());
        let Attrs { mode, uid, gid, mtime: Time { seconds, nanoseconds }, xattrs } = attrs;
        for number in [*mode, *uid, *gid, *nanoseconds] {
            self.number(u64::from(number));
        }
        self.0.extend(seconds.to_le_bytes());
        self.number(xattrs.len() as u64);
        for (name, value) in xattrs {
            self.bytes(name);
            self.bytes(value);
        }
    }
}

/// Decodes an index; `None` if the bytes are damaged or of another format.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Option<LayerIndex> {
    let (content, expected) = bytes.split_at_checked(bytes.len().checked_sub(SUM)?)?;
    if sum(content) != expected {
        return None;
    }
    let mut input = Decoder { rest: content.strip_prefix(MAGIC)?, limits };
    let digest = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse::<Digest>().ok();
    let (blob, diff_id) = (digest(input.bytes()?)?, digest(input.bytes()?)?);
    let mut points = Vec::new();
    for _ in 0..input.number()? {
        let (blob, content) = (input.number()?, input.number()?);
        let inside = match input.number()? {
            0 => None,
            _ => Some(Inside { bits: (input.byte()?, input.byte()?), window: input.bytes()?.into() }),
        };
        points.push(Point { blob, content, inside });
    }
    let mut changes = Vec::new();
    for _ in 0..input.number()? {
        let change = input.change()?;
        let place = if is_file(&change) { input.place()? } else { None };
        changes.push((change, place));
    }
    input.rest.is_empty().then_some(LayerIndex { blob, diff_id, points, changes })
}

struct Decoder<'a> {
    rest: &'a [u8],
    limits: &'a Limits,
}

impl<'a> Decoder<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn small(&mut self) -> Option<u32> {
        self.number()?.try_into().ok()
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*bytes)
    }

    fn place(&mut self) -> Option<Option<Place>> {
        Some(match self.number()? {
            0 => None,
            1 => Some(Place { at: self.number()?, sha256: None }),
            _ => Some(Place { at: self.number()?, sha256: Some(self.array()?) }),
        })
    }

    fn path(&mut self) -> Option<EntryPath> {
        EntryPath::clean(self.bytes()?, self.limits).ok()
    }

    fn change(&mut self) -> Option<Change> {
        let kind = match self.number()? {
            0 => return self.path().map(Change::Remove),
            1 => return self.path().map(Change::ClearLower),
            2 => EntryKind::File { size: self.number()? },
            3 => EntryKind::Dir,
            4 => EntryKind::Symlink { target: self.bytes()?.into() },
            5 => EntryKind::HardLink { to: self.path()? },
            6 => EntryKind::Char { major: self.small()?, minor: self.small()? },
            7 => EntryKind::Block { major: self.small()?, minor: self.small()? },
            8 => EntryKind::Fifo,
            _ => return None,
        };
        let path = self.path()?;
        let (mode, uid, gid, nanoseconds) = (self.small()?, self.small()?, self.small()?, self.small()?);
        let mtime = Time { seconds: i64::from_le_bytes(self.array()?), nanoseconds };
        let mut xattrs = Xattrs::new();
        for _ in 0..self.number()? {
            xattrs.insert(self.bytes()?.into(), self.bytes()?.into());
        }
        Some(Change::Put(Entry { path, attrs: Attrs { mode, uid, gid, mtime, xattrs }, kind }))
    }
}

/// Returns the error for bytes that are not the index wanted.
pub(super) fn unfit(what: &str) -> Error {
    Error::document("layer index", what)
}
