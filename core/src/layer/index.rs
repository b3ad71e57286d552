//! What is in a layer and where, so that one file can be read without all that is before it.
//!
//! An index has every change of a layer with its attributes, the digest of every content, the place in the archive where each entry begins, and
//! places in the compressed blob where decoding can start: about every 4 MiB of content, fewer in large layers. It is made by reading the
//! layer once, verified; it can be kept as bytes, and says which layer it is of.
//!
//! Where hashing takes long, a [`LayerIndex::list_unverified`] comes first: the same without digests, of content that nobody has vouched for; or what
//! a table of contents inside the layer says, which takes no time at all.

mod codec;
#[cfg(test)]
mod tests;

use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom, Write};

use super::{
    Change, ChangeSource as _, EntryKind,
    inflate::{
        Inflate,
        points::{Point, Points},
    },
    reader::{indexed, unverified},
    tar::TarReader,
    toc,
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    hash::{Sha256, Sha256Read},
    limits::Limits,
    spec::{Compression, Descriptor},
    store::BlobRead,
};

/// The index of a layer.
///
/// ```
/// # use ocicle::{image::{Image, edit::{append_layer, blank}}, layer::{index::LayerIndex, writer::LayerWriter}};
/// # use ocicle::{limits::Limits, spec::Compression, store::memory::MemoryStore};
/// # let (store, limits) = (MemoryStore::new()?, Limits::default());
/// # let layer = LayerWriter::new(&store, Compression::Gzip)?.finish()?;
/// # let base = blank(&store, &"linux/amd64".parse()?, "2020-01-01T00:00:00Z")?;
/// # let image = append_layer(&store, &Image::open(&store, &base, &limits)?, &layer, Compression::Gzip, None)?;
/// for (blob, diff_id) in image.layers() {
///     let index = LayerIndex::build(&store, blob, diff_id, &limits)?;
///     let kept = index.to_bytes();
///     assert_eq!(LayerIndex::from_bytes(&kept, blob, diff_id, &limits)?.changes().len(), 0);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerIndex {
    blob: Digest,
    diff_id: Digest,
    points: Vec<Point>,
    changes: Vec<(Change, Option<Place>)>,
}

/// Where the content of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Place {
    /// Byte of the archive where the entry begins, with the headers that belong to it.
    pub at: u64,
    /// SHA-256 of the content; `None` if the layer was listed without verifying it.
    pub sha256: Option<Sha256>,
}

impl LayerIndex {
    /// Reads a layer to its end, and verifies it.
    ///
    /// # Errors
    /// Those of [`LayerReader`](super::reader::LayerReader).
    pub fn build<S: BlobRead + ?Sized>(
        store: &S,
        descriptor: &Descriptor,
        diff_id: &Digest,
        limits: &Limits,
    ) -> Result<Self> {
        let points = Points::default();
        let content = indexed(store, descriptor, diff_id, &points, limits)?;
        let changes = changes(content, descriptor, true, limits)?;
        Ok(Self { points: points.take(), ..Self::of(descriptor, diff_id, changes) })
    }

    /// What is in a layer, with nothing verified: neither the blob nor its content need be what the image promises. A table of contents is
    /// believed, and then no file has a place; without one, or with one that makes no sense, the layer is read to its end.
    ///
    /// # Errors
    /// As [`LayerIndex::build`], as far as they show.
    pub fn list_unverified<S: BlobRead + ?Sized>(
        store: &S,
        descriptor: &Descriptor,
        diff_id: &Digest,
        limits: &Limits,
    ) -> Result<Self> {
        let changes = match toc::read(store, descriptor, limits) {
            Ok(Some(listed)) => listed.into_iter().map(|change| (change, None)).collect(),
            _ => changes(unverified(store, descriptor, limits)?, descriptor, false, limits)?,
        };
        Ok(Self::of(descriptor, diff_id, changes))
    }

    fn of(descriptor: &Descriptor, diff_id: &Digest, changes: Vec<(Change, Option<Place>)>) -> Self {
        Self { blob: descriptor.digest.clone(), diff_id: diff_id.clone(), points: Vec::new(), changes }
    }

    /// The index as bytes, to be kept.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads an index that was kept.
    ///
    /// # Errors
    /// [`Error::Document`] if the bytes are none, are damaged, or are that of another layer: then it is to be built anew.
    pub fn from_bytes(
        bytes: &[u8],
        descriptor: &Descriptor,
        diff_id: &Digest,
        limits: &Limits,
    ) -> Result<Self> {
        let index = codec::decode(bytes, limits)
            .ok_or_else(|| codec::unfit("it is damaged, or of another version"))?;
        match index.blob == descriptor.digest && index.diff_id == *diff_id {
            true => Ok(index),
            false => Err(codec::unfit("it is that of another layer")),
        }
    }

