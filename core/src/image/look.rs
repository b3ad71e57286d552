//! Inspection: which files are in an image, and which layers they are from.

mod build;
mod content;
mod files;
mod history;
mod layer_files;

pub use self::{
    content::{each_file, read_file, read_layer_file},
    files::{FileInfo, FileRow, list_files, path_text},
    history::{LayerChange, PathHistory},
    layer_files::LayerFiles,
};

use std::sync::Arc;

use self::build::{load_all, load_or_build_all};
use super::{Image, layers::apply_layers};
use crate::{
    digest::Digest,
    error::Result,
    layer::{Change, index::LayerIndex, on_disk::OnDisk, reader::read_layer, toc::read_toc},
    limits::Limits,
    spec::Descriptor,
    store::{BlobRead, Repository},
    tree::{Tree, merge::Merge, provenance::Provenance},
};

/// The merged tree of an image, with the provenance of every path.
#[derive(Debug)]
#[non_exhaustive]
pub struct Look {
    /// The merged tree.
    pub tree: Tree,
    /// The layers that each path is from, and what hid the rest.
    pub provenance: Provenance,
    /// The number of layers that are listed by a table of contents of their own, which is unverified: see
    /// [`MissingIndex::Table`].
    pub unverified: usize,
    /// The index of each layer, the base first, if it has one.
    indexes: Vec<Option<Arc<LayerIndex>>>,
}

/// A place where indexes of layers are kept. Losing one, or keeping a wrong one, is harmless: it is rebuilt
/// on demand.
pub trait Indexes {
    /// Returns the bytes of an index that was kept for a blob.
    fn load(&mut self, blob: &Digest) -> Option<Vec<u8>>;
    /// Keeps an index for a blob.
    fn keep(&mut self, blob: &Digest, index: &[u8]);
}

/// The size of a layer's blob from which an index is faster than reading the layer.
const WORTHWHILE: u64 = 1 << 20;

/// The treatment of a large layer without an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "all that can be done")]
pub enum MissingIndex {
    /// The layer is read.
    Read,
    /// The table of contents of the layer is used, if it has one ([`crate::layer::toc`]): a small part of it,
    /// as far as the store reads parts. Nothing verifies that it is right. Otherwise the layer is read.
    Table,
    /// An index is built and kept.
    Build,
}

impl Look {
    /// Reads all layers, and verifies them.
    ///
    /// # Errors
    /// Those of [`apply_layers`].
    pub fn inside<S: BlobRead>(repository: &Repository<S>, image: &Image) -> Result<Self> {
        let mut merge = Merge::new(Tree::new(), Provenance::new(), repository.limits());
        apply_layers(repository, image, &OnDisk::default(), &mut merge)?;
        let (tree, provenance) = merge.finish()?;
        Ok(Self { tree, provenance, unverified: 0, indexes: Vec::new() })
    }

    /// Inspects an image as [`Look::inside`] does, but reads the index instead of a large layer if one was
    /// kept. An index was verified when it was built.
    ///
    /// # Errors
    /// Those of [`apply_layers`].
    pub fn indexed<S: BlobRead>(
        repository: &Repository<S>,
        image: &Image,
        indexes: &mut dyn Indexes,
        missing: MissingIndex,
    ) -> Result<Self> {
        let mut merge = Merge::new(Tree::new(), Provenance::new(), repository.limits());
        let (mut found, mut unverified) = (Vec::new(), 0);
        let kept = match missing {
            MissingIndex::Build => load_or_build_all(repository, image, indexes)?,
            _ => load_all(repository, image, indexes),
        };
        for ((blob, diff_id), index) in image.layers().zip(kept) {
            let table = match &index {
                None if missing == MissingIndex::Table && blob.size >= WORTHWHILE => table(repository, blob),
                _ => None,
            };
            match (&index, table) {
                (Some(index), _) => merge_index(&mut merge, index)?,
                (None, Some(table)) => {
                    unverified += 1;
                    table.iter().try_for_each(|change| merge.put_without_content(change, None))?;
                }
                (None, None) => {
                    let lost = read_layer(repository, blob, diff_id, &mut merge)?;
                    merge.lose(lost);
                }
            }
            merge.next_layer()?;
            found.push(index.map(Arc::new));
        }
        let (tree, provenance) = merge.finish()?;
        Ok(Self { tree, provenance, unverified, indexes: found })
    }

    /// Merges the indexes of the layers, the base first. A layer without one is skipped, as if it were empty.
    ///
    /// # Errors
    /// [`Error::Layer`](crate::Error::Layer) for changes that cannot be applied;
    /// [`Error::Limit`](crate::Error::Limit).
    pub fn of_indexes(indexes: Vec<Option<Arc<LayerIndex>>>, limits: &Limits) -> Result<Self> {
        let mut merge = Merge::new(Tree::new(), Provenance::new(), limits);
        for index in &indexes {
            if let Some(index) = index {
                merge_index(&mut merge, index)?;
            }
            merge.next_layer()?;
        }
        let (tree, provenance) = merge.finish()?;
        Ok(Self { tree, provenance, unverified: 0, indexes })
    }
}

/// Returns what the table of contents of a layer lists; `None` if there is none that can be used: reading the
/// layer shows what is wrong.
fn table<S: BlobRead>(repository: &Repository<S>, blob: &Descriptor) -> Option<Vec<Change>> {
    read_toc(repository, blob).ok().flatten()
}

/// Loads the index of a layer, if it was kept and fits.
fn load<S: BlobRead>(
    repository: &Repository<S>,
    blob: &Descriptor,
    diff_id: &Digest,
    indexes: &mut dyn Indexes,
) -> Option<LayerIndex> {
    let bytes = indexes.load(&blob.digest)?;
    LayerIndex::from_bytes(&bytes, blob, diff_id, repository.limits()).ok()
}

/// Loads the index of a layer, or builds it, and keeps it where that is worthwhile.
fn load_or_build<S: BlobRead>(
    repository: &Repository<S>,
    blob: &Descriptor,
    diff_id: &Digest,
    indexes: &mut dyn Indexes,
) -> Result<LayerIndex> {
    if blob.size >= WORTHWHILE
        && let Some(index) = load(repository, blob, diff_id, indexes)
    {
        return Ok(index);
    }
    let index = LayerIndex::build(repository, blob, diff_id)?;
    if blob.size >= WORTHWHILE {
        indexes.keep(&blob.digest, &index.to_bytes());
    }
    Ok(index)
}

fn merge_index(merge: &mut Merge<Provenance>, index: &LayerIndex) -> Result<()> {
    let mut changes = index.changes().iter();
    changes.try_for_each(|(change, place)| {
        merge.put_without_content(change, place.and_then(|place| place.sha256))
    })
}

#[cfg(test)]
mod tests;
