//! The one error type of the library.
//!
//! A variant exists where a caller can act on it, and carries the digest, path or name it is about. [`Error::kind`]
//! sorts them into the few cases a command maps to exit codes.

use std::{fmt, io};

use crate::digest::Digest;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, with the object it is about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An operating-system call failed.
    #[error("{doing}: {source}")]
    Io {
        /// The operation and the path or name it was about, such as `open blobs/sha256/1f2e…`.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
    /// The store has no such blob.
    #[error("blob {0} is not in the store")]
    MissingBlob(Digest),
    /// Content that its descriptor, diff_id or name does not vouch for.
    #[error("{subject}: {property} mismatch: expected {expected}, actual {actual}")]
    Mismatch {
        /// What was read, such as `layer 3 (sha256:…)`.
        subject: String,
        /// `size`, `digest` or `diff_id`.
        property: &'static str,
        /// What the document promised.
        expected: String,
        /// What was found.
        actual: String,
    },
    /// A document that is not what the specification asks for.
    #[error("{what}: {reason}")]
    Document {
        /// Which document, such as `index.json` or `manifest sha256:…`.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A layer archive that cannot be understood or must not be applied.
    #[error("{what}: {reason}")]
    Layer {
        /// Which layer, and where there is one, which entry.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A value of [`crate::limits::Limits`] was passed.
    #[error("{what}: more than the limit of {limit} ({name})")]
    Limit {
        /// What was being read.
        what: String,
        /// The field of `Limits`.
        name: &'static str,
        /// Its value.
        limit: u64,
    },
    /// The root index changed since it was read.
    #[error("index.json was changed by somebody else: expected {expected}, found {actual}")]
    Conflict {
        /// Digest of the index the edit was made from.
        expected: Digest,
        /// Digest of the index that is there now.
        actual: Digest,
    },
    /// Something is there already that must not be overwritten.
    #[error("{0} exists already")]
    Exists(String),
    /// A thing asked for is not there.
    #[error("{0}")]
    NotFound(String),
    /// Valid, but not something this build, platform or store can do.
    #[error("{0}")]
    Unsupported(String),
    /// The caller asked for something that makes no sense.
    #[error("{0}")]
    Misuse(String),
}

/// The few cases a caller tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Corrupt or invalid content.
    Corrupt,
    /// The root index changed under the edit.
    Conflict,
    /// In the way already.
    Exists,
    /// The system failed a call.
    Io,
    /// A limit was passed.
    Limit,
    /// The caller's mistake.
    Misuse,
    /// Not there.
    NotFound,
    /// Not possible here.
    Unsupported,
}

impl Error {
    /// Which of the few cases this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { .. } => ErrorKind::Io,
            Self::MissingBlob(_) | Self::NotFound(_) => ErrorKind::NotFound,
            Self::Mismatch { .. } | Self::Document { .. } | Self::Layer { .. } => ErrorKind::Corrupt,
            Self::Limit { .. } => ErrorKind::Limit,
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::Exists(_) => ErrorKind::Exists,
            Self::Unsupported(_) => ErrorKind::Unsupported,
            Self::Misuse(_) => ErrorKind::Misuse,
        }
    }

    /// Wraps an I/O error with what was being done: `.map_err(Error::io(format_args!("open {name}")))`. The text is made only
    /// if there is an error.
    pub fn io(doing: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.downcast::<Self>() {
            // An error of ours that travelled through a `Read` or `Write`: it says more than its wrapping.
            Ok(inner) => inner,
            Err(source) => Self::Io { doing: doing.to_string(), source },
        }
    }

    /// Returns the error for input beyond a limit. `name` is the field of [`crate::limits::Limits`], `limit` its value.
    pub fn limit(what: impl Into<String>, name: &'static str, limit: u64) -> Self {
        Self::Limit { what: what.into(), name, limit }
    }

    /// A document that is not what the specification asks for.
    pub fn document(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Document { what: what.into(), reason: reason.into() }
    }

    /// A layer that cannot be understood or applied.
    pub fn layer(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Layer { what: what.into(), reason: reason.into() }
    }
}

/// Lets an error of ours travel through `Read` and `Write`; [`Error::io`] unwraps it again.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Io { source, .. } if source.get_ref().is_none() => source,
            other => Self::other(other),
        }
    }
}
