//! What a store holds, as a tree.

use std::fmt;

use serde::Serialize;

use super::{
    resolve::resolution,
    selector::{Selector, kind_of},
    walk::Places,
};
use crate::{
    digest::Digest,
    error::Result,
    limits::Limits,
    spec::{Annotations, Index, MediaType, Platform, Raw},
    store::BlobRead,
    text::{self, human_size, printable},
};

/// Everything below `index.json`. Schema version 1.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Listing {
    schema_version: u32,
    /// The entries of `index.json`.
    pub entries: Vec<Entry>,
}

/// One slot of an index.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Entry {
    /// The ref name; of entries of `index.json` only.
    pub tag: Option<String>,
    /// `index`, `manifest`, `config`, or else the media type.
    pub kind: String,
    /// Media type.
    pub media_type: MediaType,
    /// Digest.
    pub digest: Digest,
    /// Bytes of the document itself.
    pub size: u64,
    /// Bytes of config and layers, as stored; of manifests only.
    pub image_size: Option<u64>,
    /// What it runs on, as the index or the config says.
    pub platform: Option<Platform>,
    /// Type of an artifact.
    pub artifact_type: Option<MediaType>,
    /// Annotations of the descriptor.
    pub annotations: Annotations,
    /// Exactly this place.
    pub selector: Selector,
    /// Why an index cannot be read, if it cannot: it is missing, or damaged.
    pub problem: Option<String>,
    /// What is in an index.
    pub entries: Vec<Entry>,
}

/// Lists a whole store.
///
/// # Errors
/// [`Error::Limit`](crate::Error::Limit). An index that cannot be read is listed, with the reason.
pub fn list<S: BlobRead + ?Sized>(store: &S, root: &Raw<Index>, limits: &Limits) -> Result<Listing> {
    let places = Places::walk(store, root, limits)?;
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); places.ids().len()];
    let mut roots = Vec::new();
    for place in places.ids() {
        match places.get(place).parent {
            Some(parent) => children[parent].push(place),
            None => roots.push(place),
        }
    }
    Ok(Listing {
        schema_version: 1,
        entries: roots.iter().map(|&place| entry(&places, &children, place)).collect(),
    })
}

fn entry<S: BlobRead + ?Sized>(places: &Places<'_, S>, children: &[Vec<usize>], place: usize) -> Entry {
    let at = places.get(place);
    let descriptor = &at.descriptor;
    Entry {
        tag: descriptor.ref_name().filter(|_| at.parent.is_none()).map(str::to_owned),
        kind: kind_of(&descriptor.media_type).into(),
        media_type: descriptor.media_type.clone(),
        digest: descriptor.digest.clone(),
        size: descriptor.size,
        image_size: places.image_size(place),
        platform: places.platform(place).cloned(),
        artifact_type: descriptor.artifact_type.clone(),
        annotations: descriptor.annotations.clone(),
        selector: resolution(places, place, 1).selector(),
        problem: at.problem.as_ref().map(ToString::to_string),
        entries: children[place].iter().map(|&child| entry(places, children, child)).collect(),
    }
}

impl text::Report for Listing {
    /// Selector, tag, kind, platform, digest, bytes of the document, bytes of the image.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.entries.iter().try_for_each(|entry| entry.plain(out))
    }
}

impl Entry {
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let Self { tag, kind, platform, digest, size, image_size, selector, entries, .. } = self;
        let tag = tag.as_deref().map_or_else(|| "-".into(), printable);
        let platform =
            platform.as_ref().map_or_else(|| "-".into(), |platform| printable(&platform.to_string()));
        let image_size = image_size.map_or_else(|| "-".into(), |size| size.to_string());
        let kind = printable(kind);
        writeln!(out, "{selector}\t{tag}\t{kind}\t{platform}\t{digest}\t{size}\t{image_size}")?;
        entries.iter().try_for_each(|entry| entry.plain(out))
    }
}

impl fmt::Display for Listing {
    /// A line for each place, indented by depth: tag, kind, platform, digest, size.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![["TAG", "KIND", "PLATFORM", "DIGEST", "SIZE"].map(String::from)];
        rows_of(&self.entries, 0, &mut rows);
        let mut widths = [0; 5];
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for row in &rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(widths) {
                let padding = width - cell.chars().count() + 2;
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', padding));
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

fn rows_of(entries: &[Entry], depth: usize, rows: &mut Vec<[String; 5]>) {
    for entry in entries {
        let tag = entry.tag.as_deref().map_or_else(|| "-".into(), printable);
        let platform =
            entry.platform.as_ref().map_or_else(|| "-".into(), |platform| printable(&platform.to_string()));
        let size = match entry.image_size {
            _ if entry.problem.is_some() => "unreadable".into(),
            Some(size) => human_size(size),
            None => "-".into(),
        };
        let kind = if entry.kind.contains('/') { printable(&entry.kind) } else { entry.kind.clone() };
        rows.push([format!("{}{tag}", "  ".repeat(depth)), kind, platform, entry.digest.to_string(), size]);
        rows_of(&entry.entries, depth + 1, rows);
    }
}
