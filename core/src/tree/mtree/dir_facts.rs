//! Facts about directories that only the disk has.

use super::vis;
use crate::{
    error::{Error, Result},
    fs::Dir,
    name::NameBuf,
};

/// The source of sizes and link counts of directories.
pub(super) trait DirFacts {
    /// Returns size and link count of the directory entered, if they are known. The name is `None` for the
    /// root.
    fn enter(&mut self, name: Option<&NameBuf>) -> Result<Option<(u64, u64)>>;
    fn leave(&mut self);
}

/// No source: only the tree.
impl DirFacts for () {
    fn enter(&mut self, _name: Option<&NameBuf>) -> Result<Option<(u64, u64)>> {
        Ok(None)
    }

    fn leave(&mut self) {}
}

/// The directories on disk, opened from the root down to the current one.
pub(super) struct Disk<'a, D> {
    pub(super) root: &'a D,
    pub(super) open: Vec<D>,
}

impl<D: Dir> DirFacts for Disk<'_, D> {
    fn enter(&mut self, name: Option<&NameBuf>) -> Result<Option<(u64, u64)>> {
        let at = self.open.last().unwrap_or(self.root);
        let metadata = match name {
            None => at.self_metadata().map_err(Error::io("stat the root directory"))?,
            Some(name) => {
                let doing = || format!("open directory {}", vis::to_text(name.as_name().as_bytes()));
                let dir = at.open_dir(name.as_name()).map_err(|error| Error::io(doing())(error))?;
                let metadata = dir.self_metadata().map_err(|error| Error::io(doing())(error))?;
                self.open.push(dir);
                metadata
            }
        };
        Ok(Some((metadata.size, metadata.nlink)))
    }

    fn leave(&mut self) {
        self.open.pop();
    }
}
