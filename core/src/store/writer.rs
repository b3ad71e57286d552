//! Writing blobs and computing their digests.

use std::io::{self, Write};

use super::{BlobWrite, NewBlob, Pending};
use crate::{
    digest::Algorithm,
    error::{Error, Result},
    hash::HashWrite,
    spec::{Descriptor, Document, MediaType, Raw, media_type::EMPTY},
};

/// A blob being written; its digest is computed while it is written. Dropping it discards the blob.
pub struct BlobWriter<'a> {
    content: HashWrite<Box<dyn Pending + 'a>>,
    media_type: MediaType,
}

impl<'a> BlobWriter<'a> {
    /// Starts a blob of unknown digest and size. `media_type` is that of the descriptors that will name it.
    ///
    /// # Errors
    /// Those of [`BlobWrite::begin`].
    pub fn new<S: BlobWrite + ?Sized>(store: &'a S, media_type: MediaType) -> Result<Self> {
        let pending = store.begin(&NewBlob::streamed(&media_type))?;
        Ok(Self { content: HashWrite::new(pending, Algorithm::Sha256), media_type })
    }

    /// Returns the number of bytes written so far.
    pub(crate) fn size(&self) -> u64 {
        self.content.size()
    }

    /// Makes the blob visible and returns its descriptor.
    ///
    /// # Errors
    /// Those of [`Pending::publish`].
    pub fn finish(self) -> Result<Descriptor> {
        let (pending, digest, size) = self.content.finish();
        pending.publish(&digest)?;
        Ok(Descriptor::new(self.media_type, digest, size))
    }
}

impl Write for BlobWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.content.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.content.flush()
    }
}

impl std::fmt::Debug for BlobWriter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobWriter").field("media_type", &self.media_type).finish_non_exhaustive()
    }
}

/// Stores the empty JSON object and returns its descriptor, for what an artifact does not have (image-spec,
/// manifest.md, "Guidance for an Empty Descriptor").
///
/// # Errors
/// Those of [`BlobWrite::begin`] and [`Pending::publish`].
pub fn put_empty<S: BlobWrite + ?Sized>(store: &S) -> Result<Descriptor> {
    let mut blob = BlobWriter::new(store, MediaType::literal(EMPTY))?;
    blob.write_all(b"{}").map_err(Error::io("write the empty JSON object"))?;
    blob.finish()
}

/// Stores a document and returns its descriptor.
///
/// # Errors
/// Those of [`BlobWrite::begin`] and [`Pending::publish`].
pub fn put_document<S: BlobWrite + ?Sized, T: Document>(
    store: &S,
    document: &Raw<T>,
    media_type: &MediaType,
) -> Result<Descriptor> {
    let descriptor = Descriptor::new(media_type.clone(), document.digest(), document.bytes().len() as u64);
    let mut pending = store.begin(&NewBlob::known(&descriptor))?;
    pending.write_all(document.bytes()).map_err(Error::io(format_args!("write {}", T::KIND)))?;
    pending.publish(&descriptor.digest)?;
    Ok(descriptor)
}
