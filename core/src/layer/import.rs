//! A layer somebody else made becomes a blob: parsed, hashed and stored in one pass.
//!
//! The archive is taken as it is, so the diff_id is the one its maker knows. Only its compression can change.

use std::io::{self, BufRead, Read, Write};

use super::{
    ChangeSink, ChangeSource as _,
    compress::Compressor,
    inflate::Inflate,
    tar::{BLOCK, TarReader},
    writer::Layer,
};
use crate::{
    digest::Algorithm,
    error::{Error, Result},
    hash::HashWrite,
    limits::Limits,
    spec::{CompressedFormat, Compression},
    store::{BlobWrite, BlobWriter},
};

/// How the blob of an imported layer is compressed. What is compressed like that already is stored byte for byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "one way, or any")]
pub enum Recompress {
    /// In this way.
    As(Compression),
    /// As the archive is; in this way if it is not compressed.
    IfPlain(Compression),
}

/// Stores an archive, plain or compressed, as a layer; its first bytes tell which. `what` names it in errors, such as
/// `layer.tar`. The sink gets its changes, before the end is known to be good: there may be an error yet.
///
/// # Errors
/// [`Error::Layer`] for what is no archive, or one that readers could understand differently; [`Error::Limit`];
/// [`Error::Io`] of the archive or the store; what the sink fails with. No blob is visible then.
///
/// ```
/// use ocicle::{
///     layer::{import::{Recompress, import_layer}, tar::TarWriter},
///     limits::Limits, spec::Compression, store::memory::MemoryStore,
/// };
/// let archive = TarWriter::new(Vec::new()).finish()?;
/// let store = MemoryStore::new()?;
/// let how = Recompress::As(Compression::None);
/// let (layer, _) = import_layer(&store, &archive[..], "empty.tar", how, &mut (), &Limits::default())?;
/// assert_eq!((layer.size, &layer.digest), (1024, &layer.diff_id));
/// # Ok::<(), ocicle::Error>(())
/// ```
pub fn import_layer<S: BlobWrite + ?Sized>(
    store: &S,
    mut archive: impl Read,
    what: &str,
    how: Recompress,
    sink: &mut dyn ChangeSink,
    limits: &Limits,
) -> Result<(Layer, Compression)> {
    let mut start = Vec::with_capacity(BLOCK);
    archive
        .by_ref()
        .take(BLOCK as u64)
        .read_to_end(&mut start)
        .map_err(Error::io(format_args!("read {what}")))?;
    if start.is_empty() {
        return Err(Error::layer(what, "is empty: a layer is at least the end of a tar, 1024 zeros"));
    }
    let found = match CompressedFormat::of(&start) {
        None => Compression::None,
        Some(CompressedFormat { compression: Some(compression), .. }) => compression,
        Some(CompressedFormat { name, .. }) => {
            let reason = format!("is compressed with {name}: a layer is a tar, plain or with gzip or zstd");
            return Err(Error::layer(what, reason));
        }
    };
    let wanted = match how {
        Recompress::As(wanted) => wanted,
        Recompress::IfPlain(wanted) if found == Compression::None => wanted,
        Recompress::IfPlain(_) => found,
    };
    let archive = start.chain(archive);
    let mut blob = BlobWriter::new(store)?;
    let diff_id = if found == wanted {
        let inflate = Inflate::new(Tee { from: archive, to: &mut blob }, found, what, limits)?;
        let mut content = HashWrite::new(io::sink(), Algorithm::Sha256);
        parse(inflate, &mut content, what, sink, limits)?;
        content.finish().1
    } else {
        let inflate = Inflate::new(archive, found, what, limits)?;
        let compressor = Compressor::new(blob, wanted).map_err(Error::io("write layer"))?;
        let mut content = HashWrite::new(compressor, Algorithm::Sha256);
        parse(inflate, &mut content, what, sink, limits)?;
        let (compressor, diff_id, _) = content.finish();
        blob = compressor.finish().map_err(Error::io("write layer"))?;
        diff_id
    };
    let (digest, size) = blob.finish()?;
    Ok((Layer { diff_id, digest, size }, wanted))
}

/// Moves all of an archive past the parser and into a writer.
fn parse<R: Read, W: Write>(
    inflate: Inflate<R>,
    content: &mut W,
    what: &str,
    sink: &mut dyn ChangeSink,
    limits: &Limits,
) -> Result<()> {
    let passing = Passing { inflate, content, buffer: vec![0; CHUNK], start: 0, end: 0 };
    let mut tar = TarReader::new(passing, what, limits);
    while let Some((change, body)) = tar.next_change()? {
        sink.put(&change, body)?;
    }
    tar.drain()
}

/// Bytes parsed, hashed and compressed at a time.
const CHUNK: usize = 256 << 10;

/// The content of an archive, which goes into a writer before anybody sees it.
struct Passing<'a, R, W> {
    inflate: Inflate<R>,
    content: &'a mut W,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl<R: Read, W: Write> BufRead for Passing<'_, R, W> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            let got = self.inflate.read(&mut self.buffer)?;
            let chunk = self.buffer.get(..got).unwrap_or_default();
            self.content.write_all(chunk).map_err(Error::io("write layer"))?;
            self.end = got;
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.start = (self.start + amount).min(self.end);
    }
}

impl<R: Read, W: Write> Read for Passing<'_, R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.fill_buf()?.read(buffer)?;
        self.consume(got);
        Ok(got)
    }
}

/// A reader whose bytes are also written.
struct Tee<R, W> {
    from: R,
    to: W,
}

impl<R: Read, W: Write> Read for Tee<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.from.read(buffer)?;
        self.to.write_all(buffer.get(..got).unwrap_or_default()).map_err(Error::io("write layer"))?;
        Ok(got)
    }
}

#[cfg(test)]
mod tests;
