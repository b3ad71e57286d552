//! Compression of a new layer.

use clap::ValueEnum;
use ocicle::{image::Image, spec::Compression};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Compress {
    /// As the image's last layer.
    #[default]
    Auto,
    /// A plain tar.
    None,
    /// gzip.
    Gzip,
    /// zstd.
    Zstd,
}

impl Compress {
    /// The compression that was asked for; `None` for `auto`.
    pub(crate) fn wanted(self) -> Option<Compression> {
        match self {
            Self::Auto => None,
            Self::None => Some(Compression::None),
            Self::Gzip => Some(Compression::Gzip),
            Self::Zstd => Some(Compression::Zstd),
        }
    }

    /// The compression of a new layer of an image: the one of its last layer for `auto`.
    pub(crate) fn for_layer_of(self, image: &Image) -> Compression {
        self.wanted().unwrap_or_else(|| image.last_compression())
    }
}
