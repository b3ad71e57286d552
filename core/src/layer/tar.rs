//! The tar format: definitions that the reader and the writer share.
//!
//! Sources: POSIX.1-2024, `pax`, "ustar Interchange Format" and "pax Interchange Format"; the GNU tar manual,
//! "Basic Tar Format" and "Storing Sparse Files".

mod body;
mod entry;
mod file;
mod header;
mod number;
mod pax;
mod read;
mod records;
mod sparse;
mod write;

use std::ops::Range;

pub(crate) use entry::{hard_link_target, id, symlink_target};
pub use read::TarReader;
pub use write::TarWriter;

/// The reason why an entry is invalid; the reader adds the entry's name.
type Reason = String;

/// Size of a block in bytes. A header is one block; contents are padded to whole blocks.
pub(crate) const BLOCK: usize = 512;

/// Type flags: the byte at [`field::TYPE`].
pub(crate) mod kind {
    pub(crate) const FILE: u8 = b'0';
    /// A regular file, before POSIX.
    pub(crate) const OLD_FILE: u8 = 0;
    pub(crate) const HARD_LINK: u8 = b'1';
    pub(crate) const SYMLINK: u8 = b'2';
    pub(crate) const CHAR: u8 = b'3';
    pub(crate) const BLOCK: u8 = b'4';
    pub(crate) const DIR: u8 = b'5';
    pub(crate) const FIFO: u8 = b'6';
    /// A file to be stored contiguously; otherwise a regular one.
    pub(crate) const CONTIGUOUS: u8 = b'7';
    /// Pax records for the next entry.
    pub(crate) const PAX: u8 = b'x';
    /// Pax records for all entries that follow.
    pub(crate) const PAX_GLOBAL: u8 = b'g';
    /// GNU: the name of the next entry.
    pub(crate) const GNU_LONG_NAME: u8 = b'L';
    /// GNU: the link target of the next entry.
    pub(crate) const GNU_LONG_LINK: u8 = b'K';
    /// GNU: a file with holes.
    pub(crate) const GNU_SPARSE: u8 = b'S';
    /// GNU: the name of the volume, which is not an entry.
    pub(crate) const GNU_VOLUME: u8 = b'V';
}

/// The fields of a header.
pub(crate) mod field {
    use super::Range;

    pub(crate) const NAME: Range<usize> = 0..100;
    pub(crate) const MODE: Range<usize> = 100..108;
    pub(crate) const UID: Range<usize> = 108..116;
    pub(crate) const GID: Range<usize> = 116..124;
    pub(crate) const SIZE: Range<usize> = 124..136;
    pub(crate) const MTIME: Range<usize> = 136..148;
    pub(crate) const CHECKSUM: Range<usize> = 148..156;
    pub(crate) const TYPE: usize = 156;
    pub(crate) const LINK: Range<usize> = 157..257;
    /// `ustar` and NUL, then the version `00`; GNU has `ustar`, two spaces and NUL.
    pub(crate) const MAGIC: Range<usize> = 257..265;
    pub(crate) const MAJOR: Range<usize> = 329..337;
    pub(crate) const MINOR: Range<usize> = 337..345;
    /// The directory part of a long name. GNU headers have other fields there.
    pub(crate) const PREFIX: Range<usize> = 345..500;
}

#[cfg(test)]
mod tests;
