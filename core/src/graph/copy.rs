//! Copying between stores: everything, one object and everything below it, or one image out of an index.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
};

use super::{
    RefName, Resolution,
    reach::{Reached, entries_of, reach},
    rewrite::Roots,
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    spec::{Descriptor, Entries, IMAGE_NAME, Index, REF_NAME, Raw},
    store::{
        BlobRead, BlobWrite, NewBlob, Pending, Repository, RootIndex, RootIndexExt as _, Store,
        layout::empty_index, publish_each,
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
            What::Object(at) => {
                let index = with_object(repository, &empty_index()?, &root, at)?;
                Ok(Self { index, blobs: reach(repository, vec![Reached::needed(at.target())])? })
            }
            What::Objects(all) => {
                let index = all.iter().try_fold(empty_index()?, |index, at| {
                    let pushed = with_object(repository, &index, &root, at)?;
                    let is_only = all.iter().filter(|other| other.root() == at.root()).count() == 1;
                    let pushed = if is_only { with_names(&pushed, &at.root().descriptor)? } else { pushed };
                    let (last, others) = pushed.view().manifests.split_last().unzip();
                    // The same object may be at several places.
                    let is_new = !others.unwrap_or_default().iter().any(|other| Some(other) == last);
                    Ok::<_, Error>(if is_new { pushed } else { index })
                })?;
                let start = all.iter().map(|at| Reached::needed(at.target())).collect();
                Ok(Self { index, blobs: reach(repository, start)? })
            }
            What::Sparse(at) => {
                let index = pushed(&empty_index()?, &root, at.root().position)?;
                let mut blobs = reach(repository, vec![Reached::needed(at.target())])?;
                for hop in at.hops() {
                    blobs.insert(hop.descriptor.digest.clone(), Reached::needed(&hop.descriptor));
                }
                Ok(Self { index, blobs })
            }
        }
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
        publish_each(blobs.into_iter().filter_map(|blob| match to.store().try_size(blob) {
            Ok(Some(size)) if size == blob.size => {
                copied.present += 1;
                None
            }
            Ok(_) => {
                copied.blobs += 1;
                copied.bytes = copied.bytes.saturating_add(blob.size);
                Some(write_blob(from, to, blob))
            }
            Err(error) => Some(Err(error)),
        }))?;
        Ok(copied)
    }
}

/// Writes and verifies a blob, which is not published yet.
fn write_blob<'a, S: BlobRead, T: BlobWrite>(
    from: &Repository<S>,
    to: &'a Repository<T>,
    blob: &Descriptor,
) -> Result<(Box<dyn Pending + 'a>, Digest)> {
    let io = || Error::io(format!("copy blob {}", blob.digest));
    let mut pending = to.store().begin(&NewBlob::known(blob))?;
    io::copy(&mut from.blob(blob)?, &mut pending).map_err(io())?;
    pending.flush().map_err(io())?;
    Ok((pending, blob.digest.clone()))
}

/// Adds an exact copy of an entry of another index.
fn pushed(index: &Raw<Index>, from: &Raw<Index>, position: usize) -> Result<Raw<Index>> {
    let mut from = Entries::of(from);
    Ok(index.edit_entries(|entries| entries.push_from(&mut from, position))?.0)
}

/// Adds the entry of an object to an index.
fn with_object<S: BlobRead>(
    repository: &Repository<S>,
    index: &Raw<Index>,
    root: &Raw<Index>,
    at: &Resolution,
) -> Result<Raw<Index>> {
    match at.hops() {
        [hop] => pushed(index, root, hop.position),
        [.., above, hop] => pushed(index, &repository.document(&above.descriptor)?, hop.position),
        [] => Err(Error::NotFound("a resolution without slots".into())),
    }
}

/// Names the last entry of an index as another entry is named.
fn with_names(index: &Raw<Index>, named: &Descriptor) -> Result<Raw<Index>> {
    let last = index.view().manifests.len().saturating_sub(1);
    let names = [REF_NAME, IMAGE_NAME].into_iter();
    let names: Vec<_> =
        names.filter_map(|name| Some((name, Some(named.annotations.get(name)?.as_str())))).collect();
    Ok(index.edit_entries(|entries| entries.annotate(last, &names))?.0)
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
