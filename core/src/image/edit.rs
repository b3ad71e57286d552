//! Edits of one image: new documents in the store, with everything unknown in them kept.

use super::{
    Image,
    history::{matched, without_surplus},
};
use crate::{
    error::{Error, Result},
    graph::{
        RefName,
        resolve::{ResolveError, Want},
        rewrite::{Destination, Replaced, point, replace_target},
        selector::Selector,
    },
    layer::writer::Layer,
    spec::{
        ContainerConfig, Descriptor, Document, History, ImageConfig, Manifest, MediaType, Platform, Raw,
        media_type::{CONFIG, DOCKER_MANIFEST, MANIFEST},
    },
    store::{Repository, RootIndexExt as _, Store, put_document},
};

impl<S: Store> Repository<S> {
    /// Edits the image that a selector selects: resolves it, opens it, calls `edit` to make a new image of
    /// it, and makes `destination` refer to the result. `edit` is called again on the new state if the root
    /// index was changed meanwhile.
    ///
    /// # Errors
    /// Those of [`Repository::resolve`], [`Image::open`] and `edit`; those of
    /// [`replace_target`](crate::graph::rewrite::replace_target) and
    /// [`RootIndexExt::update`](crate::store::RootIndexExt::update). The root index is unchanged then.
    pub fn edit(
        &self,
        selector: &Selector,
        destination: &Destination,
        mut edit: impl FnMut(&Image) -> Result<Image>,
    ) -> Result<Replaced, ResolveError> {
        let mut replaced = None;
        self.store().update(|root| {
            let at = self.resolve_in(root, selector, Want::Image)?;
            let image = edit(&Image::open(self, at.target())?)?;
            let (new, bytes) = (&image.descriptor, image.manifest.bytes());
            let done = replace_target(self, root, &at, new, bytes, destination)?;
            Ok::<_, ResolveError>(replaced.insert(done).root.clone())
        })?;
        replaced.ok_or_else(|| Error::Misuse("the root index was not updated".into()).into())
    }

    /// Points a tag at an object in the store. An entry that has the tag is replaced.
    ///
    /// # Errors
    /// [`Error::Document`] if the tag is used more than once; those of the store.
    pub fn tag(&self, descriptor: &Descriptor, name: &RefName) -> Result<()> {
        self.store().update(|root| point(root, name, descriptor)).map(drop)
    }
}

/// Appends a layer: the config gets its diff_id and the history entry, the manifest its descriptor. Both are
/// stored; no index refers to them yet. The image's `created` becomes that of the history entry; without an
/// entry, history and `created` are unchanged.
///
/// Readers count the entries of a history. One with fewer entries than there are layers is filled up with
/// empty ones before the new one, and entries that have no layer are marked, so that they do not take the new
/// one.
///
/// # Errors
/// [`Error::Io`] if the store cannot be written.
pub fn append_layer<S: Store>(
    repository: &Repository<S>,
    image: &Image,
    layer: &Layer,
    history: Option<&History>,
) -> Result<Image> {
    let config = config_with_layer(image.config.clone(), layer, history)?;
    let layer = layer_of(image, layer);
    with_config(repository, image, config, |manifest| manifest.push_layer(&layer))
}

/// Adds a layer and its history entry to a config.
pub(super) fn config_with_layer(
    config: Raw<ImageConfig>,
    layer: &Layer,
    entry: Option<&History>,
) -> Result<Raw<ImageConfig>> {
    let below = config.view().rootfs.diff_ids.len();
    let Some(entry) = entry else { return without_surplus(config, below)?.push_layer(&layer.diff_id) };
    let config = matched(config, below)?.push_layer(&layer.diff_id)?.push_history(entry)?;
    match &entry.created {
        Some(created) => config.set_created(created),
        None => Ok(config),
    }
}

/// Returns the descriptor of a layer in the manifest of an image, whose types are OCI's or Docker's.
pub(super) fn layer_of(image: &Image, layer: &Layer) -> Descriptor {
    let mut layer = layer.descriptor.clone();
    if image.descriptor.media_type.as_str() == DOCKER_MANIFEST
        && let Some(compression) = layer.media_type.layer_compression()
    {
        layer.media_type = MediaType::docker_layer(compression);
    }
    layer
}

/// Makes an image without layers, for that platform, created at that time (RFC 3339). It is that of umoci,
/// byte for byte: no history, and a line end after each document.
///
/// # Errors
/// [`Error::Io`] if the store cannot be written.
pub fn blank<S: Store>(repository: &Repository<S>, platform: &Platform, created: &str) -> Result<Descriptor> {
    let config = line(ImageConfig {
        created: Some(created.into()),
        config: Some(ContainerConfig::default()),
        ..ImageConfig::new(platform)
    })?;
    let config = put_document(repository.store(), &config, &MediaType::literal(CONFIG))?;
    let manifest = line(Manifest::new(config, Vec::new()))?;
    put_document(repository.store(), &manifest, &MediaType::literal(MANIFEST))
}

/// Writes a document with a line end.
fn line<T: Document>(view: T) -> Result<Raw<T>> {
    let mut text = Raw::new(view)?.bytes().to_vec();
    text.push(b'\n');
    Raw::parse(T::KIND, text, None)
}

/// Stores a config, and a manifest that refers to it.
pub(super) fn with_config<S: Store>(
    repository: &Repository<S>,
    image: &Image,
    config: Raw<ImageConfig>,
    then: impl FnOnce(Raw<Manifest>) -> Result<Raw<Manifest>>,
) -> Result<Image> {
    let descriptor = put_document(repository.store(), &config, &image.manifest.view().config.media_type)?;
    let manifest = then(image.manifest.set_config(&descriptor, config.bytes())?)?;
    with_manifest(repository, Image { config, ..image.clone() }, manifest)
}

/// Stores another manifest of an image.
pub(super) fn with_manifest<S: Store>(
    repository: &Repository<S>,
    image: Image,
    manifest: Raw<Manifest>,
) -> Result<Image> {
    let Image { mut descriptor, config, .. } = image;
    let written = put_document(repository.store(), &manifest, &descriptor.media_type)?;
    descriptor.digest = written.digest;
    descriptor.size = written.size;
    descriptor.data = None;
    Ok(Image { descriptor, manifest, config })
}

#[cfg(test)]
mod tests;
