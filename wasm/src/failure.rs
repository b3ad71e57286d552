//! Errors as JavaScript sees them: an `Error` with the `kind` of the library.

use std::fmt::Display;

use ocicle::{Error, digest::InvalidDigest, error::ErrorKind, graph::resolve::ResolveError};
use wasm_bindgen::JsValue;

/// What a call of the package throws.
#[derive(Debug)]
pub struct Failure {
    kind: &'static str,
    message: String,
}

impl Failure {
    pub(crate) fn misuse(message: impl Display) -> Self {
        Self { kind: "misuse", message: message.to_string() }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::Corrupt => "corrupt",
            ErrorKind::Conflict => "conflict",
            ErrorKind::Exists => "exists",
            ErrorKind::Io => "io",
            ErrorKind::Limit => "limit",
            ErrorKind::NotFound => "notFound",
            ErrorKind::Unsupported => "unsupported",
            // Misuse, and kinds that this package does not know yet.
            _ => "misuse",
        };
        Self { kind, message: error.to_string() }
    }
}

impl From<ResolveError> for Failure {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Other(error) => error.into(),
            ResolveError::Ambiguous { .. } => Self { kind: "ambiguous", message: error.to_string() },
            other => Self { kind: "notFound", message: other.to_string() },
        }
    }
}

impl From<InvalidDigest> for Failure {
    fn from(error: InvalidDigest) -> Self {
        Self::misuse(error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::misuse(error)
    }
}

impl From<Failure> for JsValue {
    fn from(failure: Failure) -> Self {
        let error = js_sys::Error::new(&failure.message);
        // Setting a property of a new object cannot fail.
        let _ = js_sys::Reflect::set(&error, &"kind".into(), &failure.kind.into());
        error.into()
    }
}
