//! The stages of reading a layer: decompressing the blob, and hashing its content for the diff_id.

use std::{
    fmt,
    io::{self, BufRead, Read},
};

use crate::{
    digest::Digest,
    error::{Error, Result},
    hash::Hasher,
    layer::{
        budget::Budget,
        inflate::{BoxedBlob, Inflate, points::Points},
    },
    spec::{Compression, Descriptor},
    store::{BlobRead, BlobReadExt as _, Repository},
};

/// Bytes handed from stage to stage at a time.
pub(super) const CHUNK: usize = 256 << 10;

/// The first stage: reads, verifies and decompresses a blob, within the limits.
pub(super) struct Content<'a> {
    what: String,
    /// The digest that the verified blob proves for the content as well, if it is not compressed.
    proven: Option<Digest>,
    inflate: Inflate<BoxedBlob<'a>>,
}

impl<'a> Content<'a> {
    pub(super) fn open<S: BlobRead>(repository: &'a Repository<S>, descriptor: &Descriptor) -> Result<Self> {
        let what = checked(repository.store(), descriptor)?;
        let budget = Budget::of_blob(descriptor.size, repository.limits());
        let blob: BoxedBlob<'a> = Box::new(repository.blob(descriptor)?);
        let inflate = Inflate::new(blob, &what, repository.limits())?.within(budget);
        let proven = (inflate.compression() == Compression::None).then(|| descriptor.digest.clone());
        Ok(Self { what, proven, inflate })
    }

    /// Records the points where decompression can start.
    pub(super) fn noting(self, points: &Points) -> Self {
        Self { inflate: self.inflate.noting(points), ..self }
    }

    /// Returns the name of the layer, for errors.
    pub(super) fn what(&self) -> &str {
        &self.what
    }

    /// Fills a buffer. It is less than full only at the end, where the blob is verified.
    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.inflate.read(&mut buffer[filled..]) {
                Ok(0) => {
                    self.inflate.drain()?;
                    break;
                }
                Ok(got) => filled += got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.cause(Error::io(format_args!("read {}", self.what))(error))),
            }
        }
        Ok(filled)
    }

    /// Replaces an error of invalid data by the digest mismatch that explains it, if there is one.
    fn cause(&mut self, error: Error) -> Error {
        match error {
            Error::Layer { .. } => match self.inflate.drain() {
                Err(mismatch @ Error::Mismatch { .. }) => mismatch,
                _ => error,
            },
            other => other,
        }
    }
}

/// Returns the name of a layer for errors. A wrong size is reported before anything is read, if the content
/// comes from the store.
fn checked<S: BlobRead>(store: &S, descriptor: &Descriptor) -> Result<String> {
    let what = format!("layer {}", descriptor.digest);
    if descriptor.media_type.layer_compression().is_none() {
        let message = format!("{what}: unsupported media type {}", descriptor.media_type);
        return Err(Error::Unsupported(message));
    }
    if descriptor.data.is_none()
        && let Some(size) = store.try_size(descriptor)?
        && size != descriptor.size
    {
        let (expected, actual) = (descriptor.size.to_string(), size.to_string());
        return Err(Error::Mismatch { subject: what, property: "size", expected, actual });
    }
    Ok(what)
}

/// Opens the content of a blob whose digest is not verified, within the limits.
pub(super) fn unverified<'a, S: BlobRead>(
    repository: &'a Repository<S>,
    descriptor: &Descriptor,
) -> Result<Inflate<BoxedBlob<'a>>> {
    let what = checked(repository.store(), descriptor)?;
    let inflate = Inflate::new(repository.store().content(descriptor)?, what, repository.limits())?;
    Ok(inflate.within(Budget::of_blob(descriptor.size, repository.limits())))
}

impl fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content").field("what", &self.what).finish_non_exhaustive()
    }
}

/// The second stage: hashes the content for the diff_id.
#[derive(Debug)]
pub(super) struct DiffId {
    what: String,
    expected: Digest,
    /// `None` if the first stage already proves the diff_id.
    hasher: Option<Hasher>,
}

impl DiffId {
    pub(super) fn new(content: &Content<'_>, expected: &Digest) -> Result<Self> {
        let what = content.what.clone();
        let algorithm = expected.algorithm().ok_or_else(|| {
            Error::Unsupported(format!(
                "{what}: cannot verify diff_id {expected}: unknown algorithm (known: sha256, sha384, sha512)"
            ))
        })?;
        let hasher = (content.proven.as_ref() != Some(expected)).then(|| Hasher::new(algorithm));
        Ok(Self { what, expected: expected.clone(), hasher })
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
    }

    /// Compares the digests at the end of the content.
    pub(super) fn check(self) -> Result<()> {
        let Some(hasher) = self.hasher else { return Ok(()) };
        let actual = hasher.finish();
        if actual == self.expected {
            return Ok(());
        }
        let (expected, actual) = (self.expected.to_string(), actual.to_string());
        Err(Error::Mismatch { subject: self.what, property: "diff_id", expected, actual })
    }
}

/// Both stages in one thread.
#[derive(Debug)]
pub(super) struct Hashed<'a> {
    content: Content<'a>,
    state: State,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one for a layer")]
enum State {
    Reading(DiffId),
    Verified,
    Failed,
}

impl<'a> Hashed<'a> {
    pub(super) fn new((content, diff_id): (Content<'a>, DiffId)) -> Self {
        Self { content, state: State::Reading(diff_id), buffer: vec![0; CHUNK], start: 0, end: 0 }
    }

    fn next_chunk(&mut self) -> Result<()> {
        (self.start, self.end) = (0, 0);
        match std::mem::replace(&mut self.state, State::Failed) {
            State::Reading(mut diff_id) => {
                let end = self.content.fill(&mut self.buffer)?;
                self.state = if end == 0 {
                    diff_id.check()?;
                    State::Verified
                } else {
                    diff_id.update(&self.buffer[..end]);
                    State::Reading(diff_id)
                };
                self.end = end;
                Ok(())
            }
            State::Verified => {
                self.state = State::Verified;
                Ok(())
            }
            State::Failed => Err(Error::Misuse(format!("{}: read after an error", self.content.what()))),
        }
    }
}

impl BufRead for Hashed<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.next_chunk()?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn consume(&mut self, amount: usize) {
        self.start = (self.start + amount).min(self.end);
    }
}

impl Read for Hashed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.fill_buf()?.read(buffer)?;
        self.consume(got);
        Ok(got)
    }
}
