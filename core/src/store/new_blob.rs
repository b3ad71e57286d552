//! The facts about a blob before it is written.

use crate::{
    digest::Digest,
    spec::{Descriptor, MediaType},
};

/// The facts about a blob that are known before its first byte is written. A registry needs all of them, a
/// directory none.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct NewBlob<'a> {
    /// Media type of the descriptors that will name the blob.
    pub media_type: &'a MediaType,
    /// Digest, if the content was hashed before.
    pub digest: Option<&'a Digest>,
    /// Size in bytes, if it is known.
    pub size: Option<u64>,
}

/// The place of an object in the distribution API (distribution-spec, "Endpoints").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlobKind {
    /// An index or manifest: below `/manifests/`.
    Manifest,
    /// A config, layer or anything else: below `/blobs/`.
    Blob,
}

impl<'a> NewBlob<'a> {
    /// Describes a blob that was hashed before: a copy, or a document in memory.
    #[must_use]
    pub fn known(descriptor: &'a Descriptor) -> Self {
        let Descriptor { media_type, digest, size, .. } = descriptor;
        Self { media_type, digest: Some(digest), size: Some(*size) }
    }

    /// Describes a blob whose digest and size are known only at its end.
    #[must_use]
    pub fn streamed(media_type: &'a MediaType) -> Self {
        Self { media_type, digest: None, size: None }
    }

    /// Returns the place of the blob in the distribution API.
    #[must_use]
    pub fn kind(&self) -> BlobKind {
        match self.media_type.is_index() || self.media_type.is_manifest() {
            true => BlobKind::Manifest,
            false => BlobKind::Blob,
        }
    }
}
