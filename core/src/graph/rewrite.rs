//! Replacing an object and the indexes along its descriptor path, and nothing else; tags.
//!
//! Indexes along the path get new blobs, bottom-up. In each, only the entry that the resolution names is
//! changed; the others are kept byte for byte. These functions return the new root index; the caller stores
//! it ([`RootIndexExt::update`](crate::store::RootIndexExt::update)).

mod pass;
mod referrers;
mod roots;
mod tags;

use std::collections::HashMap;

use self::{
    pass::{EditSlot, Pass, Reach, Task},
    tags::copy_to_tag,
};
pub use self::{
    referrers::Referrers,
    tags::{Tagged, Untagged, point, tag, untag},
};
pub(super) use self::{referrers::subjects_of, roots::Roots};
use super::{Hop, RefName, Resolution, reach::check_complete};
use crate::{
    error::{Error, Result},
    spec::{Descriptor, Entries, Index, Raw},
    store::{Repository, Store},
};

/// The places where a replacement is made, and what happens to referrers.
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
    /// The tag of a copy of the tree that has the object; an entry that has the tag already is replaced.
    /// `None` to edit in place.
    pub tag: Option<RefName>,
    /// Whether the tag gets only the object, and not the tree that has it.
    pub only: bool,
    /// The places of the object that are replaced, if it is at several.
    pub scope: Scope,
    /// The treatment of the object's referrers.
    pub referrers: Referrers,
}

/// Places of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::exhaustive_enums, reason = "one place, one tag, or the whole store")]
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
    /// Replaces the object at its place.
    #[must_use]
    pub fn in_place() -> Self {
        Self::default()
    }

    /// Replaces the object in a copy of its tree, under this tag.
    #[must_use]
    pub fn tag(name: RefName) -> Self {
        Self { tag: Some(name), ..Self::default() }
    }
}

/// The store's new root index, which the store does not have yet.
#[derive(Debug, Clone)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Replaced {
    /// The new root index.
    pub root: Raw<Index>,
    /// The descriptor path of the new object in it.
    pub resolution: Resolution,
    /// The referrers of the replaced object, as they were found.
    pub referrers: Vec<Descriptor>,
}

/// Replaces the object at `at` by `new`, whose content is `bytes` and in the store already. The platform of
/// the entry becomes that of `new`, if it has one; at other places (`to.scope`) only if it was the same
/// there.
///
/// With a new tag, the entry of `index.json` at the start of the path may have been removed: the indexes
/// below it are found by their digests.
///
/// # Errors
/// [`Error::MissingBlob`] if the object was collected after that;
/// [`Error::Misuse`] if the object was found at several places and `to` does not say which, or if `to`
/// contradicts itself; [`Error::Conflict`] if, in place, the path is no longer in the root index; those of
/// reading and writing indexes.
pub fn replace_target<S: Store>(
    repository: &Repository<S>,
    root: &Raw<Index>,
    at: &Resolution,
    new: &Descriptor,
    bytes: &[u8],
    to: &Destination,
) -> Result<Replaced> {
    let pinned = Descriptor { platform: None, ..new.clone() };
    let point = |entries: &mut Entries<'_>, position: usize| {
        // If an entry names another platform than this one did, it was set on purpose.
        let follows = entry(entries.views(), position)?.platform == at.target().platform;
        replace_slot(entries, position, if follows { new } else { &pinned }, bytes)
    };
    replace(repository, root, at, Some((new, bytes)), &point, to)
}

/// Changes the entry of an object in the index above it, as [`replace_target`] changes the object. `edit`
/// gets that index and the position.
pub(super) fn replace_entry<S: Store>(
    repository: &Repository<S>,
    root: &Raw<Index>,
    at: &Resolution,
    edit: impl Fn(&mut Entries<'_>, usize) -> Result<()>,
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
    if to.tag.is_some() && find_root(root, at.root()).is_err() {
        repository.store().hold()?;
        check_complete(repository, at.target())?;
    }
    let mut way = at.hops().to_vec();
    let (root, position) = match &to.tag {
        None => (root.clone(), find_root(root, at.root())?),
        Some(name) if to.only => {
            way.truncate(1);
            Roots::edit(root, |roots| {
                roots.push(at.target())?;
                roots.tag_last(name)
            })?
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
            // With a new tag, the existing referrers refer to an object that is kept; they may be copied,
            // though.
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
            (None, true, _) => "tagging only the object needs a new tag",
            (Some(_), true, Scope::Tag | Scope::All) => "an object tagged on its own is at one place",
            (Some(_), _, Scope::All) => "a new tag is one tree: it cannot be in the whole store",
            _ => return Ok(()),
        };
        Err(Error::Misuse(reason.into()))
    }
}

/// Sets the digest and size of an entry. Its platform is kept, unless the new descriptor has one.
fn replace_slot(entries: &mut Entries<'_>, position: usize, new: &Descriptor, bytes: &[u8]) -> Result<()> {
    entries.retarget(position, new, bytes)?;
    match &new.platform {
        Some(platform) => entries.set_platform(position, platform),
        None => Ok(()),
    }
}

fn hop_to(index: &Raw<Index>, position: usize) -> Result<Hop> {
    Ok(Hop { index: index.digest(), position, descriptor: entry(&index.view().manifests, position)?.clone() })
}

/// Returns an error unless an entry is what it was when the path was found.
fn check_slot(index: &Raw<Index>, hop: &Hop) -> Result<()> {
    match index.view().manifests.get(hop.position) {
        Some(entry) if entry.digest == hop.descriptor.digest => Ok(()),
        _ => Err(Error::Conflict { expected: hop.index.clone(), actual: index.digest() }),
    }
}

/// Returns the position of the path's entry in `index.json`. If another process changed the index meanwhile,
/// it may have moved, and another entry of the same object may be where it was.
fn find_root(root: &Raw<Index>, hop: &Hop) -> Result<usize> {
    let is_it =
        |entry: &Descriptor| entry.digest == hop.descriptor.digest && entry.same_names(&hop.descriptor);
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

fn entry(entries: &[Descriptor], position: usize) -> Result<&Descriptor> {
    entries
        .get(position)
        .ok_or_else(|| Error::NotFound(format!("index.json has no entry at position {position}")))
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
