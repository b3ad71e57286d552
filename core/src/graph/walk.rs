//! Every place of a store, in document order.

use std::{cell::OnceCell, collections::BTreeMap, rc::Rc};

use super::selector::{Selector, Step};
use crate::{
    digest::Digest,
    error::{Error, Result},
    spec::{Descriptor, ImageConfig, Index, Manifest, MediaType, Platform, Raw},
    store::{BlobRead, Repository},
};

/// An entry of an index, as reached by one path from `index.json`.
#[derive(Debug)]
pub(super) struct Place {
    /// The place above; `None` for an entry of `index.json`.
    pub(super) parent: Option<usize>,
    /// The digest of the index it is in.
    pub(super) index: Digest,
    pub(super) position: usize,
    pub(super) descriptor: Descriptor,
    /// The error of reading an index: what is below it is unknown.
    pub(super) problem: Option<Error>,
    platform: OnceCell<Option<Platform>>,
}

/// All places that were visited; parents before children.
pub(super) struct Places<'a, S> {
    repository: &'a Repository<S>,
    places: Vec<Place>,
    /// The indexes read so far: one that is reached by several paths is read once.
    indexes: BTreeMap<(Digest, u64, MediaType), Rc<Index>>,
}

impl<'a, S: BlobRead> Places<'a, S> {
    /// Visits everything below an index.
    ///
    /// # Errors
    /// [`Error::Limit`] past [`Limits::depth`] or [`Limits::descriptors`]. An index that cannot be read is
    /// not an error of the walk: it may not matter to the caller.
    pub(super) fn walk(repository: &'a Repository<S>, root: &Raw<Index>) -> Result<Self> {
        Self::walk_where(repository, root, |_| true)
    }

    /// Visits everything that a selector can select: a tag is on an entry of `index.json`, so the other
    /// entries need not be opened.
    pub(super) fn walk_for(
        repository: &'a Repository<S>,
        root: &Raw<Index>,
        selector: &Selector,
    ) -> Result<Self> {
        let tag = selector.steps().first().and_then(tag_of);
        Self::walk_where(repository, root, |entry| tag.is_none_or(|tag| entry.has_tag(tag)))
    }

    fn walk_where(
        repository: &'a Repository<S>,
        root: &Raw<Index>,
        open: impl Fn(&Descriptor) -> bool,
    ) -> Result<Self> {
        let mut places = Self { repository, places: Vec::new(), indexes: BTreeMap::new() };
        let digest = root.digest();
        for (position, entry) in root.view().manifests.iter().enumerate() {
            let place = places.push(None, &digest, position, entry)?;
            if open(entry) {
                places.below(place, 1)?;
            }
        }
        Ok(places)
    }

    fn below(&mut self, parent: usize, depth: usize) -> Result<()> {
        let descriptor = self.places[parent].descriptor.clone();
        if !descriptor.media_type.is_index() {
            return Ok(());
        }
        if depth > self.repository.limits().depth {
            let what = format!("index {}: depth of indexes", descriptor.digest);
            return Err(Error::limit(what, "depth", self.repository.limits().depth as u64));
        }
        let index = match self.index(&descriptor) {
            Ok(index) => index,
            Err(error) => {
                self.places[parent].problem = Some(error);
                return Ok(());
            }
        };
        for (position, entry) in index.manifests.iter().enumerate() {
            let place = self.push(Some(parent), &descriptor.digest, position, entry)?;
            self.below(place, depth + 1)?;
        }
        Ok(())
    }

    fn index(&mut self, descriptor: &Descriptor) -> Result<Rc<Index>> {
        let key = (descriptor.digest.clone(), descriptor.size, descriptor.media_type.clone());
        if let Some(index) = self.indexes.get(&key) {
            return Ok(Rc::clone(index));
        }
        let index = Rc::new(self.repository.document::<Index>(descriptor)?.view().clone());
        self.indexes.insert(key, Rc::clone(&index));
        Ok(index)
    }

    fn push(
        &mut self,
        parent: Option<usize>,
        index: &Digest,
        position: usize,
        entry: &Descriptor,
    ) -> Result<usize> {
        if self.places.len() >= self.repository.limits().descriptors {
            let limit = self.repository.limits().descriptors as u64;
            return Err(Error::limit("descriptors in the store", "descriptors", limit));
        }
        self.places.push(Place {
            parent,
            index: index.clone(),
            position,
            descriptor: entry.clone(),
            problem: None,
            platform: OnceCell::new(),
        });
        Ok(self.places.len() - 1)
    }

