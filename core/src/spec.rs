//! The documents of the OCI image specification 1.1.1, each as its exact bytes and the parsed view ([`Raw`]).
//!
//! Every edit keeps unknown fields in their place. A document that is not edited keeps its bytes.

mod compression;
mod config;
mod descriptor;
mod edit;
mod entries;
pub(crate) mod image_name;
mod index;
pub mod json;
mod layout;
mod manifest;
pub mod media_type;
mod platform;
mod raw;
pub(crate) mod shape;
mod validate;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub(crate) use compression::CompressedFormat;
pub use compression::Compression;
pub use config::{ContainerConfig, History, ImageConfig, RootFs};
pub use descriptor::Descriptor;
pub(crate) use entries::Entries;
pub use index::Index;
pub use layout::Layout;
pub use manifest::Manifest;
pub use media_type::value::{InvalidMediaType, MediaType};
pub use platform::{InvalidPlatform, Platform};
pub use raw::{Document, Raw};
pub use validate::{is_date_time, validate};

shape::read_from_objects_only!(
    ContainerConfig,
    Descriptor,
    History,
    ImageConfig,
    Index,
    Layout,
    Manifest,
    Platform,
    RootFs
);

/// Annotations, in byte order of the keys.
pub type Annotations = BTreeMap<String, String>;

/// The annotation that names an entry of `index.json` (image-spec, annotations.md).
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// The annotation with the full name of an image, of which the ref name is then only the tag; from
/// containerd, which Docker and BuildKit use.
pub const IMAGE_NAME: &str = "io.containerd.image.name";
