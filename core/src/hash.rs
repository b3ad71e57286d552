//! Readers and writers that hash passing bytes, so that nothing is read twice.

use std::io::{self, Read, Write};

use sha2::Digest as _;

use crate::{
    digest::{Algorithm, Digest},
    error::Error,
};

/// The raw bytes of a SHA-256, as the merged tree keeps one for each file.
pub type Sha256 = [u8; 32];

/// An incremental hash of one algorithm.
#[derive(Clone, Debug)]
pub struct Hasher(State);

#[derive(Clone, Debug)]
enum State {
    Sha256(sha2::Sha256),
    Sha384(sha2::Sha384),
    Sha512(sha2::Sha512),
}

impl Hasher {
    /// Starts an empty hash.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(sha2::Sha256::new()),
            Algorithm::Sha384 => State::Sha384(sha2::Sha384::new()),
            Algorithm::Sha512 => State::Sha512(sha2::Sha512::new()),
        })
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(state) => state.update(bytes),
            State::Sha384(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// Returns the digest of all bytes added.
    #[must_use]
    pub fn finish(self) -> Digest {
        match self.0 {
            State::Sha256(state) => Digest::from_bytes(Algorithm::Sha256, &state.finalize()),
            State::Sha384(state) => Digest::from_bytes(Algorithm::Sha384, &state.finalize()),
            State::Sha512(state) => Digest::from_bytes(Algorithm::Sha512, &state.finalize()),
        }
    }
}

/// Returns the digest of a slice.
#[must_use]
pub fn digest_of(algorithm: Algorithm, bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(bytes);
    hasher.finish()
}

/// A writer that hashes and counts the bytes written.
#[derive(Debug)]
pub struct HashWrite<W> {
    inner: W,
    hasher: Hasher,
    size: u64,
}

impl<W: Write> HashWrite<W> {
    /// Wraps a writer.
    pub fn new(inner: W, algorithm: Algorithm) -> Self {
        Self { inner, hasher: Hasher::new(algorithm), size: 0 }
    }

    /// Returns the number of bytes written so far.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Returns the inner writer, the digest, and the number of bytes written.
    pub fn finish(self) -> (W, Digest, u64) {
        (self.inner, self.hasher.finish(), self.size)
    }
}

impl<W: Write> Write for HashWrite<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A reader that returns exactly the expected content or fails: it stops at the expected size, and checks
/// size and digest at the end of the content. Bytes are returned before the end is checked, so callers must
/// not act on them until a read has returned 0.
#[derive(Debug)]
pub struct Verified<R> {
    inner: R,
    subject: String,
    expected: Digest,
    size: u64,
    hasher: Option<Hasher>,
    read: u64,
}

impl<R: Read> Verified<R> {
    /// Wraps a reader of content that must have this digest and size (bytes). `subject` names it in errors.
    ///
    /// # Errors
    /// Fails with [`Error::Unsupported`] for an unknown digest algorithm: content that cannot be verified is
    /// not used.
    pub fn new(inner: R, subject: impl Into<String>, expected: &Digest, size: u64) -> Result<Self, Error> {
        let subject = subject.into();
        let algorithm = expected.algorithm().ok_or_else(|| {
            Error::Unsupported(format!(
                "{subject}: cannot verify digest {expected}: unknown algorithm \
                 (known: sha256, sha384, sha512)"
            ))
        })?;
        Ok(Self {
            inner,
            subject,
            expected: expected.clone(),
            size,
            hasher: Some(Hasher::new(algorithm)),
            read: 0,
        })
    }

    fn check_end(&mut self) -> io::Result<usize> {
        let Some(hasher) = self.hasher.take() else { return Ok(0) };
        let mismatch = |property, expected: String, actual: String| {
            io::Error::from(Error::Mismatch { subject: self.subject.clone(), property, expected, actual })
        };
        if self.read != self.size {
            return Err(mismatch("size", self.size.to_string(), self.read.to_string()));
        }
        if self.inner.read(&mut [0])? != 0 {
            return Err(mismatch("size", self.size.to_string(), format!("more than {}", self.size)));
        }
        let actual = hasher.finish();
        if actual != self.expected {
            return Err(mismatch("digest", self.expected.to_string(), actual.to_string()));
        }
        Ok(0)
    }
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let left = self.size - self.read;
        if left == 0 {
            return self.check_end();
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let got = self.inner.read(&mut buffer[..most])?;
        if got == 0 {
            return self.check_end();
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..got]);
        }
        self.read += got as u64;
        Ok(got)
    }
}

/// A reader that hashes and counts the bytes read.
#[derive(Debug)]
pub struct Sha256Read<R> {
    inner: R,
    hasher: sha2::Sha256,
    read: u64,
}

impl<R: Read> Sha256Read<R> {
    /// Wraps a reader.
    pub fn new(inner: R) -> Self {
        Self { inner, hasher: sha2::Sha256::new(), read: 0 }
    }

    /// Returns the number of bytes read, and their SHA-256.
    pub fn finish(self) -> (u64, Sha256) {
        (self.read, self.hasher.finalize().into())
    }
}

impl<R: Read> Read for Sha256Read<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..got]);
        self.read += got as u64;
        Ok(got)
    }
}
