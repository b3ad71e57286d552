//! Comparison of two images, or of an image and a directory.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::Image;
use crate::{
    error::Result,
    fs::Dir,
    layer::on_disk::{FromDisk, OnDisk},
    limits::Limits,
    name::EntryPath,
    spec::Descriptor,
    tree::{
        Content, InodeId, Tree,
        compare::{PathDiff, Property, between},
        diff::{Baseline, DiffOptions, diff},
        update::Update,
    },
};

/// The differences between two images, or an image and a directory.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ImageDiff {
    /// Paths that differ, in the order of the trees.
    pub files: Vec<FileDiff>,
    /// Fields of the configs that differ.
    pub config: Vec<FieldDiff>,
    /// Fields of the manifests that differ: annotations, media types, artifact type and subject.
    pub manifest: Vec<FieldDiff>,
    /// The growth in bytes of the files in and below each directory; negative if they shrank. Directories
    /// without a change in size are absent.
    pub directories: BTreeMap<EntryPath, i64>,
    /// The properties that were ignored, and how often each differed.
    pub ignored: BTreeMap<Ignored, u64>,
}

/// A path that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileDiff {
    /// The path.
    pub path: EntryPath,
    /// The kind of difference.
    pub kind: DiffKind,
    /// The properties that differ; empty unless `kind` is [`DiffKind::Changed`].
    pub properties: Vec<Property>,
    /// The size before, in bytes.
    pub size_before: u64,
    /// The size after, in bytes.
    pub size_after: u64,
}

/// The kinds of difference between two states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(clippy::exhaustive_enums, reason = "all there are")]
pub enum DiffKind {
    /// Only the second has it.
    Added,
    /// Only the first has it.
    Removed,
    /// Both have it, and it differs.
    Changed,
}

impl DiffKind {
    /// Returns the name used in JSON, such as `added`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// A field of the configs that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FieldDiff {
    /// Its name, such as `config.Env[1]`.
    pub field: String,
    /// Its value before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// Its value after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// A property that a comparison ignores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Ignored {
    /// The date of the image.
    Created,
    /// The diff_ids of layers: differences in files are reported as such.
    DiffIds,
    /// The history.
    History,
    /// The media types of manifest, config and layers.
    MediaTypes,
    /// The modification time of a file.
    Time,
}

impl Ignored {
    /// Returns the name used in JSON, such as `diffIds`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::DiffIds => "diffIds",
            Self::History => "history",
            Self::MediaTypes => "mediaTypes",
            Self::Time => "time",
        }
    }
}

/// The differences that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::exhaustive_enums, reason = "one or the other")]
pub enum DiffMode {
    /// All, but for the diff_ids of layers.
    #[default]
    Exact,
    /// Those that remain if the same image is built again: not times, dates and the history.
    Semantic,
}

impl ImageDiff {
    /// Compares two trees, and the configs of the images that they are from, if both are.
    #[must_use]
    pub fn new(before: &Tree, after: &Tree, configs: Option<(&Image, &Image)>, mode: DiffMode) -> Self {
        let mut found = Self {
            files: Vec::new(),
            config: Vec::new(),
            manifest: Vec::new(),
            directories: BTreeMap::new(),
            ignored: BTreeMap::new(),
        };
        between(before, after, &mut |diff| found.file(before, after, &diff, mode));
        if let Some((a, b)) = configs {
            let parse = |image: &Image| serde_json::from_slice(image.config.bytes()).unwrap_or(Value::Null);
            let mut fields = Vec::new();
            fields_between(String::new(), Some(&parse(a)), Some(&parse(b)), &mut fields);
            for field in fields {
                found.field(field, mode);
            }
            let mut fields = Vec::new();
            let layers = a.layers().len().min(b.layers().len());
            let [a, b] = [a, b].map(|image| manifest_fields(image, layers));
            fields_between(String::new(), Some(&a), Some(&b), &mut fields);
            for field in fields {
                found.manifest_field(field, mode);
            }
        }
        found
    }

