//! Compression of layers. The output does not depend on the number of threads. gzip output is the same on
//! every system; zstd output depends on whether the C library or ruzstd is used.

use std::io::{self, Write};

use super::gzip::GzipWriter;
use crate::spec::Compression;

/// A writer that compresses.
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

    /// Writes the remaining output.
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
