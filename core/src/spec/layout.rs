//! The `oci-layout` file (image-spec, image-layout.md).

use serde::{Deserialize, Serialize};

use super::{Document, MediaType, media_type, raw::check_expected};

/// The marker of an image layout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(rename_all = "camelCase")]
#[serde(remote = "Self")]
pub struct Layout {
    /// Always `1.0.0`.
    pub image_layout_version: String,
}

impl Default for Layout {
    fn default() -> Self {
        Self { image_layout_version: Self::VERSION.into() }
    }
}

impl Layout {
    /// The only version.
    pub const VERSION: &'static str = "1.0.0";
}

impl Document for Layout {
    const KIND: &'static str = "layout file";

    fn validate(&self, expected: Option<&MediaType>) -> Result<(), String> {
        check_expected(expected, media_type::LAYOUT, |media_type| media_type.as_str() == media_type::LAYOUT)?;
        match self.image_layout_version.as_str() {
            Self::VERSION => Ok(()),
            other => Err(format!("imageLayoutVersion is {other:?}, expected {:?}", Self::VERSION)),
        }
    }
}
