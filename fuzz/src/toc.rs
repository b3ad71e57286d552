//! Tables of contents of layers.

use std::io::Write as _;

use ocicle::{
    digest::Algorithm,
    hash::digest_of,
    layer::{index::LayerIndex, toc::read_toc},
    spec::MediaType,
    store::BlobWriter,
};

use crate::{limits, repository};

const ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
const POSITION: &str = "io.github.containers.zstd-chunked.manifest-position";

/// Reads a table: the first byte says whether the others are its JSON or the end of a layer with one. An
/// index made of it can be kept.
///
/// # Panics
/// Panics if it cannot.
pub fn toc(data: &[u8]) {
    let Some((&kind, data)) = data.split_first() else { return };
    let repository = repository();
    let media_type: MediaType = ZSTD.parse().expect("a media type");
    let mut writer = BlobWriter::new(repository.store(), media_type).expect("memory");
    let mut position = None;
    if kind % 2 == 0 {
        let table = zstd::encode_all(data, 1).expect("memory");
        position = Some(format!("0:{}:{}:1", table.len(), data.len()));
        writer.write_all(&table).expect("memory");
    } else {
        writer.write_all(data).expect("memory");
    }
    let mut descriptor = writer.finish().expect("memory");
    descriptor.annotations.extend(position.map(|position| (POSITION.into(), position)));
    let listed = read_toc(&repository, &descriptor);
    let diff_id = digest_of(Algorithm::Sha256, b"");
    let index = LayerIndex::list_unverified(&repository, &descriptor, &diff_id);
    if let (Ok(Some(listed)), Ok(index)) = (listed, index) {
        assert!(index.changes().iter().map(|(change, _)| change).eq(&listed));
        let again = LayerIndex::from_bytes(&index.to_bytes(), &descriptor, &diff_id, &limits());
        assert_eq!(again.expect("an index that was kept").changes(), index.changes());
    }
}
