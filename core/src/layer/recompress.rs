//! Other compression for a layer that is stored. Its archive, and so its diff_id, stay the same.

use std::io;

use super::{compress::Compressor, reader::plain_layer};
use crate::{
    digest::Digest,
    error::{Error, Result},
    spec::{Compression, Descriptor, MediaType},
    store::{BlobRead, BlobWrite, BlobWriter, Repository},
};

/// Stores a layer with another compression, and verifies it on the way. Returns the descriptor of the new
/// blob, with OCI's media type.
///
/// # Errors
/// Those of [`plain_layer`]; [`Error::Io`] of the store. No blob is visible then.
///
/// ```
/// use ocicle::{Repository, spec::Compression};
/// use ocicle::layer::{recompress::recompress_layer, writer::LayerWriter};
/// let repository = Repository::in_memory()?;
/// let layer = LayerWriter::new(&repository, Compression::Gzip)?.finish()?;
/// let plain = recompress_layer(&repository, &layer.descriptor, &layer.diff_id, Compression::None)?;
/// assert_eq!(plain.digest, layer.diff_id);
/// # Ok::<(), ocicle::Error>(())
/// ```
pub fn recompress_layer<S: BlobRead + BlobWrite>(
    repository: &Repository<S>,
    descriptor: &Descriptor,
    diff_id: &Digest,
    compression: Compression,
) -> Result<Descriptor> {
    let failed = || Error::io(format!("compress layer {}", descriptor.digest));
    let mut archive = plain_layer(repository, descriptor, diff_id)?;
    let blob = BlobWriter::new(repository.store(), MediaType::layer(compression))?;
    let mut compressor = Compressor::new(blob, compression).map_err(failed())?;
    io::copy(&mut archive, &mut compressor).map_err(failed())?;
    compressor.finish().map_err(failed())?.finish()
}
