//! Descriptors: references to blobs (image-spec, descriptor.md).

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::{Annotations, MediaType, Platform, image_name, shape::null_is_empty};
use crate::{
    digest::{Algorithm, Digest},
    error::{Error, Result},
    hash::digest_of,
};

/// A reference to a blob: its media type, digest and size, and further properties. Fields are written in this
/// order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(rename_all = "camelCase")]
#[serde(remote = "Self")]
pub struct Descriptor {
    /// The media type of the content.
    pub media_type: MediaType,
    /// The digest of the content.
    pub digest: Digest,
    /// The size of the content in bytes, at most 2^63 - 1.
    pub size: u64,
    /// URLs from which the content can be downloaded.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Annotations.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "Annotations::is_empty")]
    pub annotations: Annotations,
    /// The embedded content, in base64 with padding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// The platform of the content; in entries of an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// The artifact type of the manifest that is the content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
    /// The reason why this entry of an index is malformed, if it is. The other fields are then what could be
    /// read of it; the digest is that of its text.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none", serialize_with = "refuse")]
    pub malformed: Option<String>,
}

/// Refuses to write what stands for a malformed entry.
fn refuse<S: Serializer>(reason: &Option<String>, _: S) -> std::result::Result<S::Ok, S::Error> {
    Err(serde::ser::Error::custom(reason.as_deref().unwrap_or_default()))
}

impl Descriptor {
    /// Makes a descriptor with the three required fields.
    #[must_use]
    pub fn new(media_type: MediaType, digest: Digest, size: u64) -> Self {
        Self {
            media_type,
            digest,
            size,
            urls: Vec::new(),
            annotations: Annotations::new(),
            data: None,
            platform: None,
            artifact_type: None,
            malformed: None,
        }
    }

    /// Reads an entry of an index. A malformed one does not make the index unreadable: it keeps its place,
    /// and the names by which people can find and remove it.
    pub(super) fn entry(text: &str, position: usize) -> Self {
        let read = serde_json::from_str(text).map_err(|error| error.to_string());
        read.and_then(|entry: Self| entry.check_size().map(|()| entry)).unwrap_or_else(|reason| {
            #[derive(Default, Deserialize)]
            #[serde(rename_all = "camelCase", default)]
            struct Parts {
                media_type: Value,
                annotations: Value,
            }
            let Parts { media_type, annotations } = serde_json::from_str(text).unwrap_or_default();
            let media_type = serde_json::from_value(media_type);
            Self {
                annotations: serde_json::from_value(annotations).unwrap_or_default(),
                malformed: Some(format!("entry {position} is malformed: {reason}")),
                ..Self::new(
                    media_type.unwrap_or_else(|_| MediaType::literal("application/octet-stream")),
                    digest_of(Algorithm::Sha256, text.as_bytes()),
                    0,
                )
            }
        })
    }

    /// Returns the ref name, which has a meaning only on the entries of `index.json`.
    #[must_use]
    pub fn ref_name(&self) -> Option<&str> {
        self.annotations.get(super::REF_NAME).map(String::as_str)
    }

    /// Returns the full name that containerd gave the image ([`IMAGE_NAME`](super::IMAGE_NAME)), which has a
    /// meaning only on the entries of `index.json`.
    #[must_use]
    pub fn image_name(&self) -> Option<&str> {
        self.annotations.get(super::IMAGE_NAME).map(String::as_str)
    }

    /// Returns the tag for people: the image name as Docker shows it, such as `app:latest`, or else the ref
    /// name.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.image_name().map(image_name::familiar).or_else(|| self.ref_name())
    }

    /// Returns whether a tag is the ref name, or the image name in full or as Docker shows it.
    #[must_use]
    pub fn has_tag(&self, tag: &str) -> bool {
        [self.ref_name(), self.image_name(), self.tag()].contains(&Some(tag))
    }

    /// Returns whether ref name and image name are those of another entry.
    pub(crate) fn same_names(&self, other: &Self) -> bool {
        (self.ref_name(), self.image_name()) == (other.ref_name(), other.image_name())
    }

    /// Removes ref name and image name, for an entry that is not in `index.json`.
    #[must_use]
    pub fn without_names(mut self) -> Self {
        self.annotations.retain(|key, _| key != super::REF_NAME && key != super::IMAGE_NAME);
        self
    }

    /// Checks that the descriptor is not what stands for a malformed entry of an index.
    ///
    /// # Errors
    /// [`Error::Document`].
    pub(crate) fn well_formed(&self) -> Result<()> {
        self.malformed.iter().try_for_each(|reason| Err(Error::document("index", reason)))
    }

    /// Returns the embedded content, decoded but not verified.
    ///
    /// # Errors
    /// [`Error::Document`] if it is not base64 with padding, or for a malformed entry of an index.
    pub fn embedded(&self) -> Result<Option<Vec<u8>>> {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        self.well_formed()?;
        let Some(text) = &self.data else { return Ok(None) };
        STANDARD.decode(text).map(Some).map_err(|error| {
            Error::document(format!("descriptor of {}", self.digest), format!("data is not base64: {error}"))
        })
    }

    /// Checks that the descriptor describes these bytes: first the size, then the digest.
    ///
    /// # Errors
    /// [`Error::Mismatch`]; [`Error::Unsupported`] for a digest algorithm this library cannot compute.
    pub fn verify(&self, subject: &str, bytes: &[u8]) -> Result<()> {
        let mismatch = |property, expected: String, actual: String| {
            Err(Error::Mismatch { subject: subject.to_owned(), property, expected, actual })
        };
        if self.size != bytes.len() as u64 {
            return mismatch("size", self.size.to_string(), bytes.len().to_string());
        }
        let algorithm = self.digest.algorithm().ok_or_else(|| {
            Error::Unsupported(format!(
                "{subject}: cannot verify {}: unknown algorithm {}",
                self.digest,
                self.digest.algorithm_name()
            ))
        })?;
        let actual = digest_of(algorithm, bytes);
        if actual == self.digest {
            Ok(())
        } else {
            mismatch("digest", self.digest.to_string(), actual.to_string())
        }
    }

    /// Checks the size: sizes are signed 64-bit numbers in the specification.
    pub(super) fn check_size(&self) -> Result<(), String> {
        match i64::try_from(self.size) {
            Ok(_) => Ok(()),
            Err(_) => Err(format!("the size of {} is {}, more than 2^63 - 1", self.digest, self.size)),
        }
    }
}
