//! Checks of what must hold for any input, however damaged: a function for each kind of input, which takes
//! bytes and panics if something does not hold.
//!
//! `targets/` hands these functions to libFuzzer, which `cargo xtask soak` runs. It begins with the inputs of
//! [`seeds()`]; the tests run each function on these.

mod documents;
mod inflate;
mod mtree;
mod seeds;
mod selectors;
mod tar;
#[cfg(test)]
mod tests;
mod toc;

use std::io::Write as _;

use ocicle::{Descriptor, Limits, MemoryStore, Repository, store::BlobWriter};

pub use self::{
    documents::{documents, layout, use_layout},
    inflate::inflate,
    mtree::mtree,
    seeds::seeds,
    selectors::selectors,
    tar::tar,
    toc::toc,
};

/// Limits low enough that no input takes long.
fn limits() -> Limits {
    Limits { layer_size: 16 << 20, ratio_from: 16 << 20, entries: 10_000, toc: 4 << 20, ..Limits::default() }
}

fn repository() -> Repository<MemoryStore> {
    Repository::new(MemoryStore::new().expect("an empty store"), limits())
}

/// The media type of layers with zstd.
const ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";

/// Stores a blob.
fn put(repository: &Repository<MemoryStore>, media_type: &str, blob: &[u8]) -> Descriptor {
    let media_type = media_type.parse().expect("a media type");
    let mut writer = BlobWriter::new(repository.store(), media_type).expect("memory");
    writer.write_all(blob).expect("memory");
    writer.finish().expect("memory")
}
