//! Helpers to make images in tests.
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::io::Write as _;

use super::{
    Image,
    edit::{append_layer, blank},
};
use crate::{
    digest::Digest,
    graph::{Resolution, resolve::Want, rewrite::point, selector::Selector},
    layer::{
        ChangeSink as _,
        writer::{Layer, LayerWriter},
    },
    spec::{Compression, Descriptor, History, MediaType},
    store::{BlobWrite as _, NewBlob, Repository, RootIndex as _, RootIndexExt as _, memory::MemoryStore},
    tree::testing::Item,
};

pub(crate) fn layer(store: &Repository<MemoryStore>, items: &[Item], compression: Compression) -> Layer {
    let mut writer = LayerWriter::new(store, compression).unwrap();
    for Item(change, content) in items {
        writer.put(change, &mut &content[..]).unwrap();
    }
    writer.finish().unwrap()
}

/// Stores an image for linux/amd64 with these layers.
pub(crate) fn image(store: &Repository<MemoryStore>, layers: &[&[Item]]) -> Image {
    let blank = blank(store, &"linux/amd64".parse().unwrap(), "2020-01-01T00:00:00Z").unwrap();
    let image = Image::open(store, &blank).unwrap();
    layers.iter().fold(image, |image, items| {
        let layer = layer(store, items, Compression::Gzip);
        append_layer(store, &image, &layer, Some(&History::default())).unwrap()
    })
}

pub(crate) fn tag(store: &Repository<MemoryStore>, tag: &str, descriptor: &Descriptor) -> Resolution {
    store.store().update(|root| point(root, &tag.parse().unwrap(), descriptor)).unwrap();
    find(store, tag)
}

pub(crate) fn find(store: &Repository<MemoryStore>, tag: &str) -> Resolution {
    let selector = Selector::of(crate::graph::selector::Clause::Tag(tag.into()));
    store.resolve_in(&store.store().load().unwrap(), &selector, Want::Any).unwrap()
}

/// Overwrites the content of a blob.
pub(crate) fn overwrite(store: &Repository<MemoryStore>, digest: &Digest, content: &[u8]) {
    let mut pending =
        store.store().begin(&NewBlob::streamed(&MediaType::literal("application/octet-stream"))).unwrap();
    pending.write_all(content).unwrap();
    pending.publish(digest).unwrap();
}
