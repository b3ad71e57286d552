//! The compressions that layers can have: their names, media types and first bytes.
//!
//! Besides this file, a compression is known to its decoder (`layer/inflate.rs`) and its encoder
//! (`layer/compress.rs`).

use std::fmt;

/// OCI layer; `+gzip` or `+zstd` may follow.
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
/// OCI layer that must not be pushed; `+gzip` or `+zstd` may follow. Deprecated by the specification.
pub const LAYER_NONDISTRIBUTABLE: &str = "application/vnd.oci.image.layer.nondistributable.v1.tar";
/// Docker layer, uncompressed.
pub const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";
/// Docker layer, gzip.
pub const DOCKER_LAYER_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
/// Docker layer, zstd.
pub const DOCKER_LAYER_ZSTD: &str = "application/vnd.docker.image.rootfs.diff.tar.zstd";
/// Docker layer that must not be pushed, gzip.
pub const DOCKER_LAYER_FOREIGN: &str = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";

/// The compression of a layer blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// A plain tar.
    None,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

/// The facts about a compression.
pub(super) struct Facts {
    pub(super) compression: Compression,
    name: &'static str,
    /// The suffix of OCI's media type, after [`LAYER`].
    pub(super) suffix: &'static str,
    /// Docker's media type.
    pub(super) docker: &'static str,
}

pub(super) const FACTS: [Facts; 3] = [
    Facts { compression: Compression::None, name: "none", suffix: "", docker: DOCKER_LAYER },
    Facts { compression: Compression::Gzip, name: "gzip", suffix: "+gzip", docker: DOCKER_LAYER_GZIP },
    Facts { compression: Compression::Zstd, name: "zstd", suffix: "+zstd", docker: DOCKER_LAYER_ZSTD },
];

impl Compression {
    /// Returns all compressions that layers can have.
    pub fn all() -> impl Iterator<Item = Self> {
        FACTS.iter().map(|facts| facts.compression)
    }

    /// Returns the name: `none`, `gzip` or `zstd`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// Returns the compression of a file that starts with these bytes; ten are enough. [`Compression::None`]
    /// for anything that is not compressed as layers can be.
    ///
    /// ```
    /// use ocicle::spec::Compression;
    /// assert_eq!(Compression::of_start(b"\x1f\x8b\x08\0"), Compression::Gzip);
    /// ```
    #[must_use]
    pub fn of_start(start: &[u8]) -> Self {
        CompressedFormat::of(start).and_then(|format| format.compression).unwrap_or(Self::None)
    }

    pub(super) fn facts(self) -> &'static Facts {
        let [none, gzip, zstd] = &FACTS;
        match self {
            Self::None => none,
            Self::Gzip => gzip,
            Self::Zstd => zstd,
        }
    }
}

/// Shows the name, as [`Compression::name`].
impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A format of compressed files, recognized by its first bytes. Not all of them are for layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CompressedFormat {
    /// The name in messages.
    pub(crate) name: &'static str,
    /// The command that decompresses such a file.
    pub(crate) command: &'static str,
    /// Its compression, if layers can have it.
    pub(crate) compression: Option<Compression>,
}

impl CompressedFormat {
    /// Bytes from the beginning of a file that tell all formats apart.
    pub(crate) const START: usize = 10;

    /// Recognizes the first bytes of a file; `None` if it is not compressed in a known format.
    pub(crate) fn of(start: &[u8]) -> Option<Self> {
        let known = |name, command, compression| Some(Self { name, command, compression });
        match start {
            [0x1f, 0x8b, 8, ..] => known("gzip", "gzip -d", Some(Compression::Gzip)),
            // A frame, or a skippable frame in front of it.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
                known("zstd", "zstd -d", Some(Compression::Zstd))
            }
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => known("xz", "xz -d", None),
            [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', b'&', b'S', b'Y', ..] => {
                known("bzip2", "bzip2 -d", None)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_the_format() {
        for (start, name) in [
            (&b"\x1f\x8b\x08\0"[..], "gzip"),
            (b"\x28\xb5\x2f\xfd", "zstd"),
            (b"\x50\x2a\x4d\x18", "zstd"),
            (b"\x5f\x2a\x4d\x18", "zstd"),
            (b"\xfd7zXZ\0", "xz"),
            (b"BZh91AY&SY", "bzip2"),
        ] {
            assert_eq!(CompressedFormat::of(start).map(|format| format.name), Some(name), "{start:?}");
            assert!(start.len() <= CompressedFormat::START);
        }
        for start in [&b""[..], b"\x1f\x8b", b"\x60\x2a\x4d\x18", b"BZh9/file", b"etc/passwd"] {
            assert_eq!(CompressedFormat::of(start), None);
        }
    }
}
