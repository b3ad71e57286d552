//! Tags: the ref names of entries of `index.json`.

use super::{Hop, RefName, Resolution, find_root};
use crate::{
    error::{Error, Result},
    spec::{Descriptor, Index, REF_NAME, Raw},
    text::printable,
};

/// Adds a tag to the path's entry in `index.json`; with `only`, to the object itself. An entry that has the
/// tag now loses it.
///
/// # Errors
/// [`Error::Misuse`] if the object was found at several places, unless `only` it is tagged;
/// [`Error::Conflict`] if the entry was removed.
pub fn tag(root: &Raw<Index>, at: &Resolution, name: &RefName, only: bool) -> Result<Raw<Index>> {
    if only && at.hops().len() > 1 {
        return point(root, name, at.target());
    }
    if !only {
        at.only_place()?;
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

/// Removes every entry of `index.json` that has a tag.
///
/// # Errors
/// [`Error::NotFound`], with the tags in the index.
pub fn untag(root: &Raw<Index>, name: &RefName) -> Result<Raw<Index>> {
    let tagged = |index: &Raw<Index>| {
        index.view().manifests.iter().position(|entry| entry.ref_name() == Some(name.as_str()))
    };
    let Some(mut position) = tagged(root) else {
        let tags: Vec<String> =
            root.view().manifests.iter().filter_map(|entry| entry.ref_name()).map(printable).collect();
        let there =
            if tags.is_empty() { "no entry has a tag".into() } else { format!("tags: {}", tags.join(", ")) };
        return Err(Error::NotFound(format!("tag {name} not found ({there})")));
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

/// Copies an entry under a tag; returns the index and the entry's position.
pub(super) fn copy_to_tag(root: &Raw<Index>, source: &Hop, name: &RefName) -> Result<(Raw<Index>, usize)> {
    let found = find_root(root, source).ok();
    if let Some(position) = found
        && source.descriptor.ref_name() == Some(name.as_str())
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

/// Moves the last entry to the position of the entry that has the tag, if there is one, and sets the tag.
pub(in crate::graph) fn move_to_tag(
    root: &Raw<Index>,
    last: usize,
    name: &RefName,
) -> Result<(Raw<Index>, usize)> {
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
