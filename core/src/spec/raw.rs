//! Exact bytes beside the parsed view.

use serde::{Serialize, de::DeserializeOwned};

use super::{Descriptor, MediaType, json};
use crate::{
    digest::{Algorithm, Digest},
    error::{Error, Result},
    hash::digest_of,
};

/// A kind of document.
pub trait Document: DeserializeOwned + Serialize {
    /// What to call it in messages.
    const KIND: &'static str;

    /// Keys by which one would take it for another kind of document. None of them may be there (CVE-2021-41190).
    const FOREIGN: &'static [&'static str] = &[];

    /// Checks what the types cannot say, as far as readers depend on it; [`super::validate`] checks the rest.
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
    /// [`Error::Document`] if it is not JSON as [`json`] has it, not a `T`, or of another type than expected.
    pub fn parse(what: &str, bytes: Vec<u8>, expected: Option<&MediaType>) -> Result<Self> {
        let invalid = |reason: String| Error::document(what, reason);
        for key in json::keys(what, &bytes)? {
            if T::FOREIGN.contains(&key.as_ref()) {
                return Err(invalid(format!(
                    "it has a field {key:?}, so it could be taken for something else than the {} it should be",
                    T::KIND
                )));
            }
        }
        let view: T =
            serde_json::from_slice(&bytes).map_err(|error| invalid(format!("no {}: {error}", T::KIND)))?;
        view.validate(expected).map_err(invalid)?;
        Ok(Self { bytes, view })
    }

    /// Writes a document: compact JSON, fields in the order of the type, no line end. Same view, same bytes.
    ///
    /// # Errors
    /// [`Error::Document`] if the view is not valid.
    pub fn new(view: T) -> Result<Self> {
        let invalid = |reason| Error::document(format!("new {}", T::KIND), reason);
        view.validate(None).map_err(invalid)?;
        let bytes = serde_json::to_vec(&view).map_err(|error| invalid(error.to_string()))?;
        Ok(Self { bytes, view })
    }

    /// Edits the document as text; what the edit does not touch keeps its bytes, known or not. The result is parsed and
    /// checked again. An edit that changes nothing gives the same bytes.
    ///
    /// ```
    /// use ocicle::spec::{Index, Raw};
    /// let index = br#"{ "schemaVersion": 2, "manifests": [], "com.example": 1.0 }"#;
    /// let index = Raw::<Index>::parse("index.json", index.to_vec(), None)?;
    /// let edited = index.edit("index.json", |object| {
    ///     object.edit_object("annotations", |annotations| annotations.set("key", "value"))
    /// })?;
    /// let text = br#"{ "schemaVersion": 2, "manifests": [], "com.example": 1.0, "annotations": {"key":"value"} }"#;
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

    /// A descriptor of the document: media type, digest and size, nothing else.
    pub fn descriptor(&self, media_type: &MediaType) -> Descriptor {
        Descriptor::new(media_type.clone(), self.digest(), self.bytes.len() as u64)
    }
}

/// What index and manifest have in common: the version, and their own type where they say it.
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
            Err(format!("mediaType is {own}, but its descriptor says {expected}"))
        }
        (Some(own), _) if !fits(own) => Err(format!("mediaType is {own}, expected {name}")),
        _ => Ok(()),
    }
}

/// Whether the media type that led here is one of this kind of document, in OCI's name or Docker's.
pub(super) fn check_expected(
    expected: Option<&MediaType>,
    name: &str,
    fits: fn(&MediaType) -> bool,
) -> Result<(), String> {
    match expected {
        Some(expected) if !fits(expected) => {
            Err(format!("its descriptor says {expected}, which cannot be read as {name}"))
        }
        _ => Ok(()),
    }
}
