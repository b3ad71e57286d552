//! What is in a layer, from the table of contents that some layers bring along: without decompressing the layer.
//!
//! Two formats have one, written for clients that fetch files of a layer one by one:
//! - eStargz (containerd/stargz-snapshotter, `docs/estargz.md`), and stargz before it: gzip, whose last entry is
//!   `stargz.index.json`.
//! - zstd:chunked (containers/storage, `pkg/chunked`): zstd, with the same document in a frame that decoders skip.
//!
//! Whoever wrote the layer wrote the table, and only reading the layer shows whether it is true: it is for looking at, and
//! nothing is unpacked from it. The digest of a table that its descriptor has is verified, and says no more than that
//! the table is the one that was meant.
//!
//! A true table gives what [`LayerReader`](super::reader::LayerReader) gives, in the same order, but for what it has no
//! room for:
//! - a name, target or name of an attribute that is not UTF-8 has U+FFFD in place of the bytes that are not;
//! - eStargz rounds times to the nearest second;
//! - attributes that an archive has in `LIBARCHIVE.xattr.` records alone are missing.
//!
//! The files that eStargz adds to a layer (`.prefetch.landmark` or `.no.prefetch.landmark`, and `stargz.index.json`) are
//! entries of the archive like any other, and unpacked by everybody who does not know the format: so they are here as well.

mod entry;
mod estargz;
mod json;
#[cfg(test)]
mod tests;
mod time;
mod zstd_chunked;

use std::io::{Cursor, Read, Seek as _, SeekFrom};

use super::Change;
use crate::{
    error::{Error, Result},
    limits::Limits,
    spec::{Compression, Descriptor, MediaType},
    store::{BlobRead, ReadSeek},
};

/// The digest of the JSON; stargz-snapshotter gives it for both formats.
const JSON_DIGEST: &str = "containerd.io/snapshot/stargz/toc.digest";

/// What a table of contents inside a layer says is in it: nobody has vouched for it until the layer was read.
///
/// `None` if the layer has none; to know that, the last 72 bytes of the blob are read, at most. The content of the
/// changes is not at hand.
///
/// ```
/// # use ocicle::{layer::{toc, writer::LayerWriter}, limits::Limits, store::memory::MemoryStore};
/// # use ocicle::spec::{Descriptor, MediaType, Compression};
/// # let store = MemoryStore::new()?;
/// # let layer = LayerWriter::new(&store, Compression::Gzip)?.finish()?;
/// # let descriptor = Descriptor::new(MediaType::layer(Compression::Gzip), layer.digest, layer.size);
/// match toc::read(&store, &descriptor, &Limits::default())? {
///     Some(changes) => println!("{} entries, if we may believe it", changes.len()),
///     None => println!("the layer has to be read"),
/// }
/// # Ok::<(), ocicle::Error>(())
/// ```
///
/// # Errors
/// For a table that is there: [`Error::Layer`] if it cannot be understood; [`Error::Mismatch`] if it is not the one of the
/// descriptor; [`Error::Limit`] past [`Limits::toc`], [`Limits::entries`] or [`Limits::layer_size`];
/// [`Error::Unsupported`] for another version, or a digest we cannot compute. For any layer: [`Error::MissingBlob`],
/// [`Error::Mismatch`] if the store has a blob of another size, [`Error::Io`].
pub fn read<S: BlobRead + ?Sized>(
    store: &S,
    descriptor: &Descriptor,
    limits: &Limits,
) -> Result<Option<Vec<Change>>> {
    let find = match descriptor.media_type.layer_compression() {
        Some(Compression::Gzip) => estargz::find,
        Some(Compression::Zstd) => zstd_chunked::find,
        _ => return Ok(None),
    };
    let mut blob = Blob::open(store, descriptor)?;
    let Some(Table { json, own }) = find(&mut blob, descriptor, limits)? else { return Ok(None) };
    verify(&blob.what, descriptor, JSON_DIGEST, &json)?;
    let mut changes = json::changes(&json, &blob.what, limits)?;
    changes.extend(own);
    Ok(Some(changes))
}

/// A table that was found.
struct Table {
    json: Vec<u8>,
    /// The entry that the table itself is in the archive, which it does not list.
    own: Option<Change>,
}

/// The blob of a layer, to be read here and there.
struct Blob<'a> {
    reader: Box<dyn ReadSeek + 'a>,
    size: u64,
    /// Names the table in errors.
    what: String,
}

impl<'a> Blob<'a> {
    fn open<S: BlobRead + ?Sized>(store: &'a S, descriptor: &Descriptor) -> Result<Self> {
        let what = format!("table of contents of layer {}", descriptor.digest);
        let mut reader = match descriptor.embedded()? {
            Some(data) => Box::new(Cursor::new(data)) as Box<dyn ReadSeek + 'a>,
            None => store
                .try_open(&descriptor.digest)?
                .ok_or_else(|| Error::MissingBlob(descriptor.digest.clone()))?,
        };
        let size = reader.seek(SeekFrom::End(0)).map_err(Error::io(format_args!("read {what}")))?;
        if size == descriptor.size {
            return Ok(Self { reader, size, what });
        }
        let (expected, actual) = (descriptor.size.to_string(), size.to_string());
        let subject = format!("layer {}", descriptor.digest);
        Err(Error::Mismatch { subject, property: "size", expected, actual })
    }

    /// The bytes from `start` to `end`, to be read once. The caller has checked that there are such.
    fn range(&mut self, start: u64, end: u64) -> Result<impl Read + use<'_, 'a>> {
        self.reader.seek(SeekFrom::Start(start)).map_err(Error::io(format_args!("read {}", self.what)))?;
        Ok(Read::by_ref(&mut self.reader).take(end.saturating_sub(start)))
    }

    /// These bytes in memory; the caller has checked as well that they are not too many.
    fn bytes(&mut self, start: u64, end: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let got = self.range(start, end)?.read_to_end(&mut bytes);
        got.map_err(Error::io(format_args!("read {}", self.what)))?;
        Ok(bytes)
    }

    /// The last bytes, fewer if the blob has not so many.
    fn tail(&mut self, length: u64) -> Result<Vec<u8>> {
        self.bytes(self.size.saturating_sub(length), self.size)
    }

    fn bad(&self, reason: impl Into<String>) -> Error {
        Error::layer(&self.what, reason)
    }
}

/// Fails for more bytes than a table may have.
fn check_size(what: &str, size: u64, limits: &Limits) -> Result<()> {
    match size > limits.toc {
        true => Err(Error::limit(what, "toc", limits.toc)),
        false => Ok(()),
    }
}

/// Compares bytes with the digest that an annotation gives, if it does.
fn verify(what: &str, descriptor: &Descriptor, key: &str, bytes: &[u8]) -> Result<()> {
    let Some(text) = descriptor.annotations.get(key) else { return Ok(()) };
    let digest = text.parse().map_err(|error| Error::layer(what, format!("{key}: {error}")))?;
    Descriptor::new(MediaType::literal("application/json"), digest, bytes.len() as u64).verify(what, bytes)
}
