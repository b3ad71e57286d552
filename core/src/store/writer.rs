//! Writing blobs, hashed in passing.

use std::io::{self, Write};

use super::{BlobWrite, Pending};
use crate::{
    digest::{Algorithm, Digest},
    error::{Error, Result},
    hash::HashWrite,
    spec::{Descriptor, Document, MediaType, Raw},
};

/// A blob in the making; its digest is computed while it is written. Dropping it discards it.
pub struct BlobWriter<'a>(HashWrite<Box<dyn Pending + 'a>>);

impl<'a> BlobWriter<'a> {
    /// Starts a blob.
    ///
    /// # Errors
    /// Those of [`BlobWrite::begin`].
    pub fn new<S: BlobWrite + ?Sized>(store: &'a S) -> Result<Self> {
        Ok(Self(HashWrite::new(store.begin()?, Algorithm::Sha256)))
    }

    /// Makes the blob visible, and gives its digest and size in bytes.
    ///
    /// # Errors
    /// Those of [`Pending::publish`].
    pub fn finish(self) -> Result<(Digest, u64)> {
        let (pending, digest, size) = self.0.finish();
        pending.publish(&digest)?;
        Ok((digest, size))
    }
}

impl Write for BlobWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl std::fmt::Debug for BlobWriter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BlobWriter")
    }
}

/// Stores a document, and gives a descriptor with its type, digest and size.
///
/// # Errors
/// Those of [`BlobWrite::begin`] and [`Pending::publish`].
pub fn put_document<S: BlobWrite + ?Sized, T: Document>(
    store: &S,
    document: &Raw<T>,
    media_type: &MediaType,
) -> Result<Descriptor> {
    let mut writer = BlobWriter::new(store)?;
    writer.write_all(document.bytes()).map_err(Error::io(format_args!("write {}", T::KIND)))?;
    let (digest, size) = writer.finish()?;
    Ok(Descriptor::new(media_type.clone(), digest, size))
}
