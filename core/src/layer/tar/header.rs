//! A header block, as written by ustar, GNU and older programs.

use super::{BLOCK, Reason, field, number};

/// A header block with a valid checksum.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header<'a>(&'a [u8; BLOCK]);

impl<'a> Header<'a> {
    /// Checks a block. Returns `None` if it is all zeros, as at the end of an archive.
    ///
    /// The checksum is the sum of all bytes, with its own field taken as spaces. Some old programs added
    /// signed bytes.
    pub(super) fn check(block: &'a [u8; BLOCK]) -> Result<Option<Self>, Reason> {
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        if sum == 0 {
            return Ok(None);
        }
        let stored = &block[field::CHECKSUM];
        let expected = number::parse(stored).map_err(|reason| format!("checksum: {reason}"))?;
        let own: u32 = stored.iter().map(|&byte| u32::from(byte)).sum();
        let unsigned = i64::from(sum - own) + 8 * i64::from(b' ');
        if expected != unsigned && expected != unsigned - 256 * high_bytes(block) {
            return Err(format!(
                "not a tar header: checksum mismatch: expected {expected}, actual {unsigned}"
            ));
        }
        Ok(Some(Self(block)))
    }

    /// Returns the type flag.
    pub(super) fn kind(self) -> u8 {
        self.0[field::TYPE]
    }

    /// Returns whether the block has GNU's layout.
    pub(super) fn is_gnu(self) -> bool {
        self.0[field::MAGIC] == *b"ustar  \0"
    }

    /// Appends the name, with the prefix if the layout has one.
    pub(super) fn push_name(self, path: &mut Vec<u8>) {
        if self.0[field::MAGIC].starts_with(b"ustar\0") {
            let prefix = until_nul(&self.0[field::PREFIX]);
            if !prefix.is_empty() {
                path.extend_from_slice(prefix);
                path.push(b'/');
            }
        }
        path.extend_from_slice(until_nul(&self.0[field::NAME]));
    }

    /// Returns the link target.
    pub(super) fn link(self) -> &'a [u8] {
        until_nul(&self.0[field::LINK])
    }

    pub(super) fn mode(self) -> Result<u64, Reason> {
        self.unsigned(field::MODE, "mode")
    }

    pub(super) fn uid(self) -> Result<u64, Reason> {
        self.unsigned(field::UID, "uid")
    }

    pub(super) fn gid(self) -> Result<u64, Reason> {
        self.unsigned(field::GID, "gid")
    }

    pub(super) fn size(self) -> Result<u64, Reason> {
        self.unsigned(field::SIZE, "size")
    }

    pub(super) fn mtime(self) -> Result<i64, Reason> {
        number::parse(&self.0[field::MTIME]).map_err(|reason| format!("mtime: {reason}"))
    }

    /// Returns the major and minor number of a device.
    pub(super) fn device(self) -> Result<(u32, u32), Reason> {
        let part = |range, name| {
            let number = self.unsigned(range, name)?;
            u32::try_from(number).map_err(|_| format!("{name} {number} does not fit into 32 bits"))
        };
        Ok((part(field::MAJOR, "major device number")?, part(field::MINOR, "minor device number")?))
    }

    /// Returns the whole block.
    pub(super) fn block(self) -> &'a [u8; BLOCK] {
        self.0
    }

    fn unsigned(self, range: std::ops::Range<usize>, name: &str) -> Result<u64, Reason> {
        number::parse_unsigned(&self.0[range]).map_err(|reason| format!("{name}: {reason}"))
    }
}

/// Counts the bytes over 127 outside the checksum: each counts 256 less in a sum of signed bytes.
fn high_bytes(block: &[u8; BLOCK]) -> i64 {
    let high = |(at, byte): &(usize, &u8)| **byte > 127 && !field::CHECKSUM.contains(at);
    block.iter().enumerate().filter(high).count() as i64
}

/// Returns the text of a field, which ends at a NUL or fills the field.
pub(super) fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}
