//! The media types of the OCI image specification, and Docker's.

mod layer;
pub(super) mod value;

pub use super::compression::{
    DOCKER_LAYER, DOCKER_LAYER_FOREIGN, DOCKER_LAYER_GZIP, DOCKER_LAYER_ZSTD, LAYER, LAYER_NONDISTRIBUTABLE,
};
use value::MediaType;

/// The media type of an OCI index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The media type of an OCI manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of an OCI image config.
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// The media type of an OCI descriptor.
pub const DESCRIPTOR: &str = "application/vnd.oci.descriptor.v1+json";
/// The media type of an `oci-layout` file.
pub const LAYOUT: &str = "application/vnd.oci.layout.header.v1+json";
/// The media type of the empty JSON object.
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// The media type of a Docker manifest list, equivalent to an index.
pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// The media type of a Docker manifest.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// The media type of a Docker image config.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
