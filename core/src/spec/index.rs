//! Indexes: lists of manifests and further indexes (image-spec, image-index.md).

use serde::{Deserialize, Serialize};

use super::{
    Annotations, Descriptor, Document, MediaType, media_type, raw::check_header, shape::null_is_empty,
};

/// A list of descriptors; `index.json` is one, and its entries may be more of them, to any depth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::exhaustive_structs, reason = "made by every writer of images")]
#[serde(rename_all = "camelCase")]
#[serde(remote = "Self")]
pub struct Index {
    /// Always 2.
    pub schema_version: u64,
    /// Its own type, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<MediaType>,
    /// Type of the artifact this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
    /// The entries, in the order in which readers must prefer them.
    #[serde(deserialize_with = "null_is_empty")]
    pub manifests: Vec<Descriptor>,
    /// What this refers to: weak, may be absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Annotations.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "Annotations::is_empty")]
    pub annotations: Annotations,
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
        self.manifests.iter().chain(&self.subject).try_for_each(Descriptor::check_size)
    }
}
