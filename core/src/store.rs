//! Storage of images: blobs by digest and one root index, behind small traits.
//!
//! [`BlobRead`], [`BlobWrite`] and [`RootIndex`] make a store; [`Collect`] is for stores that can remove
//! blobs. A [`Repository`] is a store with its limits: what the rest of the library works on.

pub mod archive;
mod collect;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod files;
pub mod layout;
mod links;
pub mod memory;
mod new_blob;
pub mod overlay;
mod publish;
mod read_at;
mod repository;
pub(crate) mod temporary;
mod update;
mod writer;

use std::{
    io::{Cursor, Read, Seek, Write},
    sync::Arc,
};

use crate::{
    digest::Digest,
    error::{Error, Result},
    hash::Verified,
    limits::Limits,
    spec::{Descriptor, Index, Raw},
};

pub(crate) use self::publish::write_each;
pub use self::{
    links::SharedBlobs,
    new_blob::{BlobKind, NewBlob},
    read_at::{FileBytes, ReadAt, reader},
    repository::Repository,
    update::RootIndexExt,
    writer::{BlobWriter, put_document, put_empty},
};

/// A blob that is read from any position.
pub trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

/// Reads blobs. A blob is asked for by its descriptor: a registry finds manifests by their media type.
pub trait BlobRead: Sync {
    /// Opens a blob, to be read once from its start; returns `None` if the store does not have it. The
    /// content is not verified: see [`BlobReadExt::open`].
    ///
    /// # Errors
    /// [`Error::Io`] if the blob is there but cannot be opened.
    fn try_open(&self, blob: &Descriptor) -> Result<Option<Box<dyn Read + Send + '_>>>;
    /// Returns the stored size in bytes, whatever the descriptor says; `None` if the store does not have the
    /// blob.
    ///
    /// # Errors
    /// [`Error::Io`] if the size cannot be determined.
    fn try_size(&self, blob: &Descriptor) -> Result<Option<u64>>;
    /// Opens a blob for reading at any position. Returns `None` if the store does not have the blob or cannot
    /// seek, which is the default: callers then read the blob from its start. The content is not verified.
    ///
    /// # Errors
    /// [`Error::Io`] if the blob is there but cannot be opened.
    fn try_seek(&self, _blob: &Descriptor) -> Result<Option<Box<dyn ReadSeek + '_>>> {
        Ok(None)
    }
}

/// Writes blobs.
pub trait BlobWrite {
    /// Keeps every blob that is in the store from being collected ([`Collect::collect`] waits) until this
    /// value is dropped. An edit that relies on more than the root index refers to calls it before it looks:
    /// what it finds then is still there when the new root index refers to it. [`BlobWrite::begin`] does the
    /// same.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn hold(&self) -> Result<()>;
    /// Starts a blob. Nothing is visible before [`Pending::publish`]; dropping the result discards the blob.
    ///
    /// # Errors
    /// [`Error::Io`] if the store cannot be written; [`Error::Unsupported`] if it is read-only.
    fn begin(&self, blob: &NewBlob<'_>) -> Result<Box<dyn Pending + '_>>;
}

/// A blob being written.
pub trait Pending: Write + Send {
    /// Makes the content visible under its digest, durably. Success means that the content is there, not that
    /// this call put it there. The caller vouches for the digest: [`BlobWriter`] computes it.
    ///
    /// # Errors
    /// [`Error::Io`]; nothing is visible then.
    fn publish(self: Box<Self>, digest: &Digest) -> Result<()>;
}

/// The root index (`index.json`).
pub trait RootIndex {
    /// Reads the root index.
    ///
    /// # Errors
    /// [`Error::Document`] if it is not a valid index; [`Error::Io`].
    fn load(&self) -> Result<Raw<Index>>;
    /// Replaces the root index if its digest is still `expected` (compare-and-swap).
    ///
    /// # Errors
    /// [`Error::Conflict`] if it has changed; [`Error::Limit`] if the new index is larger than
    /// [`Limits::document`] and could not be read again. Nothing is written then.
    fn replace(&self, expected: &Digest, new: &Raw<Index>) -> Result<()>;
}

/// Finds and removes unreachable blobs.
pub trait Collect {
    /// Blocks until no edit is in progress, and holds off edits until the result is dropped. Blobs can be
    /// removed in no other way, so a blob that an edit has just written, or relies on
    /// ([`BlobWrite::hold`]), is never lost.
    ///
    /// # Errors
    /// [`Error::Misuse`] if this very value is held, since the wait would never end; [`Error::Io`].
    fn collect(&self) -> Result<Box<dyn Collector + '_>>;
}

/// Exclusive access to the blobs of a store, for garbage collection.
pub trait Collector {
    /// Returns all blobs with their sizes in bytes, ordered by digest. Entries that are not named by a
    /// digest, or are not regular files, are left out.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn blobs(&self) -> Result<Vec<(Digest, u64)>>;
    /// Removes a blob. Succeeds if it is gone already.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn remove(&self, digest: &Digest) -> Result<()>;
    /// Returns the names and sizes (bytes) of temporary files that interrupted writers left.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn leftovers(&self) -> Result<Vec<(String, u64)>>;
    /// Removes one of the leftovers. Succeeds if it is gone already.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Misuse`] if the name is not that of a temporary file.
    fn remove_leftover(&self, name: &str) -> Result<()>;
    /// Completes the removal. An archive is rewritten without what was removed.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn finish(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

/// Implements the traits for pointers to stores.
macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<S: BlobRead + ?Sized> BlobRead for $pointer
        where
            Self: Sync,
        {
            fn try_open(&self, blob: &Descriptor) -> Result<Option<Box<dyn Read + Send + '_>>> {
                (**self).try_open(blob)
            }

