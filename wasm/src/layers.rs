//! The layers of images: where their blobs are, and what is in them.

use std::{
    cell::RefCell,
    collections::HashMap,
    rc::{Rc, Weak},
    sync::Arc,
};

use ocicle::{
    Limits, Repository,
    digest::Digest,
    image::Image,
    layer::index::LayerIndex,
    spec::{Descriptor, MediaType},
    store::BlobRead,
};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::{
    args::limits_of,
    failure::Result,
    host::{OneBlob, Source},
    json, registry,
};

/// A layer of an image, with all that a worker needs to read it. `LayerBlob` in TypeScript.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LayerBlob<'a> {
    digest: &'a Digest,
    diff_id: &'a Digest,
    media_type: &'a MediaType,
    size: u64,
    created_by: Option<&'a str>,
    /// The JSON of the descriptor, for [`Indexed::read`].
    descriptor: String,
    /// `None` if the store does not have the blob.
    place: Option<Place>,
}

/// The place of a blob. `Place` in TypeScript.
#[derive(Debug, Serialize)]
#[serde(tag = "in", rename_all = "camelCase")]
pub(crate) enum Place {
    /// A file of a layout. The size is the file's, whatever a descriptor says.
    Layout { path: String, size: u64 },
    /// A range of an archive.
    Archive { start: u64, size: u64 },
    /// The `data` of the descriptor.
    Descriptor,
    /// A repository of a registry.
    Registry { size: u64 },
    /// The memory of the store's worker.
    Memory,
}

impl<'a> LayerBlob<'a> {
    /// Lists the layers of an image, the base first. `locate` returns the place of a blob.
    pub(crate) fn list(
        image: &'a Image,
        locate: impl Fn(&Digest) -> Option<Place>,
    ) -> Result<Vec<LayerBlob<'a>>> {
        let mut history = image.history().filter(|(_, layer)| layer.is_some()).map(|(entry, _)| entry);
        let blob = |(descriptor, diff_id): (&'a Descriptor, &'a Digest)| {
            Ok(Self {
                digest: &descriptor.digest,
                diff_id,
                media_type: &descriptor.media_type,
                size: descriptor.size,
                created_by: history.next().and_then(|entry| entry.created_by.as_deref()),
                descriptor: json(descriptor)?,
                place: match descriptor.data {
                    Some(_) => Some(Place::Descriptor),
                    None => locate(&descriptor.digest),
                },
            })
        };
        image.layers().map(blob).collect()
    }
}

/// The index of a layer, once the layer was read. Images of a store that have the same layer share it.
pub(crate) type Slot = RefCell<Option<Arc<LayerIndex>>>;

/// The slots of all images that are open. A slot lives as long as an image that has its layer.
#[derive(Debug, Default)]
pub(crate) struct Slots(HashMap<(Digest, Digest), Weak<Slot>>);

impl Slots {
    /// Returns the slots of the layers of an image, the base first.
    pub(crate) fn of(&mut self, image: &Image) -> Vec<Rc<Slot>> {
        self.0.retain(|_, slot| slot.strong_count() > 0);
        let slot = |(blob, diff_id): (&Descriptor, &Digest)| {
            let known = self.0.entry((blob.digest.clone(), diff_id.clone())).or_default();
            known.upgrade().unwrap_or_else(|| {
                let slot = Rc::default();
                *known = Rc::downgrade(&slot);
                slot
            })
        };
        image.layers().map(slot).collect()
    }

    /// Returns the number of slots that are in use.
    pub(crate) fn count(&self) -> usize {
        self.0.values().filter(|slot| slot.strong_count() > 0).count()
    }
}

/// The index of one layer, made by a worker that has nothing else of the image.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Indexed {
    index: LayerIndex,
}

#[wasm_bindgen]
impl Indexed {
    /// Reads a layer from a source; with `verify`, hashes everything.
    pub fn read(source: u32, descriptor: &str, diff_id: &str, verify: bool, limits: &str) -> Result<Indexed> {
        let blob = OneBlob::new(Source::new(source));
        Self::of(Box::new(blob), descriptor, diff_id, verify, limits_of(limits)?)
    }

    /// Reads a layer from a registry: from the repository of a reference.
    pub fn fetch(
        reference: &str,
        descriptor: &str,
        diff_id: &str,
        verify: bool,
        limits: &str,
    ) -> Result<Indexed> {
        let limits = limits_of(limits)?;
        let repository = registry::repository(reference, &limits)?;
        Self::of(Box::new(repository), descriptor, diff_id, verify, limits)
    }

    /// Returns whether the index was made from a table of contents, without reading the archive itself.
    #[wasm_bindgen(getter)]
    pub fn toc(&self) -> bool {
        self.index.is_from_toc()
    }

    /// Returns the index as bytes, for `Image.hand`.
    pub fn bytes(&self) -> Vec<u8> {
        self.index.to_bytes()
    }
}

impl Indexed {
    fn of(
        store: Box<dyn BlobRead>,
        descriptor: &str,
        diff_id: &str,
        verify: bool,
        limits: Limits,
    ) -> Result<Self> {
        let repository = Repository::new(store, limits);
        let (descriptor, diff_id) = (serde_json::from_str(descriptor)?, diff_id.parse()?);
        let index = match verify {
            true => LayerIndex::build(&repository, &descriptor, &diff_id)?,
            false => LayerIndex::list_unverified(&repository, &descriptor, &diff_id)?,
        };
        Ok(Self { index })
    }
}
