//! Writing of changes as a tar archive. The same changes yield the same bytes on every system.
//!
//! An entry has a ustar header. What ustar cannot express exactly (long names, large numbers, times with a
//! fraction or before 1970, extended attributes) goes into a pax header before it, in a fixed order. The
//! archive ends with two zero blocks, without further padding. Sources: POSIX.1-2024, `pax`; extended
//! attributes as `SCHILY.xattr.*`, which every reader supports.

use std::{
    borrow::Cow,
    io::{self, Read, Write},
};

use super::{BLOCK, field, kind, records::Records};
use crate::{
    attrs::{Attrs, Time},
    error::{Error, Result},
    layer::{Change, ChangeSink, EntryKind, whiteout},
    name::EntryPath,
};

/// A writer of changes as a tar archive. [`TarWriter::finish`] ends the archive.
#[derive(Debug)]
pub struct TarWriter<W> {
    out: W,
    buffer: Vec<u8>,
    /// Writing a change failed half-way, so the archive is invalid.
    broken: bool,
}

const BUFFER: usize = 256 << 10;
/// The largest numbers of 7 and 11 octal digits.
const MAX_7: u64 = 0o777_7777;
const MAX_11: u64 = 0o777_7777_7777;

impl<W: Write> TarWriter<W> {
    /// Writes to `out`, in large chunks.
    pub fn new(out: W) -> Self {
        Self { out, buffer: vec![0; BUFFER], broken: false }
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// Fails with [`Error::Io`], or with [`Error::Misuse`] if writing a change failed.
    pub fn finish(mut self) -> Result<W> {
        if self.broken {
            return Err(Error::Misuse("cannot finish the layer: writing a change failed".into()));
        }
        self.write(&[0; 2 * BLOCK])?;
        Ok(self.out)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(Error::io("write layer"))
    }

    fn pad(&mut self, size: u64) -> Result<()> {
        let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
        if over == 0 { Ok(()) } else { self.write(&[0; BLOCK][over..]) }
    }

    /// Copies exactly `size` bytes and pads the last block.
    fn body(&mut self, path: &EntryPath, size: u64, body: &mut dyn Read) -> Result<()> {
        let mut left = size;
        loop {
            // One byte more than expected, to detect a longer content.
            let room = usize::try_from(left.saturating_add(1)).unwrap_or(BUFFER).min(BUFFER);
            let got = match body.read(&mut self.buffer[..room]) {
                Ok(got) => got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::io(format_args!("read /{path}"))(error)),
            };
            if got as u64 > left || (got == 0 && left > 0) {
                let verb = if got == 0 { "shrank" } else { "grew" };
                return Err(Error::layer(
                    format!("/{path}"),
                    format!("{verb} while it was read: expected {size} bytes"),
                ));
            }
            if got == 0 {
                return self.pad(size);
            }
            self.out.write_all(&self.buffer[..got]).map_err(Error::io("write layer"))?;
            left -= got as u64;
        }
    }
}

impl<W: Write> ChangeSink for TarWriter<W> {
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> Result<()> {
        let result = self.entry(change, body);
        self.broken |= result.is_err();
        result
    }
}

impl<W: Write> TarWriter<W> {
    fn entry(&mut self, change: &Change, body: &mut dyn Read) -> Result<()> {
        let path = whiteout::archive_path(change)?;
        let Change::Put(entry) = change else {
            // A whiteout has only a name.
            return Header::new(&path, kind::FILE, &Attrs::default()).write(self);
        };
        let header = match &entry.kind {
            EntryKind::File { size } => {
                Header { size: *size, ..Header::new(&path, kind::FILE, &entry.attrs) }
            }
            EntryKind::Dir => Header::new(&path, kind::DIR, &entry.attrs),
            EntryKind::Symlink { target } => {
                Header { link: target, ..Header::new(&path, kind::SYMLINK, &entry.attrs) }
            }
            EntryKind::HardLink { to } => Header {
                link: to.as_bytes(),
                xattrs: false,
                ..Header::new(&path, kind::HARD_LINK, &entry.attrs)
            },
            EntryKind::Char { major, minor } => {
                Header { device: (*major, *minor), ..Header::new(&path, kind::CHAR, &entry.attrs) }
            }
            EntryKind::Block { major, minor } => {
                Header { device: (*major, *minor), ..Header::new(&path, kind::BLOCK, &entry.attrs) }
            }
            EntryKind::Fifo => Header::new(&path, kind::FIFO, &entry.attrs),
        };
        header.write(self)?;
        match entry.kind {
            EntryKind::File { size } => self.body(&entry.path, size, body),
            _ => Ok(()),
        }
    }
}

/// An entry before it is encoded.
struct Header<'a> {
    /// The path in the archive, without the `/` after a directory.
    path: &'a [u8],
    kind: u8,
    attrs: &'a Attrs,
    size: u64,
    link: &'a [u8],
    device: (u32, u32),
    /// Whether extended attributes are written.
    xattrs: bool,
}

impl<'a> Header<'a> {
    fn new(path: &'a [u8], kind: u8, attrs: &'a Attrs) -> Self {
        Self { path, kind, attrs, size: 0, link: b"", device: (0, 0), xattrs: true }
    }

