//! Repacking a changed bundle into an image with one more layer.

use std::io::Read;

use super::{open::Bundle, options::RepackOptions, refresh::Refresh, unpack::check_image};
use crate::{
    error::{Error, Result},
    fs::DirPosix,
    graph::{
        Resolution,
        rewrite::{self, Replaced},
    },
    image::{Image, edit::append_layer},
    layer::{
        Change, ChangeSink,
        clamp::Clamp,
        writer::{Layer, LayerWriter},
    },
    spec::{Compression, Descriptor},
    store::{BlobWrite, Repository, RootIndexExt as _, Store},
    tree::diff::DiffSummary,
};

/// The outcome of a repack.
#[derive(Debug)]
#[non_exhaustive]
pub struct Repacked {
    /// The new image, and its place.
    pub resolution: Resolution,
    /// The new layer; `None` if nothing had changed.
    pub layer: Option<Layer>,
    /// The counts and stamps of the comparison with the disk.
    pub summary: DiffSummary,
    /// The referrers of the image that was replaced: signatures, SBOMs, attestations.
    pub referrers: Vec<Descriptor>,
    /// The reason why the bundle does not record the new image, although that was asked for. The image is in
    /// the store, and the bundle is unchanged.
    pub not_refreshed: Option<Error>,
}

impl<D: DirPosix> Bundle<'_, D> {
    /// Writes what changed as a new layer on the image, found at `at`, and makes `to` point at the result. If
    /// nothing changed, there is no new layer, and `to` points at the image as it is.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the index changed in a way that `at` no longer fits; [`Error::Misuse`] if `at`
    /// leads to another image; [`Error::Unsupported`] for a refresh of a bundle for overlayfs; those of
    /// [`Bundle::changes`], and of writing the store. Nothing points at anything new then.
    pub fn repack<S: Store>(
        &self,
        repository: &Repository<S>,
        image: &Image,
        at: &Resolution,
        to: &rewrite::Destination,
        options: &RepackOptions,
    ) -> Result<Repacked> {
        repository.store().hold()?;
        check_image(image, at)?;
        let mut refresh = options.refresh.then(|| Refresh::begin(self)).transpose()?;
        let compression = options.compression.unwrap_or_else(|| image.last_compression());
        let mut sink = LazyLayer { repository, compression, writer: None };
        let summary = match options.latest {
            Some(latest) => self.send(&mut Clamp { sink: &mut sink, latest }, options, refresh.as_mut())?,
            None => self.send(&mut sink, options, refresh.as_mut())?,
        };
        let layer = sink.writer.map(LayerWriter::finish).transpose()?;
        let image = match &layer {
            None => image,
            Some(layer) => &append_layer(repository, image, layer, options.history.as_ref())?,
        };
        let mut replaced = None;
        repository.store().update(|root| {
            let (new, bytes) = (&image.descriptor, image.manifest.bytes());
            let done = rewrite::replace_target(repository, root, at, new, bytes, to)?;
            let root = done.root.clone();
            replaced = Some(done);
            Ok::<_, Error>(root)
        })?;
        let Some(Replaced { resolution, referrers, .. }) = replaced else {
            return Err(Error::Misuse("the index was not updated".into()));
        };
        let not_refreshed = refresh.and_then(|refresh| refresh.finish(&resolution).err());
        Ok(Repacked { resolution, layer, summary, referrers, not_refreshed })
    }

    fn send(
        &self,
        sink: &mut dyn ChangeSink,
        options: &RepackOptions,
        refresh: Option<&mut Refresh<'_, D>>,
    ) -> Result<DiffSummary> {
        match refresh {
            Some(refresh) => refresh.changes(&options.compare, sink),
            None => self.changes(&options.compare, sink),
        }
    }
}

/// A layer that is begun with its first change.
struct LazyLayer<'a, S> {
    repository: &'a Repository<S>,
    compression: Compression,
    writer: Option<LayerWriter<'a>>,
}

impl<S: BlobWrite> ChangeSink for LazyLayer<'_, S> {
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> Result<()> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => self.writer.insert(LayerWriter::new(self.repository, self.compression)?),
        };
        writer.put(change, body)
    }
}
