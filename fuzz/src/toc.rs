//! Tables of contents of layers.

use ocicle::{
    digest::Algorithm,
    hash::digest_of,
    layer::{index::LayerIndex, toc::read_toc},
};

use crate::{ZSTD, limits, put, repository};

const POSITION: &str = "io.github.containers.zstd-chunked.manifest-position";

/// Reads a table: the first byte says whether the others are its JSON or the end of a layer with one. An
/// index made of it can be kept.
///
/// # Panics
/// Panics if it cannot.
pub fn toc(data: &[u8]) {
    let Some((&kind, data)) = data.split_first() else { return };
    let repository = repository();
    let descriptor = if kind % 2 == 0 {
        let table = zstd::encode_all(data, 1).expect("memory");
        let mut descriptor = put(&repository, ZSTD, &table);
        descriptor.annotations.insert(POSITION.into(), format!("0:{}:{}:1", table.len(), data.len()));
        descriptor
    } else {
        put(&repository, ZSTD, data)
    };
    let listed = read_toc(&repository, &descriptor);
    let diff_id = digest_of(Algorithm::Sha256, b"");
    let index = LayerIndex::list_unverified(&repository, &descriptor, &diff_id);
    if let (Ok(Some(listed)), Ok(index)) = (listed, index) {
        assert!(index.changes().iter().map(|(change, _)| change).eq(&listed));
        let again = LayerIndex::from_bytes(&index.to_bytes(), &descriptor, &diff_id, &limits());
        assert_eq!(again.expect("an index that was kept").changes(), index.changes());
    }
}
