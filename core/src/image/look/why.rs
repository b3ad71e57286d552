//! `ocicle why`: what the layers did to a path, one after the other.

use serde::Serialize;

use super::{Look, files::shown};
use crate::{
    digest::Digest,
    error::{Error, Result},
    image::Image,
    name::EntryPath,
};

/// What `ocicle why` shows. Sizes are bytes.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Why {
    /// The path, from the root, with a slash before it.
    pub path: String,
    /// Whether it is there in the end.
    pub exists: bool,
    /// What was done to it, the lowest layer first.
    pub deeds: Vec<Deed>,
}

/// What one layer did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Deed {
    /// The layer, from 1.
    pub layer: usize,
    /// Its blob.
    pub digest: Digest,
    /// What it did: `added`, `replaced`, `attributes`, `linked`, `removed`.
    pub what: &'static str,
    /// The directory that it went with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
    /// Bytes the layer stores for it.
    pub size: u64,
    /// The command that made the layer, as the history has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
}

impl Why {
    /// The history of a path.
    ///
    /// # Errors
    /// [`Error::NotFound`] if no layer ever had it.
    pub fn new(look: &Look, image: &Image, path: &EntryPath) -> Result<Self> {
        let layers: Vec<&Digest> = image.layers().map(|(layer, _)| &layer.digest).collect();
        let commands: Vec<Option<&str>> = image
            .history()
            .filter(|(_, layer)| layer.is_some())
            .map(|(entry, _)| entry.created_by.as_deref())
            .collect();
        let deeds: Vec<Deed> = look
            .provenance
            .changes()
            .iter()
            .filter(|change| change.path == *path)
            .filter_map(|change| {
                Some(Deed {
                    layer: change.layer + 1,
                    digest: (*layers.get(change.layer)?).clone(),
                    what: change.kind.name(),
                    with: change.removed_with.as_ref().map(shown),
                    size: change.size,
                    created_by: commands.get(change.layer).copied().flatten().map(str::to_owned),
                })
            })
            .collect();
        if deeds.is_empty() {
            return Err(Error::NotFound(format!("no layer of the image has {}", shown(path))));
        }
        Ok(Self { path: shown(path), exists: look.tree.get(path).is_some(), deeds })
    }
}
