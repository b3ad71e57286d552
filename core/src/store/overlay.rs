//! Two stores as one: writes go to the upper one, reads to either.

use std::{
    io::Read,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{BlobRead, BlobWrite, NewBlob, Pending, ReadSeek, RootIndex, check_index};
use crate::{
    digest::Digest,
    error::{Error, Result},
    limits::Limits,
    spec::{Descriptor, Index, Raw},
};

/// Reads blobs from `upper`, or else from `lower`; writes to `upper` alone. The index is that of `lower`
/// until it is replaced; the new one is kept in memory. So a read-only store can be edited all the same.
///
/// ```
/// use ocicle::{MemoryStore, Repository, image::edit::blank};
///
/// let below = Repository::in_memory()?;
/// let repository = below.with_upper(MemoryStore::new()?);
/// let image = blank(&repository, &"linux/arm64".parse()?, "2020-01-01T00:00:00Z")?;
/// repository.tag(&image, &"v1".parse()?)?;
/// assert_eq!(repository.index()?.view().manifests.len(), 1);
/// assert!(below.index()?.view().manifests.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Overlay<L, U> {
    lower: L,
    upper: U,
    index: Mutex<Option<Raw<Index>>>,
    limits: Limits,
}

impl<L, U> Overlay<L, U> {
    /// Puts one store over another.
    pub fn new(lower: L, upper: U, limits: &Limits) -> Self {
        Self { lower, upper, index: Mutex::new(None), limits: *limits }
    }

    /// Returns the store that is only read.
    pub fn lower(&self) -> &L {
        &self.lower
    }

    /// Returns the store that is written to.
    pub fn upper(&self) -> &U {
        &self.upper
    }

    fn index(&self) -> MutexGuard<'_, Option<Raw<Index>>> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<L: BlobRead, U: BlobRead> BlobRead for Overlay<L, U> {
    fn try_open(&self, blob: &Descriptor) -> Result<Option<Box<dyn Read + Send + '_>>> {
        match self.upper.try_open(blob)? {
            None => self.lower.try_open(blob),
            found => Ok(found),
        }
    }

    fn try_seek(&self, blob: &Descriptor) -> Result<Option<Box<dyn ReadSeek + '_>>> {
        match self.upper.try_seek(blob)? {
            None if self.upper.try_size(blob)?.is_none() => self.lower.try_seek(blob),
            found => Ok(found),
        }
    }

    fn try_size(&self, blob: &Descriptor) -> Result<Option<u64>> {
        match self.upper.try_size(blob)? {
            None => self.lower.try_size(blob),
            found => Ok(found),
        }
    }
}

impl<L, U: BlobWrite> BlobWrite for Overlay<L, U> {
    fn hold(&self) -> Result<()> {
        self.upper.hold()
    }

    fn begin(&self, blob: &NewBlob<'_>) -> Result<Box<dyn Pending + '_>> {
        self.upper.begin(blob)
    }
}

impl<L: RootIndex, U> RootIndex for Overlay<L, U> {
    fn load(&self) -> Result<Raw<Index>> {
        match &*self.index() {
            Some(index) => Ok(index.clone()),
            None => self.lower.load(),
        }
    }

    fn replace(&self, expected: &Digest, new: &Raw<Index>) -> Result<()> {
        check_index(new, &self.limits)?;
        let mut index = self.index();
        let actual = match &*index {
            Some(index) => index.digest(),
            None => self.lower.load()?.digest(),
        };
        if actual != *expected {
            return Err(Error::Conflict { expected: expected.clone(), actual });
        }
        *index = Some(new.clone());
        Ok(())
    }
}