    /// Returns whether nothing differs.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.files.is_empty() && self.config.is_empty() && self.manifest.is_empty()
    }

    fn file(&mut self, before: &Tree, after: &Tree, diff: &PathDiff, mode: DiffMode) {
        let mut properties = diff.properties.clone();
        if mode == DiffMode::Semantic && properties.contains(&Property::Time) {
            properties.retain(|property| *property != Property::Time);
            self.ignore(Ignored::Time);
        }
        let kind = match (diff.before, diff.after) {
            (None, _) => DiffKind::Added,
            (_, None) => DiffKind::Removed,
            _ if properties.is_empty() => return,
            _ => DiffKind::Changed,
        };
        let size = |tree: &Tree, id: Option<InodeId>| match id.map(|id| &tree.inode(id).content) {
            Some(Content::File { size, .. }) => *size,
            _ => 0,
        };
        let (size_before, size_after) = (size(before, diff.before), size(after, diff.after));
        self.grow(&diff.path, i128::from(size_after) - i128::from(size_before));
        self.files.push(FileDiff { path: diff.path.clone(), kind, properties, size_before, size_after });
    }

    fn grow(&mut self, path: &EntryPath, bytes: i128) {
        let bytes = i64::try_from(bytes).unwrap_or(if bytes < 0 { i64::MIN } else { i64::MAX });
        let mut here = path.clone();
        while bytes != 0
            && let Some((above, _)) = here.split_last()
        {
            let sum = self.directories.entry(above.clone()).or_default();
            *sum = sum.saturating_add(bytes);
            here = above;
        }
    }

    fn field(&mut self, field: FieldDiff, mode: DiffMode) {
        let noise = match field.field.as_str() {
            "created" => Some(Ignored::Created),
            name if name.starts_with("history") => Some(Ignored::History),
            _ => None,
        };
        // Differences in layers are reported as differences in files.
        if field.field.starts_with("rootfs.diff_ids") {
            self.ignore(Ignored::DiffIds);
        } else if let (DiffMode::Semantic, Some(noise)) = (mode, noise) {
            self.ignore(noise);
        } else {
            self.config.push(field);
        }
    }

    fn manifest_field(&mut self, field: FieldDiff, mode: DiffMode) {
        let noise = match field.field.as_str() {
            CREATED => Some(Ignored::Created),
            // The compression of a layer, or the same image in Docker's types.
            name if name.ends_with("mediaType") => Some(Ignored::MediaTypes),
            _ => None,
        };
        match (mode, noise) {
            (DiffMode::Semantic, Some(noise)) => self.ignore(noise),
            _ => self.manifest.push(field),
        }
    }

    fn ignore(&mut self, what: Ignored) {
        *self.ignored.entry(what).or_default() += 1;
    }
}

/// The annotation with the date of an image.
const CREATED: &str = "annotations.org.opencontainers.image.created";

/// Returns what is compared of a manifest. Layers that only one image has are files that differ.
fn manifest_fields(image: &Image, layers: usize) -> Value {
    let manifest = image.manifest.view();
    let layer = |layer: &Descriptor| json!({ "mediaType": layer.media_type });
    json!({
        "mediaType": image.descriptor.media_type,
        "artifactType": manifest.artifact_type,
        "annotations": manifest.annotations,
        "subject": manifest.subject.as_ref().map(|subject| &subject.digest),
        "config": { "mediaType": manifest.config.media_type },
        "layers": manifest.layers.iter().take(layers).map(layer).collect::<Vec<_>>(),
    })
}

/// Reads the tree of a directory, as it would be in an image. Files are read where they may differ from
/// `image`; `disk` is the same tree as `how` maps it to a disk.
///
/// # Errors
/// Those of [`diff`] and [`OnDisk::from_disk`].
pub fn tree_of_directory<D: Dir>(
    image: &Tree,
    disk: &Tree,
    root: &D,
    how: &OnDisk,
    limits: &Limits,
) -> Result<Tree> {
    let mut tree = image.clone();
    let mut update = Update { tree: &mut tree, sink: &mut () };
    let options = DiffOptions { limits: *limits, ..DiffOptions::default() };
    diff(Baseline::unstamped(disk), root, &options, &mut FromDisk { sink: &mut update, how })?;
    Ok(tree)
}

pub(super) fn fields_between(
    name: String,
    before: Option<&Value>,
    after: Option<&Value>,
    found: &mut Vec<FieldDiff>,
) {
    match (before, after) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let mut keys = BTreeSet::new();
            keys.extend(a.keys().chain(b.keys()));
            for key in keys {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                fields_between(name, a.get(key), b.get(key), found);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for at in 0..a.len().max(b.len()) {
                fields_between(format!("{name}[{at}]"), a.get(at), b.get(at), found);
            }
        }
        (before, after) if before != after => {
            found.push(FieldDiff { field: name, before: before.cloned(), after: after.cloned() });
        }
        _ => {}
    }
}
