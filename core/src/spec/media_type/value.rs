//! Media types as values: RFC 6838 names, compared as whole strings.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{CONFIG, DOCKER_CONFIG, DOCKER_INDEX, DOCKER_MANIFEST, INDEX, MANIFEST};

/// An RFC 6838 media type name, without parameters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaType(pub(in crate::spec) Box<str>);

/// Text that is not a media type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid media type {0:?}: expected type/subtype as in RFC 6838, without parameters")]
pub struct InvalidMediaType(String);

impl MediaType {
    /// Makes a media type of a literal, which is not checked.
    #[must_use]
    pub fn literal(text: &'static str) -> Self {
        Self(text.into())
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether it is an index, of OCI or Docker.
    #[must_use]
    pub fn is_index(&self) -> bool {
        [INDEX, DOCKER_INDEX].contains(&self.as_str())
    }

    /// Returns whether it is a manifest, of OCI or Docker.
    #[must_use]
    pub fn is_manifest(&self) -> bool {
        [MANIFEST, DOCKER_MANIFEST].contains(&self.as_str())
    }

    /// Returns whether it is an image config, of OCI or Docker.
    #[must_use]
    pub fn is_config(&self) -> bool {
        [CONFIG, DOCKER_CONFIG].contains(&self.as_str())
    }

    /// Returns OCI's equivalent of a media type of Docker; others are returned as they are.
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
