//! Compressed content.

use std::io::Read;

use flate2::{Crc, read::DeflateDecoder};
use ocicle::{
    MemoryStore, Repository,
    digest::Algorithm,
    hash::digest_of,
    layer::{index::LayerIndex, reader::plain_layer},
};

use crate::{ZSTD, put, repository};

const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// More than this is not compared with another decoder.
const MOST: u64 = 1 << 20;

/// Decompresses a layer. The first byte says what the others are: a gzip file, a zstd file, or the deflated
/// part of a gzip file, which gets a header, a checksum and a size. What other decoders make of it, ours do.
///
/// # Panics
/// Panics if they do not.
pub fn inflate(data: &[u8]) {
    let Some((&kind, data)) = data.split_first() else { return };
    let repository = repository();
    match kind % 3 {
        0 => drop(read(&repository, GZIP, data, b"")),
        1 => {
            let mut content = Vec::new();
            let other = zstd::stream::read::Decoder::new(data)
                .and_then(|decoder| decoder.take(MOST).read_to_end(&mut content));
            compare(&repository, ZSTD, data, other.is_ok().then_some(&content));
        }
        _ => {
            let mut content = Vec::new();
            let mut decoder = DeflateDecoder::new(data);
            let other = decoder.by_ref().take(MOST).read_to_end(&mut content).is_ok();
            let deflated = &data[..usize::try_from(decoder.total_in()).expect("within the data")];
            let mut crc = Crc::new();
            crc.update(&content);
            let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
            let blob = [&header, deflated, &crc.sum().to_le_bytes(), &crc.amount().to_le_bytes()].concat();
            compare(&repository, GZIP, &blob, other.then_some(&content));
        }
    }
}

/// Checks that a blob has this content; with `None`, only that nothing panics.
fn compare(repository: &Repository<MemoryStore>, media_type: &str, blob: &[u8], content: Option<&Vec<u8>>) {
    let whole = content.filter(|content| (content.len() as u64) < MOST);
    let ours = read(repository, media_type, blob, whole.map_or(b"", |content| content));
    if let Some(content) = whole {
        assert_eq!(&ours.expect("what another decoder reads"), content);
    }
}

/// Reads a blob sequentially, and as an index does.
fn read(
    repository: &Repository<MemoryStore>,
    media_type: &str,
    blob: &[u8],
    content: &[u8],
) -> std::io::Result<Vec<u8>> {
    let descriptor = put(repository, media_type, blob);
    let diff_id = digest_of(Algorithm::Sha256, content);
    let _ = LayerIndex::build(repository, &descriptor, &diff_id);
    let mut ours = Vec::new();
    let plain = plain_layer(repository, &descriptor, &diff_id).map_err(std::io::Error::other)?;
    plain.take(2 * MOST).read_to_end(&mut ours)?;
    Ok(ours)
}
