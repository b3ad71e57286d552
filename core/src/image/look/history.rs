//! The history of a path through the layers.

use super::{Look, path_text};
use crate::{
    digest::Digest,
    error::{Error, Result},
    image::Image,
    name::EntryPath,
    tree::provenance::ChangeKind,
};

/// The changes of each layer to a path.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PathHistory {
    /// The path.
    pub path: EntryPath,
    /// Whether it exists in the end.
    pub exists: bool,
    /// The changes, the lowest layer first.
    pub changes: Vec<LayerChange>,
}

/// The change of one layer to a path.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayerChange {
    /// The number of the layer, from 1.
    pub layer: usize,
    /// The digest of the layer's blob.
    pub digest: Digest,
    /// The kind of change.
    pub kind: ChangeKind,
    /// The directory that was removed or cleared, and the path with it.
    pub removed_with: Option<EntryPath>,
    /// The bytes that the layer stores for the path.
    pub size: u64,
    /// The command that made the layer, from the image's history.
    pub created_by: Option<String>,
}

impl PathHistory {
    /// Collects the changes to a path.
    ///
    /// # Errors
    /// [`Error::NotFound`] if no layer has it.
    pub fn new(look: &Look, image: &Image, path: &EntryPath) -> Result<Self> {
        let layers: Vec<&Digest> = image.layers().map(|(layer, _)| &layer.digest).collect();
        let commands: Vec<Option<&str>> = image
            .history()
            .filter(|(_, layer)| layer.is_some())
            .map(|(entry, _)| entry.created_by.as_deref())
            .collect();
        let of_path = look.provenance.changes().iter().filter(|change| change.path == *path);
        let changes: Vec<LayerChange> = of_path
            .filter_map(|change| {
                Some(LayerChange {
                    layer: change.layer + 1,
                    digest: (*layers.get(change.layer)?).clone(),
                    kind: change.kind,
                    removed_with: change.removed_with.clone(),
                    size: change.size,
                    created_by: commands.get(change.layer).copied().flatten().map(str::to_owned),
                })
            })
            .collect();
        if changes.is_empty() {
            return Err(Error::NotFound(format!("no layer of the image has {}", path_text(path))));
        }
        Ok(Self { path: path.clone(), exists: look.tree.get(path).is_some(), changes })
    }
}
