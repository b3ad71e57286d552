//! Manifests: one image, or one artifact (image-spec, manifest.md).

use serde::{Deserialize, Serialize};

use super::{
    Annotations, Descriptor, Document, MediaType, media_type, raw::check_header, shape::null_is_empty,
};

/// A config and layers, from the base up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::exhaustive_structs, reason = "made by every writer of images")]
#[serde(rename_all = "camelCase")]
#[serde(remote = "Self")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u64,
    /// Its own type, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<MediaType>,
    /// Type of the artifact this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
    /// The config, or the empty descriptor.
    pub config: Descriptor,
    /// The layers, the base first.
    #[serde(deserialize_with = "null_is_empty")]
    pub layers: Vec<Descriptor>,
    /// What this refers to: weak, may be absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Annotations.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "Annotations::is_empty")]
    pub annotations: Annotations,
}

impl Document for Manifest {
    const KIND: &'static str = "manifest";
    const FOREIGN: &'static [&'static str] = &["manifests"];

    fn validate(&self, expected: Option<&MediaType>) -> Result<(), String> {
        check_header(
            self.schema_version,
            self.media_type.as_ref(),
            expected,
            media_type::MANIFEST,
            MediaType::is_manifest,
        )?;
        std::iter::once(&self.config)
            .chain(&self.layers)
            .chain(&self.subject)
            .try_for_each(Descriptor::check_size)
    }
}
