//! eStargz and stargz: an empty gzip member at the end of the blob has the position of the member with the
//! table.
//!
//! Source: containerd/stargz-snapshotter, `docs/estargz.md`, "Footer". A layer with an external table ends
//! differently (`STARGZEXTERNALTOC`) and is treated as one without a table.

use std::io::{BufRead, BufReader, Read as _};

use super::{Blob, Table, check_size};
use crate::{
    error::{Error, Result},
    layer::{Change, ChangeSource as _, Entry, EntryKind, inflate::Inflate, tar::TarReader},
    limits::Limits,
    spec::{Compression, Descriptor},
};

/// The name of the table in the archive.
const NAME: &[u8] = b"stargz.index.json";
/// A footer: a member whose extra field holds 16 hexadecimal digits and the magic. RFC 1952 requires a
/// subfield around them, which stargz omits.
struct Footer {
    size: usize,
    /// The beginning of the extra field, at byte 10: its length, and for eStargz the name and length of the
    /// subfield.
    extra: &'static [u8],
}

const FOOTERS: [Footer; 2] =
    [Footer { size: 51, extra: b"\x1a\0SG\x16\0" }, Footer { size: 47, extra: b"\x16\0" }];
const MEMBER: &[u8] = b"\x1f\x8b\x08\x04";
const MAGIC: &[u8] = b"STARGZ";
const EXTRA_AT: usize = 10;
const DIGITS: usize = 16;

pub(super) fn find(blob: &mut Blob<'_>, _: &Descriptor, limits: &Limits) -> Result<Option<Table>> {
    let tail = blob.tail(FOOTERS[0].size as u64)?;
    let found = FOOTERS.iter().find_map(|footer| Some((footer.digits(&tail)?, footer.size as u64)));
    let Some((digits, footer)) = found else { return Ok(None) };
    let end = blob.size - footer;
    let start = std::str::from_utf8(digits)
        .ok()
        .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .ok_or_else(|| blob.bad("invalid position in the footer of the layer"))?;
    if start >= end {
        return Err(blob.bad(format!("position {start} is beyond the end of the layer at {end}")));
    }
    read(blob, start, end, limits).map(Some)
}

impl Footer {
    /// Returns the digits, if the blob ends with this footer.
    fn digits<'a>(&self, tail: &'a [u8]) -> Option<&'a [u8]> {
        let footer = tail.get(tail.len().checked_sub(self.size)?..)?;
        let extra = footer.strip_prefix(MEMBER)?.get(EXTRA_AT - MEMBER.len()..)?;
        let (digits, rest) = extra.strip_prefix(self.extra)?.split_at_checked(DIGITS)?;
        rest.starts_with(MAGIC).then_some(digits)
    }
}

/// Reads the archive that starts there, whose only entry is the table.
fn read(blob: &mut Blob<'_>, start: u64, end: u64, limits: &Limits) -> Result<Table> {
    let what = blob.what.clone();
    // Limits::layer_size is for contents of files, not for the archive of the table.
    let unlimited = Limits { layer_size: u64::MAX, ..*limits };
    let inflate = Inflate::new(blob.range(start, end)?, &what, &unlimited)?;
    if inflate.compression() != Compression::Gzip {
        return Err(Error::layer(what, "its content is not gzip"));
    }
    // Room for headers, which have their own limit, and for the end of the archive.
    let most = limits.toc.saturating_add(limits.header).saturating_add(64 << 10);
    let archive: Box<dyn BufRead + Send + '_> = Box::new(BufReader::new(inflate.take(most)));
    let mut tar = TarReader::new(archive, &what, limits);
    let mut json = Vec::new();
    let own = match tar.next_change()? {
        Some((Change::Put(Entry { path, attrs, kind: EntryKind::File { size } }), body))
            if path.as_bytes() == NAME =>
        {
            check_size(&what, size, limits)?;
            body.read_to_end(&mut json).map_err(Error::io(format_args!("read {what}")))?;
            Change::Put(Entry { path, attrs, kind: EntryKind::File { size } })
        }
        _ => return Err(Error::layer(what, "no stargz.index.json at the position in the footer")),
    };
    match tar.next_change()? {
        None => Ok(Table { json, own: Some(own) }),
        Some(_) => Err(Error::layer(what, "is not the last entry of the layer")),
    }
}
