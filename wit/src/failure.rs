//! Errors of the library, in the words of the interface.

use ocicle::{Error, error, graph::resolve::ResolveError};

use crate::bindings::exports::ocicle::image::images::{Failure, Kind};

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            error::ErrorKind::Corrupt => Kind::Corrupt,
            error::ErrorKind::Conflict => Kind::Conflict,
            error::ErrorKind::Exists => Kind::Exists,
            error::ErrorKind::Limit => Kind::Limit,
            error::ErrorKind::Misuse => Kind::Misuse,
            error::ErrorKind::NotFound => Kind::NotFound,
            error::ErrorKind::Unsupported => Kind::Unsupported,
            _ => Kind::Io,
        };
        Self { kind, message: error.to_string() }
    }
}

impl From<ResolveError> for Failure {
    fn from(error: ResolveError) -> Self {
        let kind = match error {
            ResolveError::Other(error) => return error.into(),
            ResolveError::NotFound { .. } => Kind::NotFound,
            _ => Kind::Ambiguous,
        };
        Self { kind, message: error.to_string() }
    }
}

/// An argument that means nothing.
pub(crate) fn misuse(error: impl ToString) -> Failure {
    Failure { kind: Kind::Misuse, message: error.to_string() }
}
