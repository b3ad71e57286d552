//! `ocicle waste`: which bytes an image carries that nobody sees.
//!
//! Bytes are those of the contents of files, as they are in the layers before compression:
//!
//! - *stored*: of every file entry of every layer
//! - *visible*: of those that are there in the end; each file once, however many names it has
//! - *hidden* = stored − visible: *overwritten* by another content, by the same content again (*metadata only*: a copy for
//!   the sake of a mode or an owner), *removed* one by one, or *removed with directory*, also by an opaque marker
//! - *duplicate*: of visible files whose content another visible file has, too. The one in the lowest layer does not count.
//!
//! Efficiency is visible ÷ stored, and 1 if nothing is stored.

pub mod dive;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fmt,
};

use serde::Serialize;

use super::{
    Image,
    look::{Look, shown},
};
use crate::{
    digest::Digest,
    text::{self, human_size, printable},
    tree::provenance::{ChangeKind, Stored},
};

/// What `ocicle waste` shows. Schema version 1; sizes are bytes before compression, unless they say otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Waste {
    schema_version: u32,
    /// Visible ÷ stored.
    pub efficiency: f64,
    /// The sum of all layers.
    #[serde(flatten)]
    pub total: Sums,
    /// Each layer, the base first.
    pub layers: Vec<LayerWaste>,
    /// Paths with hidden bytes, those with most first.
    pub paths: Vec<PathWaste>,
}

/// What became of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Sums {
    /// Contents of files.
    pub stored: u64,
    /// There in the end.
    pub visible: u64,
    /// Not there in the end.
    pub hidden: u64,
    /// Of the hidden: something else took its place.
    pub overwritten: u64,
    /// Of the hidden: the same content took its place.
    pub metadata_only: u64,
    /// Of the hidden: its last name was removed.
    pub removed: u64,
    /// Of the hidden: a directory above it was removed or cleared.
    pub removed_with_directory: u64,
    /// Of the visible: there already, under another name.
    pub duplicate: u64,
    /// About how much smaller the image would be without the hidden bytes, if they compress like the rest of their layers.
    pub hidden_compressed: u64,
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LayerWaste {
    /// From 1.
    pub layer: usize,
    /// Its blob.
    pub digest: Digest,
    /// Bytes of the blob.
    pub size: u64,
    /// Number of files.
    pub files: u64,
    /// What became of its bytes.
    #[serde(flatten)]
    pub sums: Sums,
    /// The command that made it, as the history has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
}

/// One path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PathWaste {
    /// From the root, with a slash before it.
    pub path: String,
    /// Its hidden bytes.
    pub hidden: u64,
    /// How often it is hidden.
    pub times: u64,
    /// The layers, from 1, that store what is hidden.
    pub layers: BTreeSet<usize>,
}

impl Waste {
    /// Adds up what is known about the files of an image.
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
                    path: shown(&stored.path),
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
        paths.sort_by_key(|row| std::cmp::Reverse(row.hidden)); // stable: equal ones stay in the order of paths
        Self { schema_version: 1, efficiency: ratio(total.visible, total.stored), total, layers, paths }
    }
}

/// One, if there is nothing.
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

impl text::Report for Waste {
    /// A line for each layer: `layer`, number, digest, bytes of the blob, files, bytes stored, visible, hidden, overwritten, metadata only,
    /// removed, removed with directory, duplicate; then for each path: `path`, path, hidden bytes, times, layers with commas.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for LayerWaste { layer, digest, size, files, sums, .. } in &self.layers {
            let Sums { stored, visible, hidden, overwritten, metadata_only, removed, .. } = sums;
            let Sums { removed_with_directory, duplicate, .. } = sums;
            writeln!(
                out,
                "layer\t{layer}\t{digest}\t{size}\t{files}\t{stored}\t{visible}\t{hidden}\t{overwritten}\t{metadata_only}\t\
                 {removed}\t{removed_with_directory}\t{duplicate}"
            )?;
        }
        for PathWaste { path, hidden, times, layers } in &self.paths {
            writeln!(out, "path\t{path}\t{hidden}\t{times}\t{}", numbers(layers))?;
        }
        Ok(())
    }
}

fn numbers(layers: &BTreeSet<usize>) -> String {
    layers.iter().map(usize::to_string).collect::<Vec<_>>().join(",")
}

/// Paths named in the text.
const WORST: usize = 20;

impl fmt::Display for Waste {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |f: &mut fmt::Formatter<'_>, first: &str, cells: [&str; 5], last: &str| {
            let [size, files, stored, hidden, duplicate] = cells;
            writeln!(f, "{first:<5}  {size:>8}  {files:>7}  {stored:>8}  {hidden:>8}  {duplicate:>9}  {last}")
        };
        row(f, "LAYER", ["SIZE", "FILES", "STORED", "HIDDEN", "DUPLICATE"], "MADE BY")?;
        for LayerWaste { layer, size, files, sums, created_by, .. } in &self.layers {
            let [size, stored, hidden, duplicate] =
                [*size, sums.stored, sums.hidden, sums.duplicate].map(human_size);
            let made_by = created_by.as_deref().map(printable).unwrap_or_default();
            row(f, &layer.to_string(), [&size, &files.to_string(), &stored, &hidden, &duplicate], &made_by)?;
        }
        let Sums { stored, visible, hidden, hidden_compressed, .. } = self.total;
        writeln!(f, "\nStored       {}", human_size(stored))?;
        writeln!(f, "Visible      {} ({:.2} %)", human_size(visible), self.efficiency * 100.0)?;
        writeln!(
            f,
            "Hidden       {} (compressed about {})",
            human_size(hidden),
            human_size(hidden_compressed)
        )?;
        let Sums { overwritten, metadata_only, removed, removed_with_directory, duplicate, .. } = self.total;
        for (what, bytes) in [
            ("overwritten", overwritten),
            ("same content", metadata_only),
            ("removed", removed),
            ("with a directory", removed_with_directory),
        ] {
            if bytes > 0 {
                writeln!(f, "  {what:<16}  {}", human_size(bytes))?;
            }
        }
        writeln!(f, "Duplicate    {}", human_size(duplicate))?;
        if !self.paths.is_empty() {
            writeln!(f, "\n{:>8}  {:<6}  PATH", "HIDDEN", "LAYERS")?;
        }
        for PathWaste { path, hidden, layers, .. } in self.paths.iter().take(WORST) {
            writeln!(f, "{:>8}  {:<6}  {path}", human_size(*hidden), numbers(layers))?;
        }
        match self.paths.len().saturating_sub(WORST) {
            0 => Ok(()),
            more => writeln!(f, "and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests;
