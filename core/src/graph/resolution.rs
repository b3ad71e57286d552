//! The descriptor path from `index.json` to an object.

use serde::{Deserialize, Serialize, Serializer};

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

/// The descriptor path from `index.json` to an object. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Hops", try_from = "Hops")]
pub struct Resolution {
    hops: Vec<Hop>,
    /// The number of places where the object was found; 1 for a stored resolution.
    places: usize,
}

/// One entry of the path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Hop {
    /// The digest of the index that has the entry; for the first, of `index.json` when it was read.
    pub index: Digest,
    /// The position of the entry, from 0.
    pub position: usize,
    /// The descriptor at that position.
    #[serde(serialize_with = "described")]
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
        let Some((_, above)) = hops.split_last() else { return Err("a resolution has at least one hop") };
        match above.iter().all(|hop| hop.descriptor.media_type.is_index()) {
            true => Ok(Self { hops, places: 1 }),
            false => Err("a hop of a resolution that is not the last leads to an index"),
        }
    }
}

impl Resolution {
    /// `hops` is not empty.
    pub(super) fn new(hops: Vec<Hop>, places: usize) -> Self {
        Self { hops, places }
    }

    /// Finds the entries with these descriptors from `index.json` down to an object, each in the index that
    /// the one before names. If an entry was changed since, or removed from `index.json`, the path is found
    /// by digests alone, and only a copy of it can be edited.
    ///
    /// # Errors
    /// [`Error::NotFound`] if an index along the path does not list the next one; those of
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
            true => Err(Error::Misuse("descriptor path is empty".into())),
            false => Ok(Self { hops, places: 1 }),
        }
    }

    /// Returns the entries, starting at `index.json`.
    #[must_use]
    pub fn hops(&self) -> &[Hop] {
        &self.hops
    }

    /// Returns the entry in `index.json`.
    #[must_use]
    pub fn root(&self) -> &Hop {
        &self.hops[0]
    }

    /// Returns the descriptor of the object.
    #[must_use]
    pub fn target(&self) -> &Descriptor {
        &self.hops[self.hops.len() - 1].descriptor
    }

    /// Returns the tag of the path's entry in `index.json`.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.root().descriptor.ref_name()
    }

    /// Returns the exact selector of this path: `pos=2//pos=0,digest=sha256:…`.
    #[must_use]
    pub fn selector(&self) -> Selector {
        let mut steps: Vec<_> = self.hops.iter().map(|hop| vec![Clause::Position(hop.position)]).collect();
        if let Some(last) = steps.last_mut() {
            last.push(Clause::Digest(self.target().digest.to_string()));
        }
        Selector::new(steps).unwrap_or_else(|| Selector::of(Clause::Digest(self.target().digest.to_string())))
    }

    /// Describes the object. The config is read if no index names the platform; the platform is `None` if
    /// that fails.
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

    /// Refuses an object that was found at several places: a write must name one.
    pub(super) fn only_place(&self) -> Result<()> {
        match self.places {
            1 => Ok(()),
            several => Err(Error::Misuse(format!(
                "{} is at {several} places: expected the selector of one, such as #{}",
                self.target().digest,
                self.selector()
            ))),
        }
    }
}

/// Returns the position of the entry that equals this descriptor, or else of one with its digest and tag, or
/// with its digest.
fn slot_of(index: &Raw<Index>, descriptor: &Descriptor) -> Option<usize> {
    let entries = &index.view().manifests;
    let same_digest = |entry: &Descriptor| entry.digest == descriptor.digest;
    entries
        .iter()
        .position(|entry| entry == descriptor)
        .or_else(|| entries.iter().position(|entry| same_digest(entry) && entry.same_names(descriptor)))
        .or_else(|| entries.iter().position(same_digest))
}

/// An object that a reference was resolved to, and its place.
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
    /// Its platform, from the index, the config, or the nearest index above that names one.
    pub platform: Option<Platform>,
    /// The selector for exactly this place.
    pub selector: Selector,
    /// The number of places that have the object.
    pub places: usize,
    /// The entries along its path, starting at `index.json`.
    pub hops: &'a [Hop],
}

/// Writes a descriptor as a part of a description, also where it stands for a malformed entry.
fn described<S: Serializer>(descriptor: &Descriptor, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    Descriptor { malformed: None, ..descriptor.clone() }.serialize(serializer)
}