            fn try_size(&self, blob: &Descriptor) -> Result<Option<u64>> {
                (**self).try_size(blob)
            }

            fn try_seek(&self, blob: &Descriptor) -> Result<Option<Box<dyn ReadSeek + '_>>> {
                (**self).try_seek(blob)
            }
        }

        impl<S: BlobWrite + ?Sized> BlobWrite for $pointer {
            fn hold(&self) -> Result<()> {
                (**self).hold()
            }

            fn begin(&self, blob: &NewBlob<'_>) -> Result<Box<dyn Pending + '_>> {
                (**self).begin(blob)
            }
        }

        impl<S: RootIndex + ?Sized> RootIndex for $pointer {
            fn load(&self) -> Result<Raw<Index>> {
                (**self).load()
            }

            fn replace(&self, expected: &Digest, new: &Raw<Index>) -> Result<()> {
                (**self).replace(expected, new)
            }
        }

        impl<S: Collect + ?Sized> Collect for $pointer {
            fn collect(&self) -> Result<Box<dyn Collector + '_>> {
                (**self).collect()
            }
        }
    )*};
}

forward!(&'_ S, Box<S>, Arc<S>);

/// A store that can be edited.
pub trait Store: BlobRead + BlobWrite + RootIndex {}

impl<T: BlobRead + BlobWrite + RootIndex + ?Sized> Store for T {}

/// Verified reading, for every [`BlobRead`].
pub trait BlobReadExt: BlobRead {
    /// Opens the content of a descriptor, to be read once from its start: embedded `data`, or the blob. The
    /// content is not verified: see [`BlobReadExt::open`].
    ///
    /// # Errors
    /// [`Error::MissingBlob`]; [`Error::Document`] if `data` is not valid Base64.
    fn content(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send + '_>>;

    /// Opens the content of a descriptor, to be read once from its start: embedded `data`, or the blob. The
    /// reader verifies size and digest and fails at the end where they differ.
    ///
    /// # Errors
    /// [`Error::MissingBlob`]; [`Error::Unsupported`] for a digest algorithm that cannot be verified.
    fn open(&self, descriptor: &Descriptor) -> Result<Verified<Box<dyn Read + Send + '_>>>;

    /// Opens the content of a descriptor for reading at any position. Returns `None` if the store does not
    /// have the blob or cannot seek. The content is not verified.
    ///
    /// # Errors
    /// [`Error::Document`] if `data` is not valid Base64; [`Error::Io`].
    fn seekable(&self, descriptor: &Descriptor) -> Result<Option<Box<dyn ReadSeek + '_>>>;
}

impl<S: BlobRead + ?Sized> BlobReadExt for S {
    fn content(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send + '_>> {
        match descriptor.embedded()? {
            Some(data) => Ok(Box::new(Cursor::new(data))),
            None => self.try_open(descriptor)?.ok_or_else(|| Error::MissingBlob(descriptor.digest.clone())),
        }
    }

    fn open(&self, descriptor: &Descriptor) -> Result<Verified<Box<dyn Read + Send + '_>>> {
        let blob = self.content(descriptor)?;
        Verified::new(blob, format!("blob {}", descriptor.digest), &descriptor.digest, descriptor.size)
    }

    fn seekable(&self, descriptor: &Descriptor) -> Result<Option<Box<dyn ReadSeek + '_>>> {
        match descriptor.embedded()? {
            Some(data) => Ok(Some(Box::new(Cursor::new(data)))),
            None => self.try_seek(descriptor),
        }
    }
}

/// Refuses to write an index that the store itself would refuse to read.
fn check_index(new: &Raw<Index>, limits: &Limits) -> Result<()> {
    match new.bytes().len() as u64 > limits.document {
        true => Err(Error::limit("the new index.json", "document", limits.document)),
        false => Ok(()),
    }
}
