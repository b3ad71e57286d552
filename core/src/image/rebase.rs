//! Layers put onto others: another base, one layer less, another order.
//!
//! A layer says what to do to the files below it. On other files it may do something else than was meant; then there is a
//! [`Conflict`]: a path that the upper layers touch, and that is not the same on both bases. What upper layers do not touch is nobody's conflict.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    Image,
    edit::{fill_history, with_config},
    look::shown,
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    layer::reader::read_layer,
    name::EntryPath,
    spec::{Descriptor, History, media_type::DOCKER_MANIFEST},
    store::{BlobRead, Repository, Store},
    tree::{
        Content, Tree,
        compare::{Property, between},
        merge::{Merge, TreeSink},
        provenance::{ChangeKind, Provenance},
    },
};

/// The annotation of a manifest that names the base (image-spec, annotations.md).
pub const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";
/// That with its name, which nobody can know of a new base.
const BASE_NAME: &str = "org.opencontainers.image.base.name";

/// A path that two sides change in different ways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Conflict {
    /// From the root, with a slash before it.
    pub path: String,
    /// What the new base does to it: `added`, `removed` or `changed`, against the old one.
    pub base: &'static str,
    /// What the layers above do to it: `added`, `replaced`, `attributes`, `linked` or `removed`.
    pub image: &'static str,
}

/// All conflicts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Conflicts {
    /// In the order of paths.
    pub conflicts: Vec<Conflict>,
}

/// Layers with their diff_ids.
type Layers<'a> = Vec<(&'a Descriptor, &'a Digest)>;

/// How many of the lowest layers are those of a base.
///
/// # Errors
/// [`Error::Misuse`] if the base is not the beginning of the image.
pub fn layers_of_base(image: &Image, base: &Image) -> Result<usize> {
    let begins =
        image.layers().map(|(_, id)| id).take(base.layers().len()).eq(base.layers().map(|(_, id)| id));
    if begins {
        return Ok(base.layers().len());
    }
    let common = image.layers().zip(base.layers()).take_while(|((_, a), (_, b))| a == b).count();
    Err(Error::Misuse(format!(
        "{} is not the base of {}: of its {} layers the image has the first {common}",
        base.descriptor.digest,
        image.descriptor.digest,
        base.layers().len(),
    )))
}

/// Finds out what would not fit if all layers above the lowest `old` were put onto `new`.
///
/// # Errors
/// Those of [`read_layer`]; [`Error::Layer`] also where a layer cannot be put there at all, such as for a hard link to a file that
/// is not there.
pub fn conflicts<S: BlobRead>(
    repository: &Repository<S>,
    image: &Image,
    old: usize,
    new: &Image,
) -> Result<Conflicts> {
    let base: Layers<'_> = new.layers().collect();
    conflicts_on(repository, image, old, &base)
}

/// As [`conflicts`], if the layer at a position, from 0, were not there.
///
/// # Errors
/// As [`conflicts`].
pub fn conflicts_without<S: BlobRead>(
    repository: &Repository<S>,
    image: &Image,
    layer: usize,
) -> Result<Conflicts> {
    let below: Layers<'_> = image.layers().take(layer).collect();
    conflicts_on(repository, image, layer + 1, &below)
}

fn conflicts_on<S: BlobRead>(
    repository: &Repository<S>,
    image: &Image,
    old: usize,
    new: &Layers<'_>,
) -> Result<Conflicts> {
    let mut merge = Merge::new(Tree::new(), Provenance::new(), repository.limits());
    let all: Layers<'_> = image.layers().collect();
    put(repository, all.get(..old).unwrap_or_default(), &mut merge)?;
    let before = merge.tree().clone();
    put(repository, all.get(old..).unwrap_or_default(), &mut merge)?;
    let (image_tree, provenance) = merge.finish()?;
    let mut merge = Merge::new(Tree::new(), (), repository.limits());
    put(repository, new, &mut merge)?;
    let after = merge.tree().clone();
    // Whether the layers can be put there at all.
    put(repository, all.get(old..).unwrap_or_default(), &mut merge)?;
    drop(merge);

    let changed = changed_paths(&before, &after, &image_tree);
    let mut found: BTreeMap<EntryPath, (&'static str, &'static str)> = BTreeMap::new();
    let mut cleared: BTreeSet<EntryPath> = BTreeSet::new();
    for change in provenance.changes().iter().filter(|change| change.layer >= old) {
        let kind = change.kind.name();
        if change.kind == ChangeKind::Removed {
            cleared.insert(change.removed_with.as_ref().unwrap_or(&change.path).clone());
        }
        // A directory that became something else leads elsewhere.
        let mut above = change.path.split_last().map(|(above, _)| above);
        while let Some(dir) = above {
            if let Some("type") = changed.get(&dir).copied() {
                found.insert(dir.clone(), ("changed", kind));
            }
            above = dir.split_last().map(|(above, _)| above);
        }
        if let Some(base) = changed.get(&change.path) {
            let base = if *base == "type" { "changed" } else { base };
            found.insert(change.path.clone(), (base, kind));
        }
    }
    // What the new base has more goes with the directory.
    for (path, base) in changed.iter().filter(|(_, base)| **base == "added") {
        let mut above = path.split_last().map(|(above, _)| above);
        while let Some(dir) = above {
            if cleared.contains(&dir) {
                found.insert(path.clone(), (base, "removed"));
            }
            above = dir.split_last().map(|(above, _)| above);
        }
    }
    let conflicts =
        found.into_iter().map(|(path, (base, image))| Conflict { path: shown(&path), base, image }).collect();
    Ok(Conflicts { conflicts })
}

