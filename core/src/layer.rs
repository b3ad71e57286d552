//! A layer is a stream of changes.
//!
//! Everything that moves file-system content is a source of changes, a chain of adapters, and a sink.

pub mod clamp;
mod compress;
mod gzip;
pub mod import;
pub mod index;
pub mod inflate;
pub mod on_disk;
pub mod overlayfs;
pub mod reader;
pub mod tar;
#[cfg(test)]
pub(crate) mod testing;
pub mod toc;
pub(crate) mod whiteout;
pub mod writer;

use std::io::Read;

use crate::{attrs::Attrs, error::Result, name::EntryPath};

/// One change a layer makes to what lies below it. The image-spec spells the last two as `.wh.` files; only
/// `whiteout.rs` knows that spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a changeset has these three; a fourth would break every sink")]
pub enum Change {
    /// Puts an entry, replacing what is there; a directory over a directory keeps the children.
    Put(Entry),
    /// Removes the path as lower layers have it (a whiteout). What this layer itself put there stays.
    Remove(EntryPath),
    /// Removes all that lower layers have in this directory (an opaque marker). The directory itself stays.
    ClearLower(EntryPath),
}

/// A path with its type and attributes. The content of a file travels beside it, as a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Entry {
    /// Where, as the layer names it: parents may be symbolic links of lower layers.
    pub path: EntryPath,
    /// Owner, mode, time, extended attributes. For a hard link they mean nothing: the target has them.
    pub attrs: Attrs,
    /// What it is.
    pub kind: EntryKind,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "the types tar and POSIX have")]
pub enum EntryKind {
    /// A regular file; the content has exactly this many bytes.
    File {
        /// Bytes.
        size: u64,
    },
    /// A directory.
    Dir,
    /// A symbolic link with its target, verbatim.
    Symlink {
        /// The target as written; any bytes but NUL.
        target: Box<[u8]>,
    },
    /// Another name for a file that is there already, of this layer or a lower one.
    HardLink {
        /// Its path.
        to: EntryPath,
    },
    /// A character device.
    Char {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A block device.
    Block {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A named pipe.
    Fifo,
}

/// A source of changes. The body borrows from the source, so reading in the wrong order does not compile; a body
/// not read to its end is skipped by the next call.
pub trait ChangeSource {
    /// The next change, with the content of a file as a reader (empty for everything else); `None` at the end.
    ///
    /// # Errors
    /// Whatever the source meets: for a tar layer a syntax error, a limit, or a failed read.
    fn next_change(&mut self) -> Result<Option<(Change, &mut dyn Read)>>;
}

/// A sink of changes.
pub trait ChangeSink {
    /// Takes one change; for a file, `body` gives exactly the content.
    ///
    /// # Errors
    /// Whatever the sink meets, and failed reads of the body.
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> Result<()>;
}

/// No sink: for who only wants to know that a layer can be read.
impl ChangeSink for () {
    fn put(&mut self, _: &Change, _: &mut dyn Read) -> Result<()> {
        Ok(())
    }
}
