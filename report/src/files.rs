//! The JSON of lists of files, of what was found in layers, and of the history of a path.

use ocicle::{
    digest::Digest,
    image::{
        find::{FoundEntry, Secret},
        look::{FileInfo, FileRow, LayerChange, PathHistory, path_text},
    },
    layer::EntryKind,
    tree::{mtree::vis, provenance::ChangeKind},
};
use serde::Serialize;

use crate::{Report, Versioned, words};

#[derive(Serialize)]
struct Files<'a> {
    files: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    path: String,
    layer: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<ChangeKind>,
    #[serde(flatten)]
    file: Option<Info<'a>>,
}

#[derive(Serialize)]
struct Info<'a> {
    #[serde(rename = "type")]
    file_type: &'a str,
    mode: String,
    uid: u32,
    gid: u32,
    size: u64,
    mtime: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    nlink: u32,
}

impl<'a> From<&'a FileRow> for Row<'a> {
    fn from(row: &'a FileRow) -> Self {
        Self {
            path: path_text(&row.path),
            layer: row.layer,
            change: row.change,
            file: row.file.as_ref().map(Info::from),
        }
    }
}

impl From<&FileInfo> for Info<'_> {
    fn from(info: &FileInfo) -> Self {
        Self {
            file_type: words::file_type(info.file_type),
            mode: words::mode(info.mode),
            uid: info.uid,
            gid: info.gid,
            size: info.size,
            mtime: info.mtime.to_string(),
            target: info.target.as_deref().map(vis::to_text),
            nlink: info.nlink,
        }
    }
}

impl Report for [FileRow] {
    fn shape(&self) -> impl Serialize {
        Versioned::first(Files { files: self.iter().map(Row::from).collect() })
    }
}

#[derive(Serialize)]
struct Finds<'a> {
    found: Vec<Find<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Find<'a> {
    path: String,
    layer: usize,
    digest: &'a Digest,
    #[serde(rename = "type")]
    entry_type: &'a str,
    mode: String,
    uid: u32,
    gid: u32,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<Secret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden_by: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden_how: Option<ChangeKind>,
}

impl<'a> From<&'a FoundEntry> for Find<'a> {
    fn from(FoundEntry { layer, digest, entry, secret, hidden, .. }: &'a FoundEntry) -> Self {
        Self {
            path: path_text(&entry.path),
            layer: *layer,
            digest,
            entry_type: words::entry_type(&entry.kind),
            mode: words::mode(entry.attrs.mode),
            uid: entry.attrs.uid,
            gid: entry.attrs.gid,
            size: match entry.kind {
                EntryKind::File { size } => size,
                _ => 0,
            },
            secret: *secret,
            hidden_by: hidden.map(|hidden| hidden.layer),
            hidden_how: hidden.map(|hidden| hidden.kind),
        }
    }
}

impl Report for [FoundEntry] {
    fn shape(&self) -> impl Serialize {
        Versioned::first(Finds { found: self.iter().map(Find::from).collect() })
    }
}

#[derive(Serialize)]
struct History<'a> {
    path: String,
    exists: bool,
    deeds: Vec<Change<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change<'a> {
    layer: usize,
    digest: &'a Digest,
    what: ChangeKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    with: Option<String>,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<&'a str>,
}

impl<'a> From<&'a LayerChange> for Change<'a> {
    fn from(change: &'a LayerChange) -> Self {
        Self {
            layer: change.layer,
            digest: &change.digest,
            what: change.kind,
            with: change.removed_with.as_ref().map(path_text),
            size: change.size,
            created_by: change.created_by.as_deref(),
        }
    }
}

impl Report for PathHistory {
    fn shape(&self) -> impl Serialize {
        Versioned::first(History {
            path: path_text(&self.path),
            exists: self.exists,
            deeds: self.changes.iter().map(Change::from).collect(),
        })
    }
}
