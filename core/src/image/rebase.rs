//! Moving layers: to another base, without one layer, in another order.
//!
//! A layer changes the files below it. On other files it may have another effect than intended; that is a
//! [`Conflict`]: a path that the upper layers touch and that differs between the two bases. Paths that the
//! upper layers do not touch are not in conflict.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use super::{
    Image,
    compare::DiffKind,
    edit::with_config,
    history::{above_base, matched},
    look::path_text,
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
/// The annotation for the name of the base, which is unknown for a new base.
const BASE_NAME: &str = "org.opencontainers.image.base.name";

/// A path that both the new base and the layers above change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conflict {
    /// The path.
    pub path: EntryPath,
    /// The difference between the old and the new base.
    pub base: DiffKind,
    /// The change that the layers above make.
    pub image: ChangeKind,
}

/// Layers with their diff_ids.
type Layers<'a> = Vec<(&'a Descriptor, &'a Digest)>;

/// Returns the number of lowest layers that are those of a base.
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

/// Finds the conflicts of putting all layers above the lowest `old` onto `new`.
///
/// # Errors
/// Those of [`read_layer`]; [`Error::Layer`] also if a layer cannot be applied at all, such as for a hard
/// link to an absent file.
pub fn conflicts<S: BlobRead>(
    repository: &Repository<S>,
    image: &Image,
    old: usize,
    new: &Image,
) -> Result<Vec<Conflict>> {
    let base: Layers<'_> = new.layers().collect();
    conflicts_on(repository, image, old, &base)
}

/// Finds conflicts as [`conflicts`] does, of leaving out the layer at a position, from 0.
///
/// # Errors
/// Those of [`conflicts`].
pub fn conflicts_without<S: BlobRead>(
    repository: &Repository<S>,
    image: &Image,
    layer: usize,
) -> Result<Vec<Conflict>> {
    let below: Layers<'_> = image.layers().take(layer).collect();
    conflicts_on(repository, image, layer + 1, &below)
}

fn conflicts_on<S: BlobRead>(
    repository: &Repository<S>,
    image: &Image,
    old: usize,
    new: &Layers<'_>,
) -> Result<Vec<Conflict>> {
    let mut merge = Merge::new(Tree::new(), Provenance::new(), repository.limits());
    let all: Layers<'_> = image.layers().collect();
    put(repository, all.get(..old).unwrap_or_default(), &mut merge)?;
    let before = merge.tree().clone();
    put(repository, all.get(old..).unwrap_or_default(), &mut merge)?;
    let (image_tree, provenance) = merge.finish()?;
    let mut merge = Merge::new(Tree::new(), (), repository.limits());
    put(repository, new, &mut merge)?;
    let after = merge.tree().clone();
    // Checks whether the layers can be applied at all.
    put(repository, all.get(old..).unwrap_or_default(), &mut merge)?;
    drop(merge);

    let changed = changed_paths(&before, &after, &image_tree);
    let mut found: BTreeMap<EntryPath, (DiffKind, ChangeKind)> = BTreeMap::new();
    let mut cleared: BTreeSet<EntryPath> = BTreeSet::new();
    for change in provenance.changes().iter().filter(|change| change.layer >= old) {
        if change.kind == ChangeKind::Removed {
            cleared.insert(change.removed_with.as_ref().unwrap_or(&change.path).clone());
        }
        // A directory that became something else, such as a link, changes what is below it.
        let mut above = change.path.split_last().map(|(above, _)| above);
        while let Some(dir) = above {
            if let Some(BaseChange::Type) = changed.get(&dir) {
                found.insert(dir.clone(), (DiffKind::Changed, change.kind));
            }
            above = dir.split_last().map(|(above, _)| above);
        }
        if let Some(base) = changed.get(&change.path) {
            found.insert(change.path.clone(), (base.kind(), change.kind));
        }
    }
    // Additional files of the new base are removed with the directory.
    for (path, base) in changed.iter().filter(|(_, base)| **base == BaseChange::Added) {
        let mut above = path.split_last().map(|(above, _)| above);
        while let Some(dir) = above {
            if cleared.contains(&dir) {
                found.insert(path.clone(), (base.kind(), ChangeKind::Removed));
            }
            above = dir.split_last().map(|(above, _)| above);
        }
    }
    Ok(found.into_iter().map(|(path, (base, image))| Conflict { path, base, image }).collect())
}

/// A difference of a path between two bases.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BaseChange {
    Added,
    Removed,
    /// Another type, so that paths below a directory resolve differently.
    Type,
    Changed,
}

impl BaseChange {
    fn kind(self) -> DiffKind {
        match self {
            Self::Added => DiffKind::Added,
            Self::Removed => DiffKind::Removed,
            Self::Type | Self::Changed => DiffKind::Changed,
        }
    }
}

