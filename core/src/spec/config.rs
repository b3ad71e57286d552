//! Image configs: how to run a container of the image, and the diff_ids of its layers (image-spec,
//! config.md).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Document, MediaType, Platform, media_type, raw::check_expected, shape::null_is_empty};
use crate::digest::Digest;

/// The config of a runnable image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(remote = "Self")]
pub struct ImageConfig {
    /// The time of creation, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Architecture, such as `amd64`.
    pub architecture: String,
    /// Operating system, such as `linux`.
    pub os: String,
    /// Version of the operating system.
    #[serde(rename = "os.version", default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// Required features of the operating system.
    #[serde(rename = "os.features", default, skip_serializing_if = "Option::is_none")]
    pub os_features: Option<Vec<String>>,
    /// Variant of the architecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The configuration of a container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<ContainerConfig>,
    /// The diff_ids of the layers.
    pub rootfs: RootFs,
    /// The history of the layers, the base first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<Vec<History>>,
}

/// The diff_ids of the layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(remote = "Self")]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The digests of the uncompressed layers, the base first.
    #[serde(deserialize_with = "null_is_empty")]
    pub diff_ids: Vec<Digest>,
}

/// The origin of a layer, or of a change of metadata.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(remote = "Self")]
pub struct History {
    /// The time of creation, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The command that created it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// The author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// A comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Whether this entry has no layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty_layer: Option<bool>,
}

/// The configuration of a container of the image. Sets are JSON objects with empty values, as in the
/// document.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(rename_all = "PascalCase")]
#[serde(remote = "Self")]
pub struct ContainerConfig {
    /// `user[:group]`, names or numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Ports, such as `80/tcp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposed_ports: Option<BTreeMap<String, serde_json::Value>>,
    /// Environment, `NAME=value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<Vec<String>>,
    /// First arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    /// Further arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Vec<String>>,
    /// Directories whose content is not part of the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volumes: Option<BTreeMap<String, serde_json::Value>>,
    /// Working directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// Labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Signal that stops the container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
}

impl ImageConfig {
    /// Makes the config of an image without layers and without history.
    #[must_use]
    pub fn new(platform: &Platform) -> Self {
        Self {
            created: None,
            author: None,
            architecture: platform.architecture.clone(),
            variant: platform.variant.clone(),
            os: platform.os.clone(),
            os_version: platform.os_version.clone(),
            os_features: Some(platform.os_features.clone()).filter(|features| !features.is_empty()),
            config: None,
            rootfs: RootFs { kind: "layers".into(), diff_ids: Vec::new() },
            history: None,
        }
    }

    /// Returns the platform.
    #[must_use]
    pub fn platform(&self) -> Platform {
        Platform {
            architecture: self.architecture.clone(),
            os: self.os.clone(),
            os_version: self.os_version.clone(),
            os_features: self.os_features.clone().unwrap_or_default(),
            variant: self.variant.clone(),
        }
    }
}

impl History {
    /// Sets the time of creation, RFC 3339.
    #[must_use]
    pub fn with_created(self, created: impl Into<String>) -> Self {
        Self { created: Some(created.into()), ..self }
    }

    /// Sets the command that created it.
    #[must_use]
    pub fn with_created_by(self, command: impl Into<String>) -> Self {
        Self { created_by: Some(command.into()), ..self }
    }

    /// Marks an entry that has no layer.
    #[must_use]
    pub fn without_layer(self) -> Self {
        Self { empty_layer: Some(true), ..self }
    }
}

impl Document for ImageConfig {
    const KIND: &'static str = "image config";

    fn validate(&self, expected: Option<&MediaType>) -> Result<(), String> {
        check_expected(expected, media_type::CONFIG, MediaType::is_config)?;
        match self.rootfs.kind.as_str() {
            "layers" => Ok(()),
            other => Err(format!("rootfs.type is {other:?}, expected \"layers\"")),
        }
    }
}
