//! Indexes: lists of manifests and further indexes (image-spec, image-index.md).

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::{
    Annotations, Descriptor, Document, MediaType, media_type, raw::check_header, shape::null_is_empty,
};

/// A list of descriptors, such as `index.json`. Entries may be indexes, to any depth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(rename_all = "camelCase")]
#[serde(remote = "Self")]
pub struct Index {
    /// Always 2.
    pub schema_version: u64,
    /// Its own media type, where it is stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<MediaType>,
    /// The type of the artifact that this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
    /// The entries, in the order of preference. A malformed one has [`Descriptor::malformed`] set.
    #[serde(deserialize_with = "entries")]
    pub manifests: Vec<Descriptor>,
    /// The object that this refers to; it may be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Annotations.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "Annotations::is_empty")]
    pub annotations: Annotations,
}

/// Reads each entry by itself, so that a malformed one does not hide the others.
fn entries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Descriptor>, D::Error> {
    let texts = Option::<Vec<Box<RawValue>>>::deserialize(deserializer)?.unwrap_or_default();
    let entries = texts.iter().enumerate();
    Ok(entries.map(|(position, text)| Descriptor::entry(text.get(), position)).collect())
}

impl Index {
    /// Makes an index that states its media type.
    #[must_use]
    pub fn new(manifests: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(MediaType::literal(media_type::INDEX)),
            artifact_type: None,
            manifests,
            subject: None,
            annotations: Annotations::new(),
        }
    }
}

impl Document for Index {
    const KIND: &'static str = "index";
    const FOREIGN: &'static [&'static str] = &["config", "layers"];

    fn validate(&self, expected: Option<&MediaType>) -> Result<(), String> {
        check_header(
            self.schema_version,
            self.media_type.as_ref(),
            expected,
            media_type::INDEX,
            MediaType::is_index,
        )?;
        self.subject.iter().try_for_each(Descriptor::check_size)
    }
}