    /// Takes the error of the first relevant place whose index is damaged, and not only absent: the object
    /// that was looked for may be below it.
    pub(super) fn take_damage(&mut self, relevant: impl Fn(usize) -> bool) -> Option<Error> {
        let damaged = |place: &Place| {
            place
                .problem
                .as_ref()
                .is_some_and(|error| !matches!(error, Error::MissingBlob(_) | Error::Unsupported(_)))
        };
        let mut found =
            self.places.iter_mut().enumerate().filter(|(id, place)| relevant(*id) && damaged(place));
        found.next().and_then(|(_, place)| place.problem.take())
    }

    pub(super) fn get(&self, place: usize) -> &Place {
        &self.places[place]
    }

    pub(super) fn ids(&self) -> std::ops::Range<usize> {
        0..self.places.len()
    }

    /// Returns the path from an entry of `index.json` to a place, both included.
    pub(super) fn way(&self, place: usize) -> Vec<usize> {
        let mut way = vec![place];
        while let Some(parent) = self.places[way[way.len() - 1]].parent {
            way.push(parent);
        }
        way.reverse();
        way
    }

    /// Returns the platform of an object: from its descriptor, else its config, else the nearest index above
    /// that names one. For objects that cannot be read, only from the index above.
    pub(super) fn platform(&self, place: usize) -> Option<&Platform> {
        let at = &self.places[place];
        let own = at.platform.get_or_init(|| platform_of(self.repository, &at.descriptor));
        own.as_ref().or_else(|| self.platform(at.parent?))
    }

    /// Returns whether a place has the manifest of an image, and not that of an attestation or a signature.
    pub(super) fn is_image(&self, place: usize) -> bool {
        let descriptor = &self.places[place].descriptor;
        let unknown = |platform: &Platform| platform.os == "unknown" && platform.architecture == "unknown";
        if !descriptor.media_type.is_manifest()
            || descriptor.annotations.contains_key("vnd.docker.reference.type")
            || descriptor.platform.as_ref().is_some_and(unknown)
        {
            return false;
        }
        // An artifact without a type has that of its config.
        if let Some(artifact_type) = &descriptor.artifact_type {
            return artifact_type.is_config();
        }
        // A manifest that is broken or missing could be an image; reading it reports the error.
        let manifest = self.repository.document::<Manifest>(descriptor);
        manifest.map_or(true, |manifest| manifest.view().config.media_type.is_config())
    }

    /// Returns whether the store has an object, or its descriptor its content.
    pub(super) fn is_present(&self, place: usize) -> Result<bool> {
        let descriptor = &self.places[place].descriptor;
        Ok(descriptor.data.is_some() || self.repository.store().try_size(descriptor)?.is_some())
    }

    /// Reads a manifest; returns `None` for anything else.
    pub(super) fn manifest(&self, place: usize) -> Option<Result<Manifest>> {
        let descriptor = &self.places[place].descriptor;
        let manifest = || Ok(self.repository.document::<Manifest>(descriptor)?.view().clone());
        descriptor.media_type.is_manifest().then(manifest)
    }

    /// Returns the artifact type: from its descriptor, else the object itself, else the type of a config that
    /// is not that of an image.
    pub(super) fn artifact_type(&self, place: usize) -> Option<MediaType> {
        self.artifact_type_by(place, || self.manifest(place)?.ok())
    }

    /// Does the same for a manifest that may have been read already.
    pub(super) fn artifact_type_by(
        &self,
        place: usize,
        manifest: impl FnOnce() -> Option<Manifest>,
    ) -> Option<MediaType> {
        let of_manifest = |Manifest { artifact_type, config, .. }: Manifest| {
            artifact_type.or_else(|| Some(config.media_type).filter(|config| !config.is_config()))
        };
        let descriptor = &self.get(place).descriptor;
        let of_index = || self.index_at(place)?.artifact_type.clone();
        descriptor.artifact_type.clone().or_else(of_index).or_else(|| of_manifest(manifest()?))
    }

    /// Returns the index at a place, if it is one that could be read.
    pub(super) fn index_at(&self, place: usize) -> Option<&Index> {
        let Descriptor { digest, size, media_type, .. } = &self.places[place].descriptor;
        self.indexes.get(&(digest.clone(), *size, media_type.clone())).map(|index| &**index)
    }
}

/// Returns the platform of an object: from its descriptor, else its config.
pub(super) fn platform_of<S: BlobRead>(
    repository: &Repository<S>,
    descriptor: &Descriptor,
) -> Option<Platform> {
    if descriptor.platform.is_some() || !descriptor.media_type.is_manifest() {
        return descriptor.platform.clone();
    }
    let manifest: Raw<Manifest> = repository.document(descriptor).ok()?;
    let config = &manifest.view().config;
    if !config.media_type.is_config() {
        return None;
    }
    let config: Raw<ImageConfig> = repository.document(config).ok()?;
    Some(config.view().platform())
}

fn tag_of(step: &Step) -> Option<&str> {
    step.iter().find_map(|clause| match clause {
        super::selector::Clause::Tag(tag) => Some(tag.as_str()),
        _ => None,
    })
}
