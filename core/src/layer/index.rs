//! Indexes of layers, with which one file can be read without everything before it.
//!
//! An index has every change of a layer with its attributes, the digest of each file, the place of each entry
//! in the archive, and points in the compressed blob where decompression can start: about every 4 MiB of
//! content, fewer in large layers. It is made by reading and verifying the layer once; it can be saved as
//! bytes, and records the layer it belongs to.
//!
//! [`LayerIndex::list_unverified`] is faster: it has no digests, and nothing is verified. If the layer has a
//! table of contents, only that is read.

mod codec;
#[cfg(test)]
mod tests;

use std::io::{self, BufReader, Read, Seek as _, SeekFrom, Write};

use super::{
    Change, ChangeSource as _, EntryKind,
    inflate::{
        BoxedBlob, Inflate,
        points::{Point, Points},
    },
    reader::{Archive, read_archive, unverified},
    tar::TarReader,
    toc,
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    hash::{Sha256, Sha256Read},
    limits::Limits,
    spec::{CompressedFormat, Descriptor},
    store::{BlobRead, BlobReadExt as _, Repository},
};

/// The index of a layer.
///
/// ```
/// # use ocicle::{Repository, image::{Image, edit::{append_layer, blank}}, spec::Compression};
/// # use ocicle::layer::{index::LayerIndex, writer::LayerWriter};
/// # let repository = Repository::in_memory()?;
/// # let layer = LayerWriter::new(&repository, Compression::Gzip)?.finish()?;
/// # let base = blank(&repository, &"linux/amd64".parse()?, "2020-01-01T00:00:00Z")?;
/// # let image = append_layer(&repository, &Image::open(&repository, &base)?, &layer, None)?;
/// for (blob, diff_id) in image.layers() {
///     let index = LayerIndex::build(&repository, blob, diff_id)?;
///     let kept = index.to_bytes();
///     assert_eq!(LayerIndex::from_bytes(&kept, blob, diff_id, repository.limits())?, index);
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

/// The place of a file's content in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Place {
    /// Offset of the entry in the archive, with the headers that belong to it.
    pub at: u64,
    /// SHA-256 of the content; `None` in an unverified list.
    pub sha256: Option<Sha256>,
}

impl LayerIndex {
    /// Reads a layer to its end, and verifies it.
    ///
    /// # Errors
    /// Fails as [`LayerReader`](super::reader::LayerReader) does.
    pub fn build<S: BlobRead>(
        repository: &Repository<S>,
        descriptor: &Descriptor,
        diff_id: &Digest,
    ) -> Result<Self> {
        let points = Points::default();
        let changes = read_archive(repository, descriptor, diff_id, Some(&points), |tar| changes(tar, true))?;
        Ok(Self { points: points.take(), ..Self::of(descriptor, diff_id, changes) })
    }

    /// Lists a layer without verifying blob or content. If the layer has a valid table of contents, the list
    /// comes from it, and files have no place; otherwise the layer is read to its end.
    ///
    /// # Errors
    /// Fails as [`LayerIndex::build`] does, except that mismatches go unnoticed.
    pub fn list_unverified<S: BlobRead>(
        repository: &Repository<S>,
        descriptor: &Descriptor,
        diff_id: &Digest,
    ) -> Result<Self> {
        let changes = match toc::read_toc(repository, descriptor) {
            Ok(Some(listed)) => listed.into_iter().map(|change| (change, None)).collect(),
            _ => changes(&mut unverified(repository, descriptor)?, false)?,
        };
        Ok(Self::of(descriptor, diff_id, changes))
    }

    fn of(descriptor: &Descriptor, diff_id: &Digest, changes: Vec<(Change, Option<Place>)>) -> Self {
        Self { blob: descriptor.digest.clone(), diff_id: diff_id.clone(), points: Vec::new(), changes }
    }

