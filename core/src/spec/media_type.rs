//! Media types: RFC 6838 names, compared as whole strings.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use super::compression::{
    DOCKER_LAYER, DOCKER_LAYER_FOREIGN, DOCKER_LAYER_GZIP, DOCKER_LAYER_ZSTD, LAYER, LAYER_NONDISTRIBUTABLE,
};

/// An RFC 6838 media type name, without parameters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaType(pub(super) Box<str>);

/// Text that is not a media type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid media type {0:?}: expected type/subtype as in RFC 6838, without parameters")]
pub struct InvalidMediaType(String);

/// OCI index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// OCI manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// OCI image config.
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// OCI descriptor.
pub const DESCRIPTOR: &str = "application/vnd.oci.descriptor.v1+json";
/// `oci-layout` file.
pub const LAYOUT: &str = "application/vnd.oci.layout.header.v1+json";
/// The empty JSON object.
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// Docker manifest list, equivalent to an index.
pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker manifest.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker image config.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";

impl MediaType {
    /// A name known when the program was written.
    #[must_use]
    pub fn literal(text: &'static str) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Index, of OCI or Docker.
    #[must_use]
    pub fn is_index(&self) -> bool {
        [INDEX, DOCKER_INDEX].contains(&self.as_str())
    }

    /// Manifest, of OCI or Docker.
    #[must_use]
    pub fn is_manifest(&self) -> bool {
        [MANIFEST, DOCKER_MANIFEST].contains(&self.as_str())
    }

    /// Image config, of OCI or Docker.
    #[must_use]
    pub fn is_config(&self) -> bool {
        [CONFIG, DOCKER_CONFIG].contains(&self.as_str())
    }

    /// The name that OCI has for it, if it is one of Docker's; else the same.
    #[must_use]
    pub fn to_oci(&self) -> Self {
        match self.as_str() {
            DOCKER_INDEX => Self::literal(INDEX),
            DOCKER_MANIFEST => Self::literal(MANIFEST),
            DOCKER_CONFIG => Self::literal(CONFIG),
            _ => self.docker_layer_to_oci().unwrap_or_else(|| self.clone()),
        }
    }
}

impl FromStr for MediaType {
    type Err = InvalidMediaType;

    fn from_str(text: &str) -> Result<Self, InvalidMediaType> {
        let part = |part: &str| {
            let mut bytes = part.bytes();
            part.len() <= 127
                && bytes.next().is_some_and(|byte| byte.is_ascii_alphanumeric())
                && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
        };
        match text.split_once('/') {
            Some((kind, subtype)) if part(kind) && part(subtype) => Ok(Self(text.into())),
            _ => Err(InvalidMediaType(text.chars().take(200).collect())),
        }
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for MediaType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for MediaType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
