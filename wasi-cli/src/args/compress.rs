//! Compression of a new layer.

use clap::ValueEnum;
use ocicle::{image::Image, spec::Compression};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Compress {
    /// The compression of the last layer of the image.
    #[default]
    Auto,
    /// No compression.
    None,
    /// gzip.
    Gzip,
    /// zstd.
    Zstd,
}

impl Compress {
    /// Returns the requested compression; `None` for `auto`.
    pub(crate) fn wanted(self) -> Option<Compression> {
        match self {
            Self::Auto => None,
            Self::None => Some(Compression::None),
            Self::Gzip => Some(Compression::Gzip),
            Self::Zstd => Some(Compression::Zstd),
        }
    }

    /// Returns the compression of a new layer of an image: for `auto`, that of its last layer.
    pub(crate) fn for_layer_of(self, image: &Image) -> Compression {
        self.wanted().unwrap_or_else(|| image.last_compression())
    }
}
