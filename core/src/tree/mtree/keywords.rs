//! The decoded keywords of an entry.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::vis;
use crate::{
    attrs::{Time, Xattrs},
    digest::{Algorithm, Digest},
    fs::FileType,
};

/// The values of an entry; `None` or empty if the manifest has none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Keywords {
    /// `type`.
    pub file_type: Option<FileType>,
    /// `mode`: the low 12 bits, written in octal.
    pub mode: Option<u32>,
    /// `uid`.
    pub uid: Option<u32>,
    /// `gid`.
    pub gid: Option<u32>,
    /// `size` in bytes.
    pub size: Option<u64>,
    /// `nlink`: number of names.
    pub nlink: Option<u64>,
    /// `link`: target of a symbolic link.
    pub link: Option<Box<[u8]>>,
    /// `time`. Readers take the part after the point as a number of nanoseconds, so `1.5` is 5 ns after 1.
    pub time: Option<Time>,
    /// `tar_time` of gomtree: seconds, rounded down.
    pub tar_time: Option<i64>,
    /// `device`: major and minor number.
    pub device: Option<(u32, u32)>,
    /// `inode`.
    pub inode: Option<u64>,
    /// `sha256`, `sha384`, `sha512`, with or without the suffix `digest`.
    pub digests: Vec<Digest>,
    /// `xattr.NAME` or `xattrs.NAME`.
    pub xattrs: Xattrs,
    /// `optional`: the entry may be missing.
    pub optional: bool,
    /// `ignore`: entries below are not compared.
    pub ignore: bool,
    /// `nochange`: only the existence is compared.
    pub nochange: bool,
    /// Keywords whose values are not decoded: those that cannot be compared (`uname`, `flags`, `cksum`, `md5`
    /// …) and unknown ones.
    pub others: BTreeSet<String>,
}

impl Keywords {
    /// Adds a word of a line: `key=value` or `key`. A later word replaces an earlier one.
    pub(super) fn put(&mut self, word: &[u8]) -> Result<(), String> {
        let (key, value) = match word.iter().position(|&byte| byte == b'=') {
            Some(at) => {
                let (key, value) = word.split_at(at);
                (key, value.strip_prefix(b"=").unwrap_or_default())
            }
            None => (word, &[][..]),
        };
        if let Some(rest) = xattr_name(word) {
            let (name, value) = xattr(rest).ok_or_else(|| format!("{}: not NAME=BASE64", show(word)))?;
            self.xattrs.insert(vis::decode(name)?.into(), value.into());
            return Ok(());
        }
        let bad = |expected| format!("{}={}: not {expected}", show(key), show(value));
        match key {
            b"type" => self.file_type = Some(file_type(value).ok_or_else(|| bad(TYPES))?),
            b"mode" => self.mode = Some(octal(value).ok_or_else(|| bad("an octal mode up to 07777"))?),
            b"uid" => self.uid = Some(number(value).ok_or_else(|| bad(NUMBER_32))?),
            b"gid" => self.gid = Some(number(value).ok_or_else(|| bad(NUMBER_32))?),
            b"size" => self.size = Some(number(value).ok_or_else(|| bad(NUMBER))?),
            b"nlink" => self.nlink = Some(number(value).ok_or_else(|| bad(NUMBER))?),
            b"inode" => self.inode = Some(number(value).ok_or_else(|| bad(NUMBER))?),
            b"link" => self.link = Some(vis::decode(value)?.into()),
            b"time" => self.time = Some(time(value).ok_or_else(|| bad(TIME))?),
            b"tar_time" => self.tar_time = Some(time(value).ok_or_else(|| bad(TIME))?.seconds),
            b"device" => self.device = Some(device(value).ok_or_else(|| bad(DEVICE))?),
            b"optional" => self.optional = true,
            b"ignore" => self.ignore = true,
            b"nochange" => self.nochange = true,
            _ => match digest_algorithm(key) {
                Some(algorithm) => {
                    let hex =
                        text(value).map(|hex| hex.strip_prefix("0x").unwrap_or(hex).to_ascii_lowercase());
                    let digest: Digest = format!("{}:{}", algorithm.name(), hex.unwrap_or_default())
                        .parse()
                        .map_err(|_| bad("a hexadecimal digest of that kind"))?;
                    self.digests.retain(|other| other.algorithm() != Some(algorithm));
                    self.digests.push(digest);
                }
                None => {
                    self.others.insert(show(key));
                }
            },
        }
        Ok(())
    }

