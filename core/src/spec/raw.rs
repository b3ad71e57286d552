//! Exact bytes beside the parsed view.

use serde::{Serialize, de::DeserializeOwned};

use super::MediaType;
use crate::{
    digest::{Algorithm, Digest},
    error::{Error, Result},
    hash::digest_of,
};

/// A kind of document.
pub trait Document: DeserializeOwned + Serialize {
    /// What to call it in messages.
    const KIND: &'static str;

    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// A sentence on what is wrong.
    fn validate(&self, expected: Option<&MediaType>) -> Result<(), String>;
}

/// A document: the bytes its digest is of, and what they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw<T> {
    bytes: Vec<u8>,
    view: T,
}

impl<T: Document> Raw<T> {
    /// Parses and checks a document. `what` names it in errors; `expected` is the media type of the descriptor that led
    /// here, where there is one.
    ///
    /// # Errors
    /// [`Error::Document`].
    pub fn parse(what: &str, bytes: Vec<u8>, expected: Option<&MediaType>) -> Result<Self> {
        let view: T =
            serde_json::from_slice(&bytes).map_err(|error| Error::document(what, error.to_string()))?;
        view.validate(expected).map_err(|reason| Error::document(what, reason))?;
        Ok(Self { bytes, view })
    }

    /// What the document says.
    pub fn view(&self) -> &T {
        &self.view
    }

    /// The exact bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The digest of the bytes.
    pub fn digest(&self) -> Digest {
        digest_of(Algorithm::Sha256, &self.bytes)
    }
}