    /// Whether it is what a table of contents says, and not what was read.
    #[must_use]
    pub fn is_from_toc(&self) -> bool {
        let mut files = self.changes.iter().filter(|(change, _)| is_file(change));
        files.next().is_some_and(|(_, place)| place.is_none())
    }

    /// Every change, in the order of the archive; a file with its place, if that is known.
    #[must_use]
    pub fn changes(&self) -> &[(Change, Option<Place>)] {
        &self.changes
    }

    /// Writes the content of a file: from the nearest place where the blob can be entered. The content is verified, unless the layer was only
    /// listed without verifying it; the rest of the blob is not looked at.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if it is not what the index says; [`Error::Layer`], [`Error::MissingBlob`]; [`Error::Io`] of the store or of
    /// `out`.
    pub fn read_file<S: BlobRead + ?Sized>(
        &self,
        store: &S,
        descriptor: &Descriptor,
        place: Place,
        out: &mut dyn Write,
        limits: &Limits,
    ) -> Result<()> {
        let what = format!("layer {}", descriptor.digest);
        let content = self.enter(store, descriptor, place.at, &what, limits)?;
        let mut tar = TarReader::new(BufReader::with_capacity(64 << 10, content), what.clone(), limits);
        let Some((_, body)) = tar.next_change()? else {
            return Err(Error::layer(what, "ends where its index has an entry"));
        };
        let mut hashed = Sha256Read::new(body);
        io::copy(&mut hashed, out).map_err(Error::io("write content"))?;
        let actual = hashed.finish().1;
        let Some(expected) = place.sha256.filter(|expected| *expected != actual) else { return Ok(()) };
        let hex = |sum: Sha256| sum.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let (expected, actual) = (hex(expected), hex(actual));
        Err(Error::Mismatch { subject: format!("a file of {what}"), property: "sha256", expected, actual })
    }

    /// The content of a blob from a byte on.
    fn enter<'a, S: BlobRead + ?Sized>(
        &self,
        store: &'a S,
        descriptor: &Descriptor,
        at: u64,
        what: &str,
        limits: &Limits,
    ) -> Result<Box<dyn Read + 'a>> {
        let mut blob = match descriptor.embedded()? {
            Some(data) => Box::new(io::Cursor::new(data)) as Box<dyn crate::store::ReadSeek + 'a>,
            None => store
                .try_open(&descriptor.digest)?
                .ok_or_else(|| Error::MissingBlob(descriptor.digest.clone()))?,
        };
        let compression = descriptor.media_type.layer_compression().unwrap_or(Compression::None);
        let failed = || Error::io(format!("read {what}"));
        if compression == Compression::None {
            blob.seek(SeekFrom::Start(at)).map_err(failed())?;
            return Ok(Box::new(blob));
        }
        let next = self.points.partition_point(|point| point.content <= at);
        let start = Point { blob: 0, content: 0, inside: None };
        let point = next.checked_sub(1).and_then(|last| self.points.get(last)).unwrap_or(&start);
        blob.seek(SeekFrom::Start(point.blob)).map_err(failed())?;
        let mut content = Inflate::resume(blob, compression, point, what, limits)?;
        let before = at.saturating_sub(point.content);
        let skipped =
            io::copy(&mut Read::by_ref(&mut content).take(before), &mut io::sink()).map_err(failed())?;
        match skipped == before {
            true => Ok(Box::new(content)),
            false => Err(Error::layer(what, "ends where its index has an entry")),
        }
    }
}

/// Every change of an archive, and where the files are.
fn changes(
    archive: impl BufRead,
    descriptor: &Descriptor,
    hash: bool,
    limits: &Limits,
) -> Result<Vec<(Change, Option<Place>)>> {
    let mut tar = TarReader::new(archive, format!("layer {}", descriptor.digest), limits);
    let mut changes = Vec::new();
    while let Some((change, body)) = tar.next_change()? {
        let mut sha256 = None;
        if is_file(&change) && hash {
            let mut hashed = Sha256Read::new(body);
            io::copy(&mut hashed, &mut io::sink()).map_err(Error::io("read layer"))?;
            sha256 = Some(hashed.finish().1);
        }
        let place = is_file(&change).then(|| Place { at: tar.entry_at(), sha256 });
        changes.push((change, place));
    }
    tar.drain()?;
    Ok(changes)
}

fn is_file(change: &Change) -> bool {
    matches!(change, Change::Put(entry) if matches!(entry.kind, EntryKind::File { .. }))
}
