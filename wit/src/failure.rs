//! Errors of the library, in the words of the interface.

use ocicle::{Error, graph::resolve::ResolveError};
use ocicle_report::FailureKind;

use crate::bindings::exports::ocicle::image::images::{Failure, Kind};

impl From<FailureKind> for Kind {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Ambiguous => Self::Ambiguous,
            FailureKind::Conflict => Self::Conflict,
            FailureKind::Corrupt => Self::Corrupt,
            FailureKind::Exists => Self::Exists,
            FailureKind::Io => Self::Io,
            FailureKind::Limit => Self::Limit,
            FailureKind::Misuse => Self::Misuse,
            FailureKind::NotFound => Self::NotFound,
            FailureKind::Unsupported => Self::Unsupported,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { kind: FailureKind::from(&error).into(), message: error.to_string() }
    }
}

impl From<ResolveError> for Failure {
    fn from(error: ResolveError) -> Self {
        Self { kind: FailureKind::from(&error).into(), message: error.to_string() }
    }
}

/// Returns the failure for an invalid argument.
pub(crate) fn misuse(error: impl ToString) -> Failure {
    Failure { kind: Kind::Misuse, message: error.to_string() }
}
