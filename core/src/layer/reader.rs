//! Reading of the layers of an image: each blob is verified, decompressed, hashed for its diff_id, and
//! parsed.

mod stage;
#[cfg(all(feature = "parallel", not(target_family = "wasm")))]
mod threads;

use std::{
    fmt,
    io::{BufRead, BufReader, Read},
};

use self::stage::{CHUNK, Content, DiffId, Hashed};
use super::{
    Change, ChangeSink, ChangeSource, LostLists, budget::Budget, inflate::points::Points, tar::TarReader,
};
use crate::{
    digest::Digest,
    error::{Error, ErrorKind, Result},
    spec::Descriptor,
    store::{BlobRead, Repository},
};

/// A layer as a source of changes. The changes come before the end of the layer is verified, so callers must
/// discard them if [`ChangeSource::next_change`] or [`LayerReader::finish`] fails.
pub struct LayerReader<'a> {
    tar: TarReader<Archive<'a>>,
}

/// The uncompressed archive of a layer: of one type, so that a module for wasm has one parser of tar.
pub(crate) type Archive<'a> = Box<dyn BufRead + Send + 'a>;

impl fmt::Debug for LayerReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LayerReader").finish_non_exhaustive()
    }
}

impl<'a> LayerReader<'a> {
    /// Opens a layer, whose uncompressed archive must have this diff_id.
    ///
    /// # Errors
    /// Fails with [`Error::MissingBlob`]; [`Error::Unsupported`] for an unknown media type or digest
    /// algorithm; [`Error::Mismatch`] if the store has a blob of another size; [`Error::Layer`] if the
    /// content is compressed in a way that layers cannot have.
    pub fn open<S: BlobRead>(
        repository: &'a Repository<S>,
        descriptor: &Descriptor,
        diff_id: &Digest,
    ) -> Result<Self> {
        let archive = Hashed::new(stages(repository, descriptor, diff_id)?);
        Ok(Self { tar: tar(Box::new(archive), repository, descriptor) })
    }

    /// Reads the layer to its end and verifies it: size, digest and diff_id.
    ///
    /// # Errors
    /// Fails with [`Error::Mismatch`], or if reading fails.
    pub fn finish(mut self) -> Result<()> {
        self.tar.drain()
    }
}

impl ChangeSource for LayerReader<'_> {
    fn next_change(&mut self) -> Result<Option<(Change, &mut dyn Read)>> {
        self.tar.next_change()
    }
}

/// Opens the uncompressed archive of a layer. Its end is reached only if size, digest and diff_id match;
/// otherwise reading fails with an `io::Error` that holds the [`Error`].
///
/// # Errors
/// Fails as [`LayerReader::open`] does.
pub fn plain_layer<'a, S: BlobRead>(
    repository: &'a Repository<S>,
    descriptor: &Descriptor,
    diff_id: &Digest,
) -> Result<impl Read + use<'a, S>> {
    Ok(Hashed::new(stages(repository, descriptor, diff_id)?))
}

/// Opens the archive of a layer without verifying blob or content.
pub(crate) fn unverified<'a, S: BlobRead>(
    repository: &'a Repository<S>,
    descriptor: &Descriptor,
) -> Result<TarReader<Archive<'a>>> {
    let archive = BufReader::with_capacity(CHUNK, stage::unverified(repository, descriptor)?);
    Ok(tar(Box::new(archive), repository, descriptor))
}

/// Sends all changes of a layer to a sink, and verifies the layer. With the feature `parallel`, other threads
/// read, decompress and hash ahead. The sink is always called on the current thread, in the same order.
///
/// Returns the access control lists of the layer that the sink did not get.
///
/// The sink receives the changes before the end of the layer is verified, so callers must not publish the
/// result before this function returns `Ok`.
///
/// # Errors
/// Fails if the sink does; with [`Error::Mismatch`] if size, digest or diff_id differ, even if the wrong
/// content led to another error first; [`Error::Layer`]; [`Error::Limit`]; and as [`LayerReader::open`] does.
pub fn read_layer<S: BlobRead>(
    repository: &Repository<S>,
    descriptor: &Descriptor,
    diff_id: &Digest,
    sink: &mut dyn ChangeSink,
) -> Result<LostLists> {
    read_archive(repository, descriptor, diff_id, None, |tar| pump(tar, sink))
}

/// Calls a function with the archive of a layer, whose end is reached only if the layer is verified. With the
/// feature `parallel`, other threads read, decompress and hash ahead; the function is called on the current
/// thread. Records the points where decompression can start, if a list is given.
pub(crate) fn read_archive<S: BlobRead, T>(
    repository: &Repository<S>,
    descriptor: &Descriptor,
    diff_id: &Digest,
    points: Option<&Points>,
    read: impl FnOnce(&mut TarReader<Archive<'_>>) -> Result<T>,
) -> Result<T> {
    let open = || -> Result<_> {
        let (content, diff_id) = stages(repository, descriptor, diff_id)?;
        Ok(match points {
            Some(points) => (content.noting(points), diff_id),
            None => (content, diff_id),
        })
    };
    let read = |archive: Archive<'_>| read(&mut tar(archive, repository, descriptor));
    #[cfg(all(feature = "parallel", not(target_family = "wasm")))]
    let read = match descriptor.size >= threads::WORTHWHILE {
        true => match threads::read_archive(open()?, read) {
            Ok(result) => return result,
            Err(read) => read,
        },
        false => read,
    };
    read(Box::new(Hashed::new(open()?)))
}

/// Opens the stages of reading a layer.
fn stages<'a, S: BlobRead>(
    repository: &'a Repository<S>,
    descriptor: &Descriptor,
    diff_id: &Digest,
) -> Result<(Content<'a>, DiffId)> {
    let content = Content::open(repository, descriptor)?;
    let diff_id = DiffId::new(&content, diff_id)?;
    Ok((content, diff_id))
}

/// Reads an archive within the limits for a layer.
fn tar<'a, S>(
    archive: Archive<'a>,
    repository: &Repository<S>,
    descriptor: &Descriptor,
) -> TarReader<Archive<'a>> {
    let budget = Budget::of_blob(descriptor.size, repository.limits());
    TarReader::new(archive, format!("layer {}", descriptor.digest), repository.limits()).within(budget)
}

/// Moves all changes, then reads the rest of the input. Returns what could not be kept.
fn pump(tar: &mut TarReader<Archive<'_>>, sink: &mut dyn ChangeSink) -> Result<LostLists> {
    match put_all(tar, sink) {
        Ok(()) => tar.drain().map(|()| tar.lost_lists().clone()),
        // Wrong content may look invalid in any way: then the mismatch is the error to report.
        Err(error) if error.kind() == ErrorKind::Corrupt => match tar.drain() {
            Err(mismatch @ Error::Mismatch { .. }) => Err(mismatch),
            _ => Err(error),
        },
        Err(error) => Err(error),
    }
}

fn put_all(tar: &mut TarReader<Archive<'_>>, sink: &mut dyn ChangeSink) -> Result<()> {
    while let Some((change, body)) = tar.next_change()? {
        sink.put(&change, body)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
