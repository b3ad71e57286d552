//! The files of one layer, whatever later layers do to them.

use std::{collections::HashMap, io::Write, sync::Arc};

use super::{
    FileInfo, FileRow, Indexes, Look,
    content::{is_file, read_in_order},
    files::{is_below, path_text},
    load_or_build,
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    image::Image,
    layer::{Change, Entry, EntryKind, index::LayerIndex},
    name::EntryPath,
    spec::Descriptor,
    store::{BlobRead, Repository},
    tree::{
        mtree::vis,
        provenance::{ChangeKind, PathChange},
    },
};

/// The files that one layer of an image has.
#[derive(Debug)]
pub struct LayerFiles {
    /// Counted from 1, for messages.
    number: usize,
    blob: Descriptor,
    diff_id: Digest,
    index: Arc<LayerIndex>,
}

impl LayerFiles {
    /// Reads and verifies a layer, counted from 0, or loads its index.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the image does not have so many layers; those of [`LayerIndex::build`].
    pub fn open<S: BlobRead>(
        repository: &Repository<S>,
        image: &Image,
        layer: usize,
        indexes: &mut dyn Indexes,
    ) -> Result<Self> {
        let (blob, diff_id) = nth(image, layer)?;
        let index = Arc::new(load_or_build(repository, blob, diff_id, indexes)?);
        Ok(Self { number: layer + 1, blob: blob.clone(), diff_id: diff_id.clone(), index })
    }

    /// Returns the files of a layer, counted from 0, if its index was used for the merged tree.
    #[must_use]
    pub fn of_look(look: &Look, image: &Image, layer: usize) -> Option<Self> {
        let (blob, diff_id) = image.layers().nth(layer)?;
        let index = Arc::clone(look.indexes.get(layer)?.as_ref()?);
        Some(Self { number: layer + 1, blob: blob.clone(), diff_id: diff_id.clone(), index })
    }

    /// Lists the changes of the layer at and below a path, with the files as the layer has them, whatever
    /// upper layers change.
    #[must_use]
    pub fn list(&self, look: &Look, below: &EntryPath) -> Vec<FileRow> {
        let layer = self.number - 1;
        let put = self.index.changes().iter().filter_map(|(change, _)| match change {
            Change::Put(entry) => Some((&entry.path, entry)),
            _ => None,
        });
        let entries: HashMap<&EntryPath, &Entry> = put.collect();
        let mut names: HashMap<&EntryPath, u32> = HashMap::new();
        for entry in entries.values() {
            if let EntryKind::HardLink { to } = &entry.kind {
                *names.entry(to).or_default() += 1;
            }
        }
        let file = |change: &PathChange| {
            let mut entry = entries.get(&change.path);
            if let Some(Entry { kind: EntryKind::HardLink { to }, .. }) = entry {
                entry = entries.get(to);
            }
            let info = entry.and_then(|entry| {
                let links = names.get(&entry.path).copied().unwrap_or_default();
                FileInfo::of_entry(entry, links.saturating_add(1))
            });
            if info.is_some() {
                return info;
            }
            // Its directory is a link of a lower layer, or it is a link to a file of one.
            let is_put = change.kind != ChangeKind::Removed;
            look.tree.get(&change.path).filter(|_| is_put).map(|id| FileInfo::of(&look.tree, id))
        };
        let of_layer = |change: &&PathChange| change.layer == layer && is_below(&change.path, below);
        let rows = look.provenance.changes().iter().filter(of_layer).map(|change| FileRow {
            path: change.path.clone(),
            layer: self.number,
            change: Some(change.kind),
            file: file(change),
        });
        rows.collect()
    }

    /// Returns whether the layer has an entry of that path. It may have the file by another path: through a
    /// link of a layer below.
    #[must_use]
    pub fn has(&self, path: &EntryPath) -> bool {
        let is_it = |change: &Change| matches!(change, Change::Put(entry) if entry.path == *path);
        self.index.changes().iter().any(|(change, _)| is_it(change))
    }

    /// Writes the content that a file has in the layer. The last entry of that path counts; links are not
    /// followed, but a hard link inside the layer is the file that it links to.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the layer has no entry of that path, or a hard link to a file of a lower layer;
    /// [`Error::Unsupported`] for anything but a file; those of [`LayerIndex::read_file`].
    pub fn read<S: BlobRead>(
        &self,
        repository: &Repository<S>,
        path: &EntryPath,
        out: &mut dyn Write,
    ) -> Result<()> {
        let of_layer = |what: &str| format!("{} {what} layer {}", path_text(path), self.number);
        let mut changes = self.index.changes();
        let mut wanted = path;
        loop {
            let found = changes
                .iter()
                .rposition(|(change, _)| matches!(change, Change::Put(entry) if entry.path == *wanted));
            let Some((at, (Change::Put(entry), place))) = found.and_then(|at| Some((at, changes.get(at)?)))
            else {
                let what = if wanted == path { "is not in" } else { "is a link to a file of a layer below" };
                return Err(Error::NotFound(of_layer(what)));
            };
            match (&entry.kind, place) {
                (EntryKind::File { .. }, Some(place)) => {
                    return self.index.read_file(repository, &self.blob, *place, out);
                }
                // A table of contents has no places.
                (EntryKind::File { .. }, None) => {
                    let before = changes[..at].iter().filter(|(change, _)| is_file(change)).count();
                    return read_in_order(repository, (&self.blob, &self.diff_id), before as u64, out);
                }
                // The file stands before its link.
                (EntryKind::HardLink { to }, _) => (changes, wanted) = (&changes[..at], to),
                (EntryKind::Symlink { target }, _) => {
                    let message = of_layer("is a symbolic link in") + ", to " + &vis::to_text(target);
                    return Err(Error::Unsupported(message));
                }
                _ => return Err(Error::Unsupported(of_layer("is not a regular file in"))),
            }
        }
    }
}

/// Returns a layer, counted from 0.
fn nth(image: &Image, layer: usize) -> Result<(&Descriptor, &Digest)> {
    let count = image.layers().len();
    let missing = || Error::NotFound(format!("layer {} not found (the image has {count})", layer + 1));
    image.layers().nth(layer).ok_or_else(missing)
}
