//! Pax records: `LENGTH KEY=VALUE` lines for what does not fit into a header.
//!
//! Source: POSIX.1-2024, `pax`, "pax Extended Header"; xattrs as star (`SCHILY.xattr.`) and libarchive
//! (`LIBARCHIVE.xattr.`) write them; `GNU.sparse.` from the GNU tar manual. Access control lists: see
//! [`crate::layer::acl`].

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::Reason;
use crate::{
    attrs::{Time, Xattrs},
    layer::acl::Acl,
};

/// The records of one or more extended headers. A later record of a key replaces an earlier one; an empty
/// value removes it, so that the field of the header applies. Only extended attributes can be empty: GNU tar
/// and libarchive write and read such attributes.
#[derive(Debug, Clone, Default)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    pub(super) mtime: Option<Time>,
    pub(super) sparse: SparseRecords,
    pub(super) access: Option<Acl>,
    pub(super) default: Option<Acl>,
    schily: Xattrs,
    libarchive: Xattrs,
}

/// The `GNU.sparse.` records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SparseRecords {
    /// The name of the file; the name in the header is made up.
    pub(super) name: Option<Vec<u8>>,
    /// Size of the file including holes. Sparse files always have it.
    pub(super) size: Option<u64>,
    /// Offsets and lengths in turn, in formats 0.0 and 0.1.
    pub(super) numbers: Vec<u64>,
    /// Number of segments, in formats 0.0 and 0.1.
    pub(super) count: Option<u64>,
    /// 1 if the map is in front of the stored bytes.
    pub(super) major: Option<u64>,
    pub(super) minor: Option<u64>,
}

struct Record<'a> {
    key: &'a [u8],
    value: &'a [u8],
}

impl Pax {
    /// Adds the records of one extended header.
    pub(super) fn add(&mut self, mut records: &[u8]) -> Result<(), Reason> {
        while !records.is_empty() {
            let (Record { key, value }, rest) = split_record(records)?;
            self.set(key, value)
                .map_err(|reason| format!("pax record {:?}: {reason}", String::from_utf8_lossy(key)))?;
            records = rest;
        }
        Ok(())
    }

    /// Returns whether there are records that can apply to only one entry.
    pub(super) fn is_about_one_entry(&self) -> bool {
        self.path.is_some() || self.link.is_some() || self.size.is_some() || !self.sparse.is_empty()
    }

    /// Removes and returns the extended attributes. Archives by bsdtar have them in both encodings;
    /// `SCHILY.xattr.` is preferred, which is verbatim.
    pub(super) fn take_xattrs(&mut self) -> Xattrs {
        let mut xattrs = std::mem::take(&mut self.libarchive);
        xattrs.append(&mut self.schily);
        xattrs
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), Reason> {
        match key {
            b"path" => self.path = optional(value, text)?,
            b"linkpath" => self.link = optional(value, text)?,
            b"size" => self.size = optional(value, decimal)?,
            b"uid" => self.uid = optional(value, decimal)?,
            b"gid" => self.gid = optional(value, decimal)?,
            b"mtime" => self.mtime = optional(value, time)?,
            b"SCHILY.acl.access" => self.access = optional(value, |value| Ok(Acl::parse(value)))?,
            b"SCHILY.acl.default" => self.default = optional(value, |value| Ok(Acl::parse(value)))?,
            _ => {
                if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                    set_xattr(&mut self.schily, name, value.to_vec())?;
                } else if let Some(name) = key.strip_prefix(b"LIBARCHIVE.xattr.") {
                    set_xattr(&mut self.libarchive, &percent_decoded(name)?, base64_decoded(value)?)?;
                } else if let Some(key) = key.strip_prefix(b"GNU.sparse.") {
                    self.sparse.set(key, value)?;
                }
                // Other keys (atime, uname, comment, …) have no meaning for images.
            }
        }
        Ok(())
    }
}

impl SparseRecords {
    /// Returns whether there are no such records.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), Reason> {
        match key {
            b"name" => self.name = optional(value, text)?,
            b"size" | b"realsize" => self.size = optional(value, decimal)?,
            b"numblocks" => self.count = optional(value, decimal)?,
            b"major" => self.major = optional(value, decimal)?,
            b"minor" => self.minor = optional(value, decimal)?,
            // Format 0.0 repeats these two in turn, although pax records must not repeat.
            b"offset" | b"numbytes" => {
                if (key == b"offset") != self.numbers.len().is_multiple_of(2) {
                    return Err("offset and numbytes do not alternate".into());
                }
                self.numbers.push(decimal(value)?);
            }
            b"map" => {
                let numbers = value.split(|&byte| byte == b',').map(decimal);
                self.numbers =
                    if value.is_empty() { Vec::new() } else { numbers.collect::<Result<_, _>>()? };
            }
            _ => return Err("unknown sparse record".into()),
        }
        Ok(())
    }
}

