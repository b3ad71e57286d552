//! The JSON of how two images differ.

use std::collections::BTreeMap;

use ocicle::image::{
    compare::{FieldDiff, FileDiff, ImageDiff},
    compare_indexes::IndexDiff,
    look::path_text,
};
use serde::Serialize;

use crate::{Report, Versioned};

#[derive(Serialize)]
struct Diff<'a> {
    files: Vec<File>,
    config: &'a [FieldDiff],
    manifest: &'a [FieldDiff],
    directories: BTreeMap<String, i64>,
    ignored: BTreeMap<&'a str, u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File {
    path: String,
    change: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aspects: Vec<&'static str>,
    size_before: u64,
    size_after: u64,
}

impl From<&FileDiff> for File {
    fn from(file: &FileDiff) -> Self {
        Self {
            path: path_text(&file.path),
            change: file.kind.name(),
            aspects: file.properties.iter().map(|property| property.name()).collect(),
            size_before: file.size_before,
            size_after: file.size_after,
        }
    }
}

impl Report for ImageDiff {
    fn shape(&self) -> impl Serialize {
        // Collecting would compile a sort for each type of map, which modules for wasm have to load.
        let (mut directories, mut ignored) = (BTreeMap::new(), BTreeMap::new());
        directories.extend(self.directories.iter().map(|(path, bytes)| (path_text(path), *bytes)));
        ignored.extend(self.ignored.iter().map(|(what, count)| (what.name(), *count)));
        Versioned::first(Diff {
            files: self.files.iter().map(File::from).collect(),
            config: &self.config,
            manifest: &self.manifest,
            directories,
            ignored,
        })
    }
}

impl Report for IndexDiff {
    fn shape(&self) -> impl Serialize {
        Versioned::first(self)
    }
}
