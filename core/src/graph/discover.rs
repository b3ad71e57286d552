//! The objects that are about another: signatures, SBOMs, attestations, and what is about these.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use super::{
    list::{attestation, attests},
    walk::Places,
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    limits::Limits,
    spec::{Annotations, Descriptor, Index},
    store::{BlobRead, Repository, RootIndex},
};

/// An object, and what is about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Discovered {
    /// The object: with its artifact type and, if it is about another, the annotations of its manifest.
    #[serde(flatten)]
    pub descriptor: Descriptor,
    /// Objects about it, in the order in which they were found.
    pub referrers: Vec<Discovered>,
}

/// Finds what is about an object, and what is about that. `find` returns the descriptors of what is about one
/// object: [`ReferrerMap::about`] in a layout, [`Client::referrers`](crate::remote::Client::referrers) in a
/// registry. An object that is about itself, by whatever way, is not searched again.
///
/// # Errors
/// [`Error::Limit`] past [`Limits::depth`] or [`Limits::descriptors`]; those of `find`.
pub fn discover(
    object: &Descriptor,
    limits: &Limits,
    find: &mut dyn FnMut(&Digest) -> Result<Vec<Descriptor>>,
) -> Result<Discovered> {
    Search { limits, find, found: 0 }.search(object.clone(), &mut Vec::new())
}

struct Search<'a> {
    limits: &'a Limits,
    find: &'a mut dyn FnMut(&Digest) -> Result<Vec<Descriptor>>,
    found: usize,
}

impl Search<'_> {
    fn search(&mut self, descriptor: Descriptor, above: &mut Vec<Digest>) -> Result<Discovered> {
        let digest = descriptor.digest.clone();
        if above.contains(&digest) {
            return Ok(Discovered { descriptor, referrers: Vec::new() });
        }
        if above.len() >= self.limits.depth {
            return Err(Error::limit(format!("what is about {digest}"), "depth", self.limits.depth as u64));
        }
        let mut seen = BTreeSet::new();
        let mut found = (self.find)(&digest)?;
        found.retain(|entry| seen.insert(entry.digest.clone()));
        self.found = self.found.saturating_add(found.len());
        if self.found > self.limits.descriptors {
            let limit = self.limits.descriptors as u64;
            return Err(Error::limit(format!("what is about {digest}"), "descriptors", limit));
        }
        above.push(digest);
        let referrers = found.into_iter().map(|entry| self.search(entry, above)).collect::<Result<_>>()?;
        above.pop();
        Ok(Discovered { descriptor, referrers })
    }
}

/// The objects of a store that are about others.
#[derive(Debug, Clone, Default)]
pub struct ReferrerMap(HashMap<String, Vec<Descriptor>>);

impl ReferrerMap {
    /// Returns what is about an object.
    #[must_use]
    pub fn about(&self, object: &Digest) -> &[Descriptor] {
        self.0.get(object.as_str()).map_or(&[], Vec::as_slice)
    }

    /// Returns what the entries of one index say about each other: attestations of BuildKit.
    #[must_use]
    pub fn of_entries(index: &Index) -> Self {
        let mut referrers = Self::default();
        for entry in &index.manifests {
            referrers.add(attestation(entry), entry.clone());
        }
        referrers
    }

    fn add(&mut self, about: Option<String>, entry: Descriptor) {
        let Some(about) = about else { return };
        let entries = self.0.entry(about).or_default();
        if !entries.iter().any(|other| other.digest == entry.digest) {
            entries.push(entry);
        }
    }
}

impl<S: BlobRead + RootIndex> Repository<S> {
    /// Finds in the whole store what is about another object: by the `subject` of manifests and indexes, as
    /// attestations of BuildKit, and by the tags of cosign. An object that cannot be read is about nothing.
    ///
    /// # Errors
    /// Those of [`Repository::list`].
    pub fn referrers(&self) -> Result<ReferrerMap> {
        let places = Places::walk(self, &self.index()?)?;
        let mut referrers = ReferrerMap::default();
        for place in places.ids() {
            let mut entry = places.get(place).descriptor.clone();
            let attested = attests(places.get(place));
            let (subject, annotations) = match places.manifest(place) {
                Some(Ok(manifest)) => (manifest.subject, manifest.annotations),
                _ => match places.index_at(place) {
                    Some(index) => (index.subject.clone(), index.annotations.clone()),
                    None => (None, Annotations::new()),
                },
            };
            entry.artifact_type = places.artifact_type(place);
            for (name, value) in annotations {
                entry.annotations.entry(name).or_insert(value);
            }
            referrers.add(subject.map(|subject| subject.digest.to_string()), entry.clone());
            referrers.add(attested, entry);
        }
        Ok(referrers)
    }
}
