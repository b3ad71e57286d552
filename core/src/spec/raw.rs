//! Documents as exact bytes and parsed view.

use serde::{Serialize, de::DeserializeOwned};

use super::{Descriptor, MediaType, json};
use crate::{
    digest::{Algorithm, Digest},
    error::{Error, Result},
    hash::digest_of,
};

/// A kind of document.
pub trait Document: DeserializeOwned + Serialize {
    /// Its name in messages.
    const KIND: &'static str;

    /// Keys of other kinds of documents, which are refused, so that it cannot be taken for one of them
    /// (CVE-2021-41190).
    const FOREIGN: &'static [&'static str] = &[];

    /// Checks what the types do not express, as far as readers depend on it; [`super::validate()`] checks the
    /// rest.
    ///
    /// # Errors
    /// The reason, as a sentence.
    fn validate(&self, expected: Option<&MediaType>) -> Result<(), String>;
}

/// A document: the exact bytes, which its digest is computed from, and the parsed view of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw<T> {
    bytes: Vec<u8>,
    view: T,
}

impl<T: Document> Raw<T> {
    /// Parses and checks a document. `what` names it in errors; `expected` is the media type of the
    /// descriptor that led here, if there is one.
    ///
    /// # Errors
    /// [`Error::Document`] if it is not JSON as [`json`] accepts it, not a `T`, or of another type than
    /// expected.
    pub fn parse(what: &str, bytes: Vec<u8>, expected: Option<&MediaType>) -> Result<Self> {
        let invalid = |reason: String| Error::document(what, reason);
        for key in json::keys(what, &bytes)? {
            if T::FOREIGN.contains(&key.as_ref()) {
                return Err(invalid(format!(
                    "field {key:?} is not allowed in this kind of document ({})",
                    T::KIND
                )));
            }
        }
        let view: T = serde_json::from_slice(&bytes)
            .map_err(|error| invalid(format!("not a valid {}: {error}", T::KIND)))?;
        view.validate(expected).map_err(invalid)?;
        Ok(Self { bytes, view })
    }

    /// Writes a document as compact JSON: fields in the order of the type, no line end. The same view results
    /// in the same bytes.
    ///
    /// # Errors
    /// [`Error::Document`] if the view is not valid.
    pub fn new(view: T) -> Result<Self> {
        let invalid = |reason| Error::document(format!("new {}", T::KIND), reason);
        view.validate(None).map_err(invalid)?;
        let bytes = serde_json::to_vec(&view).map_err(|error| invalid(error.to_string()))?;
        Ok(Self { bytes, view })
    }

    /// Edits the document as text. What the edit does not touch keeps its bytes, known or not; the result is
    /// parsed and checked again.
    ///
    /// ```
    /// use ocicle::spec::{Index, Raw};
    /// let index = br#"{ "schemaVersion": 2, "manifests": [], "x": 1.0 }"#;
    /// let index = Raw::<Index>::parse("index.json", index.to_vec(), None)?;
    /// let edited = index.edit("index.json", |object| {
    ///     object.edit_object("annotations", |annotations| annotations.set("key", "value"))
    /// })?;
    /// let text = br#"{ "schemaVersion": 2, "manifests": [], "x": 1.0, "annotations": {"key":"value"} }"#;
    /// assert_eq!(edited.bytes(), text);
    /// # Ok::<(), ocicle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Document`] if the result is not valid; what the edit returns.
    pub fn edit(&self, what: &str, edit: impl FnOnce(&mut json::Object) -> Result<()>) -> Result<Self> {
        let mut object = json::Object::parse(what, &self.bytes)?;
        edit(&mut object)?;
        Self::parse(what, object.text().into_bytes(), None)
    }

    /// Returns the parsed view.
    pub fn view(&self) -> &T {
        &self.view
    }

    /// Returns the exact bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the digest of the bytes.
    pub fn digest(&self) -> Digest {
        digest_of(Algorithm::Sha256, &self.bytes)
    }

    /// Returns a descriptor of the document with media type, digest and size.
    pub fn descriptor(&self, media_type: &MediaType) -> Descriptor {
        Descriptor::new(media_type.clone(), self.digest(), self.bytes.len() as u64)
    }
}

/// Checks what index and manifest have in common: the version, and their own media type where they state it.
pub(super) fn check_header(
    schema_version: u64,
    own: Option<&MediaType>,
    expected: Option<&MediaType>,
    name: &str,
    fits: fn(&MediaType) -> bool,
) -> Result<(), String> {
    check_expected(expected, name, fits)?;
    if schema_version != 2 {
        return Err(format!("schemaVersion is {schema_version}, expected 2"));
    }
    match (own, expected) {
        (Some(own), Some(expected)) if own != expected => {
            Err(format!("mediaType is {own}, but its descriptor has {expected}"))
        }
        (Some(own), _) if !fits(own) => Err(format!("mediaType is {own}, expected {name}")),
        _ => Ok(()),
    }
}

/// Checks that the media type that led here is one of this kind of document, of OCI or Docker.
pub(super) fn check_expected(
    expected: Option<&MediaType>,
    name: &str,
    fits: fn(&MediaType) -> bool,
) -> Result<(), String> {
    match expected {
        Some(expected) if !fits(expected) => {
            Err(format!("its descriptor has mediaType {expected}, which cannot be read as {name}"))
        }
        _ => Ok(()),
    }
}
