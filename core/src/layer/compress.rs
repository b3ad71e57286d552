//! Compression of layers. The output does not depend on the number of threads. gzip output is the same on
//! every system; zstd output depends on whether the C library or ruzstd is used.

use std::io::{self, Read as _, Write};

use super::gzip::GzipWriter;
use crate::{limits::Limits, spec::Compression};

/// A writer that compresses.
pub(super) enum Compressor<W: Write> {
    None(W),
    Gzip(GzipWriter<W>),
    Zstd {
        writer: Zstd<Counted<W>>,
        /// Bytes of content so far.
        content: u64,
        /// The limits within which the blob must be readable.
        limits: Limits,
    },
}

impl<W: Write> Compressor<W> {
    pub(super) fn new(out: W, compression: Compression) -> io::Result<Self> {
        Ok(match compression {
            Compression::None => Self::None(out),
            Compression::Gzip => Self::Gzip(GzipWriter::new(out, threads())?),
            Compression::Zstd => Self::zstd(out, Limits::default())?,
        })
    }

    fn zstd(out: W, limits: Limits) -> io::Result<Self> {
        Ok(Self::Zstd { writer: Zstd::new(Counted { out, bytes: 0 })?, content: 0, limits })
    }

    /// Writes the remaining output.
    pub(super) fn finish(self) -> io::Result<W> {
        match self {
            Self::None(out) => Ok(out),
            Self::Gzip(writer) => writer.finish(),
            Self::Zstd { writer, content, limits } => pad(writer.finish()?, content, &limits),
        }
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::None(out) => out.write(bytes),
            Self::Gzip(writer) => writer.write(bytes),
            Self::Zstd { writer, content, .. } => {
                let taken = writer.write(bytes)?;
                *content += taken as u64;
                Ok(taken)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // a layer is whole or nothing
    }
}

/// A writer that counts bytes.
pub(super) struct Counted<W> {
    out: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The bytes of one skippable frame, at most, without its header.
const PADDING: u64 = 1 << 20;

/// Appends skippable frames (RFC 8878, section 3.1.2) to a blob that is so small that the limits would take
/// its content for an attack. Unlike deflate, zstd has no bound on its ratio that is of use.
fn pad<W: Write>(mut blob: Counted<W>, content: u64, limits: &Limits) -> io::Result<W> {
    let Limits { ratio, ratio_from, .. } = *limits;
    let least = if content > ratio_from { content.div_ceil(ratio) } else { 0 };
    while blob.bytes < least {
        let length = (least - blob.bytes).min(PADDING);
        blob.write_all(b"\x50\x2a\x4d\x18")?;
        blob.write_all(&(length as u32).to_le_bytes())?;
        io::copy(&mut io::repeat(0).take(length), &mut blob)?;
    }
    Ok(blob.out)
}

#[cfg(feature = "parallel")]
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(not(feature = "parallel"))]
fn threads() -> usize {
    1
}

/// zstd with the C library, level 3, with a checksum.
#[cfg(feature = "zstd-native")]
pub(super) struct Zstd<W: Write>(zstd::Encoder<'static, W>);

#[cfg(feature = "zstd-native")]
impl<W: Write> Zstd<W> {
    fn new(out: W) -> io::Result<Self> {
        let mut encoder = zstd::Encoder::new(out, 3)?;
        encoder.include_checksum(true)?;
        Ok(Self(encoder))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn finish(self) -> io::Result<W> {
        self.0.finish()
    }
}

/// zstd in pure Rust: a frame for each MiB (frames may follow each other: RFC 8878, section 3), so that
/// memory is bounded.
#[cfg(not(feature = "zstd-native"))]
pub(super) struct Zstd<W> {
    out: W,
    pending: Vec<u8>,
}

#[cfg(not(feature = "zstd-native"))]
impl<W: Write> Zstd<W> {
    const FRAME: usize = 1 << 20;

    #[expect(clippy::unnecessary_wraps, reason = "the other implementation can fail")]
    fn new(out: W) -> io::Result<Self> {
        Ok(Self { out, pending: Vec::with_capacity(Self::FRAME) })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.pending.len() == Self::FRAME {
            self.frame()?;
        }
        let taken = bytes.len().min(Self::FRAME - self.pending.len());
        self.pending.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn frame(&mut self) -> io::Result<()> {
        let frame =
            ruzstd::encoding::compress_to_vec(&self.pending[..], ruzstd::encoding::CompressionLevel::Fastest);
        self.pending.clear();
        self.out.write_all(&frame)
    }

    fn finish(mut self) -> io::Result<W> {
        self.frame()?;
        Ok(self.out)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::{Compressor, Counted, PADDING, pad};
    use crate::{
        layer::{budget::Budget, inflate::Inflate},
        limits::Limits,
    };

    #[test]
    fn blobs_are_padded_to_what_the_limits_let_pass() {
        let limits = Limits::default();
        let Limits { ratio, ratio_from, .. } = limits;
        let padded = |content| {
            let blob = Counted { out: b"blob".to_vec(), bytes: 4 };
            pad(blob, content, &limits).map(|blob| blob.len() as u64).unwrap()
        };
        assert_eq!(padded(ratio_from), 4);
        let content = ratio_from + 1;
        let length = padded(content);
        assert!(length * ratio >= content, "{length}");
        assert!(length < content / ratio + PADDING, "{length}");
    }

    #[test]
    fn what_is_compressed_can_be_read_within_the_limits() {
        let limits = Limits { ratio: 10, ratio_from: 1000, ..Limits::default() };
        let content = [0; 50_000];
        let mut writer = Compressor::zstd(Vec::new(), limits).unwrap();
        writer.write_all(&content).unwrap();
        let blob = writer.finish().unwrap();
        assert!((5000..6000).contains(&blob.len()), "{}", blob.len());
        let budget = Budget::of_blob(blob.len() as u64, &limits);
        let mut read = Vec::new();
        Inflate::new(&blob[..], "it", &limits).unwrap().within(budget).read_to_end(&mut read).unwrap();
        assert!(read == content);
    }
}
