//! Errors as JavaScript sees them: an `Error` with a `kind`.

use std::fmt::Display;

use ocicle::{Error, digest::InvalidDigest, graph::resolve::ResolveError};
use ocicle_report::FailureKind;
use wasm_bindgen::JsValue;

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// An error that a call throws.
#[derive(Debug)]
pub struct Failure {
    kind: FailureKind,
    message: String,
}

impl Failure {
    pub(crate) fn misuse(message: impl Display) -> Self {
        Self { kind: FailureKind::Misuse, message: message.to_string() }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut message = error.to_string();
        if let Error::Refused { status: 401 | 403, .. } = error {
            message.push_str("; the package has no credentials, the command `ocicle` has");
        }
        Self { kind: FailureKind::from(&error), message }
    }
}

impl From<ResolveError> for Failure {
    fn from(error: ResolveError) -> Self {
        Self { kind: FailureKind::from(&error), message: error.to_string() }
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
        let _ = js_sys::Reflect::set(&error, &"kind".into(), &failure.kind.word().into());
        error.into()
    }
}