/// In what two bases differ; without what the image has like the new one, and without times, which every build has of its own.
fn changed_paths(before: &Tree, after: &Tree, image: &Tree) -> BTreeMap<EntryPath, &'static str> {
    let mut changed = BTreeMap::new();
    between(before, after, &mut |diff| {
        let matters = |aspect: &&Property| !matches!(aspect, Property::Time | Property::Links);
        let change = match (diff.before, diff.after) {
            (None, _) => "added",
            (_, None) => "removed",
            _ if diff.properties.contains(&Property::Type) => "type",
            _ if diff.properties.iter().any(|aspect| matters(&aspect)) => "changed",
            _ => return,
        };
        let same = match (image.get(&diff.path), diff.after) {
            (Some(a), Some(b)) => {
                let (a, b) = (image.inode(a), after.inode(b));
                let both_dirs = matches!((&a.content, &b.content), (Content::Dir(_), Content::Dir(_)));
                (both_dirs || a.content == b.content)
                    && (a.attrs.mode, a.attrs.uid, a.attrs.gid) == (b.attrs.mode, b.attrs.uid, b.attrs.gid)
                    && a.attrs.xattrs == b.attrs.xattrs
            }
            (None, None) => true,
            _ => false,
        };
        if !same {
            changed.insert(diff.path, change);
        }
    });
    changed
}

fn put<S: BlobRead, M: TreeSink>(
    repository: &Repository<S>,
    layers: &[(&Descriptor, &Digest)],
    merge: &mut Merge<M>,
) -> Result<()> {
    for (blob, diff_id) in layers {
        read_layer(repository, blob, diff_id, merge)?;
        merge.next_layer()?;
    }
    Ok(())
}

/// Puts all layers above the lowest `old` onto a new base, whatever [`conflicts`] there are. Blobs stay as they are. The config is that of the
/// image; its history is that of the base, then that of the upper layers, then the entry. The manifest names the new base.
///
/// # Errors
/// [`Error::Unsupported`] if one is for another platform, or a base of OCI is for an image of Docker's types; those of the store.
pub fn rebase<S: Store>(
    repository: &Repository<S>,
    image: &Image,
    old: usize,
    new: &Image,
    history: Option<&History>,
) -> Result<Image> {
    let (ours, theirs) = (image.config.view().platform(), new.config.view().platform());
    if ours.normalized() != theirs.normalized() {
        return Err(Error::Unsupported(format!("the image is for {ours}, the new base for {theirs}")));
    }
    let is_docker = |image: &Image| image.descriptor.media_type.as_str() == DOCKER_MANIFEST;
    if is_docker(image) && !is_docker(new) {
        return Err(Error::Unsupported(
            "a base of OCI under an image of Docker's types: convert the image with `ocicle copy --format oci`".into(),
        ));
    }
    let base = match is_docker(new) && !is_docker(image) {
        true => new.manifest.with_oci_types()?,
        false => new.manifest.clone(),
    };
    let upper = image.layers().len() - old;
    let layers = [base.raw_layers()?, split_off(image.manifest.raw_layers()?, old)].concat();
    let (ours, theirs) = (filled(image)?, filled(new)?);
    let above = after_layers(&ours, old)?;
    let mut entries: Vec<Box<RawValue>> = theirs;
    entries.extend(above);
    let ids: Vec<&Digest> = new
        .layers()
        .map(|(_, id)| id)
        .chain(image.layers().skip(image.layers().len() - upper).map(|(_, id)| id))
        .collect();
    let made = rewritten(repository, image, &layers, &ids, &entries, history, |manifest| {
        let manifest = manifest.annotate_self(BASE_DIGEST, Some(new.descriptor.digest.as_str()))?;
        manifest.annotate_self(BASE_NAME, None)
    })?;
    Ok(made)
}