/// Splits off the first record.
fn split_record(records: &[u8]) -> Result<(Record<'_>, &[u8]), Reason> {
    let start = &records[..records.len().min(20)];
    let bad = |reason| format!("pax record {:?}…: {reason}", String::from_utf8_lossy(start));
    let space =
        start.iter().position(|&byte| byte == b' ').ok_or_else(|| bad("expected a length and a space"))?;
    let length = decimal(&records[..space]).map_err(|_| bad("expected a decimal length"))?;
    let (record, rest) = usize::try_from(length)
        .ok()
        .and_then(|length| records.split_at_checked(length))
        .ok_or_else(|| bad("longer than its header"))?;
    let record = record
        .get(space + 1..)
        .and_then(|record| record.strip_suffix(b"\n"))
        .ok_or_else(|| bad("does not end with a newline"))?;
    let equals = record.iter().position(|&byte| byte == b'=').ok_or_else(|| bad("has no '='"))?;
    let (key, value) = record.split_at(equals);
    if key.is_empty() || key.contains(&0) {
        return Err(bad("has no key"));
    }
    Ok((Record { key, value: value.get(1..).unwrap_or_default() }, rest))
}

fn optional<T>(value: &[u8], parse: impl FnOnce(&[u8]) -> Result<T, Reason>) -> Result<Option<T>, Reason> {
    if value.is_empty() { Ok(None) } else { parse(value).map(Some) }
}

fn text(value: &[u8]) -> Result<Vec<u8>, Reason> {
    if value.contains(&0) { Err("contains NUL".into()) } else { Ok(value.into()) }
}

fn decimal(value: &[u8]) -> Result<u64, Reason> {
    if value.is_empty() {
        return Err("expected a decimal number".into());
    }
    value.iter().try_fold(0_u64, |number, byte| match byte {
        b'0'..=b'9' => number
            .checked_mul(10)
            .and_then(|number| number.checked_add(u64::from(byte - b'0')))
            .ok_or_else(|| "the number does not fit into 64 bits".into()),
        _ => Err(format!("{:?} is not a decimal number", String::from_utf8_lossy(value))),
    })
}

/// Parses a time: decimal seconds since 1970, possibly negative or with a fraction. Digits after the ninth
/// are dropped.
fn time(value: &[u8]) -> Result<Time, Reason> {
    let (negative, magnitude) = match value.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, value),
    };
    let mut parts = magnitude.splitn(2, |&byte| byte == b'.');
    let whole = decimal(parts.next().unwrap_or_default())?;
    let fraction = parts.next().unwrap_or_default();
    if !fraction.iter().all(u8::is_ascii_digit) {
        return Err(format!("{:?} is not a time", String::from_utf8_lossy(value)));
    }
    let digits = fraction.iter().chain(std::iter::repeat(&b'0')).take(9);
    let nanoseconds = digits.fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    let seconds = i64::try_from(whole).map_err(|_| "time of more than 63 bits")?;
    Ok(match (negative, nanoseconds) {
        (false, _) => Time { seconds, nanoseconds },
        (true, 0) => Time { seconds: -seconds, nanoseconds },
        (true, _) => Time { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds },
    })
}

fn set_xattr(xattrs: &mut Xattrs, name: &[u8], value: Vec<u8>) -> Result<(), Reason> {
    if name.is_empty() || name.contains(&0) {
        return Err("extended attribute without a name".into());
    }
    xattrs.insert(name.into(), value.into());
    Ok(())
}

/// Decodes base64, which libarchive writes without padding.
fn base64_decoded(value: &[u8]) -> Result<Vec<u8>, Reason> {
    const ENGINE: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    ENGINE.decode(value).map_err(|error| format!("value is not base64: {error}"))
}

/// Decodes `%XX`.
fn percent_decoded(name: &[u8]) -> Result<Vec<u8>, Reason> {
    let mut parts = name.split(|&byte| byte == b'%');
    let mut decoded = parts.next().unwrap_or_default().to_vec();
    for part in parts {
        let digits = part
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(byte.ok_or("'%' without two hexadecimal digits")?);
        decoded.extend_from_slice(part.get(2..).unwrap_or_default());
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests;
