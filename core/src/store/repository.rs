//! A store with its limits.

use super::{
    BlobRead, BlobReadExt as _, RootIndex, layout::LayoutStore, memory::MemoryStore, overlay::Overlay,
};
use crate::{
    error::{Error, Result},
    fs::DirWrite,
    hash::Verified,
    limits::Limits,
    spec::{Descriptor, Document, Index, Raw},
};

/// A store together with the [`Limits`] on what is read from it: the value that the rest of the library works
/// on.
///
/// Its methods are in the modules that do the work: resolving and copying in `graph`, images in `image`.
///
/// ```
/// use ocicle::{Repository, image::edit::blank};
///
/// let repository = Repository::in_memory()?; // on a disk: `Repository::open(directory, limits)`
/// let image = blank(&repository, &"linux/amd64".parse()?, "2020-01-01T00:00:00Z")?;
/// repository.tag(&image, &"v1".parse()?)?;
///
/// let image = repository.image(&"v1".parse()?)?;
/// assert_eq!(image.config.view().architecture, "amd64");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Repository<S> {
    store: S,
    limits: Limits,
}

impl Repository<MemoryStore> {
    /// Returns an empty repository in memory, with the default limits.
    ///
    /// # Errors
    /// Those of [`MemoryStore::new`].
    pub fn in_memory() -> Result<Self> {
        Ok(Self::new(MemoryStore::new()?, Limits::default()))
    }
}

impl<D: DirWrite> Repository<LayoutStore<D>> {
    /// Opens the image layout in a directory.
    ///
    /// # Errors
    /// Those of [`LayoutStore::open`].
    pub fn open(dir: D, limits: Limits) -> Result<Self> {
        Ok(Self::new(LayoutStore::open(dir, &limits)?, limits))
    }

    /// Creates an empty image layout in an empty directory, with the default limits.
    ///
    /// # Errors
    /// Those of [`LayoutStore::create`].
    pub fn create(dir: D) -> Result<Self> {
        Ok(Self::new(LayoutStore::create(dir)?, Limits::default()))
    }
}

impl<S> Repository<S> {
    /// Combines a store and limits.
    pub fn new(store: S, limits: Limits) -> Self {
        Self { store, limits }
    }

    /// Returns the store.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Returns the limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns this repository below another store: writes go to `upper`, reads to either.
    pub fn with_upper<U>(&self, upper: U) -> Repository<Overlay<&S, U>> {
        self.with_store(Overlay::new(&self.store, upper, &self.limits))
    }

    /// Returns the same store with other limits.
    pub fn with_limits(&self, limits: Limits) -> Repository<&S> {
        Repository { store: &self.store, limits }
    }

    /// Returns the store, without the limits.
    pub fn into_store(self) -> S {
        self.store
    }

    /// Returns another store with the same limits: one that wraps this one to count bytes, to stop early, or
    /// to keep what is written elsewhere.
    pub fn with_store<T>(&self, store: T) -> Repository<T> {
        Repository { store, limits: self.limits }
    }
}

impl<S: BlobRead> Repository<S> {
    /// Opens the content of a descriptor; see [`BlobReadExt::open`](super::BlobReadExt::open).
    ///
    /// # Errors
    /// Those of [`BlobReadExt::open`](super::BlobReadExt::open).
    pub fn blob(&self, descriptor: &Descriptor) -> Result<Verified<Box<dyn std::io::Read + Send + '_>>> {
        self.store.open(descriptor)
    }

    /// Reads and parses a whole document, verified.
    ///
    /// # Errors
    /// [`Error::MissingBlob`]; [`Error::Limit`] past [`Limits::document`]; [`Error::Document`] if it is not a
    /// valid `T` or has another media type than the descriptor says; [`Error::Mismatch`];
    /// [`Error::Unsupported`] for a digest algorithm that cannot be verified; [`Error::Io`].
    pub fn document<T: Document>(&self, descriptor: &Descriptor) -> Result<Raw<T>> {
        use std::io::Read as _;
        let what = format!("{} {}", T::KIND, descriptor.digest);
        if descriptor.size > self.limits.document {
            return Err(Error::limit(what, "document", self.limits.document));
        }
        let mut bytes = Vec::new();
        self.blob(descriptor)?.read_to_end(&mut bytes).map_err(Error::io(format_args!("read {what}")))?;
        Raw::parse(&what, bytes, Some(&descriptor.media_type))
    }
}

impl<S: RootIndex> Repository<S> {
    /// Reads the root index.
    ///
    /// # Errors
    /// As [`RootIndex::load`].
    pub fn index(&self) -> Result<Raw<Index>> {
        self.store.load()
    }
}
