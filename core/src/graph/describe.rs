//! Trees of objects as descriptions: to be written down, edited and built.
//!
//! A [`Description`] is a value that TOML and JSON can hold. [`export`] describes what is in a store;
//! [`build`] stores what a description says, and [`add_roots`] adds it to a root index. Equal descriptions
//! yield equal bytes. A description that contradicts itself or its sources is refused before the root index
//! is touched; the error names both sides of the contradiction.

mod build;
mod changes;
mod export;
mod form;
mod merge;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::{
    build::{Root, Sources, add_roots, build},
    changes::{ListingDiff, ObjectChange, ObjectChangeKind},
    export::{ExportDepth, export},
    form::Form,
    merge::{Merged, SamePlatform, merge},
};
use crate::{digest::Digest, spec::MediaType};

/// Entries of a root index.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Description {
    /// The entries. One with a tag replaces the entry that has that tag; others are added unless they are
    /// present.
    #[serde(default)]
    pub root: Vec<Node>,
}

/// An object and its descriptor. Exactly one of `from`, `index`, `manifest` and `blob` says what the object
/// is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::exhaustive_structs, reason = "made with `..Node::default()`")]
pub struct Node {
    /// The ref name; for entries of the root only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The name that other nodes refer to: `from = "@NAME"`, `subject = "@NAME"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// An existing object: `sha256:…` or `#SELECTOR` in the same store, a reference to another store, or
    /// `@NAME`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The media type of a blob; or of `from = "sha256:…"`, and the descriptor is then made of this node
    /// alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<MediaType>,
    /// The artifact type in the descriptor; by default that of the `manifest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
    /// The platform in the descriptor, such as `linux/arm64/v8`; `none` for none. By default that of `from`,
    /// else, inside an index, that of the config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Whether the platform may contradict the config.
    #[serde(default, skip_serializing_if = "is_false")]
    pub platform_override: bool,
    /// Annotations of the descriptor; added to those of `from`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Further places of the content: `urls` of the descriptor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Whether the content is embedded in the descriptor, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// The digest that the object must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Digest>,
    /// A new index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<IndexNode>,
    /// A new manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<ManifestNode>,
    /// A new blob.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<BlobNode>,
}

/// The places where the content of an object is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(clippy::exhaustive_enums, reason = "embedded or not")]
pub enum Data {
    /// In the descriptor, in base64, and as a blob.
    Embed,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::exhaustive_structs, reason = "made with `..IndexNode::default()`")]
pub struct IndexNode {
    /// The artifact type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
    /// The subject, as [`Node::from`] has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Whether two entries may have the same platform or digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<Duplicates>,
    /// The white space of the document.
    #[serde(default, skip_serializing_if = "Form::is_compact")]
    pub form: Form,
    /// Annotations of the index.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The entries, in order.
    #[serde(default)]
    pub manifests: Vec<Node>,
}

/// Whether entries may have the same platform or digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(clippy::exhaustive_enums, reason = "without it they are refused")]
pub enum Duplicates {
    /// Allowed.
    Allow,
}

/// A manifest of an image or an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::exhaustive_structs, reason = "made with `..ManifestNode::default()`")]
pub struct ManifestNode {
    /// The artifact type; required if there is no config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
    /// The subject, as [`Node::from`] has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The white space of the document.
    #[serde(default, skip_serializing_if = "Form::is_compact")]
    pub form: Form,
    /// Annotations of the manifest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The config; the empty one by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Box<Node>>,
    /// The layers, the base first; if the list is empty, the empty layer (image-spec, manifest.md).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Node>,
}

/// The content of a blob: exactly one of the fields is set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::exhaustive_structs, reason = "one of two")]
pub struct BlobNode {
    /// The path of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The content itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !value
}
