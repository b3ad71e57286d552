//! One image: a manifest, its config and its layers.

mod artifact;
pub mod check;
pub mod compare;
pub mod compare_indexes;
pub mod config;
pub mod docker_archive;
pub mod edit;
pub mod find;
mod history;
pub mod insert;
pub mod layers;
pub mod look;
pub mod rebase;
pub mod recompress;
pub mod squash;
#[cfg(test)]
pub(crate) mod testing;
pub mod waste;

pub use self::artifact::{Artifact, ArtifactFile, AttachedFile, ExistingFile, NewArtifact};
use crate::{
    digest::Digest,
    error::{Error, Result},
    graph::{
        resolve::{ResolveError, Want},
        selector::Selector,
    },
    spec::{Compression, Descriptor, History, ImageConfig, Manifest, Raw},
    store::{BlobRead, Repository, RootIndex},
};

/// A runnable image: its manifest and its config, checked against each other.
#[derive(Debug, Clone)]
#[allow(clippy::exhaustive_structs, reason = "a plain view")]
pub struct Image {
    /// The descriptor that the image was opened with.
    pub descriptor: Descriptor,
    /// The manifest.
    pub manifest: Raw<Manifest>,
    /// The config.
    pub config: Raw<ImageConfig>,
}

impl Image {
    /// Reads manifest and config.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for an artifact or an index; [`Error::Document`] if manifest and config
    /// contradict each other; those of [`Repository::document`].
    pub fn open(repository: &Repository<impl BlobRead>, descriptor: &Descriptor) -> Result<Self> {
        let unsupported = |what: &str| {
            Err(Error::Unsupported(format!("{} is {what}, not a runnable image", descriptor.digest)))
        };
        if descriptor.media_type.is_index() {
            return unsupported("an index");
        }
        if !descriptor.media_type.is_manifest() {
            return unsupported(&format!("of type {}", descriptor.media_type));
        }
        let manifest: Raw<Manifest> = repository.document(descriptor)?;
        let config = &manifest.view().config;
        if !config.media_type.is_config() {
            return unsupported(&format!("an artifact with a config of type {}", config.media_type));
        }
        let config: Raw<ImageConfig> = repository.document(config)?;
        let (layers, diff_ids) = (manifest.view().layers.len(), config.view().rootfs.diff_ids.len());
        if layers != diff_ids {
            let what = format!("image {}", descriptor.digest);
            return Err(Error::document(
                what,
                format!("the manifest has {layers} layers, the config {diff_ids} diff_ids"),
            ));
        }
        Ok(Self { descriptor: descriptor.clone(), manifest, config })
    }

    /// Returns the layers with their diff_ids, the base first.
    pub fn layers(&self) -> impl ExactSizeIterator<Item = (&Descriptor, &Digest)> {
        self.manifest.view().layers.iter().zip(&self.config.view().rootfs.diff_ids)
    }

    /// Returns the size of all layers as stored, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.manifest.view().layers.iter().fold(0, |sum, layer| sum.saturating_add(layer.size))
    }

    /// Returns the compression of the last layer, which is the default for new layers; gzip if the image has
    /// no layers.
    #[must_use]
    pub fn last_compression(&self) -> Compression {
        let last = self.manifest.view().layers.last();
        last.and_then(|layer| layer.media_type.layer_compression()).unwrap_or(Compression::Gzip)
    }

    /// Returns the history: each entry with the layer it made, if it made one and the counts agree so far.
    pub fn history(&self) -> impl Iterator<Item = (&History, Option<(&Descriptor, &Digest)>)> {
        let mut layers = self.layers();
        self.config.view().history.iter().flatten().map(move |entry| {
            let layer = if entry.makes_layer() { layers.next() } else { None };
            (entry, layer)
        })
    }
}

impl<S: BlobRead + RootIndex> Repository<S> {
    /// Resolves a selector to one image and opens it.
    ///
    /// # Errors
    /// Those of [`Repository::resolve`] and [`Image::open`].
    pub fn image(&self, selector: &Selector) -> Result<Image, ResolveError> {
        let at = self.resolve(selector, Want::Image)?;
        Ok(Image::open(self, at.target())?)
    }
}
