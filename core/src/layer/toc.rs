//! Tables of contents inside layers, which list a layer without decompressing it.
//!
//! Two formats have one, made for clients that fetch the files of a layer separately:
//! - eStargz (containerd/stargz-snapshotter, `docs/estargz.md`), and stargz before it: gzip, whose last entry
//!   is `stargz.index.json`.
//! - zstd:chunked (containers/storage, `pkg/chunked`): zstd, with the same document in a skippable frame.
//!
//! The table is written by the author of the layer and may be wrong; only reading the layer shows whether it
//! is right. It is used for listing, never for unpacking. If the descriptor has a digest of the table, that
//! is verified; it proves only that this is the table meant.
//!
//! A correct table lists what [`LayerReader`](super::reader::LayerReader) returns, in the same order, except
//! for what the formats cannot express:
//! - names, targets and names of attributes that are not UTF-8 have U+FFFD for the invalid bytes;
//! - eStargz rounds times to the nearest second;
//! - attributes that are only in `LIBARCHIVE.xattr.` records are missing.
//!
//! The files that eStargz adds to a layer (`.prefetch.landmark` or `.no.prefetch.landmark`, and
//! `stargz.index.json`) are ordinary entries of the archive. Tools that do not know the format unpack them,
//! so they are listed here as well.

mod entry;
mod estargz;
mod json;
#[cfg(test)]
mod tests;
mod time;
mod zstd_chunked;

use std::io::{Read, Seek as _, SeekFrom};

use super::{Change, inflate::BoxedBlob};
use crate::{
    error::{Error, Result},
    limits::Limits,
    spec::{Compression, Descriptor, MediaType},
    store::{BlobRead, BlobReadExt as _, ReadSeek, Repository},
};

/// The digest of the JSON; stargz-snapshotter sets it for both formats.
const JSON_DIGEST: &str = "containerd.io/snapshot/stargz/toc.digest";

/// The size of the content of an eStargz layer; containerd uses it to show progress.
const ESTARGZ_SIZE: &str = "io.containers.estargz.uncompressed-size";

/// Returns whether an annotation of a layer is about its table of contents, and holds for that blob alone.
pub(crate) fn describes_toc(key: &str) -> bool {
    key == JSON_DIGEST
        || key == ESTARGZ_SIZE
        || zstd_chunked::PREFIXES.iter().any(|prefix| key.starts_with(prefix))
}

/// Reads the table of contents of a layer, which is unverified.
///
/// Returns `None` if the layer has none, or the store cannot seek; to find out, at most the last 72 bytes of
/// the blob are read. The contents of files are not available.
///
/// ```
/// # use ocicle::{Repository, layer::{toc, writer::LayerWriter}, spec::Compression};
/// # let repository = Repository::in_memory()?;
/// # let layer = LayerWriter::new(&repository, Compression::Gzip)?.finish()?;
/// match toc::read_toc(&repository, &layer.descriptor)? {
///     Some(changes) => println!("{} entries, unverified", changes.len()),
///     None => println!("the layer must be read"),
/// }
/// # Ok::<(), ocicle::Error>(())
/// ```
///
/// # Errors
/// Fails for an existing table: with [`Error::Layer`] if it is invalid; [`Error::Mismatch`] if it does not
/// match the descriptor; [`Error::Limit`] beyond [`Limits::toc`], [`Limits::entries`] or
/// [`Limits::layer_size`]; [`Error::Unsupported`] for an unknown version or digest algorithm. For any layer:
/// with [`Error::MissingBlob`]; [`Error::Mismatch`] if the store has a blob of another size; [`Error::Io`].
pub fn read_toc<S: BlobRead>(
    repository: &Repository<S>,
    descriptor: &Descriptor,
) -> Result<Option<Vec<Change>>> {
    let find = match descriptor.media_type.layer_compression() {
        Some(Compression::Gzip) => estargz::find,
        Some(Compression::Zstd) => zstd_chunked::find,
        _ => return Ok(None),
    };
    let Some(mut blob) = Blob::open(repository.store(), descriptor)? else { return Ok(None) };
    let Some(Table { json, own }) = find(&mut blob, descriptor, repository.limits())? else {
        return Ok(None);
    };
    verify(&blob.what, descriptor, JSON_DIGEST, &json)?;
    let mut changes = json::changes(&json, &blob.what, repository.limits())?;
    changes.extend(own);
    Ok(Some(changes))
}

/// A table.
struct Table {
    json: Vec<u8>,
    /// The entry of the table itself in the archive, which the table does not list.
    own: Option<Change>,
}

/// The blob of a layer, for random access.
struct Blob<'a> {
    reader: Box<dyn ReadSeek + 'a>,
    size: u64,
    /// The name of the table, for errors.
    what: String,
}

impl<'a> Blob<'a> {
    /// Opens a blob; `None` in a store that cannot seek.
    fn open<S: BlobRead>(store: &'a S, descriptor: &Descriptor) -> Result<Option<Self>> {
        let what = format!("table of contents of layer {}", descriptor.digest);
        let Some(mut reader) = store.seekable(descriptor)? else {
            return match store.try_size(descriptor)? {
                Some(_) => Ok(None),
                None => Err(Error::MissingBlob(descriptor.digest.clone())),
            };
        };
        let size = reader.seek(SeekFrom::End(0)).map_err(Error::io(format_args!("read {what}")))?;
        if size == descriptor.size {
            return Ok(Some(Self { reader, size, what }));
        }
        let (expected, actual) = (descriptor.size.to_string(), size.to_string());
        let subject = format!("layer {}", descriptor.digest);
        Err(Error::Mismatch { subject, property: "size", expected, actual })
    }

    /// Returns a reader of the bytes from `start` to `end`. The caller has checked that they exist.
    fn range(&mut self, start: u64, end: u64) -> Result<BoxedBlob<'_>> {
        self.reader.seek(SeekFrom::Start(start)).map_err(Error::io(format_args!("read {}", self.what)))?;
        Ok(Box::new(Read::by_ref(&mut self.reader).take(end.saturating_sub(start))))
    }

    /// Reads these bytes into memory. The caller has checked that they exist, and are not too many.
    fn bytes(&mut self, start: u64, end: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let got = self.range(start, end)?.read_to_end(&mut bytes);
        got.map_err(Error::io(format_args!("read {}", self.what)))?;
        Ok(bytes)
    }

    /// Reads the last bytes; fewer if the blob is shorter.
    fn tail(&mut self, length: u64) -> Result<Vec<u8>> {
        self.bytes(self.size.saturating_sub(length), self.size)
    }

    fn bad(&self, reason: impl Into<String>) -> Error {
        Error::layer(&self.what, reason)
    }
}

/// Checks the size of a table.
fn check_size(what: &str, size: u64, limits: &Limits) -> Result<()> {
    match size > limits.toc {
        true => Err(Error::limit(what, "toc", limits.toc)),
        false => Ok(()),
    }
}

/// Verifies bytes with the digest in an annotation, if there is one.
fn verify(what: &str, descriptor: &Descriptor, key: &str, bytes: &[u8]) -> Result<()> {
    let Some(text) = descriptor.annotations.get(key) else { return Ok(()) };
    let digest = text.parse().map_err(|error| Error::layer(what, format!("{key}: {error}")))?;
    Descriptor::new(MediaType::literal("application/json"), digest, bytes.len() as u64).verify(what, bytes)
}
