//! Where images live: blobs by digest and one root index, behind small traits.

pub mod archive;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod files;
pub mod layout;
pub mod memory;
pub mod overlay;
mod read_at;
mod sweep;
pub(crate) mod temporary;
mod update;
mod writer;

use std::io::{Read, Seek, Write};

use crate::{
    digest::Digest,
    error::{Error, Result},
    hash::Verified,
    limits::Limits,
    spec::{Descriptor, Document, Index, Raw},
};

pub use read_at::{FileBytes, ReadAt, reader};
pub use update::RootIndexExt;
pub use writer::{BlobWriter, put_document};

/// A blob being read: sequentially or at random.
pub trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

/// Reading blobs.
pub trait BlobRead: Sync {
    /// Opens a blob; `None` if the store has none of that digest. The content is not verified: see [`BlobReadExt::open`].
    ///
    /// # Errors
    /// [`Error::Io`] if it is there but cannot be opened.
    fn try_open(&self, digest: &Digest) -> Result<Option<Box<dyn ReadSeek + '_>>>;
    /// The blob's size in bytes; `None` if the store has none of that digest.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be asked for.
    fn try_size(&self, digest: &Digest) -> Result<Option<u64>>;
}

/// Writing blobs.
pub trait BlobWrite {
    /// Starts a blob. Nothing is visible before [`Pending::publish`]; dropping it discards it.
    ///
    /// # Errors
    /// [`Error::Io`] if the store cannot be written.
    fn begin(&self) -> Result<Box<dyn Pending + '_>>;
}

/// A blob being written.
pub trait Pending: Write + Send {
    /// Makes the content visible under its digest, durably. Success means the content is there, not that this call put
    /// it there. The caller vouches for the digest: [`BlobWriter`] computes it.
    ///
    /// # Errors
    /// [`Error::Io`]; nothing is visible then.
    fn publish(self: Box<Self>, digest: &Digest) -> Result<()>;
}

/// The index of the roots (`index.json`).
pub trait RootIndex {
    /// Reads it.
    ///
    /// # Errors
    /// [`Error::Document`] if it is no valid index, [`Error::Io`].
    fn load(&self) -> Result<Raw<Index>>;
    /// Replaces it, if it still is the one with digest `expected`: compare-and-swap.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it changed meanwhile; [`Error::Limit`] if the new one is larger than [`Limits::document`], so
    /// that nobody could read it again. Nothing is written then.
    fn replace(&self, expected: &Digest, new: &Raw<Index>) -> Result<()>;
}

/// Finding and removing what a store no longer needs.
pub trait Sweepable {
    /// Waits until nobody is between writing a blob and putting it into the root index, and keeps writers waiting until the
    /// result is dropped. Removing is possible in no other way, so no blob is lost that an edit has just written.
    ///
    /// # Errors
    /// [`Error::Misuse`] if blobs were written through this very value: the wait would never end; [`Error::Io`].
    fn sweep(&self) -> Result<Box<dyn Sweep + '_>>;
}

/// A store that nobody else writes to.
pub trait Sweep {
    /// All blobs with their sizes in bytes, by digest. What is named otherwise than a digest, or is no regular file, is no
    /// blob.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn blobs(&self) -> Result<Vec<(Digest, u64)>>;
    /// Removes a blob; that it is gone already is no error.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn remove(&self, digest: &Digest) -> Result<()>;
    /// What interrupted writers left, by name, with sizes in bytes.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn leftovers(&self) -> Result<Vec<(String, u64)>>;
    /// Removes one of them; that it is gone already is no error.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Misuse`] if the name is none that a writer gives.
    fn remove_leftover(&self, name: &str) -> Result<()>;
    /// Makes sure that what was removed is gone: an archive is written anew without it.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn finish(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

impl<S: BlobRead + ?Sized> BlobRead for &S {
    fn try_open(&self, digest: &Digest) -> Result<Option<Box<dyn ReadSeek + '_>>> {
        (**self).try_open(digest)
    }

    fn try_size(&self, digest: &Digest) -> Result<Option<u64>> {
        (**self).try_size(digest)
    }
}

impl<S: BlobWrite + ?Sized> BlobWrite for &S {
    fn begin(&self) -> Result<Box<dyn Pending + '_>> {
        (**self).begin()
    }
}

impl<S: RootIndex + ?Sized> RootIndex for &S {
    fn load(&self) -> Result<Raw<Index>> {
        (**self).load()
    }

    fn replace(&self, expected: &Digest, new: &Raw<Index>) -> Result<()> {
        (**self).replace(expected, new)
    }
}

/// All that an edit needs.
pub trait Store: BlobRead + BlobWrite + RootIndex {}

impl<T: BlobRead + BlobWrite + RootIndex + ?Sized> Store for T {}

/// What follows from [`BlobRead`].
pub trait BlobReadExt: BlobRead {
    /// Opens the content a descriptor stands for: embedded `data`, or the blob. Nothing is verified: see [`BlobReadExt::open`].
    ///
    /// # Errors
    /// [`Error::MissingBlob`]; [`Error::Document`] if `data` is no Base64.
    fn content(&self, descriptor: &Descriptor) -> Result<Box<dyn ReadSeek + '_>>;

    /// Opens the content a descriptor stands for: embedded `data`, or the blob. The reader verifies size and digest and
    /// fails where they differ.
    ///
    /// # Errors
    /// [`Error::MissingBlob`]; [`Error::Unsupported`] for a digest that cannot be verified.
    fn open(&self, descriptor: &Descriptor) -> Result<Verified<Box<dyn ReadSeek + '_>>>;

    /// Reads and parses a whole document, verified.
    ///
    /// # Errors
    /// As [`BlobReadExt::open`]; [`Error::Limit`] past [`Limits::document`]; [`Error::Document`] if it is not a valid `T` or
    /// of another media type than the descriptor says; [`Error::Mismatch`].
    fn document<T: Document>(&self, descriptor: &Descriptor, limits: &Limits) -> Result<Raw<T>>;
}

impl<S: BlobRead + ?Sized> BlobReadExt for S {
    fn content(&self, descriptor: &Descriptor) -> Result<Box<dyn ReadSeek + '_>> {
        match descriptor.embedded()? {
            Some(data) => Ok(Box::new(std::io::Cursor::new(data))),
            None => self
                .try_open(&descriptor.digest)?
                .ok_or_else(|| Error::MissingBlob(descriptor.digest.clone())),
        }
    }

    fn open(&self, descriptor: &Descriptor) -> Result<Verified<Box<dyn ReadSeek + '_>>> {
        let blob = self.content(descriptor)?;
        Verified::new(blob, format!("blob {}", descriptor.digest), &descriptor.digest, descriptor.size)
    }

    fn document<T: Document>(&self, descriptor: &Descriptor, limits: &Limits) -> Result<Raw<T>> {
        let what = format!("{} {}", T::KIND, descriptor.digest);
        if descriptor.size > limits.document {
            return Err(Error::Limit { what, name: "document", limit: limits.document });
        }
        let mut bytes = Vec::new();
        self.open(descriptor)?.read_to_end(&mut bytes).map_err(Error::io(format_args!("read {what}")))?;
        Raw::parse(&what, bytes, Some(&descriptor.media_type))
    }
}

/// An index that the store itself would not read again is not written.
fn check_index(new: &Raw<Index>, limits: &Limits) -> Result<()> {
    match new.bytes().len() as u64 > limits.document {
        true => {
            Err(Error::Limit { what: "the new index.json".into(), name: "document", limit: limits.document })
        }
        false => Ok(()),
    }
}
