//! The bytes of an image that are not visible in the end.
//!
//! Bytes are those of the contents of files, as they are in the layers before compression:
//!
//! - *stored*: of every file entry of every layer
//! - *visible*: of those in the final image; each file once, however many names it has
//! - *hidden* = stored − visible: *overwritten* by another content, by the same content again (*metadata
//!   only*: a copy for the sake of a mode or an owner), *removed* one by one, or *removed with directory*,
//!   also by an opaque marker
//! - *duplicate*: of visible files whose content another visible file has, too. The one in the lowest layer
//!   does not count.
//!
//! Efficiency is visible ÷ stored, and 1 if nothing is stored.

pub mod dive;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::Serialize;

use super::{Image, look::Look};
use crate::{
    digest::Digest,
    name::EntryPath,
    tree::provenance::{ChangeKind, Stored},
};

/// The bytes of an image that are not visible in the end. Sizes are bytes before compression, unless stated
/// otherwise.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Waste {
    /// Visible ÷ stored.
    pub efficiency: f64,
    /// The sum of all layers.
    pub total: Sums,
    /// Each layer, the base first.
    pub layers: Vec<LayerWaste>,
    /// Paths with hidden bytes, those with most first.
    pub paths: Vec<PathWaste>,
}

/// Bytes by what happened to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Sums {
    /// All contents of files.
    pub stored: u64,
    /// Visible in the end.
    pub visible: u64,
    /// Hidden in the end.
    pub hidden: u64,
    /// Hidden by other content.
    pub overwritten: u64,
    /// Hidden by the same content with other attributes.
    pub metadata_only: u64,
    /// Hidden because the last name was removed.
    pub removed: u64,
    /// Hidden because a directory above was removed or cleared.
    pub removed_with_directory: u64,
    /// Visible, but stored already under another name.
    pub duplicate: u64,
    /// An estimate of the bytes that the image would shrink by without the hidden bytes, if they compress
    /// like the rest of their layers.
    pub hidden_compressed: u64,
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LayerWaste {
    /// Its number, from 1.
    pub layer: usize,
    /// The digest of its blob.
    pub digest: Digest,
    /// The size of the blob, in bytes.
    pub size: u64,
    /// The number of files.
    pub files: u64,
    /// The bytes of the layer by what happened to them.
    #[serde(flatten)]
    pub sums: Sums,
    /// The command that made it, from the history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
}

/// A path with hidden bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PathWaste {
    /// The path.
    pub path: EntryPath,
    /// Its hidden bytes.
    pub hidden: u64,
    /// How often its content is hidden.
    pub times: u64,
    /// The layers, from 1, that store the hidden content.
    pub layers: BTreeSet<usize>,
}

impl Waste {
    /// Counts the bytes of the files of an image.
    #[must_use]
    pub fn new(look: &Look, image: &Image) -> Self {
        let mut commands = image.history().filter(|(_, layer)| layer.is_some()).map(|(entry, _)| entry);
        let layers = image.layers().enumerate().map(|(number, (blob, _))| LayerWaste {
            layer: number + 1,
            digest: blob.digest.clone(),
            size: blob.size,
            files: 0,
            sums: Sums::default(),
            created_by: commands.next().and_then(|entry| entry.created_by.clone()),
        });
        let mut layers: Vec<_> = layers.collect();
        let mut contents = HashSet::new();
        let mut paths: BTreeMap<_, PathWaste> = BTreeMap::new();
        for stored in look.provenance.stored() {
            let is_copy = stored.hidden.is_none() && stored.sha256.is_some_and(|sha| !contents.insert(sha));
            if let Some(layer) = layers.get_mut(stored.origin.layer) {
                layer.files += 1;
                layer.sums.count(stored, is_copy);
            }
            if stored.hidden.is_some() && stored.size > 0 {
                let row = paths.entry(&stored.path).or_insert_with(|| PathWaste {
                    path: stored.path.clone(),
                    hidden: 0,
                    times: 0,
                    layers: BTreeSet::new(),
                });
                row.hidden += stored.size;
                row.times += 1;
                row.layers.insert(stored.origin.layer + 1);
            }
        }
        let mut total = Sums::default();
        for layer in &mut layers {
            let Sums { stored, hidden, .. } = layer.sums;
            let share = u128::from(hidden) * u128::from(layer.size) / u128::from(stored.max(1));
            layer.sums.hidden_compressed = u64::try_from(share).unwrap_or(u64::MAX).min(layer.size);
            total.add(&layer.sums);
        }
        let mut paths: Vec<_> = paths.into_values().collect();
        // A stable sort: rows with equal bytes are kept in the order of paths.
        paths.sort_by_key(|row| std::cmp::Reverse(row.hidden));
        Self { efficiency: ratio(total.visible, total.stored), total, layers, paths }
    }
}

/// Returns a share of the whole; 1 if the whole is empty.
#[allow(clippy::cast_precision_loss, reason = "a share need not be exact")]
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

impl Sums {
    fn count(&mut self, stored: &Stored, is_copy: bool) {
        let size = stored.size;
        self.stored += size;
        let Some(hidden) = &stored.hidden else {
            self.visible += size;
            self.duplicate += if is_copy { size } else { 0 };
            return;
        };
        self.hidden += size;
        *match hidden.kind {
            ChangeKind::Attributes => &mut self.metadata_only,
            ChangeKind::Removed if hidden.removed_with.is_some() => &mut self.removed_with_directory,
            ChangeKind::Removed => &mut self.removed,
            ChangeKind::Replaced | ChangeKind::Added | ChangeKind::Linked => &mut self.overwritten,
        } += size;
    }

    fn add(&mut self, other: &Self) {
        let Self {
            stored,
            visible,
            hidden,
            overwritten,
            metadata_only,
            removed,
            removed_with_directory,
            duplicate,
            hidden_compressed,
        } = other;
        self.stored += stored;
        self.visible += visible;
        self.hidden += hidden;
        self.overwritten += overwritten;
        self.metadata_only += metadata_only;
        self.removed += removed;
        self.removed_with_directory += removed_with_directory;
        self.duplicate += duplicate;
        self.hidden_compressed += hidden_compressed;
    }
}

#[cfg(test)]
mod tests;
