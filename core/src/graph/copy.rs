//! From one store to another: everything, one object with all below it, or one image out of an index.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
};

use super::{
    RefName, Resolution,
    reach::{Reached, entries_of, reach},
    rewrite::move_to_tag,
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    spec::{Descriptor, Index, Raw},
    store::{
        BlobRead, BlobWrite, NewBlob, Repository, RootIndex, RootIndexExt as _, Store, layout::empty_index,
    },
};

/// What is to be copied.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::exhaustive_enums, reason = "whole or part, with or without the way")]
pub enum What<'a> {
    /// All that the root index leads to.
    Everything,
    /// An object with all below it.
    Object(&'a Resolution),
    /// An object with all below it, and the indexes on the way to it as they are: their other entries are
    /// absent in the copy.
    Sparse(&'a Resolution),
}

/// What a copy consists of.
#[derive(Debug, Clone)]
pub struct Plan {
    index: Raw<Index>,
    blobs: BTreeMap<Digest, Reached>,
}

/// What a copy did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Copied {
    /// Blobs that were written.
    pub blobs: u64,
    /// Their sizes in bytes.
    pub bytes: u64,
    /// Blobs that were there already.
    pub present: u64,
    /// Objects that the source does not have, and need not: other platforms of an index, for example.
    pub absent: u64,
}

impl Plan {
    /// Finds out what belongs to a copy.
    ///
    /// # Errors
    /// Those of [`RootIndex::load`]; an index or manifest that cannot be read; [`Error::Limit`] past
    /// [`Limits::descriptors`](crate::Limits::descriptors).
    pub fn new<S: BlobRead + RootIndex>(repository: &Repository<S>, what: What<'_>) -> Result<Self> {
        let root = repository.store().load()?;
        match what {
            What::Everything => Self::of_index(repository, root),
            What::Object(at) => {
                let (above, hop) = match at.hops() {
                    [hop] => (root, hop),
                    [.., above, hop] => (repository.document(&above.descriptor)?, hop),
                    [] => return Err(Error::NotFound("a resolution without slots".into())),
                };
                let index = empty_index()?.push_from(&above, hop.position)?;
                Ok(Self { index, blobs: reach(repository, vec![Reached::needed(at.target())])? })
            }
            What::Sparse(at) => {
                let index = empty_index()?.push_from(&root, at.root().position)?;
                let mut blobs = reach(repository, vec![Reached::needed(at.target())])?;
                for hop in at.hops() {
                    blobs.insert(hop.descriptor.digest.clone(), Reached::needed(&hop.descriptor));
                }
                Ok(Self { index, blobs })
            }
        }
    }

    /// All that an index leads to.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn of_index<S: BlobRead>(repository: &Repository<S>, index: Raw<Index>) -> Result<Self> {
        let blobs = reach(repository, entries_of(index.view()))?;
        Ok(Self { index, blobs })
    }

    /// The index of the copy, if nothing else is there.
    #[must_use]
    pub fn index(&self) -> &Raw<Index> {
        &self.index
    }

    /// The same under another tag.
    ///
    /// # Errors
    /// [`Error::Misuse`] if it is not one object.
    pub fn tagged(mut self, name: &RefName) -> Result<Self> {
        match self.index.view().manifests.len() {
            1 => {
                self.index = move_to_tag(&self.index, 0, name)?.0;
                Ok(self)
            }
            count => Err(Error::Misuse(format!("one tag is not for {count} objects"))),
        }
    }

    /// The same without layers and other content: what can be looked at.
    #[must_use]
    pub fn documents(mut self) -> Self {
        self.blobs.retain(|_, reached| {
            let kind = &reached.descriptor.media_type;
            kind.is_index() || kind.is_manifest() || kind.is_config()
        });
        self
    }

    /// The root index of a store with this copy in it: what has a tag takes the place of what had it, the
    /// rest is added unless it is there.
    ///
    /// # Errors
    /// [`Error::Document`] if a tag is used more than once there.
    pub fn merged_into(&self, root: &Raw<Index>) -> Result<Raw<Index>> {
        if root.view().manifests.is_empty() && root.bytes() == empty_index()?.bytes() {
            return Ok(self.index.clone());
        }
        let mut root = root.clone();
        for (position, entry) in self.index.view().manifests.iter().enumerate() {
            let name = entry.ref_name().and_then(|name| name.parse::<RefName>().ok());
            if name.is_none() && root.view().manifests.contains(entry) {
                continue;
            }
            root = root.push_from(&self.index, position)?;
            if let Some(name) = name {
                let last = root.view().manifests.len() - 1;
                root = move_to_tag(&root, last, &name)?.0;
            }
        }
        Ok(root)
    }

    /// The blobs that the source has, in the order of their digests, and how many others there are.
    ///
    /// # Errors
    /// [`Error::MissingBlob`] for one that must be there: a part of a manifest.
    pub fn blobs<S: BlobRead>(&self, from: &Repository<S>) -> Result<(Vec<&Descriptor>, u64)> {
        let (there, absent) = self.sorted(from)?;
        match absent.iter().find(|reached| reached.needed) {
            Some(reached) => Err(Error::MissingBlob(reached.descriptor.digest.clone())),
            None => Ok((there, absent.len() as u64)),
        }
    }

    /// What is there and what is not.
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

    /// Copies the blobs, each verified on the way. What the destination has in the right size is not read.
    ///
    /// # Errors
    /// Those of [`Plan::blobs`]; [`Error::Mismatch`] for a blob that is not what its descriptor says; those
    /// of the stores.
    pub fn copy_blobs<S: BlobRead, T: BlobRead + BlobWrite>(
        &self,
        from: &Repository<S>,
        to: &Repository<T>,
    ) -> Result<Copied> {
        let (blobs, absent) = self.blobs(from)?;
        let mut copied = Copied { absent, ..Copied::default() };
        for blob in blobs {
            if to.store().try_size(blob)? == Some(blob.size) {
                copied.present += 1;
                continue;
            }
            let mut pending = to.store().begin(&NewBlob::known(blob))?;
            let mut content = from.blob(blob)?;
            io::copy(&mut content, &mut pending).map_err(|error| {
                error.downcast::<Error>().unwrap_or_else(Error::io(format_args!("copy blob {}", blob.digest)))
            })?;
            pending.flush().map_err(Error::io(format_args!("copy blob {}", blob.digest)))?;
            pending.publish(&blob.digest)?;
            copied.blobs += 1;
            copied.bytes = copied.bytes.saturating_add(blob.size);
        }
        Ok(copied)
    }
}

impl<S: BlobRead + RootIndex> Repository<S> {
    /// Copies what is asked for to another repository, under `tag` if one is given: the blobs first, then the
    /// root index. A tag of the copy replaces an equal one at the destination; the rest is added.
    ///
    /// # Errors
    /// As [`Plan::new`], [`Plan::tagged`], [`Plan::copy_blobs`] and [`Plan::merged_into`].
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
