//! Layers as streams of changes.
//!
//! Everything that moves file-system content is a source of changes, a chain of adapters, and a sink.

mod acl;
pub(crate) mod budget;
pub mod clamp;
mod compress;
pub mod decompress;
mod gzip;
pub mod import;
pub mod index;
pub(crate) mod inflate;
pub mod on_disk;
pub mod overlayfs;
pub mod reader;
pub mod recompress;
pub mod tar;
#[cfg(test)]
pub(crate) mod testing;
pub mod toc;
pub(crate) mod whiteout;
pub mod writer;

use std::io::Read;

pub use acl::LostLists;

use crate::{attrs::Attrs, error::Result, fs::FileType, name::EntryPath};

/// A change that a layer makes to the layers below. The image-spec encodes the last two as `.wh.` files; only
/// `whiteout.rs` knows that encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a changeset has these three; a fourth would break every sink")]
pub enum Change {
    /// Puts an entry, replacing an existing one. A directory that replaces a directory keeps its children.
    Put(Entry),
    /// Removes the path as lower layers have it (a whiteout). An entry put there by the same layer stays.
    Remove(EntryPath),
    /// Removes everything that lower layers have in this directory (an opaque whiteout). The directory itself
    /// stays.
    ClearLower(EntryPath),
}

/// A path with its type and attributes. The content of a file comes beside it, as a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Entry {
    /// The path as the layer names it: its directories may be symbolic links of lower layers.
    pub path: EntryPath,
    /// Owner, mode, time, extended attributes. Meaningless for a hard link: the target has its own.
    pub attrs: Attrs,
    /// The type of entry.
    pub kind: EntryKind,
}

/// The types of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "the types tar and POSIX have")]
pub enum EntryKind {
    /// A regular file.
    File {
        /// Size of the content in bytes.
        size: u64,
    },
    /// A directory.
    Dir,
    /// A symbolic link.
    Symlink {
        /// The target, verbatim: any bytes but NUL.
        target: Box<[u8]>,
    },
    /// A hard link to an existing file, of this layer or a lower one.
    HardLink {
        /// The path of that file.
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

impl EntryKind {
    /// Returns the type; that of a hard link is not known.
    pub(crate) fn file_type(&self) -> Option<FileType> {
        match self {
            Self::File { .. } => Some(FileType::File),
            Self::Dir => Some(FileType::Dir),
            Self::Symlink { .. } => Some(FileType::Symlink),
            Self::HardLink { .. } => None,
            Self::Char { .. } => Some(FileType::Char),
            Self::Block { .. } => Some(FileType::Block),
            Self::Fifo => Some(FileType::Fifo),
        }
    }
}

/// A source of changes.
///
/// The content of a file borrows from the source, so reading in the wrong order does not compile. Content
/// that is not read to its end is skipped by the next call.
pub trait ChangeSource {
    /// Returns the next change, with the content of a file as a reader (empty for other types); `None` at the
    /// end.
    ///
    /// # Errors
    /// Fails if the source does: a tar layer with a syntax error, an exceeded limit, or a failed read.
    fn next_change(&mut self) -> Result<Option<(Change, &mut dyn Read)>>;
}

/// A sink of changes.
pub trait ChangeSink {
    /// Receives a change. For a file, `body` yields exactly the content.
    ///
    /// # Errors
    /// Fails if the sink does, or if reading the body fails.
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> Result<()>;
}

/// Discards all changes, for callers that only check whether a layer is readable.
impl ChangeSink for () {
    fn put(&mut self, _: &Change, _: &mut dyn Read) -> Result<()> {
        Ok(())
    }
}
