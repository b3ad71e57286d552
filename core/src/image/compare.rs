//! `ocicle diff`: two images, or an image and a directory.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{Image, look::shown};
use crate::{
    error::Result,
    fs::Dir,
    layer::on_disk::{FromDisk, OnDisk},
    limits::Limits,
    name::EntryPath,
    tree::{
        Content, InodeId, Tree,
        compare::{PathDiff, Property, between},
        diff::{Baseline, DiffOptions, diff},
        update::Update,
    },
};

/// What differs. Sizes are bytes, paths as [`super::look::Files`] has them.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Compared {
    /// Files, in the order of the trees.
    pub files: Vec<FileDelta>,
    /// What the configs say, by the name of the field.
    pub config: Vec<FieldDelta>,
    /// Bytes more, by directory: of each that has some, or less, in files in it or below.
    pub directories: BTreeMap<String, i64>,
    /// What was not looked at, and how often it differed.
    pub ignored: BTreeMap<&'static str, u64>,
}

/// One path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FileDelta {
    /// From the root, with a slash before it.
    pub path: String,
    /// `added`, `removed` or `changed`.
    pub change: &'static str,
    /// In what it changed: `type`, `content`, `mode`, `owner`, `xattrs`, `time`, `links`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aspects: Vec<&'static str>,
    /// Bytes in the first.
    pub size_before: u64,
    /// Bytes in the second.
    pub size_after: u64,
}

/// One field of the configs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FieldDelta {
    /// Such as `config.Env[1]`.
    pub field: String,
    /// Its value in the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// Its value in the second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

impl Compared {
    /// Compares two trees, and the configs of the images they are from, if both are. `semantic` leaves out what builds of the same
    /// thing differ in: times, dates and the history.
    #[must_use]
    pub fn new(before: &Tree, after: &Tree, configs: Option<(&Image, &Image)>, semantic: bool) -> Self {
        let mut compared = Self {
            files: Vec::new(),
            config: Vec::new(),
            directories: BTreeMap::new(),
            ignored: BTreeMap::new(),
        };
        between(before, after, &mut |diff| compared.file(before, after, &diff, semantic));
        if let Some((a, b)) = configs {
            let parse = |image: &Image| serde_json::from_slice(image.config.bytes()).unwrap_or(Value::Null);
            let mut fields = Vec::new();
            fields_between(String::new(), Some(&parse(a)), Some(&parse(b)), &mut fields);
            for field in fields {
                compared.field(field, semantic);
            }
        }
        compared
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.files.is_empty() && self.config.is_empty()
    }

    fn file(&mut self, before: &Tree, after: &Tree, diff: &PathDiff, semantic: bool) {
        let mut aspects = diff.properties.clone();
        if semantic && aspects.contains(&Property::Time) {
            aspects.retain(|aspect| *aspect != Property::Time);
            *self.ignored.entry("time").or_default() += 1;
        }
        let change = match (diff.before, diff.after) {
            (None, _) => "added",
            (_, None) => "removed",
            _ if aspects.is_empty() => return,
            _ => "changed",
        };
        let size = |tree: &Tree, id: Option<InodeId>| match id.map(|id| &tree.inode(id).content) {
            Some(Content::File { size, .. }) => *size,
            _ => 0,
        };
        let (size_before, size_after) = (size(before, diff.before), size(after, diff.after));
        self.grow(&diff.path, i128::from(size_after) - i128::from(size_before));
        self.files.push(FileDelta {
            path: shown(&diff.path),
            change,
            aspects: aspects.into_iter().map(Property::name).collect(),
            size_before,
            size_after,
        });
    }

    fn grow(&mut self, path: &EntryPath, bytes: i128) {
        let bytes = i64::try_from(bytes).unwrap_or(if bytes < 0 { i64::MIN } else { i64::MAX });
        let mut here = path.clone();
        while bytes != 0
            && let Some((above, _)) = here.split_last()
        {
            let sum = self.directories.entry(shown(&above)).or_default();
            *sum = sum.saturating_add(bytes);
            here = above;
        }
    }

    fn field(&mut self, field: FieldDelta, semantic: bool) {
        let noise = match field.field.as_str() {
            "created" => Some("created"),
            name if name.starts_with("history") => Some("history"),
            _ => None,
        };
        // What the layers are made of is what the files say.
        if field.field.starts_with("rootfs.diff_ids") {
            *self.ignored.entry("diffIds").or_default() += 1;
        } else if let (true, Some(noise)) = (semantic, noise) {
            *self.ignored.entry(noise).or_default() += 1;
        } else {
            self.config.push(field);
        }
    }
}

/// The tree of a directory, as it would be in an image. Files are read where they may differ from `image`; `disk` is the same tree as
/// `how` puts it on a disk.
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

fn fields_between(name: String, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<FieldDelta>) {
    match (before, after) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
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
            found.push(FieldDelta { field: name, before: before.cloned(), after: after.cloned() });
        }
        _ => {}
    }
}
