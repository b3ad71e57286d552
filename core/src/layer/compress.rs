//! Layers are compressed: the same bytes whatever the number of threads. gzip has the same bytes on every system; zstd has
//! those of the C library or, without it, of ruzstd.

use std::io::{self, Write};

use super::gzip::GzipWriter;
use crate::spec::Compression;

/// Compresses what is written to it.
pub(super) enum Compressor<W: Write> {
    None(W),
    Gzip(GzipWriter<W>),
    Zstd(Zstd<W>),
}

impl<W: Write> Compressor<W> {
    pub(super) fn new(out: W, compression: Compression) -> io::Result<Self> {
        Ok(match compression {
            Compression::None => Self::None(out),
            Compression::Gzip => Self::Gzip(GzipWriter::new(out, threads())?),
            Compression::Zstd => Self::Zstd(Zstd::new(out)?),
        })
    }

    /// Writes what is still to be written.
    pub(super) fn finish(self) -> io::Result<W> {
        match self {
            Self::None(out) => Ok(out),
            Self::Gzip(writer) => writer.finish(),
            Self::Zstd(writer) => writer.finish(),
        }
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::None(out) => out.write(bytes),
            Self::Gzip(writer) => writer.write(bytes),
            Self::Zstd(writer) => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // a layer is whole or nothing
    }
}

#[cfg(feature = "parallel")]
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(not(feature = "parallel"))]
fn threads() -> usize {
    1
}

/// zstd by its C library, level 3, with a checksum.
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

/// zstd in Rust alone: a frame for each MiB (RFC 8878, section 3: frames may follow each other), so that memory is bounded.
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
