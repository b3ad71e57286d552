//! Import of layer archives: parsed, hashed and stored in one pass.
//!
//! The archive itself is not changed, so its diff_id stays the same. Only its compression may change.

use std::io::{self, BufRead, Read, Write};

use super::{
    ChangeSink, ChangeSource as _,
    budget::Budget,
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
    spec::{CompressedFormat, Compression, MediaType},
    store::{BlobWrite, BlobWriter, Repository},
};

/// The compression of an imported layer. An archive that has the wanted compression is stored byte for byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "all cases")]
pub enum Recompress {
    /// This compression.
    As(Compression),
    /// The compression of the archive; this one if the archive is not compressed.
    IfPlain(Compression),
}

/// Stores an archive as a layer. Its first bytes tell whether it is compressed. `what` names it in errors,
/// such as `layer.tar`. The sink receives the changes before the end of the archive is checked, so an error
/// may still follow.
///
/// # Errors
/// Fails with [`Error::Layer`] for an invalid archive, or one that readers could interpret differently;
/// [`Error::Limit`]; [`Error::Io`] of the archive or the store; errors of the sink. No blob is visible then.
///
/// ```
/// use ocicle::{Repository, spec::Compression};
/// use ocicle::layer::{import::{Recompress, import_layer}, tar::TarWriter};
/// let archive = TarWriter::new(Vec::new()).finish()?;
/// let repository = Repository::in_memory()?;
/// let how = Recompress::As(Compression::None);
/// let layer = import_layer(&repository, &archive[..], "empty.tar", how, &mut ())?;
/// assert_eq!((layer.descriptor.size, &layer.descriptor.digest), (1024, &layer.diff_id));
/// # Ok::<(), ocicle::Error>(())
/// ```
pub fn import_layer<S: BlobWrite>(
    repository: &Repository<S>,
    mut archive: impl Read,
    what: &str,
    how: Recompress,
    sink: &mut dyn ChangeSink,
) -> Result<Layer> {
    let limits = repository.limits();
    let mut start = Vec::with_capacity(BLOCK);
    archive
        .by_ref()
        .take(BLOCK as u64)
        .read_to_end(&mut start)
        .map_err(Error::io(format_args!("read {what}")))?;
    if start.is_empty() {
        return Err(Error::layer(what, "is empty: the smallest tar archive is 1024 zeros"));
    }
    let found = match CompressedFormat::of(&start) {
        None => Compression::None,
        Some(CompressedFormat { compression: Some(compression), .. }) => compression,
        Some(CompressedFormat { name, .. }) => {
            let reason = format!(
                "is compressed with {name}: layers are tar archives, plain or compressed with gzip or zstd"
            );
            return Err(Error::layer(what, reason));
        }
    };
    let wanted = match how {
        Recompress::As(wanted) => wanted,
        Recompress::IfPlain(wanted) if found == Compression::None => wanted,
        Recompress::IfPlain(_) => found,
    };
    let archive = start.chain(archive);
    let mut blob = BlobWriter::new(repository.store(), MediaType::layer(wanted))?;
    let (diff_id, expanded) = if found == wanted {
        let inflate = Inflate::new(Tee { from: archive, to: &mut blob }, what, limits)?;
        let mut content = HashWrite::new(io::sink(), Algorithm::Sha256);
        let files = parse(inflate, &mut content, what, sink, limits)?;
        let (_, diff_id, size) = content.finish();
        (diff_id, files.max(size))
    } else {
        let inflate = Inflate::new(archive, what, limits)?;
        let compressor = Compressor::new(blob, wanted).map_err(Error::io("write layer"))?;
        let mut content = HashWrite::new(compressor, Algorithm::Sha256);
        let files = parse(inflate, &mut content, what, sink, limits)?;
        let (compressor, diff_id, size) = content.finish();
        blob = compressor.finish().map_err(Error::io("write layer"))?;
        (diff_id, files.max(size))
    };
    // Otherwise it would be stored, and then refused when it is read.
    Budget::of_blob(blob.size(), limits).check(expanded, what)?;
    Ok(Layer { descriptor: blob.finish()?, diff_id })
}

/// Moves a whole archive through the parser and into a writer. Returns the bytes of all files, including
/// holes.
fn parse<R: Read, W: Write>(
    inflate: Inflate<R>,
    content: &mut W,
    what: &str,
    sink: &mut dyn ChangeSink,
    limits: &Limits,
) -> Result<u64> {
    let passing = Passing { inflate, content, buffer: vec![0; CHUNK], start: 0, end: 0 };
    let mut tar = TarReader::new(passing, what, limits);
    while let Some((change, body)) = tar.next_change()? {
        sink.put(&change, body)?;
    }
    tar.drain()?;
    Ok(tar.content())
}

/// Bytes parsed, hashed and compressed at a time.
const CHUNK: usize = 256 << 10;

/// The content of an archive, which is written before it is parsed.
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
