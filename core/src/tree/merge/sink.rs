//! The operations that a merge sends to its sink.

use std::{
    fmt,
    io::{self, Read},
};

use crate::{
    attrs::Attrs,
    error::{Error, Result},
    name::{EntryPath, Name, NameBuf},
    tree::{Content, InodeId, Tree},
};

/// A directory on the path from the root to an entry: its inode, and its name in its parent.
pub type PathStep = (InodeId, NameBuf);

/// A name in a directory of the merged tree, and its inode.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Slot<'a> {
    /// The directories from the root (excluded) to the one that holds `name`. None is a symbolic link.
    pub at: &'a [PathStep],
    /// The name in that directory.
    pub name: Name<'a>,
    /// The inode.
    pub id: InodeId,
}

impl<'a> Slot<'a> {
    pub(crate) fn new(at: &'a [PathStep], name: Name<'a>, id: InodeId) -> Self {
        Self { at, name, id }
    }

    /// Returns the slot of the directory at the end of these steps; `None` for the root.
    pub(crate) fn of_dir(at: &'a [PathStep]) -> Option<Self> {
        at.split_last().map(|((id, name), above)| Self::new(above, name.as_name(), *id))
    }

    /// Returns the path from the root.
    #[must_use]
    pub fn path(&self) -> EntryPath {
        EntryPath::from_names(names(self.at).chain([self.name]))
    }
}

/// Formats the path, without a leading `/`.
impl fmt::Display for Slot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.path(), f)
    }
}

/// Returns the path of the directory at the end of these steps.
pub(crate) fn path_of(at: &[PathStep]) -> EntryPath {
    EntryPath::from_names(names(at))
}

fn names(at: &[PathStep]) -> impl Iterator<Item = Name<'_>> + Clone {
    at.iter().map(|(_, name)| name.as_name())
}

/// A receiver of the operations that result from merging layers, such as a directory on disk that becomes
/// equal to the tree.
///
/// By default, methods do nothing, except that [`TreeSink::file`] reads the content, and
/// [`TreeSink::file_without_content`] fails.
///
/// # Errors
/// All methods fail if the sink does, such as with [`Error::Io`] naming the path.
#[allow(unused_variables, reason = "the names of arguments are documentation")]
pub trait TreeSink {
    /// Makes an empty directory. Its attributes are set in [`TreeSink::finish`].
    fn dir(&mut self, slot: Slot<'_>) -> Result<()> {
        Ok(())
    }

    /// Makes a file with the content of `body`, which must be read to its end.
    fn file(&mut self, slot: Slot<'_>, attrs: &Attrs, body: &mut dyn Read) -> Result<()> {
        io::copy(body, &mut io::sink()).map(drop).map_err(Error::io("read layer"))
    }

    /// Records a file of this size, in bytes, whose content is not available because the layer comes from an
    /// index.
    fn file_without_content(&mut self, slot: Slot<'_>, size: u64) -> Result<()> {
        Err(Error::Misuse(format!("{slot}: cannot make a file from an index, which has no file contents")))
    }

    /// Makes a symbolic link, device or fifo.
    fn special(&mut self, slot: Slot<'_>, attrs: &Attrs, content: &Content) -> Result<()> {
        Ok(())
    }

    /// Adds a name, `slot`, to the inode of `existing`.
    fn link(&mut self, slot: Slot<'_>, existing: Slot<'_>) -> Result<()> {
        Ok(())
    }

    /// Removes an entry with everything below it.
    fn remove(&mut self, slot: Slot<'_>, content: &Content) -> Result<()> {
        Ok(())
    }

    /// Records an existing entry that the layer puts again: a directory, whose attributes may change, or a
    /// file that is put as a hard link to itself.
    fn reput(&mut self, slot: Slot<'_>, content: &Content) -> Result<()> {
        Ok(())
    }

    /// Announces that everything in this directory that only lower layers have will be removed, entry by
    /// entry.
    fn clear(&mut self, at: &[PathStep]) -> Result<()> {
        Ok(())
    }

    /// Ends the current layer.
    fn end_layer(&mut self, tree: &Tree) -> Result<()> {
        Ok(())
    }

    /// Sets the attributes of all directories, after everything below them is written.
    fn finish(&mut self, tree: &Tree) -> Result<()> {
        Ok(())
    }
}

/// Ignores all operations: only the tree is merged.
impl TreeSink for () {
    fn file_without_content(&mut self, _: Slot<'_>, _: u64) -> Result<()> {
        Ok(())
    }
}
