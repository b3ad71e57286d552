//! Manifests: one image, or one artifact (image-spec, manifest.md).

use serde::{Deserialize, Serialize};

use super::{
    Annotations, Descriptor, Document, MediaType, media_type, raw::check_header, shape::null_is_empty,
};

/// A config and layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(rename_all = "camelCase")]
#[serde(remote = "Self")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u64,
    /// Its own media type, where it is stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<MediaType>,
    /// The type of the artifact that this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
    /// The config, or the empty descriptor.
    pub config: Descriptor,
    /// The layers, the base first.
    #[serde(deserialize_with = "null_is_empty")]
    pub layers: Vec<Descriptor>,
    /// The object that this refers to; it may be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Annotations.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "Annotations::is_empty")]
    pub annotations: Annotations,
}

impl Manifest {
    /// Makes a manifest that states its media type.
    #[must_use]
    pub fn new(config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(MediaType::literal(media_type::MANIFEST)),
            artifact_type: None,
            config,
            layers,
            subject: None,
            annotations: Annotations::new(),
        }
    }
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
