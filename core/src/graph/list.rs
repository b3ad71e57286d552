//! The contents of a store, as a tree.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    cosign,
    resolution::Resolution,
    resolve::resolution,
    selector::{Selector, kind_of},
    walk::{Place, Places},
};
use crate::{
    digest::Digest,
    error::Result,
    spec::{Annotations, Descriptor, Index, Manifest, MediaType, Platform, Raw},
    store::{BlobRead, Repository, RootIndex},
};

/// Everything below `index.json`, or below one place of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Listing {
    /// The entries of `index.json`, or the one place.
    pub entries: Vec<ListEntry>,
}

/// One entry of an index.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ListEntry {
    /// The image name as Docker shows it, or else the ref name; only of entries of `index.json`.
    pub tag: Option<String>,
    /// `index`, `manifest`, `config`, or else the media type; `malformed` for an entry that cannot be read.
    pub kind: String,
    /// The media type.
    pub media_type: MediaType,
    /// The digest.
    pub digest: Digest,
    /// The size of the document, in bytes.
    pub size: u64,
    /// The sizes of config and layers as stored, in bytes; only of manifests.
    pub image_size: Option<u64>,
    /// The platform, from the index, the config, or the nearest index above that names one.
    pub platform: Option<Platform>,
    /// The artifact type, from the index above or the object itself, or the media type of its config.
    pub artifact_type: Option<MediaType>,
    /// The digest of the `subject` of a manifest or index.
    pub subject: Option<Digest>,
    /// The digest of the image that a BuildKit attestation refers to, by the annotation
    /// `vnd.docker.reference.digest`, or that the tag of a cosign signature names.
    pub attests: Option<String>,
    /// The referrers of the object in the store, by `subject` or as attestations.
    pub referrers: BTreeSet<Digest>,
    /// Whether the object is at other places, too.
    pub shared: bool,
    /// Annotations of the descriptor.
    pub annotations: Annotations,
    /// The exact selector of this place.
    pub selector: Selector,
    /// The reason why an index or manifest cannot be read: it is missing, or damaged.
    pub problem: Option<String>,
    /// The entries of an index.
    pub entries: Vec<ListEntry>,
}

impl<S: BlobRead + RootIndex> Repository<S> {
    /// Lists everything below `index.json`, or one place and everything below it. Referrers are found in the
    /// whole store.
    ///
    /// # Errors
    /// [`Error::Limit`](crate::Error::Limit); [`Error::Io`](crate::Error::Io). Objects that cannot be read
    /// are listed, with the reason.
    pub fn list(&self, at: Option<&Resolution>) -> Result<Listing> {
        self.list_in(&self.index()?, at)
    }
}

impl<S: BlobRead> Repository<S> {
    /// Lists as [`Repository::list`] does, below a root index that is not, or not yet, that of the store.
    ///
    /// # Errors
    /// Those of [`Repository::list`].
    pub fn list_in(&self, root: &Raw<Index>, at: Option<&Resolution>) -> Result<Listing> {
        let places = Places::walk(self, root)?;
        let lister = Lister::new(&places);
        let Some(at) = at else {
            return Ok(lister.listing(&places, |place| places.get(place).parent.is_none()));
        };
        let positions: Vec<usize> = at.hops().iter().map(|hop| hop.position).collect();
        Ok(lister.listing(&places, |place| {
            places.way(place).iter().map(|&place| places.get(place).position).eq(positions.iter().copied())
        }))
    }
}

/// The facts about all places that a listing needs.
#[derive(Default)]
struct Lister {
    children: Vec<Vec<usize>>,
    manifests: BTreeMap<usize, Manifest>,
    /// The errors of the places that cannot be read.
    problems: BTreeMap<usize, String>,
    /// The number of places of each object.
    places: BTreeMap<Digest, usize>,
    referrers: BTreeMap<String, BTreeSet<Digest>>,
}

/// The annotation in the descriptor of an attestation, as BuildKit writes it.
const ATTESTS: &str = "vnd.docker.reference.digest";

/// Returns the digest of the image that an entry says it is about.
pub(super) fn attests(place: &Place) -> Option<String> {
    let tagged = || cosign::about(&place.descriptor).filter(|_| place.parent.is_none());
    attestation(&place.descriptor).or_else(|| Some(tagged()?.to_string()))
}

/// Returns the digest of the image that an attestation of BuildKit is about.
pub(super) fn attestation(entry: &Descriptor) -> Option<String> {
    entry.annotations.get(ATTESTS).cloned()
}

impl Lister {
    fn new<S: BlobRead>(places: &Places<'_, S>) -> Self {
        let mut lister = Self { children: vec![Vec::new(); places.ids().len()], ..Self::default() };
        for place in places.ids() {
            if let Some(parent) = places.get(place).parent {
                lister.children[parent].push(place);
            }
            lister.note(places, place);
        }
        lister
    }

    fn listing<S: BlobRead>(&self, places: &Places<'_, S>, is_root: impl Fn(usize) -> bool) -> Listing {
        let roots = places.ids().filter(|&place| is_root(place));
        Listing { entries: roots.map(|place| self.entry(places, place)).collect() }
    }

    fn note<S: BlobRead>(&mut self, places: &Places<'_, S>, place: usize) {
        let digest = &places.get(place).descriptor.digest;
        *self.places.entry(digest.clone()).or_default() += 1;
        if let Some(about) = attests(places.get(place)) {
            self.referrers.entry(about).or_default().insert(digest.clone());
        }
        match places.manifest(place) {
            Some(Ok(manifest)) => drop(self.manifests.insert(place, manifest)),
            Some(Err(problem)) => drop(self.problems.insert(place, problem.to_string())),
            None => {}
        }
        if let Some(subject) = self.subject(places, place) {
            self.referrers.entry(subject.to_string()).or_default().insert(digest.clone());
        }
    }

    fn subject<S: BlobRead>(&self, places: &Places<'_, S>, place: usize) -> Option<Digest> {
        let subject = match self.manifests.get(&place) {
            Some(manifest) => manifest.subject.as_ref(),
            None => places.index_at(place)?.subject.as_ref(),
        };
        Some(subject?.digest.clone())
    }

    fn entry<S: BlobRead>(&self, places: &Places<'_, S>, place: usize) -> ListEntry {
        let at = places.get(place);
        let Descriptor { media_type, digest, annotations, .. } = &at.descriptor;
        let manifest = self.manifests.get(&place);
        ListEntry {
            tag: at.descriptor.tag().filter(|_| at.parent.is_none()).map(str::to_owned),
            kind: match at.descriptor.malformed {
                Some(_) => "malformed".into(),
                None => kind_of(media_type).into(),
            },
            media_type: media_type.clone(),
            digest: digest.clone(),
            size: at.descriptor.size,
            image_size: manifest.map(|manifest| {
                manifest.layers.iter().fold(manifest.config.size, |sum, layer| sum.saturating_add(layer.size))
            }),
            platform: places.platform(place).cloned(),
            artifact_type: places.artifact_type_by(place, || manifest.cloned()),
            subject: self.subject(places, place),
            attests: attests(at),
            referrers: self.referrers.get(digest.as_str()).cloned().unwrap_or_default(),
            shared: self.places.get(digest).is_some_and(|count| *count > 1),
            annotations: annotations.clone(),
            selector: resolution(places, place, 1).selector(),
            problem: at
                .problem
                .as_ref()
                .map(ToString::to_string)
                .or_else(|| self.problems.get(&place).or(at.descriptor.malformed.as_ref()).cloned()),
            entries: self.children[place].iter().map(|&child| self.entry(places, child)).collect(),
        }
    }
}
