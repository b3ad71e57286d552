//! Writing of layers: archive, diff_id, compression and blob in one pass.

use std::io::Read;

use super::{Change, ChangeSink, compress::Compressor, tar::TarWriter};
use crate::{
    digest::{Algorithm, Digest},
    error::{Error, Result},
    hash::HashWrite,
    spec::{Compression, Descriptor, MediaType},
    store::{BlobWrite, BlobWriter, Repository},
};

/// A layer being written to a store. Dropping it discards the layer.
pub struct LayerWriter<'a>(TarWriter<HashWrite<Compressor<BlobWriter<'a>>>>);

/// A layer that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Layer {
    /// Descriptor of the blob, with OCI's media type.
    pub descriptor: Descriptor,
    /// Digest of the uncompressed archive.
    pub diff_id: Digest,
}

impl<'a> LayerWriter<'a> {
    /// Starts a layer.
    ///
    /// # Errors
    /// Fails with [`Error::Io`] if the store cannot be written.
    pub fn new<S: BlobWrite>(repository: &'a Repository<S>, compression: Compression) -> Result<Self> {
        let blob = BlobWriter::new(repository.store(), MediaType::layer(compression))?;
        let compressor = Compressor::new(blob, compression).map_err(Error::io("write layer"))?;
        Ok(Self(TarWriter::new(HashWrite::new(compressor, Algorithm::Sha256))))
    }

    /// Finishes the layer and makes its blob visible.
    ///
    /// # Errors
    /// Fails with [`Error::Io`]; no blob is visible then.
    pub fn finish(self) -> Result<Layer> {
        let (compressor, diff_id, _) = self.0.finish()?.finish();
        let descriptor = compressor.finish().map_err(Error::io("write layer"))?.finish()?;
        Ok(Layer { descriptor, diff_id })
    }
}

impl ChangeSink for LayerWriter<'_> {
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> Result<()> {
        self.0.put(change, body)
    }
}

impl std::fmt::Debug for LayerWriter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LayerWriter")
    }
}
