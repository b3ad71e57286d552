//! Images for the tests of texts.
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::sync::Arc;

use ocicle::{
    attrs::Attrs,
    digest::Digest,
    graph::rewrite::point,
    image::{
        Image,
        edit::{append_layer, blank},
        look::Look,
    },
    layer::{Change, ChangeSink as _, Entry, EntryKind, index::LayerIndex, writer::LayerWriter},
    limits::Limits,
    name::EntryPath,
    spec::{Compression, Descriptor, History},
    store::{Repository, RootIndexExt as _, memory::MemoryStore},
};

use super::Show;

pub(super) fn path(text: &str) -> EntryPath {
    EntryPath::clean(text.as_bytes(), &Limits::default()).unwrap()
}

/// Stores an image with these layers: files with their content, and paths that are removed.
fn image(store: &Repository<MemoryStore>, layers: &[&[(&str, Option<&str>)]]) -> Image {
    let descriptor = blank(store, &"linux/amd64".parse().unwrap(), "2020-01-01T00:00:00Z").unwrap();
    let image = Image::open(store, &descriptor).unwrap();
    layers.iter().fold(image, |image, files| {
        let mut layer = LayerWriter::new(store, Compression::None).unwrap();
        for (name, content) in *files {
            let content = content.map(str::as_bytes);
            let entry = |content: &[u8]| Entry {
                path: path(name),
                attrs: Attrs { mode: 0o644, ..Attrs::default() },
                kind: EntryKind::File { size: content.len() as u64 },
            };
            let change = content.map_or_else(|| Change::Remove(path(name)), |it| Change::Put(entry(it)));
            layer.put(&change, &mut content.unwrap_or_default()).unwrap();
        }
        let layer = layer.finish().unwrap();
        let history = History::default().with_created_by("RUN it\x1b");
        append_layer(store, &image, &layer, Some(&history)).unwrap()
    })
}

/// Inspects an image with these layers.
pub(super) fn look(layers: &[&[(&str, Option<&str>)]]) -> (Image, Look) {
    let store = Repository::in_memory().unwrap();
    let image = image(&store, layers);
    let index = |(blob, diff_id): (&Descriptor, &Digest)| LayerIndex::build(&store, blob, diff_id).unwrap();
    let indexes = image.layers().map(|layer| Some(Arc::new(index(layer)))).collect();
    let look = Look::of_indexes(indexes, store.limits()).unwrap();
    (image, look)
}

/// Returns a store with this image, tagged `v1`.
pub(super) fn tagged(layers: &[&[(&str, Option<&str>)]]) -> Repository<MemoryStore> {
    let store = Repository::in_memory().unwrap();
    let image = image(&store, layers);
    store.store().update(|root| point(root, &"v1".parse().unwrap(), &image.descriptor)).unwrap();
    store
}

pub(super) fn table(value: &(impl Show + ?Sized)) -> String {
    let mut text = String::new();
    value.table(&mut text).unwrap();
    text
}

pub(super) fn plain(value: &(impl Show + ?Sized)) -> String {
    let mut text = String::new();
    value.plain(&mut text).unwrap();
    text
}
