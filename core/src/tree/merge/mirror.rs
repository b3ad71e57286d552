//! What repeats on disk what the merge does to the tree.

use std::io::{self, Read};

use crate::{
    attrs::Attrs,
    error::{Error, Result},
    name::{Name, NameBuf},
    tree::{Content, InodeId, Tree},
};

/// One directory on the way from the root to a place: its inode and its name in the directory before it.
pub type Step = (InodeId, NameBuf);

/// Repeats on a real directory what the merge does to the tree. `at` is the way from the root (excluded) to the directory
/// that holds `name`; every directory on it is a real directory, never a link.
pub trait Mirror {
    /// Makes an empty directory. Its attributes come with [`Mirror::finish`].
    ///
    /// # Errors
    /// Of this and of all others: [`Error::Io`] naming the path.
    fn dir(&mut self, at: &[Step], name: Name<'_>, id: InodeId) -> Result<()>;
    /// Makes a file with the content of `body`, which must be read to its end.
    fn file(
        &mut self,
        at: &[Step],
        name: Name<'_>,
        id: InodeId,
        attrs: &Attrs,
        body: &mut dyn Read,
    ) -> Result<()>;
    /// There is a file of this size, in bytes, whose content is not at hand.
    fn known(&mut self, _at: &[Step], _name: Name<'_>, _id: InodeId, _size: u64) -> Result<()> {
        Err(Error::Misuse("the contents of files are needed, and an index has none".into()))
    }
    /// Makes a link, device or fifo.
    fn other(
        &mut self,
        at: &[Step],
        name: Name<'_>,
        id: InodeId,
        attrs: &Attrs,
        content: &Content,
    ) -> Result<()>;
    /// Gives an existing inode one more name.
    fn link(
        &mut self,
        at: &[Step],
        name: Name<'_>,
        id: InodeId,
        from: &[Step],
        from_name: Name<'_>,
    ) -> Result<()>;
    /// Removes an entry with all below it.
    fn remove(&mut self, at: &[Step], name: Name<'_>, content: &Content) -> Result<()>;
    /// The layer puts what is there already: a directory, whose attributes may change, or a file as a link to itself.
    fn again(&mut self, _at: &[Step], _name: Name<'_>, _id: InodeId, _content: &Content) -> Result<()> {
        Ok(())
    }
    /// Whatever lower layers have below this directory goes away. Each entry that does is still told of.
    fn clear(&mut self, _at: &[Step]) -> Result<()> {
        Ok(())
    }
    /// Ends the current layer.
    fn end_layer(&mut self, _tree: &Tree) -> Result<()> {
        Ok(())
    }
    /// Sets the attributes of all directories, once nothing is written below them any more.
    fn finish(&mut self, tree: &Tree) -> Result<()>;
}

/// No mirror: the tree alone.
impl Mirror for () {
    fn known(&mut self, _: &[Step], _: Name<'_>, _: InodeId, _: u64) -> Result<()> {
        Ok(())
    }
    fn dir(&mut self, _: &[Step], _: Name<'_>, _: InodeId) -> Result<()> {
        Ok(())
    }
    fn file(&mut self, _: &[Step], _: Name<'_>, _: InodeId, _: &Attrs, body: &mut dyn Read) -> Result<()> {
        io::copy(body, &mut io::sink()).map(drop).map_err(Error::io("read layer"))
    }
    fn other(&mut self, _: &[Step], _: Name<'_>, _: InodeId, _: &Attrs, _: &Content) -> Result<()> {
        Ok(())
    }
    fn link(&mut self, _: &[Step], _: Name<'_>, _: InodeId, _: &[Step], _: Name<'_>) -> Result<()> {
        Ok(())
    }
    fn remove(&mut self, _: &[Step], _: Name<'_>, _: &Content) -> Result<()> {
        Ok(())
    }
    fn finish(&mut self, _: &Tree) -> Result<()> {
        Ok(())
    }
}
