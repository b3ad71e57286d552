//! Tags: the ref names of entries of `index.json`.

use super::{Hop, RefName, Resolution, find_root};
use crate::{
    error::{Error, Result},
    graph::{
        resolve::{Candidate, ResolveError, Want},
        selector::{Clause, Selector},
    },
    spec::{Descriptor, IMAGE_NAME, Index, REF_NAME, Raw, image_name},
    store::{BlobRead, Repository},
    text::printable,
};

/// The object that gets a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "one thing or the other")]
pub enum Tagged {
    /// The entry of `index.json` on the descriptor path, such as the index of the image.
    Entry,
    /// The object itself.
    Object,
}

/// Adds a tag. An entry that has it now loses it.
///
/// # Errors
/// [`Error::Misuse`] for [`Tagged::Entry`] if the object was found at several places; [`Error::Conflict`] if
/// the entry was removed.
pub fn tag(root: &Raw<Index>, at: &Resolution, name: &RefName, tagged: Tagged) -> Result<Raw<Index>> {
    match tagged {
        Tagged::Object if at.hops().len() > 1 => return point(root, name, at.target()),
        Tagged::Object => {}
        Tagged::Entry => at.only_place()?,
    }
    find_root(root, at.root())?;
    Ok(copy_to_tag(root, at.root(), name)?.0)
}

/// Points a tag at an object that is in the store.
///
/// # Errors
/// [`Error::Document`] if the tag is used more than once.
pub fn point(root: &Raw<Index>, name: &RefName, descriptor: &Descriptor) -> Result<Raw<Index>> {
    let root = root.push(descriptor)?;
    let last = root.view().manifests.len() - 1;
    Ok(move_to_tag(&root, last, name)?.0)
}

/// A root index without one of its entries.
#[derive(Debug, Clone)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Untagged {
    /// The new root index.
    pub root: Raw<Index>,
    /// The entry that was removed.
    pub entry: Descriptor,
}

/// Removes the one entry of `index.json` that a selector selects, with or without a tag.
///
/// # Errors
/// [`ResolveError::Ambiguous`] if there are several, of one object or of several; [`Error::Misuse`] for an
/// object that only indexes below list; those of [`Repository::resolve`].
pub fn untag<S: BlobRead>(
    repository: &Repository<S>,
    root: &Raw<Index>,
    selector: &Selector,
) -> Result<Untagged, ResolveError> {
    match &roots(repository, root, selector)?[..] {
        [] => Err(Error::Misuse(format!("cannot remove #{selector}: not an entry of index.json")).into()),
        [hop] => Ok(Untagged { root: root.remove(hop.position)?, entry: hop.descriptor.clone() }),
        several => {
            let candidates = several.iter().map(|hop| named(repository, root, hop));
            Err(ResolveError::Ambiguous { candidates: candidates.collect::<Result<_>>()? })
        }
    }
}

/// Returns the entries of `index.json` that a selector selects.
fn roots<S: BlobRead>(
    repository: &Repository<S>,
    root: &Raw<Index>,
    selector: &Selector,
) -> Result<Vec<Hop>, ResolveError> {
    // Several objects are refused, wherever they are.
    repository.resolve_in(root, selector, Want::Any)?;
    let all = repository.resolve_all_in(root, selector, Want::Any)?;
    Ok(all.iter().filter(|at| at.hops().len() == 1).map(|at| at.root().clone()).collect())
}

/// Describes an entry with a selector that selects no other entry.
fn named<S: BlobRead>(repository: &Repository<S>, root: &Raw<Index>, hop: &Hop) -> Result<Candidate> {
    let entries = &root.view().manifests;
    let is_only = |tag: &&str| entries.iter().filter(|entry| entry.has_tag(tag)).count() == 1;
    let selector = match hop.descriptor.tag().filter(is_only) {
        Some(tag) => Selector::of(Clause::Tag(tag.into())),
        None => Resolution::new(vec![hop.clone()], 1).selector(),
    };
    let descriptor = hop.descriptor.clone();
    let platform = descriptor.platform.clone();
    let present = descriptor.data.is_some() || repository.store().try_size(&descriptor)?.is_some();
    Ok(Candidate { selector, descriptor, platform, present })
}

/// Copies an entry under a tag; returns the index and the entry's position.
pub(super) fn copy_to_tag(root: &Raw<Index>, source: &Hop, name: &RefName) -> Result<(Raw<Index>, usize)> {
    let found = find_root(root, source).ok();
    if let Some(position) = found
        && source.descriptor.has_tag(name.as_str())
    {
        return Ok((root.clone(), position));
    }
    let root = match found {
        Some(position) => root.duplicate(position)?,
        None => root.push(&source.descriptor)?,
    };
    let last = root.view().manifests.len() - 1;
    move_to_tag(&root, last, name)
}

/// Sets the tag of the last entry, and puts it in the place of the entry that has the tag, if there is one.
/// An image name is changed with the tag: two images must not have one name.
pub(in crate::graph) fn move_to_tag(
    root: &Raw<Index>,
    last: usize,
    name: &RefName,
) -> Result<(Raw<Index>, usize)> {
    let entries = &root.view().manifests;
    let tag = Some(name.as_str());
    let holder = entries[..last].iter().find(|entry| entry.ref_name() != tag && entry.has_tag(name.as_str()));
    let (ref_name, image_name) = match holder {
        Some(holder) => (holder.ref_name().map(Into::into), holder.image_name().map(Into::into)),
        None => (
            tag.map(Into::into),
            entries[last].image_name().and_then(|old| image_name::retagged(old, name.as_str())),
        ),
    };
    let annotated = |root: Raw<Index>, key, value: Option<String>| match (
        &value,
        root.view().manifests[last].annotations.contains_key(key),
    ) {
        (None, false) => Ok(root),
        _ => root.annotate(last, key, value.as_deref()),
    };
    let root = annotated(root.clone(), REF_NAME, ref_name)?;
    replace_named(&annotated(root, IMAGE_NAME, image_name)?)
}

/// Puts the last entry in the place of the entry that has its names, if there is one. An entry without an
/// image name has the names of any with its ref name.
pub(in crate::graph) fn replace_named(root: &Raw<Index>) -> Result<(Raw<Index>, usize)> {
    let Some((new, entries)) = root.view().manifests.split_last() else {
        return Err(Error::NotFound("index.json has no entries".into()));
    };
    let is_holder = |entry: &Descriptor| {
        let same = |one: Option<&str>, other: Option<&str>| one.is_some() && one == other;
        match (new.image_name(), entry.image_name()) {
            (Some(new), Some(old)) => new == old,
            _ => same(new.ref_name(), entry.ref_name()) || same(new.tag(), entry.tag()),
        }
    };
    let holders: Vec<usize> = (0..entries.len()).filter(|&at| is_holder(&entries[at])).collect();
    let last = entries.len();
    match holders[..] {
        [] => Ok((root.clone(), last)),
        [holder] => Ok((root.copy(last, holder)?.remove(last)?, holder)),
        _ => Err(Error::document(
            "index.json",
            format!(
                "the tag {} is used more than once\nhint: use a whole name, such as app:1, or remove entries with `ocicle rm`",
                printable(new.ref_name().unwrap_or_default())
            ),
        )),
    }
}
