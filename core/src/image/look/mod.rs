//! Looking inside: what is in an image, and why.

mod content;
mod files;
mod why;

pub use self::{
    content::{each_file, read_file},
    files::{Facts, FileRow, Files},
    why::{Deed, Why},
};

pub(super) use self::files::shown;
use super::{Image, layers::apply_layers};
use crate::{
    error::Result,
    layer::on_disk::OnDisk,
    limits::Limits,
    store::BlobRead,
    tree::{Tree, merge::Merge, provenance::Provenance},
};

/// The merged file system of an image, with notes on where everything is from.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "two things that belong together")]
pub struct Look {
    /// What is to be seen.
    pub tree: Tree,
    /// Where it is from, and what became of the rest.
    pub provenance: Provenance,
}

impl Look {
    /// Reads all layers, and verifies them.
    ///
    /// # Errors
    /// As [`apply_layers`].
    pub fn inside<S: BlobRead + ?Sized>(store: &S, image: &Image, limits: &Limits) -> Result<Self> {
        let mut merge = Merge::new(Tree::new(), Provenance::new(), limits);
        apply_layers(store, image, &OnDisk::default(), &mut merge, limits)?;
        let (tree, provenance) = merge.finish()?;
        Ok(Self { tree, provenance })
    }
}

#[cfg(test)]
mod tests;
