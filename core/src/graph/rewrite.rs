//! Replacing an object, with everything along the way to it and nothing beside it; tags.
//!
//! Indexes on the way get new blobs, bottom-up, each changed in the one slot the resolution names: siblings stay as they are, to
//! the byte. These functions give the new root index; the caller swaps it in
//! ([`RootIndexExt::update`](crate::store::RootIndexExt::update)).

use super::{Hop, RefName, Resolution};
use crate::{
    error::{Error, Result},
    limits::Limits,
    spec::{Descriptor, Index, REF_NAME, Raw},
    store::{BlobReadExt as _, Store, put_document},
    text::printable,
};

/// Where a replaced object goes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there or elsewhere")]
pub enum Destination {
    /// The place it was at.
    InPlace,
    /// A copy of the tree it was in, under this tag. An entry that has the tag already gives up its slot.
    Tag(RefName),
}

/// Replaces the object at `at` by `new`, whose content is `bytes` and in the store already. Gives the new root index and the
/// way to the object in it. The slot's platform stays unless `new` has one.
///
/// For [`Destination::Tag`], the entry of `index.json` that the way began with may be gone by now: the indexes below it are
/// found by their digests.
///
/// # Errors
/// [`Error::Misuse`] if the object was found at several places; [`Error::Conflict`] if, for [`Destination::InPlace`], the slot in
/// the root index holds something else by now; whatever reading and writing indexes meets.
pub fn replace_target<S: Store + ?Sized>(
    store: &S,
    root: &Raw<Index>,
    at: &Resolution,
    new: &Descriptor,
    bytes: &[u8],
    to: &Destination,
    limits: &Limits,
) -> Result<(Raw<Index>, Resolution)> {
    let point = |index: &Raw<Index>, position: usize| replace_slot(index, position, new, bytes);
    replace_entry(store, root, at, point, to, limits)
}

/// As [`replace_target`], but what is changed is the entry that leads to the object, in the index above it. `edit` gets that index and
/// the position.
pub(super) fn replace_entry<S: Store + ?Sized>(
    store: &S,
    root: &Raw<Index>,
    at: &Resolution,
    edit: impl Fn(&Raw<Index>, usize) -> Result<Raw<Index>>,
    to: &Destination,
    limits: &Limits,
) -> Result<(Raw<Index>, Resolution)> {
    at.only_place()?;
    // What can be refused is refused before anything is written.
    let (root, position) = match to {
        Destination::InPlace => {
            check_root(root, at.root())?;
            (root.clone(), at.root().position)
        }
        Destination::Tag(name) => copy_to_tag(root, at.root(), name)?,
    };
    let mut hops = Vec::with_capacity(at.hops().len());
    // The index below, once there is one.
    let mut below: Option<(Descriptor, Vec<u8>)> = None;
    let change = |index: &Raw<Index>, position, below: &Option<(Descriptor, Vec<u8>)>| match below {
        Some((content, bytes)) => replace_slot(index, position, content, bytes),
        None => edit(index, position),
    };
    for pair in at.hops().windows(2).rev() {
        let [Hop { descriptor: above, .. }, hop] = pair else { continue };
        let index: Raw<Index> = store.document(above, limits)?;
        check_slot(&index, hop)?;
        let index = change(&index, hop.position, &below)?;
        below = Some((put_document(store, &index, &above.media_type)?, index.bytes().to_vec()));
        hops.push(hop_to(&index, hop.position)?);
    }
    let root = change(&root, position, &below)?;
    hops.push(hop_to(&root, position)?);
    hops.reverse();
    Ok((root, Resolution::new(hops, 1)))
}

