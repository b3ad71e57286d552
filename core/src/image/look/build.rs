//! The indexes of all large layers of an image; those that are missing are built side by side.

use super::{Indexes, WORTHWHILE, load};
use crate::{
    digest::Digest,
    error::Result,
    image::Image,
    layer::index::LayerIndex,
    spec::Descriptor,
    store::{BlobRead, Repository},
};

/// A blob and its diff_id.
type Layer<'a> = (&'a Descriptor, &'a Digest);

/// Loads the index of each large layer, if it was kept and fits.
pub(super) fn load_all<S: BlobRead>(
    repository: &Repository<S>,
    image: &Image,
    indexes: &mut dyn Indexes,
) -> Vec<Option<LayerIndex>> {
    let index = |(blob, diff_id): Layer<'_>| match blob.size >= WORTHWHILE {
        true => load(repository, blob, diff_id, indexes),
        false => None,
    };
    image.layers().map(index).collect()
}

/// Loads the index of each large layer, or builds and keeps it.
pub(super) fn load_or_build_all<S: BlobRead>(
    repository: &Repository<S>,
    image: &Image,
    indexes: &mut dyn Indexes,
) -> Result<Vec<Option<LayerIndex>>> {
    let mut found = load_all(repository, image, indexes);
    let is_missing =
        |(blob, _): &Layer<'_>, index: &Option<LayerIndex>| blob.size >= WORTHWHILE && index.is_none();
    let missing = image.layers().zip(&found).filter(|(layer, index)| is_missing(layer, index));
    let missing = missing.map(|(layer, _)| layer).collect::<Vec<_>>();
    let slots = image.layers().zip(&mut found).filter(|(layer, index)| is_missing(layer, index));
    for (((blob, _), slot), index) in slots.zip(build(repository, &missing)) {
        let index = index?;
        indexes.keep(&blob.digest, &index.to_bytes());
        *slot = Some(index);
    }
    Ok(found)
}

/// Builds indexes in order, until one fails.
#[cfg(not(all(feature = "parallel", not(target_family = "wasm"))))]
fn build<'a, S: BlobRead>(
    repository: &'a Repository<S>,
    layers: &'a [Layer<'a>],
) -> impl Iterator<Item = Result<LayerIndex>> {
    layers.iter().map(|(blob, diff_id)| LayerIndex::build(repository, blob, diff_id))
}

/// Builds indexes on several threads. Layers are taken in order, and none is taken after a failure, so the
/// first failure in the result does not depend on the threads.
#[cfg(all(feature = "parallel", not(target_family = "wasm")))]
fn build<S: BlobRead>(
    repository: &Repository<S>,
    layers: &[Layer<'_>],
) -> impl Iterator<Item = Result<LayerIndex>> + use<S> {
    use std::{
        sync::{
            Mutex, PoisonError,
            atomic::{AtomicUsize, Ordering},
        },
        thread,
    };

    /// The most layers that are read at a time: each takes some MiB, and three threads.
    const MOST: usize = 8;

    let next = AtomicUsize::new(0);
    let built = Mutex::new(Vec::new());
    let work = || {
        while let at = next.fetch_add(1, Ordering::Relaxed)
            && let Some((blob, diff_id)) = layers.get(at)
        {
            let index = LayerIndex::build(repository, blob, diff_id);
            if index.is_err() {
                next.store(layers.len(), Ordering::Relaxed);
            }
            built.lock().unwrap_or_else(PoisonError::into_inner).push((at, index));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST).min(layers.len());
    thread::scope(|scope| {
        for _ in 1..threads {
            // Without it, the others do its work.
            let _ = thread::Builder::new().name("index".into()).spawn_scoped(scope, work);
        }
        work();
    });
    let mut built = built.into_inner().unwrap_or_else(PoisonError::into_inner);
    built.sort_by_key(|(at, _)| *at);
    built.into_iter().map(|(_, index)| index)
}
