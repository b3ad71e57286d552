//! Manifests that are not those of images.

use crate::{
    error::Result,
    spec::{Descriptor, Manifest, MediaType, Raw},
    store::{BlobRead, Repository},
};

/// An artifact, such as a signature or an SBOM: a manifest without an image.
#[derive(Debug, Clone)]
#[allow(clippy::exhaustive_structs, reason = "a plain view")]
pub struct Artifact {
    /// The descriptor that the artifact was opened with.
    pub descriptor: Descriptor,
    /// The manifest.
    pub manifest: Raw<Manifest>,
}

impl Artifact {
    /// Reads the manifest.
    ///
    /// # Errors
    /// Those of [`Repository::document`].
    pub fn open(repository: &Repository<impl BlobRead>, descriptor: &Descriptor) -> Result<Self> {
        Ok(Self { descriptor: descriptor.clone(), manifest: repository.document(descriptor)? })
    }

    /// Returns its type: that of the manifest, or else the media type of the config.
    #[must_use]
    pub fn artifact_type(&self) -> &MediaType {
        let Manifest { artifact_type, config, .. } = self.manifest.view();
        artifact_type.as_ref().unwrap_or(&config.media_type)
    }
}
