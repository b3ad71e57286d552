//! The way from `index.json` to an object, slot by slot.

use serde::{Deserialize, Serialize};

use super::{
    selector::{Clause, Selector},
    walk::platform_of,
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    spec::{Descriptor, Index, MediaType, Platform, Raw},
    store::{BlobRead, Repository},
};

/// The way from `index.json` to an object. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Hops", try_from = "Hops")]
pub struct Resolution {
    hops: Vec<Hop>,
    /// At how many places the object was found; 1 for a stored resolution.
    places: usize,
}

/// One slot on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Hop {
    /// Digest of the index the slot is in; for the first, of `index.json` as it was.
    pub index: Digest,
    /// Which of its entries, from 0.
    pub position: usize,
    /// What was there.
    pub descriptor: Descriptor,
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Hops(Vec<Hop>);

impl From<Resolution> for Hops {
    fn from(resolution: Resolution) -> Self {
        Self(resolution.hops)
    }
}

impl TryFrom<Hops> for Resolution {
    type Error = &'static str;

    fn try_from(Hops(hops): Hops) -> Result<Self, &'static str> {
        if hops.is_empty() { Err("a resolution has at least one hop") } else { Ok(Self { hops, places: 1 }) }
    }
}

impl Resolution {
    /// `hops` is not empty.
    pub(super) fn new(hops: Vec<Hop>, places: usize) -> Self {
        Self { hops, places }
    }

    /// Finds the slots of descriptors that lead from an entry of `index.json` to an object, each in the index
    /// that the one before names. Where an entry was changed since, or `index.json` does not have it any
    /// more, the way is found by digests alone, and only a copy of it can be edited.
    ///
    /// # Errors
    /// [`Error::NotFound`] if an index on the way does not have the next one; those of
    /// [`Repository::document`](crate::Repository::document).
    pub fn locate<S: BlobRead>(
        repository: &Repository<S>,
        root: &Raw<Index>,
        walk: &[Descriptor],
    ) -> Result<Self> {
        let mut hops: Vec<Hop> = Vec::with_capacity(walk.len());
        for descriptor in walk {
            let (index, position) = match hops.last() {
                None => (root.digest(), slot_of(root, descriptor).unwrap_or(0)),
                Some(above) => {
                    let index: Raw<Index> = repository.document(&above.descriptor)?;
                    let position = slot_of(&index, descriptor).ok_or_else(|| {
                        let (above, digest) = (&above.descriptor.digest, &descriptor.digest);
                        Error::NotFound(format!("index {above} has no entry {digest}"))
                    })?;
                    (index.digest(), position)
                }
            };
            hops.push(Hop { index, position, descriptor: descriptor.clone() });
        }
        match hops.is_empty() {
            true => Err(Error::Misuse("a way of no descriptors leads nowhere".into())),
            false => Ok(Self { hops, places: 1 }),
        }
    }

    /// The slots, from `index.json` on.
    #[must_use]
    pub fn hops(&self) -> &[Hop] {
        &self.hops
    }

    /// The slot in `index.json`.
    #[must_use]
    pub fn root(&self) -> &Hop {
        &self.hops[0]
    }

    /// The object.
    #[must_use]
    pub fn target(&self) -> &Descriptor {
        &self.hops[self.hops.len() - 1].descriptor
    }

    /// The tag of the entry of `index.json` on the way.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.root().descriptor.ref_name()
    }

    /// Exactly this way: `pos=2//pos=0,digest=sha256:…`.
    #[must_use]
    pub fn selector(&self) -> Selector {
        let mut steps: Vec<_> = self.hops.iter().map(|hop| vec![Clause::Position(hop.position)]).collect();
        if let Some(last) = steps.last_mut() {
            last.push(Clause::Digest(self.target().digest.to_string()));
        }
        Selector::new(steps).unwrap_or_else(|| Selector::of(Clause::Digest(self.target().digest.to_string())))
    }

    /// Describes the object. The config is read where no index says what an image runs on; the platform is
    /// `None` if that fails.
    #[must_use]
    pub fn describe<S: BlobRead>(&self, repository: &Repository<S>) -> ResolvedObject<'_> {
        let target = self.target();
        let above = || self.hops.iter().rev().find_map(|hop| hop.descriptor.platform.clone());
        ResolvedObject {
            media_type: &target.media_type,
            digest: &target.digest,
            size: target.size,
            platform: platform_of(repository, target).or_else(above),
            selector: self.selector(),
            places: self.places,
            hops: &self.hops,
        }
    }

    /// Refuses a way that is one of several: a write must name the place.
    pub(super) fn only_place(&self) -> Result<()> {
        match self.places {
            1 => Ok(()),
            several => Err(Error::Misuse(format!(
                "{} is at {several} places: say which is meant, such as #{}",
                self.target().digest,
                self.selector()
            ))),
        }
    }
}

/// The entry that is this descriptor, or else one with its digest and tag, or with its digest.
fn slot_of(index: &Raw<Index>, descriptor: &Descriptor) -> Option<usize> {
    let entries = &index.view().manifests;
    let same_digest = |entry: &Descriptor| entry.digest == descriptor.digest;
    entries
        .iter()
        .position(|entry| entry == descriptor)
        .or_else(|| {
            entries.iter().position(|entry| same_digest(entry) && entry.ref_name() == descriptor.ref_name())
        })
        .or_else(|| entries.iter().position(same_digest))
}

/// The object that a reference stands for, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ResolvedObject<'a> {
    /// Media type of the object.
    pub media_type: &'a MediaType,
    /// Digest of the object.
    pub digest: &'a Digest,
    /// Size of the object, in bytes.
    pub size: u64,
    /// Its platform, as the index, the config, or the nearest index above says.
    pub platform: Option<Platform>,
    /// The selector for exactly this place.
    pub selector: Selector,
    /// The number of places that have the object.
    pub places: usize,
    /// The slots that lead to it, from `index.json` on.
    pub hops: &'a [Hop],
}