/// Gives the entry of `index.json` on the way to an object one more tag; with `only`, the object itself. Whoever has the tag
/// now loses it.
///
/// # Errors
/// [`Error::Misuse`] if the object was found at several places, unless `only` it is tagged; [`Error::Conflict`] if the entry is not
/// there any more.
pub fn tag(root: &Raw<Index>, at: &Resolution, name: &RefName, only: bool) -> Result<Raw<Index>> {
    if only && at.hops().len() > 1 {
        return point(root, name, at.target());
    }
    if !only {
        at.only_place()?;
    }
    check_root(root, at.root())?;
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

/// Removes every entry of `index.json` that has a tag.
///
/// # Errors
/// [`Error::NotFound`], with the tags there are.
pub fn untag(root: &Raw<Index>, name: &RefName) -> Result<Raw<Index>> {
    let tagged = |index: &Raw<Index>| {
        index.view().manifests.iter().position(|entry| entry.ref_name() == Some(name.as_str()))
    };
    let Some(mut position) = tagged(root) else {
        let tags: Vec<String> =
            root.view().manifests.iter().filter_map(|entry| entry.ref_name()).map(printable).collect();
        let there = if tags.is_empty() { "no tag".into() } else { tags.join(", ") };
        return Err(Error::NotFound(format!("there is no tag {name}; there is {there}")));
    };
    let mut root = root.clone();
    loop {
        root = root.remove(position)?;
        match tagged(&root) {
            Some(next) => position = next,
            None => return Ok(root),
        }
    }
}

/// A copy of an entry under a tag, and its position.
fn copy_to_tag(root: &Raw<Index>, source: &Hop, name: &RefName) -> Result<(Raw<Index>, usize)> {
    if source.descriptor.ref_name() == Some(name.as_str()) && check_root(root, source).is_ok() {
        return Ok((root.clone(), source.position));
    }
    let root = match check_root(root, source) {
        Ok(()) => root.duplicate(source.position)?,
        Err(_) => root.push(&source.descriptor)?,
    };
    let last = root.view().manifests.len() - 1;
    move_to_tag(&root, last, name)
}

/// Gives the last entry a tag, and the slot of whoever had it.
fn move_to_tag(root: &Raw<Index>, last: usize, name: &RefName) -> Result<(Raw<Index>, usize)> {
    let entries = &root.view().manifests[..last];
    let mut holders = entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.ref_name() == Some(name.as_str()))
        .map(|(at, _)| at);
    let holder = holders.next();
    if holders.next().is_some() {
        let reason = format!("the tag {name} is used more than once; `ocicle rm` removes them all");
        return Err(Error::document("index.json", reason));
    }
    let root = root.annotate(last, REF_NAME, Some(name.as_str()))?;
    match holder {
        Some(holder) => Ok((root.copy(last, holder)?.remove(last)?, holder)),
        None => Ok((root, last)),
    }
}

/// Points a slot at other content. What it says about the platform stays, unless the new content says it itself.
fn replace_slot(index: &Raw<Index>, position: usize, new: &Descriptor, bytes: &[u8]) -> Result<Raw<Index>> {
    let index = index.retarget(position, new, bytes)?;
    match &new.platform {
        Some(platform) => index.set_platform(position, platform),
        None => Ok(index),
    }
}

fn hop_to(index: &Raw<Index>, position: usize) -> Result<Hop> {
    Ok(Hop { index: index.digest(), position, descriptor: entry(index, position)?.clone() })
}

/// Whether a slot still holds what it held when the way was found.
fn check_slot(index: &Raw<Index>, hop: &Hop) -> Result<()> {
    match index.view().manifests.get(hop.position) {
        Some(entry) if entry.digest == hop.descriptor.digest => Ok(()),
        _ => Err(Error::Conflict { expected: hop.index.clone(), actual: index.digest() }),
    }
}

/// Whether an entry of `index.json` is still the one the way began with: another one may have moved to its position, and lead
/// to the same object.
fn check_root(root: &Raw<Index>, hop: &Hop) -> Result<()> {
    check_slot(root, hop)?;
    if entry(root, hop.position)?.ref_name() == hop.descriptor.ref_name() {
        return Ok(());
    }
    Err(Error::Conflict { expected: hop.index.clone(), actual: root.digest() })
}

fn entry(index: &Raw<Index>, position: usize) -> Result<&Descriptor> {
    index
        .view()
        .manifests
        .get(position)
        .ok_or_else(|| Error::NotFound(format!("index.json has no entry at position {position}")))
}

#[cfg(test)]
mod tests;
