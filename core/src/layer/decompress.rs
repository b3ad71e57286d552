//! Archives of images that cannot be read in place: compressed ones, as `docker save | gzip` writes them.

use std::io::{Read, Write};

use super::inflate::Inflate;
use crate::{
    error::{Error, Result},
    limits::Limits,
};

/// Bytes that are copied at a time.
const PIECE: usize = 256 << 10;

/// Copies an archive of images decompressed, so that [`Archive::open`](crate::store::archive::Archive::open)
/// can read the result in place. Its first bytes tell its compression; a plain one is copied as it is.
///
/// ```
/// use flate2::{Compression, bufread::GzEncoder};
/// use ocicle::{Limits, layer::decompress::decompress};
/// use std::io::Read as _;
///
/// let mut saved = Vec::new(); // or a file, or standard input
/// GzEncoder::new(&b"a tar"[..], Compression::default()).read_to_end(&mut saved)?;
/// let mut plain = Vec::new(); // or a temporary file
/// decompress(&saved[..], &Limits::default(), &mut plain)?;
/// assert_eq!(plain, b"a tar");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Layer`] for damaged content, or another compression than layers can have; [`Error::Limit`] past
/// [`Limits::archive_size`]; [`Error::Io`]. The output is then incomplete.
pub fn decompress(archive: impl Read + Send, limits: &Limits, out: &mut dyn Write) -> Result<()> {
    let unbounded = Limits { layer_size: u64::MAX, ..*limits };
    let mut content = Inflate::new(Box::new(archive) as Box<dyn Read + Send>, "the archive", &unbounded)?;
    let mut piece = vec![0; PIECE];
    let mut size = 0;
    loop {
        let got = content.read(&mut piece).map_err(Error::io("read the archive"))?;
        let Some(got) = piece.get(..got).filter(|got| !got.is_empty()) else { return Ok(()) };
        size += got.len() as u64;
        if size > limits.archive_size {
            return Err(Error::limit("the archive", "archive_size", limits.archive_size));
        }
        out.write_all(got).map_err(Error::io("write the decompressed archive"))?;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression as Level, write::GzEncoder};

    use super::decompress;
    use crate::limits::Limits;

    fn decompressed(archive: &[u8], archive_size: u64) -> Result<Vec<u8>, String> {
        let limits = Limits { archive_size, layer_size: 1, ..Limits::default() };
        let mut out = Vec::new();
        decompress(archive, &limits, &mut out).map_err(|error| error.to_string()).map(|()| out)
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Level::default());
        gzip.write_all(content).unwrap();
        gzip.finish().unwrap()
    }

    fn zstd(content: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(content, ruzstd::encoding::CompressionLevel::Fastest)
    }

    #[test]
    fn archives_expand_up_to_their_own_limit() {
        let content = b"some content, ".repeat(100);
        let skippable = [b"\x50\x2a\x4d\x18\0\0\0\0".to_vec(), zstd(&content)];
        for archive in [content.clone(), gzip(&content), skippable.concat()] {
            assert_eq!(decompressed(&archive, 1400).unwrap(), content);
            let error = decompressed(&archive, 1399).unwrap_err();
            assert_eq!(error, "the archive: more than the limit of 1399 (archive_size)");
        }
    }

    #[test]
    fn damage_and_other_compressions_are_errors() {
        let whole = gzip(b"content");
        let cut = whole.get(..whole.len() - 9).unwrap();
        let error = decompressed(cut, 99).unwrap_err();
        assert!(error.starts_with("the archive: "), "{error}");
        assert_eq!(decompressed(b"\xfd7zXZ\0", 99).unwrap_err(), "the archive: unsupported compression: xz");
    }
}
