//! Layers put onto others: another base, one layer less, another order.
//!
//! A layer says what to do to the files below it. On other files it may do something else than was meant;
//! then there is a
//! [`Conflict`]: a path that the upper layers touch, and that is not the same on both bases. What upper
//! layers do not touch is nobody's conflict.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use super::{
    Image,
    compare::DiffKind,
    edit::{fill_history, with_config},
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
/// That with its name, which nobody can know of a new base.
const BASE_NAME: &str = "org.opencontainers.image.base.name";

/// A path that both the new base and the layers above change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conflict {
    /// The path.
    pub path: EntryPath,
    /// How the new base differs from the old one there.
    pub base: DiffKind,
    /// What the layers above do to it.
    pub image: ChangeKind,
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
/// Those of [`read_layer`]; [`Error::Layer`] also where a layer cannot be put there at all, such as for a
/// hard link to a file that is not there.
pub fn conflicts<S: BlobRead>(
    repository: &Repository<S>,
    image: &Image,
    old: usize,
    new: &Image,
) -> Result<Vec<Conflict>> {
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
    // Whether the layers can be put there at all.
    put(repository, all.get(old..).unwrap_or_default(), &mut merge)?;
    drop(merge);

    let changed = changed_paths(&before, &after, &image_tree);
    let mut found: BTreeMap<EntryPath, (DiffKind, ChangeKind)> = BTreeMap::new();
    let mut cleared: BTreeSet<EntryPath> = BTreeSet::new();
    for change in provenance.changes().iter().filter(|change| change.layer >= old) {
        if change.kind == ChangeKind::Removed {
            cleared.insert(change.removed_with.as_ref().unwrap_or(&change.path).clone());
        }
        // A directory that became something else leads elsewhere.
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
    // What the new base has more goes with the directory.
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

/// How a path differs between two bases.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BaseChange {
    Added,
    Removed,
    /// Another type: what is below a directory leads elsewhere.
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

/// In what two bases differ; without what the image has like the new one, and without times, which every
/// build has of its own.
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

/// Puts all layers above the lowest `old` onto a new base, whatever [`conflicts`] there are. Blobs stay as
/// they are. The config is that of the image; its history is that of the base, then that of the upper layers,
/// then the entry. The manifest names the new base.
///
/// # Errors
/// [`Error::Unsupported`] if one is for another platform, or a base of OCI is for an image of Docker's types;
/// those of the store.
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
    let mut history_of_layers: Vec<Box<RawValue>> = theirs;
    history_of_layers.extend(above);
    let diff_ids: Vec<&Digest> = new
        .layers()
        .map(|(_, id)| id)
        .chain(image.layers().skip(image.layers().len() - upper).map(|(_, id)| id))
        .collect();
    let stack = Stack { layers, diff_ids, history: history_of_layers };
    let made = rewritten(repository, image, &stack, history, |manifest| {
        let manifest = manifest.annotate_self(BASE_DIGEST, Some(new.descriptor.digest.as_str()))?;
        manifest.annotate_self(BASE_NAME, None)
    })?;
    Ok(made)
}

/// Leaves out the layer at a position, from 0, with its entry of the history, whatever [`conflicts_without`]
/// finds.
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
    let stack = Stack { layers, diff_ids: ids, history: ordered };
    rewritten(repository, image, &stack, history, Ok)
}

/// Puts the layers into another order: positions from 0, each once.
///
/// # Errors
/// [`Error::Misuse`] if the positions are not those of the layers, or if the files are others then: it names
/// the first path; those of [`read_layer`] and the store.
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
            path_text(&path)
        ))),
        None => in_order(repository, image, order, history),
    }
}

/// Layers, with what the config says about them.
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