    fn write<W: Write>(self, out: &mut TarWriter<W>) -> Result<()> {
        let (block, records) = self.encode()?;
        if let Some(records) = records {
            let mut extended = [0; BLOCK];
            let name = self.path.rsplit(|&byte| byte == b'/').next().filter(|name| !name.is_empty());
            let name = name.unwrap_or(b"root");
            copy(&mut extended[field::NAME], b"PaxHeaders.0/");
            let room = field::NAME.len() - 13;
            copy(&mut extended[13..field::NAME.end], &name[..name.len().min(room)]);
            octal(&mut extended[field::MODE], 0o644);
            for zero in [field::UID, field::GID, field::MTIME, field::MAJOR, field::MINOR] {
                octal(&mut extended[zero], 0);
            }
            octal(&mut extended[field::SIZE], records.len() as u64);
            extended[field::TYPE] = kind::PAX;
            seal(&mut extended);
            out.write(&extended)?;
            out.write(&records)?;
            out.pad(records.len() as u64)?;
        }
        out.write(&block)
    }

    fn encode(&self) -> Result<([u8; BLOCK], Option<Vec<u8>>)> {
        let mut block = [0; BLOCK];
        let mut records = Records::default();
        let path = self.full_path();
        if !fit_path(&mut block, &path) {
            copy(&mut block[field::NAME], &path[..field::NAME.len()]);
            records.text("path", &path);
        }
        if self.link.contains(&0) {
            return Err(Error::layer(self.shown(), "cannot be put into a layer: its target contains NUL"));
        }
        if self.link.len() > field::LINK.len() {
            copy(&mut block[field::LINK], &self.link[..field::LINK.len()]);
            records.text("linkpath", self.link);
        } else {
            copy(&mut block[field::LINK], self.link);
        }
        let Attrs { mode, uid, gid, mtime, ref xattrs } = *self.attrs;
        octal(&mut block[field::MODE], u64::from(mode & 0o7777));
        let mut number = |range: std::ops::Range<usize>, key: &str, value: u64, max: u64| {
            let fits = value <= max;
            octal(&mut block[range], if fits { value } else { 0 });
            if !fits {
                records.text(key, value.to_string().as_bytes());
            }
        };
        number(field::SIZE, "size", self.size, MAX_11);
        number(field::UID, "uid", u64::from(uid), MAX_7);
        number(field::GID, "gid", u64::from(gid), MAX_7);
        let whole = u64::try_from(mtime.seconds).ok().filter(|&seconds| seconds <= MAX_11);
        octal(&mut block[field::MTIME], whole.unwrap_or(0));
        if whole.is_none() || mtime.nanoseconds != 0 {
            records.text("mtime", decimal(mtime).as_bytes());
        }
        let (major, minor) = (u64::from(self.device.0), u64::from(self.device.1));
        if major > MAX_7 || minor > MAX_7 {
            let reason = format!("cannot be put into a layer: device number {major},{minor} exceeds {MAX_7}");
            return Err(Error::layer(self.shown(), reason));
        }
        octal(&mut block[field::MAJOR], major);
        octal(&mut block[field::MINOR], minor);
        if self.xattrs {
            for (name, value) in xattrs {
                records.xattr(name, value);
            }
        }
        block[field::TYPE] = self.kind;
        seal(&mut block);
        Ok((block, records.finish()))
    }

    /// Returns the path as in archives: the root is `./`, directories end with `/`.
    fn full_path(&self) -> Cow<'a, [u8]> {
        match (self.path.is_empty(), self.kind) {
            (true, _) => Cow::Borrowed(b"./"),
            (false, kind::DIR) => Cow::Owned([self.path, b"/"].concat()),
            (false, _) => Cow::Borrowed(self.path),
        }
    }

    fn shown(&self) -> String {
        format!("/{}", String::from_utf8_lossy(self.path))
    }
}

/// Writes a path into name and prefix, if it fits.
fn fit_path(block: &mut [u8; BLOCK], path: &[u8]) -> bool {
    if path.len() <= field::NAME.len() {
        copy(&mut block[field::NAME], path);
        return true;
    }
    // The longest possible prefix; the name after it must be more than the `/` of a directory.
    let most = path.len().saturating_sub(2).min(field::PREFIX.len());
    let Some(slash) = path[..=most].iter().rposition(|&byte| byte == b'/').filter(|&slash| slash > 0) else {
        return false;
    };
    let name = &path[slash + 1..];
    if name.len() > field::NAME.len() {
        return false;
    }
    copy(&mut block[field::PREFIX], &path[..slash]);
    copy(&mut block[field::NAME], name);
    true
}

fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// Writes octal digits, padded with zeros, and a NUL. The value fits.
fn octal(to: &mut [u8], mut value: u64) {
    let Some((nul, digits)) = to.split_last_mut() else { return };
    *nul = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value & 7) as u8;
        value >>= 3;
    }
}

/// Writes magic, version and checksum.
fn seal(block: &mut [u8; BLOCK]) {
    copy(&mut block[field::MAGIC], b"ustar\x0000");
    block[field::CHECKSUM].fill(b' ');
    let sum: u64 = block.iter().map(|&byte| u64::from(byte)).sum();
    // Six digits, NUL and space, by tradition.
    octal(&mut block[field::CHECKSUM.start..field::CHECKSUM.end - 1], sum);
}

/// Formats seconds with a fraction: -1.25 is a quarter of a second before -1.
fn decimal(time: Time) -> String {
    let Time { seconds, nanoseconds } = time;
    let (sign, seconds, nanoseconds) = match (seconds < 0, nanoseconds) {
        (false, nanoseconds) => ("", seconds.unsigned_abs(), nanoseconds),
        (true, 0) => ("-", seconds.unsigned_abs(), 0),
        (true, nanoseconds) => ("-", (seconds + 1).unsigned_abs(), 1_000_000_000 - nanoseconds),
    };
    let fraction = if nanoseconds == 0 { String::new() } else { format!(".{nanoseconds:09}") };
    let number = format!("{sign}{seconds}{fraction}");
    if nanoseconds == 0 { number } else { number.trim_end_matches('0').to_owned() }
}

#[cfg(test)]
mod tests;