/// Returns the paths that differ between two bases, except where the image equals the new one, and without
/// times, which differ in every build.
fn changed_paths(before: &Tree, after: &Tree, image: &Tree) -> BTreeMap<EntryPath, BaseChange> {
    let mut changed = BTreeMap::new();
    between(before, after, &mut |diff| {
        let matters = |property: &&Property| !matches!(property, Property::Time | Property::Links);
        let change = match (diff.before, diff.after) {
            (None, _) => BaseChange::Added,
            (_, None) => BaseChange::Removed,
            _ if diff.properties.contains(&Property::Type) => BaseChange::Type,
            _ if diff.properties.iter().any(|property| matters(&property)) => BaseChange::Changed,
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

/// Puts all layers above the old base onto a new one, regardless of [`conflicts`]. Blobs are unchanged. The
/// config is that of the image; its history is that of the new base, then what the image's has in addition to
/// that of the old base, then the entry. The manifest names the new base.
///
/// # Errors
/// Those of [`layers_of_base`]; [`Error::Unsupported`] if the platforms differ, or an OCI base is combined
/// with an image of Docker's types; those of the store.
pub fn rebase<S: Store>(
    repository: &Repository<S>,
    image: &Image,
    old: &Image,
    new: &Image,
    history: Option<&History>,
) -> Result<Image> {
    let below = layers_of_base(image, old)?;
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
    let layers = [base.raw_layers()?, split_off(image.manifest.raw_layers()?, below)].concat();
    let history_of_layers = [filled(new)?, above_base(image, old)?].concat();
    let diff_ids: Vec<&Digest> =
        new.layers().map(|(_, id)| id).chain(image.layers().skip(below).map(|(_, id)| id)).collect();
    let stack = Stack { layers, diff_ids, history: history_of_layers };
    let made = rewritten(repository, image, &stack, history, |manifest| {
        manifest.annotate_self(&[(BASE_DIGEST, Some(new.descriptor.digest.as_str())), (BASE_NAME, None)])
    })?;
    Ok(made)
}

/// Leaves out the layer at a position, from 0, and its history entry, regardless of [`conflicts_without`].
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

/// Returns the image with the layers at these positions, in this order, each with its history entry.
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
    // History entries without a layer keep their position.
    let mut next = order.iter();
    let mut ordered: Vec<Box<RawValue>> = Vec::new();
    for entry in &entries {
        match makes_layer(entry)? {
            false => ordered.push(entry.clone()),
            true => ordered
                .extend(next.next().and_then(|number| of_layers.get(*number)).map(|entry| (*entry).clone())),
        }
    }
    let stack = Stack { layers, diff_ids: ids, history: ordered };
    rewritten(repository, image, &stack, history, Ok)
}

/// Reorders the layers: positions from 0, each once.
///
/// # Errors
/// [`Error::Misuse`] if the positions are not those of the layers, or if the merged tree would differ: it
/// names the first path; those of [`read_layer`] and the store.
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
            "in this order {} would differ: several layers change it",
            path_text(&path)
        ))),
        None => in_order(repository, image, order, history),
    }
}

/// Layers and their part of the config.
struct Stack<'a> {
    layers: Vec<Box<RawValue>>,
    diff_ids: Vec<&'a Digest>,
    history: Vec<Box<RawValue>>,
}

fn rewritten<S: Store>(
    repository: &Repository<S>,
    image: &Image,
    stack: &Stack<'_>,
    history: Option<&History>,
    annotate: impl FnOnce(
        crate::spec::Raw<crate::spec::Manifest>,
    ) -> Result<crate::spec::Raw<crate::spec::Manifest>>,
) -> Result<Image> {
    let mut config = image.config.set_layers(&stack.diff_ids, &stack.history)?;
    if let Some(entry) = history {
        config = config.push_history(entry)?;
        if let Some(created) = &entry.created {
            config = config.set_created(created)?;
        }
    }
    with_config(repository, image, config, |manifest| annotate(manifest.set_layers(&stack.layers)?))
}

/// Returns the history, with an entry for every layer.
fn filled(image: &Image) -> Result<Vec<Box<RawValue>>> {
    matched(image.config.clone(), image.layers().len())?.raw_history()
}

fn makes_layer(entry: &RawValue) -> Result<bool> {
    let entry: History =
        serde_json::from_str(entry.get()).map_err(|error| Error::document("history", error.to_string()))?;
    Ok(entry.makes_layer())
}

fn split_off<T>(mut all: Vec<T>, at: usize) -> Vec<T> {
    all.split_off(at.min(all.len()))
}

#[cfg(test)]
mod tests;