    /// Removes a keyword, or everything for `all`.
    pub(super) fn forget(&mut self, key: &[u8]) -> Result<(), String> {
        match key {
            b"all" => *self = Self::default(),
            b"type" => self.file_type = None,
            b"mode" => self.mode = None,
            b"uid" => self.uid = None,
            b"gid" => self.gid = None,
            b"size" => self.size = None,
            b"nlink" => self.nlink = None,
            b"inode" => self.inode = None,
            b"link" => self.link = None,
            b"time" => self.time = None,
            b"tar_time" => self.tar_time = None,
            b"device" => self.device = None,
            b"optional" => self.optional = false,
            b"ignore" => self.ignore = false,
            b"nochange" => self.nochange = false,
            _ => {
                if let Some(name) = xattr_name(key) {
                    self.xattrs.remove(vis::decode(name)?.as_slice());
                } else if let Some(algorithm) = digest_algorithm(key) {
                    self.digests.retain(|digest| digest.algorithm() != Some(algorithm));
                } else {
                    self.others.remove(&show(key));
                }
            }
        }
        Ok(())
    }
}

const TYPES: &str = "one of file, dir, link, fifo, char, block, socket";
const NUMBER: &str = "a decimal number";
const NUMBER_32: &str = "a decimal number below 4294967296";
const TIME: &str = "seconds, a point, and a number of nanoseconds";
const DEVICE: &str = "a device number or FORMAT,MAJOR,MINOR";

fn xattr_name(key: &[u8]) -> Option<&[u8]> {
    key.strip_prefix(b"xattr.").or_else(|| key.strip_prefix(b"xattrs."))
}

/// Splits `NAME=BASE64` at the '=' after which everything is base64: gomtree does not escape '=' in names.
fn xattr(rest: &[u8]) -> Option<(&[u8], Vec<u8>)> {
    let mut equals = rest.iter().enumerate().filter(|(_, byte)| **byte == b'=').map(|(at, _)| at);
    equals.find_map(|at| {
        let value = rest.get(at + 1..)?;
        Some((rest.get(..at)?, STANDARD.decode(value).ok()?))
    })
}

fn digest_algorithm(key: &[u8]) -> Option<Algorithm> {
    Algorithm::from_name(text(key.strip_suffix(b"digest").unwrap_or(key))?)
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn number<N: std::str::FromStr>(value: &[u8]) -> Option<N> {
    // `parse` would accept a plus sign.
    value.first().filter(|first| first.is_ascii_digit())?;
    text(value)?.parse().ok()
}

fn octal(value: &[u8]) -> Option<u32> {
    value.first().filter(|first| first.is_ascii_digit())?;
    u32::from_str_radix(text(value)?, 8).ok().filter(|mode| *mode <= 0o7777)
}

fn time(value: &[u8]) -> Option<Time> {
    let (seconds, nanoseconds) = text(value)?.split_once('.').unwrap_or((text(value)?, "0"));
    let digits = seconds.strip_prefix('-').unwrap_or(seconds);
    digits.bytes().next().filter(u8::is_ascii_digit)?;
    let nanoseconds = if nanoseconds.is_empty() { 0 } else { number(nanoseconds.as_bytes())? };
    (nanoseconds < 1_000_000_000).then_some(Time { seconds: seconds.parse().ok()?, nanoseconds })
}

/// Parses `FORMAT,MAJOR,MINOR`, or the packed number that NetBSD's and FreeBSD's mtree write on Linux.
fn device(value: &[u8]) -> Option<(u32, u32)> {
    let value = text(value)?;
    let any = |digits: &str| match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => number(digits.as_bytes()),
    };
    let Some((_format, numbers)) = value.split_once(',') else {
        let packed = any(value)?;
        let major = (packed >> 8 & 0xfff) | (packed >> 32 & 0xffff_f000);
        let minor = (packed & 0xff) | (packed >> 12 & 0xffff_ff00);
        return Some((u32::try_from(major).ok()?, u32::try_from(minor).ok()?));
    };
    let (major, minor) = numbers.split_once(',')?;
    Some((u32::try_from(any(major)?).ok()?, u32::try_from(any(minor)?).ok()?))
}

fn file_type(value: &[u8]) -> Option<FileType> {
    Some(match value {
        b"file" => FileType::File,
        b"dir" => FileType::Dir,
        b"link" => FileType::Symlink,
        b"char" => FileType::Char,
        b"block" => FileType::Block,
        b"fifo" => FileType::Fifo,
        b"socket" => FileType::Socket,
        _ => return None,
    })
}

/// Formats a word for messages: on one line, and not too long.
fn show(bytes: &[u8]) -> String {
    bytes.iter().take(100).copied().collect::<Vec<u8>>().escape_ascii().to_string()
}

#[cfg(test)]
mod tests;