    /// Returns the index as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads an index from bytes.
    ///
    /// # Errors
    /// Fails with [`Error::Document`] if the bytes are not an index, are damaged, or are the index of another
    /// layer. The index must be rebuilt then.
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
            false => Err(codec::unfit("it belongs to another layer")),
        }
    }

    /// Returns whether the list comes from a table of contents.
    #[must_use]
    pub fn is_from_toc(&self) -> bool {
        let mut files = self.changes.iter().filter(|(change, _)| is_file(change));
        files.next().is_some_and(|(_, place)| place.is_none())
    }

    /// Returns all changes, in the order of the archive; files with their place, if it is known.
    #[must_use]
    pub fn changes(&self) -> &[(Change, Option<Place>)] {
        &self.changes
    }

    /// Writes the content of a file, decompressing from the nearest point before it. The content is verified,
    /// unless the list is unverified; the rest of the blob is not read.
    ///
    /// # Errors
    /// Fails with [`Error::Mismatch`] if the content differs from the index; [`Error::Layer`];
    /// [`Error::MissingBlob`]; [`Error::Io`] of the store or of `out`.
    pub fn read_file<S: BlobRead>(
        &self,
        repository: &Repository<S>,
        descriptor: &Descriptor,
        place: Place,
        out: &mut dyn Write,
    ) -> Result<()> {
        let what = format!("layer {}", descriptor.digest);
        let content = self.enter(repository, descriptor, place.at, &what)?;
        let content: Archive<'_> = Box::new(BufReader::with_capacity(64 << 10, content));
        let mut tar = TarReader::new(content, what.clone(), repository.limits());
        let Some((_, body)) = tar.next_change()? else {
            return Err(Error::layer(what, "the archive ends before an entry of its index"));
        };
        let mut hashed = Sha256Read::new(body);
        io::copy(&mut hashed, out).map_err(Error::io("write content"))?;
        let actual = hashed.finish().1;
        let Some(expected) = place.sha256.filter(|expected| *expected != actual) else { return Ok(()) };
        let hex = |sum: Sha256| sum.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let (expected, actual) = (hex(expected), hex(actual));
        Err(Error::Mismatch { subject: format!("a file of {what}"), property: "sha256", expected, actual })
    }

    /// Opens the content of a blob from an offset on.
    fn enter<'a, S: BlobRead>(
        &self,
        repository: &'a Repository<S>,
        descriptor: &Descriptor,
        at: u64,
        what: &str,
    ) -> Result<Box<dyn Read + Send + 'a>> {
        let failed = || Error::io(format!("read {what}"));
        let Some(mut blob) = repository.store().seekable(descriptor)? else {
            let blob: BoxedBlob<'a> = repository.store().content(descriptor)?;
            let content = Inflate::new(blob, what, repository.limits())?;
            return skipped(content, at, what);
        };
        let mut start = Vec::with_capacity(CompressedFormat::START);
        blob.by_ref().take(CompressedFormat::START as u64).read_to_end(&mut start).map_err(failed())?;
        let compression = CompressedFormat::of(&start).and_then(|format| format.compression);
        let Some(compression) = compression else {
            blob.seek(SeekFrom::Start(at)).map_err(failed())?;
            return Ok(Box::new(blob));
        };
        let next = self.points.partition_point(|point| point.content <= at);
        let start = Point { blob: 0, content: 0, inside: None };
        let point = next.checked_sub(1).and_then(|last| self.points.get(last)).unwrap_or(&start);
        blob.seek(SeekFrom::Start(point.blob)).map_err(failed())?;
        let blob: BoxedBlob<'a> = Box::new(blob);
        let content = Inflate::resume(blob, compression, point, what, repository.limits())?;
        skipped(content, at.saturating_sub(point.content), what)
    }
}

/// Skips the first bytes of a layer's content.
fn skipped<'a>(
    mut content: Inflate<BoxedBlob<'a>>,
    before: u64,
    what: &str,
) -> Result<Box<dyn Read + Send + 'a>> {
    let got = io::copy(&mut Read::by_ref(&mut content).take(before), &mut io::sink())
        .map_err(Error::io(format!("read {what}")))?;
    match got == before {
        true => Ok(Box::new(content)),
        false => Err(Error::layer(what, "the archive ends before an entry of its index")),
    }
}

/// Returns all changes of an archive, and the places of files.
fn changes(tar: &mut TarReader<Archive<'_>>, hash: bool) -> Result<Vec<(Change, Option<Place>)>> {
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
