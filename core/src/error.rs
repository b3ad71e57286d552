//! The error type of the library.
//!
//! Variants exist where callers can act on them, and carry the digest, path or name concerned.
//! [`Error::kind`] sorts them into the few kinds that a command maps to exit codes.

use std::{fmt, io};

use crate::digest::Digest;

/// A `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error, with the object it concerns.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A system call failed.
    #[error("{doing}: {source}")]
    Io {
        /// The operation with its path or name, such as `open blobs/sha256/1f2e…`.
        doing: String,
        /// The system's error.
        source: io::Error,
    },
    /// The store lacks a blob that a document names.
    #[error("blob {0} is not in the store")]
    MissingBlob(Digest),
    /// Content does not match its descriptor, diff_id or name.
    #[error("{subject}: {property} mismatch: expected {expected}, actual {actual}")]
    Mismatch {
        /// The object that was read, such as `layer 3 (sha256:…)`.
        subject: String,
        /// `size`, `digest` or `diff_id`.
        property: &'static str,
        /// The value in the document.
        expected: String,
        /// The value found.
        actual: String,
    },
    /// A document violates its specification.
    #[error("{what}: {reason}")]
    Document {
        /// The document, such as `index.json` or `manifest sha256:…`.
        what: String,
        /// The reason.
        reason: String,
    },
    /// A layer cannot be understood, or must not be applied.
    #[error("{what}: {reason}")]
    Layer {
        /// The layer, and the entry if there is one.
        what: String,
        /// The reason.
        reason: String,
    },
    /// Input exceeds one of [`crate::limits::Limits`].
    #[error("{what}: more than the limit of {limit} ({name})")]
    Limit {
        /// The object that was read.
        what: String,
        /// The field of `Limits`.
        name: &'static str,
        /// Its value.
        limit: u64,
    },
    /// The root index changed since it was read.
    #[error("index.json changed concurrently: expected {expected}, found {actual}")]
    Conflict {
        /// The digest of the index that the edit started from.
        expected: Digest,
        /// The digest of the current index.
        actual: Digest,
    },
    /// A tag of a registry is another object than when it was read.
    #[error("{what} changed concurrently: expected {}, found {}", shown_or(expected), shown_or(actual))]
    Moved {
        /// The reference, such as `registry.example/app:v1`.
        what: String,
        /// The digest that the edit started from; `None` if there was no such tag.
        expected: Option<Digest>,
        /// The digest that the tag has now; `None` if it is gone.
        actual: Option<Digest>,
    },
    /// A server answered, but not with what was asked for.
    #[error("{what}: {reason}{}", shown(*status))]
    Refused {
        /// The address, without its query.
        what: String,
        /// The status of HTTP; 0 if it is not the reason.
        status: u16,
        /// The explanation.
        reason: String,
    },
    /// An object that must not be overwritten already exists.
    #[error("{0}")]
    Exists(String),
    /// A requested object does not exist.
    #[error("{0}")]
    NotFound(String),
    /// The request is valid, but this build, platform or store does not support it.
    #[error("{0}")]
    Unsupported(String),
    /// The request makes no sense.
    #[error("{0}")]
    Misuse(String),
}

/// The kinds of errors that callers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Corrupt or invalid content, or a blob that is missing although a document names it.
    Corrupt,
    /// The root index changed during an edit.
    Conflict,
    /// The object already exists.
    Exists,
    /// A system call failed.
    Io,
    /// A limit is exceeded.
    Limit,
    /// A mistake of the caller.
    Misuse,
    /// The object does not exist.
    NotFound,
    /// A server refused.
    Refused,
    /// Not supported here.
    Unsupported,
}

fn shown_or(digest: &Option<Digest>) -> &str {
    digest.as_ref().map_or("no such tag", Digest::as_str)
}

fn shown(status: u16) -> String {
    if status == 0 { String::new() } else { format!(" (status {status})") }
}

impl Error {
    /// Returns the kind of error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { .. } => ErrorKind::Io,
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::MissingBlob(_) | Self::Mismatch { .. } | Self::Document { .. } | Self::Layer { .. } => {
                ErrorKind::Corrupt
            }
            Self::Limit { .. } => ErrorKind::Limit,
            Self::Conflict { .. } | Self::Moved { .. } => ErrorKind::Conflict,
            Self::Refused { .. } => ErrorKind::Refused,
            Self::Exists(_) => ErrorKind::Exists,
            Self::Unsupported(_) => ErrorKind::Unsupported,
            Self::Misuse(_) => ErrorKind::Misuse,
        }
    }

    /// Wraps an I/O error with the failed operation: `.map_err(Error::io(format_args!("open {name}")))`. The
    /// text is formatted only if there is an error.
    pub fn io(doing: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.downcast::<Self>() {
            // An `Error` that passed through `Read` or `Write` says more than its wrapping.
            Ok(inner) => inner,
            Err(source) => Self::Io { doing: doing.to_string(), source },
        }
    }

    /// Returns the error for input that exceeds a limit. `name` is the field of [`crate::limits::Limits`],
    /// `limit` its value.
    pub fn limit(what: impl Into<String>, name: &'static str, limit: u64) -> Self {
        Self::Limit { what: what.into(), name, limit }
    }

    /// Returns the error for a document that violates its specification.
    pub fn document(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Document { what: what.into(), reason: reason.into() }
    }

    /// Returns the error for a layer that cannot be understood or applied.
    pub fn layer(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Layer { what: what.into(), reason: reason.into() }
    }
}

/// Lets an [`enum@Error`] pass through `Read` and `Write`; [`Error::io`] unwraps it again.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Io { source, .. } => source.kind(),
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
