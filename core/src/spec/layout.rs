//! The `oci-layout` file (image-spec, image-layout.md).

use serde::{Deserialize, Serialize};

/// Marks a directory as an image layout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::exhaustive_structs, reason = "made by every writer of images")]
#[serde(rename_all = "camelCase")]
pub struct Layout {
    /// Always `1.0.0`.
    pub image_layout_version: String,
}

impl Layout {
    /// The only version there is.
    pub const VERSION: &'static str = "1.0.0";
}
