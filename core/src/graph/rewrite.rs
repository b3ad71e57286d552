//! Replacing an object, with everything along the way to it and nothing beside it; tags.
//!
//! Indexes on the way get new blobs, bottom-up, each changed in the one slot the resolution names: siblings
//! stay as they are, to the byte. These functions give the new root index; the caller swaps it in
//! ([`RootIndexExt::update`](crate::store::RootIndexExt::update)).

mod pass;
mod referrers;
mod tags;

use std::collections::HashMap;

pub(super) use self::tags::move_to_tag;
use self::{
    pass::{EditSlot, Pass, Reach, Task},
    tags::copy_to_tag,
};
pub use self::{
    referrers::Referrers,
    tags::{point, tag, untag},
};
use super::{Hop, RefName, Resolution};
use crate::{
    error::{Error, Result},
    spec::{Descriptor, Index, Raw},
    store::{Repository, Store},
};

/// Where a replaced object goes, and what else follows it.
///
/// ```
/// use ocicle::graph::rewrite::{Destination, Scope};
///
/// let everywhere = Destination { scope: Scope::All, ..Destination::in_place() };
/// let new_tag = Destination::tag("v2".parse()?);
/// # Ok::<(), ocicle::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(clippy::exhaustive_structs, reason = "made with struct update syntax")]
pub struct Destination {
    /// `None`: the place it was at. Otherwise a copy of the tree it was in, under this tag; an entry that has
    /// the tag already gives up its slot.
    pub tag: Option<RefName>,
    /// The tag gets the object itself, and not the tree it was in.
    pub only: bool,
    /// Which places of the object are meant, if it is at several.
    pub scope: Scope,
    /// What happens to objects that are about the replaced one.
    pub referrers: Referrers,
}

/// Places of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::exhaustive_enums, reason = "here, around here, everywhere")]
pub enum Scope {
    /// The one place that the resolution names.
    #[default]
    Place,
    /// Every place below the same entry of `index.json`.
    Tag,
    /// Every place in the store.
    All,
}

impl Destination {
    /// The place the object was at.
    #[must_use]
    pub fn in_place() -> Self {
        Self::default()
    }

    /// A copy of the tree it was in, under this tag.
    #[must_use]
    pub fn tag(name: RefName) -> Self {
        Self { tag: Some(name), ..Self::default() }
    }
}

/// The store's new root index, which nothing points at yet.
#[derive(Debug, Clone)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Replaced {
    /// The new root index.
    pub root: Raw<Index>,
    /// The way to the new object in it.
    pub resolution: Resolution,
    /// What is about the object that was replaced, as it was found.
    pub referrers: Vec<Descriptor>,
}

/// Replaces the object at `at` by `new`, whose content is `bytes` and in the store already. The slot's
/// platform becomes that of `new`, if it has one; at other places (`to.scope`) only if it was the same there.
///
/// With a new tag, the entry of `index.json` that the way began with may be gone by now: the indexes below it
/// are found by their digests.
///
/// # Errors
/// [`Error::Misuse`] if the object was found at several places and `to` does not say which, or if `to`
/// contradicts itself; [`Error::Conflict`] if, in place, the root index does not lead there any more;
/// whatever reading and writing indexes meets.
pub fn replace_target<S: Store>(
    repository: &Repository<S>,
    root: &Raw<Index>,
    at: &Resolution,
    new: &Descriptor,
    bytes: &[u8],
    to: &Destination,
) -> Result<Replaced> {
    let pinned = Descriptor { platform: None, ..new.clone() };
    let point = |index: &Raw<Index>, position: usize| {
        // A slot that says another platform than this one did was told so by somebody.
        let follows = entry(index, position)?.platform == at.target().platform;
        replace_slot(index, position, if follows { new } else { &pinned }, bytes)
    };
    replace(repository, root, at, Some((new, bytes)), &point, to)
}

/// As [`replace_target`], but what is changed is the entry that leads to the object, in the index above it.
/// `edit` gets that index and the position.
pub(super) fn replace_entry<S: Store>(
    repository: &Repository<S>,
    root: &Raw<Index>,
    at: &Resolution,
    edit: impl Fn(&Raw<Index>, usize) -> Result<Raw<Index>>,
    to: &Destination,
) -> Result<Replaced> {
    replace(repository, root, at, None, &edit, to)
}

fn replace<S: Store>(
    repository: &Repository<S>,
    root: &Raw<Index>,
    at: &Resolution,
    new: Option<(&Descriptor, &[u8])>,
    edit: EditSlot<'_>,
    to: &Destination,
) -> Result<Replaced> {
    // What can be refused is refused before anything is written.
    to.check()?;
    if to.scope == Scope::Place && !to.only {
        at.only_place()?;
    }
    let mut way = at.hops().to_vec();
    let (root, position) = match &to.tag {
        None => (root.clone(), find_root(root, at.root())?),
        Some(name) if to.only => {
            let root = root.push(at.target())?;
            let last = root.view().manifests.len() - 1;
            way.truncate(1);
            move_to_tag(&root, last, name)?
        }
        Some(name) => copy_to_tag(root, at.root(), name)?,
    };
    let mut pass = Pass {
        repository,
        old: &at.target().digest,
        new,
        edit,
        referrers: to.referrers,
        found: Vec::new(),
        done: HashMap::new(),
        visited: 0,
    };
    let of_entry = |entry| {
        let here = entry == position;
        Task {
            way: if here { &way } else { &[] },
            everywhere: to.scope == Scope::All || (to.scope == Scope::Tag && here),
            // Beside a new tag, what is there is about what is still there; it can get company, though.
            reach: match to.referrers {
                _ if here || to.tag.is_none() => Reach::Below,
                Referrers::Copy => Reach::Entry,
                _ => Reach::Nowhere,
            },
        }
    };
    let (root, hops) = pass.index(&root, 0, &of_entry)?;
    let referrers = pass.found;
    Ok(Replaced { root, resolution: Resolution::new(hops, 1), referrers })
}

impl Destination {
    fn check(&self) -> Result<()> {
        let reason = match (&self.tag, self.only, self.scope) {
            (None, true, _) => "only a new tag can be given to an object alone",
            (Some(_), true, Scope::Tag | Scope::All) => "an object alone under a new tag is at one place",
            (Some(_), _, Scope::All) => "a new tag is one tree: it cannot be in the whole store",
            _ => return Ok(()),
        };
        Err(Error::Misuse(reason.into()))
    }
}

/// Points a slot at other content. What it says about the platform stays, unless the new content says it
/// itself.
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

/// The position of the entry of `index.json` that the way began with. If somebody else changed the index
/// meanwhile, it may have moved, and another one that leads to the same object may be where it was.
fn find_root(root: &Raw<Index>, hop: &Hop) -> Result<usize> {
    let is_it = |entry: &Descriptor| {
        entry.digest == hop.descriptor.digest && entry.ref_name() == hop.descriptor.ref_name()
    };
    let entries = &root.view().manifests;
    if entries.get(hop.position).is_some_and(is_it) {
        return Ok(hop.position);
    }
    let mut found = entries.iter().enumerate().filter(|(_, entry)| is_it(entry));
    match (found.next(), found.next()) {
        (Some((position, _)), None) => Ok(position),
        _ => Err(Error::Conflict { expected: hop.index.clone(), actual: root.digest() }),
    }
}

fn entry(index: &Raw<Index>, position: usize) -> Result<&Descriptor> {
    index
        .view()
        .manifests
        .get(position)
        .ok_or_else(|| Error::NotFound(format!("index.json has no entry at position {position}")))
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