/// Leaves out the layer at a position, from 0, with its entry of the history, whatever [`conflicts_without`] finds.
///
/// # Errors
/// Those of the store.
pub fn without_layer<S: Store>(
    repository: &Repository<S>,
    image: &Image,
    layer: usize,
    history: Option<&History>,
) -> Result<Image> {
    let order: Vec<usize> = (0..image.layers().len()).filter(|number| *number != layer).collect();
    in_order(repository, image, &order, history)
}

/// The layers at these positions, in this order, each with its entry of the history.
fn in_order<S: Store>(
    repository: &Repository<S>,
    image: &Image,
    order: &[usize],
    history: Option<&History>,
) -> Result<Image> {
    let raw = image.manifest.raw_layers()?;
    let layers: Vec<_> = order.iter().filter_map(|number| raw.get(*number).cloned()).collect();
    let all: Vec<&Digest> = image.layers().map(|(_, id)| id).collect();
    let ids: Vec<&Digest> = order.iter().filter_map(|number| all.get(*number).copied()).collect();
    let entries = filled(image)?;
    let mut of_layers = Vec::new();
    for entry in &entries {
        if makes_layer(entry)? {
            of_layers.push(entry);
        }
    }
    // What is about no layer stays where it is.
    let mut next = order.iter();
    let mut ordered: Vec<Box<RawValue>> = Vec::new();
    for entry in &entries {
        match makes_layer(entry)? {
            false => ordered.push(entry.clone()),
            true => ordered
                .extend(next.next().and_then(|number| of_layers.get(*number)).map(|entry| (*entry).clone())),
        }
    }
    rewritten(repository, image, &layers, &ids, &ordered, history, Ok)
}

/// Puts the layers into another order: positions from 0, each once.
///
/// # Errors
/// [`Error::Misuse`] if the positions are not those of the layers, or if the files are others then: it names the first path; those of
/// [`read_layer`] and the store.
pub fn reorder<S: Store>(
    repository: &Repository<S>,
    image: &Image,
    order: &[usize],
    history: Option<&History>,
) -> Result<Image> {
    let all: Layers<'_> = image.layers().collect();
    let sorted: BTreeSet<usize> = order.iter().copied().collect();
    if order.len() != all.len() || !sorted.into_iter().eq(0..all.len()) {
        return Err(Error::Misuse(format!("the image has {} layers: name each of them once", all.len())));
    }
    let tree = |layers: &Layers<'_>| {
        let mut merge = Merge::new(Tree::new(), (), repository.limits());
        put(repository, layers, &mut merge)?;
        Ok::<_, Error>(merge.finish()?.0)
    };
    let moved: Layers<'_> = order.iter().filter_map(|number| all.get(*number).copied()).collect();
    let (before, after) = (tree(&all)?, tree(&moved)?);
    let mut first = None;
    between(&before, &after, &mut |diff| first = first.take().or(Some(diff.path)));
    match first {
        Some(path) => Err(Error::Misuse(format!(
            "in this order {} is another: the layers touch it in turn",
            shown(&path)
        ))),
        None => in_order(repository, image, order, history),
    }
}

fn rewritten<S: Store>(
    repository: &Repository<S>,
    image: &Image,
    layers: &[Box<RawValue>],
    ids: &[&Digest],
    entries: &[Box<RawValue>],
    history: Option<&History>,
    annotate: impl FnOnce(
        crate::spec::Raw<crate::spec::Manifest>,
    ) -> Result<crate::spec::Raw<crate::spec::Manifest>>,
) -> Result<Image> {
    let mut config = image.config.set_layers(ids, entries)?;
    if let Some(entry) = history {
        config = config.push_history(entry)?;
        if let Some(created) = &entry.created {
            config = config.set_created(created)?;
        }
    }
    with_config(repository, image, config, |manifest| annotate(manifest.set_layers(layers)?))
}

/// The history, with an entry for every layer.
fn filled(image: &Image) -> Result<Vec<Box<RawValue>>> {
    fill_history(image.config.clone(), image.layers().len())?.raw_history()
}

fn makes_layer(entry: &RawValue) -> Result<bool> {
    let entry: History =
        serde_json::from_str(entry.get()).map_err(|error| Error::document("history", error.to_string()))?;
    Ok(entry.empty_layer != Some(true))
}

/// What comes after the entry of the layer that is the `count`-th.
fn after_layers(entries: &[Box<RawValue>], count: usize) -> Result<Vec<Box<RawValue>>> {
    let mut made = 0;
    let mut rest = entries;
    while made < count
        && let Some((entry, others)) = rest.split_first()
    {
        made += usize::from(makes_layer(entry)?);
        rest = others;
    }
    Ok(rest.to_vec())
}

fn split_off<T>(mut all: Vec<T>, at: usize) -> Vec<T> {
    all.split_off(at.min(all.len()))
}

#[cfg(test)]
mod tests;
