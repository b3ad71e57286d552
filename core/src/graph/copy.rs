//! Copying between stores: everything, one object and everything below it, or one image out of an index.

mod write;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    slice,
};

use self::write::write_blob;
use super::{
    RefName, Resolution, cosign,
    reach::{Reached, entries_of, reach},
    rewrite::{Roots, subjects_of},
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    spec::{Descriptor, Entries, IMAGE_NAME, Index, REF_NAME, Raw},
    store::{
        BlobRead, BlobWrite, Repository, RootIndex, RootIndexExt as _, Store, layout::empty_index, write_each,
    },
};

/// The scope of a copy.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::exhaustive_enums, reason = "whole or part, with or without the indexes above")]
pub enum What<'a> {
    /// Everything reachable from the root index.
    Everything,
    /// An object and everything below it.
    Object(&'a Resolution),
    /// Several objects and everything below each. An object that is the only one of a tree gets the names of
    /// the tree.
    Objects(&'a [Resolution]),
    /// An object, everything below it, and the indexes along its descriptor path, unchanged: their other
    /// entries are absent in the copy.
    Sparse(&'a Resolution),
}

/// The blobs of a copy, and its root index.
#[derive(Debug, Clone)]
pub struct Plan {
    index: Raw<Index>,
    blobs: BTreeMap<Digest, Reached>,
}

/// The counts of a finished copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Copied {
    /// The number of blobs that were written.
    pub blobs: u64,
    /// Their sizes in bytes.
    pub bytes: u64,
    /// The number of blobs that were present already.
    pub present: u64,
    /// The number of objects that the source lacks and need not have, such as other platforms of an index.
    pub absent: u64,
}

impl Plan {
    /// Determines which blobs belong to a copy.
    ///
    /// # Errors
    /// Those of [`RootIndex::load`]; an index or manifest that cannot be read; [`Error::Limit`] past
    /// [`Limits::descriptors`](crate::Limits::descriptors).
    pub fn new<S: BlobRead + RootIndex>(repository: &Repository<S>, what: What<'_>) -> Result<Self> {
        let root = repository.store().load()?;
        match what {
            What::Everything => Self::of_index(repository, root),
            What::Object(at) => Self::of_objects(repository, &root, slice::from_ref(at), Names::Entry),
            What::Objects(all) => Self::of_objects(repository, &root, all, Names::Tree),
            What::Sparse(at) => {
                let mut entries = Entries::of(&root);
                let position = at.root().position;
                let (index, _) =
                    empty_index()?.edit_entries(|copy| copy.push_from(&mut entries, position))?;
                let mut blobs = reach(repository, vec![Reached::needed(at.target())])?;
                for hop in at.hops() {
                    blobs.insert(hop.descriptor.digest.clone(), Reached::needed(&hop.descriptor));
                }
                Ok(Self { index, blobs })
            }
        }
    }

    fn of_objects<S: BlobRead>(
        repository: &Repository<S>,
        root: &Raw<Index>,
        all: &[Resolution],
        names: Names,
    ) -> Result<Self> {
        let index = index_of(repository, root, all, names)?;
        Ok(Self {
            index,
            blobs: reach(repository, all.iter().map(|at| Reached::needed(at.target())).collect())?,
        })
    }

    /// Plans a copy of everything reachable from an index.
    ///
    /// # Errors
    /// Those of [`Plan::new`].
    pub fn of_index<S: BlobRead>(repository: &Repository<S>, index: Raw<Index>) -> Result<Self> {
        let blobs = reach(repository, entries_of(index.view()))?;
        Ok(Self { index, blobs })
    }

    /// Returns the root index of the copy in an empty store.
    #[must_use]
    pub fn index(&self) -> &Raw<Index> {
        &self.index
    }

    /// Sets the tag of the one object that is copied.
    ///
    /// # Errors
    /// [`Error::Misuse`] if the copy is not of one object.
    pub fn tagged(mut self, name: &RefName) -> Result<Self> {
        match self.index.view().manifests.len() {
            1 => {
                self.index = Roots::edit(&self.index, |roots| roots.tag_last(name))?.0;
                Ok(self)
            }
            count => Err(Error::Misuse(format!("one tag for {count} objects: expected one object"))),
        }
    }

    /// Adds entries, and everything below them, unless they are copied already.
    ///
    /// # Errors
    /// Those of [`Plan::new`].
    pub fn with_entries<S: BlobRead>(
        mut self,
        repository: &Repository<S>,
        entries: &[Descriptor],
    ) -> Result<Self> {
        let (index, ()) = self.index.edit_entries(|copy| {
            for entry in entries {
                if !copy.views().contains(entry) {
                    copy.push(entry)?;
                }
            }
            Ok(())
        })?;
        self.index = index;
        for (digest, reached) in reach(repository, entries.iter().map(Reached::needed).collect())? {
            self.blobs.entry(digest).or_insert(reached);
        }
        Ok(self)
    }

    /// Returns the digests of the manifests and indexes that are copied.
    pub fn objects(&self) -> impl Iterator<Item = &Digest> {
        let is_object = |blob: &Descriptor| blob.media_type.is_index() || blob.media_type.is_manifest();
        self.blobs.iter().filter(move |(_, reached)| is_object(&reached.descriptor)).map(|(digest, _)| digest)
    }

    /// Returns the entries of the root index that are about copied objects, and are not copied themselves:
    /// signatures, lists of parts, attestations.
    ///
    /// # Errors
    /// Those of [`RootIndex::load`] and of reading manifests.
    pub fn referrers<S: BlobRead + RootIndex>(&self, repository: &Repository<S>) -> Result<Vec<Descriptor>> {
        let root = repository.store().load()?;
        let mut found = Vec::new();
        for entry in &root.view().manifests {
            if self.blobs.contains_key(&entry.digest) {
                continue;
            }
            let mut subjects = subjects_of(repository, entry)?;
            subjects.extend(cosign::about(entry));
            if subjects.iter().any(|subject| self.blobs.contains_key(subject)) {
                found.push(entry.clone());
            }
        }
        Ok(found)
    }

    /// Leaves out entries whose tag another index has, and returns those tags. What only they need is left
    /// out as well.
    ///
    /// # Errors
    /// Those of [`Plan::of_index`].
    pub fn without_tags_of<S: BlobRead>(
        self,
        repository: &Repository<S>,
        other: &Index,
    ) -> Result<(Self, Vec<String>)> {
        let is_there = |tag: &str| other.manifests.iter().any(|entry| entry.tag() == Some(tag));
        let mut skipped = Vec::new();
        let (index, ()) = self.index.edit_entries(|entries| {
            for position in (0..entries.views().len()).rev() {
                let tag = entries.views()[position].tag().filter(|tag| is_there(tag)).map(String::from);
                if let Some(tag) = tag {
                    entries.remove(position)?;
                    skipped.push(tag);
                }
            }
            Ok(())
        })?;
        match skipped.is_empty() {
            true => Ok((self, skipped)),
            false => Ok((Self::of_index(repository, index)?, skipped)),
        }
    }

    /// Leaves out layers and other content, and keeps the documents.
    #[must_use]
    pub fn documents(mut self) -> Self {
        self.blobs.retain(|_, reached| {
            let kind = &reached.descriptor.media_type;
            kind.is_index() || kind.is_manifest() || kind.is_config()
        });
        self
    }

    /// Returns the root index of a store with this copy in it: an entry with a tag replaces the one that had
    /// the tag, other entries are added unless they are present.
    ///
    /// # Errors
    /// [`Error::Document`] if a tag is used more than once there.
    pub fn merged_into(&self, root: &Raw<Index>) -> Result<Raw<Index>> {
        if root.view().manifests.is_empty() && root.bytes() == empty_index()?.bytes() {
            return Ok(self.index.clone());
        }
        let mut copied = Entries::of(&self.index);
        let (root, ()) = Roots::edit(root, |roots| {
            for (position, entry) in self.index.view().manifests.iter().enumerate() {
                if entry.tag().is_some() || !roots.has(entry) {
                    roots.push_from(&mut copied, position)?;
                    roots.place_last()?;
                }
            }
            Ok(())
        })?;
        Ok(root)
    }

    /// Returns the blobs that the source has, in the order of their digests, and how many others there are.
    ///
    /// # Errors
    /// [`Error::MissingBlob`] for a blob that must be present: a part of a manifest.
    pub fn blobs<S: BlobRead>(&self, from: &Repository<S>) -> Result<(Vec<&Descriptor>, u64)> {
        let (there, absent) = self.sorted(from)?;
        match absent.iter().find(|reached| reached.needed) {
            Some(reached) => Err(Error::MissingBlob(reached.descriptor.digest.clone())),
            None => Ok((there, absent.len() as u64)),
        }
    }

    /// Splits objects into those that the source has and those that it lacks.
    pub(super) fn sorted<S: BlobRead>(
        &self,
        from: &Repository<S>,
    ) -> Result<(Vec<&Descriptor>, Vec<&Reached>)> {
        let (mut there, mut absent) = (Vec::new(), Vec::new());
        for reached in self.blobs.values() {
            match from.store().try_size(&reached.descriptor)? {
                Some(_) => there.push(&reached.descriptor),
                None => absent.push(reached),
            }
        }
        Ok((there, absent))
    }

    /// Copies the blobs and verifies each. A blob that the destination has with the right size is not read,
    /// but held ([`BlobWrite::hold`]).
    ///
    /// # Errors
    /// Those of [`Plan::blobs`]; [`Error::Mismatch`] for a blob that is not what its descriptor says; those
    /// of the stores.
    pub fn copy_blobs<S: BlobRead, T: BlobRead + BlobWrite>(
        &self,
        from: &Repository<S>,
        to: &Repository<T>,
    ) -> Result<Copied> {
        to.store().hold()?;
        let (blobs, absent) = self.blobs(from)?;
        let mut copied = Copied { absent, ..Copied::default() };
        write_each(blobs.into_iter().filter_map(|blob| match to.store().try_size(blob) {
            Ok(Some(size)) if size == blob.size => {
                copied.present += 1;
                None
            }
            Ok(_) => {
                copied.blobs += 1;
                copied.bytes = copied.bytes.saturating_add(blob.size);
                Some(Ok(|| write_blob(from, to, blob)))
            }
            Err(error) => Some(Err(error)),
        }))?;
        Ok(copied)
    }
}

/// Where the names of a copied entry come from.
#[derive(Clone, Copy)]
enum Names {
    /// The entry itself.
    Entry,
    /// The tree's entry in the root index, for an object that is the only one of its tree.
    Tree,
}

/// Returns an index with an exact copy of the entry of each object, once. Each index above is read once.
fn index_of<S: BlobRead>(
    repository: &Repository<S>,
    root: &Raw<Index>,
    all: &[Resolution],
    names: Names,
) -> Result<Raw<Index>> {
    let mut trees = HashMap::<usize, usize>::new();
    let mut indexes = HashMap::new();
    for at in all {
        *trees.entry(at.root().position).or_default() += 1;
        if let Some(above) = above(at)
            && !indexes.contains_key(&above.digest)
        {
            indexes.insert(above.digest.clone(), repository.document::<Index>(above)?);
        }
    }
    let mut top = Entries::of(root);
    let mut below: HashMap<_, _> =
        indexes.iter().map(|(digest, index)| (digest, Entries::of(index))).collect();
    let mut seen = HashSet::new();
    let (index, ()) = empty_index()?.edit_entries(|copy| {
        for at in all {
            let from = above(at).and_then(|above| below.get_mut(&above.digest)).unwrap_or(&mut top);
            let position = at.hops().last().map_or(0, |hop| hop.position);
            let named = match names {
                Names::Tree if trees[&at.root().position] == 1 => names_of(&at.root().descriptor),
                _ => Vec::new(),
            };
            let mut entry = from.views().get(position).unwrap_or(at.target()).clone();
            let owned = named.iter().filter_map(|&(name, value)| Some((name.to_owned(), value?.to_owned())));
            entry.annotations.extend(owned);
            let text = serde_json::to_string(&entry);
            // The same object may be at several places.
            if seen.insert(text.map_err(|error| Error::document("entry", error.to_string()))?) {
                let pushed = copy.push_from(from, position)?;
                copy.annotate(pushed, &named)?;
            }
        }
        Ok(())
    })?;
    Ok(index)
}

/// Returns the index that has the entry of an object; `None` if that is the root index.
fn above(at: &Resolution) -> Option<&Descriptor> {
    match at.hops() {
        [.., above, _] => Some(&above.descriptor),
        _ => None,
    }
}

/// Returns the annotations that name an entry of the root index.
fn names_of(entry: &Descriptor) -> Vec<(&'static str, Option<&str>)> {
    let names = [REF_NAME, IMAGE_NAME].into_iter();
    names.filter_map(|name| Some((name, Some(entry.annotations.get(name)?.as_str())))).collect()
}

impl<S: BlobRead + RootIndex> Repository<S> {
    /// Copies to another repository, under `tag` if one is given: the blobs first, then the root index. A tag
    /// of the copy replaces an equal one at the destination; other entries are added.
    ///
    /// # Errors
    /// Those of [`Plan::new`], [`Plan::tagged`], [`Plan::copy_blobs`] and [`Plan::merged_into`].
    pub fn copy<T: Store>(
        &self,
        what: What<'_>,
        tag: Option<&RefName>,
        to: &Repository<T>,
    ) -> Result<Copied> {
        let mut plan = Plan::new(self, what)?;
        if let Some(tag) = tag {
            plan = plan.tagged(tag)?;
        }
        let copied = plan.copy_blobs(self, to)?;
        to.store().update(|root| plan.merged_into(root))?;
        Ok(copied)
    }
}
