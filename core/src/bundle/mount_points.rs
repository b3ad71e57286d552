//! The mount points that a runtime made: the image does not have them, so no layer should.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::files::{self, CONFIG};
use crate::{
    fs::{Dir, FileType},
    limits::Limits,
    name::{EntryPath, Name},
    tree::{Tree, follow::follow, merge::path_of},
};

/// The part of `config.json` that says where a runtime mounts something (runtime-spec, config.md).
#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    mounts: Vec<Mount>,
}

#[derive(Deserialize)]
struct Mount {
    destination: String,
}

/// Returns the paths in `root` that a runtime made for the mounts of `config.json`: what the image, with this
/// tree, does not have, and what is empty. What has content was made by the user.
pub(super) fn mount_points<B: Dir, D: Dir>(
    bundle: &B,
    root: &D,
    tree: &Tree,
    limits: &Limits,
) -> Vec<EntryPath> {
    let mut missing = BTreeSet::new();
    for destination in destinations(bundle, limits) {
        add_missing(&destination, tree, limits, &mut missing);
    }
    let mut made: Vec<EntryPath> = Vec::new();
    for path in &missing {
        let below = |above: &EntryPath| path.names().take(above.names().count()).eq(above.names());
        if !made.iter().any(below) && is_made(root, path, &missing) == Some(true) {
            made.push(path.clone());
        }
    }
    made
}

/// Returns where something is mounted; nowhere if the user made a `config.json` that cannot be read.
fn destinations<B: Dir>(bundle: &B, limits: &Limits) -> Vec<EntryPath> {
    let Ok(file) = bundle.open_file(Name::literal(CONFIG)) else { return Vec::new() };
    let text = files::read(file, CONFIG, limits).unwrap_or_default();
    let mounts = serde_json::from_slice::<Config>(&text).map(|config| config.mounts).unwrap_or_default();
    mounts.iter().filter_map(|mount| EntryPath::clean(mount.destination.as_bytes(), limits).ok()).collect()
}

/// Adds the part of a path that the image does not have. Its links are followed.
fn add_missing(destination: &EntryPath, tree: &Tree, limits: &Limits, missing: &mut BTreeSet<EntryPath>) {
    let (mut path, mut exists) = (EntryPath::root(), true);
    for name in destination.names() {
        path = path.join(name);
        if exists {
            match follow(tree, &path, limits) {
                Ok(Some(steps)) => path = path_of(&steps),
                // No runtime follows a circle of links either.
                Ok(None) | Err(_) => exists = false,
            }
        }
        if !exists {
            missing.insert(path.clone());
        }
    }
}

/// Returns whether a runtime made the entry: an empty file, or a directory with nothing else in it. `None` if
/// there is no such entry.
fn is_made<D: Dir>(root: &D, path: &EntryPath, missing: &BTreeSet<EntryPath>) -> Option<bool> {
    let (parent, name) = path.split_last()?;
    let mut open: Option<D> = None;
    for step in parent.names() {
        open = Some(open.as_ref().unwrap_or(root).open_dir(step).ok()?);
    }
    is_empty(open.as_ref().unwrap_or(root), name, path, missing)
}

fn is_empty<D: Dir>(
    dir: &D,
    name: Name<'_>,
    path: &EntryPath,
    missing: &BTreeSet<EntryPath>,
) -> Option<bool> {
    let found = dir.metadata(name).ok()?;
    match found.file_type {
        FileType::File => Some(found.size == 0),
        FileType::Dir => {
            let opened = dir.open_dir(name).ok()?;
            let only_such = opened.names().ok()?.iter().all(|name| {
                let below = path.join(name.as_name());
                missing.contains(&below) && is_empty(&opened, name.as_name(), &below, missing) == Some(true)
            });
            Some(only_such)
        }
        _ => Some(false),
    }
}
