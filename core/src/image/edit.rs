//! Edits of one image: new documents in the store, everything unknown in them kept.

use super::Image;
use crate::{
    error::Result,
    layer::writer::Layer,
    spec::{
        Annotations, Compression, ContainerConfig, Descriptor, History, ImageConfig, Manifest, MediaType,
        Platform, Raw, RootFs,
        media_type::{CONFIG, DOCKER_MANIFEST, MANIFEST},
    },
    store::{Store, put_document},
};

/// Puts a layer on top: the config gets its diff_id and the history entry, the manifest its descriptor. Both go to the store;
/// nothing points at them yet. The image's `created` becomes that of the history entry. Without an entry, history and `created`
/// stay as they are.
///
/// A history with fewer entries than there are layers is filled up with empty ones before the new one: readers count them.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) if the store cannot be written.
pub fn append_layer<S: Store + ?Sized>(
    store: &S,
    image: &Image,
    layer: &Layer,
    compression: Compression,
    history: Option<&History>,
) -> Result<Image> {
    let mut config = image.config.push_layer(&layer.diff_id)?;
    if let Some(entry) = history {
        config = push_history(config, image.manifest.view().layers.len(), entry)?;
    }
    // In the family of the manifest: readers of Docker's know only their own.
    let media_type = match image.descriptor.media_type.as_str() {
        DOCKER_MANIFEST => MediaType::docker_layer(compression),
        _ => MediaType::layer(compression),
    };
    let layer = Descriptor::new(media_type, layer.digest.clone(), layer.size);
    with_config(store, image, config, |manifest| manifest.push_layer(&layer))
}

/// Adds empty entries for layers that have none.
pub(super) fn fill_history(mut config: Raw<ImageConfig>, layers: usize) -> Result<Raw<ImageConfig>> {
    let listed = config.view().history.iter().flatten();
    let made = listed.filter(|entry| entry.empty_layer != Some(true)).count();
    for _ in made..layers {
        config = config.push_history(&History::default())?;
    }
    Ok(config)
}

/// Adds the entry of a layer that stands on as many others as `below`.
fn push_history(config: Raw<ImageConfig>, below: usize, entry: &History) -> Result<Raw<ImageConfig>> {
    let mut config = fill_history(config, below)?;
    config = config.push_history(entry)?;
    match &entry.created {
        Some(created) => config.set_created(created),
        None => Ok(config),
    }
}

/// Makes an image without layers, for that platform, created at that time (RFC 3339).
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) if the store cannot be written.
pub fn blank<S: Store + ?Sized>(store: &S, platform: &Platform, created: &str) -> Result<Descriptor> {
    let config = Raw::new(ImageConfig {
        created: Some(created.into()),
        author: None,
        architecture: platform.architecture.clone(),
        variant: platform.variant.clone(),
        os: platform.os.clone(),
        os_version: platform.os_version.clone(),
        os_features: (!platform.os_features.is_empty()).then(|| platform.os_features.clone()),
        config: Some(ContainerConfig::default()),
        rootfs: RootFs { kind: "layers".into(), diff_ids: Vec::new() },
        history: Some(Vec::new()),
    })?;
    let manifest = Raw::new(Manifest {
        schema_version: 2,
        media_type: Some(MediaType::literal(MANIFEST)),
        artifact_type: None,
        config: put_document(store, &config, &MediaType::literal(CONFIG))?,
        layers: Vec::new(),
        subject: None,
        annotations: Annotations::new(),
    })?;
    put_document(store, &manifest, &MediaType::literal(MANIFEST))
}

/// Stores a config, and the manifest that points at it.
pub(super) fn with_config<S: Store + ?Sized>(
    store: &S,
    image: &Image,
    config: Raw<ImageConfig>,
    then: impl FnOnce(Raw<Manifest>) -> Result<Raw<Manifest>>,
) -> Result<Image> {
    let descriptor = put_document(store, &config, &image.manifest.view().config.media_type)?;
    let manifest = then(image.manifest.set_config(&descriptor, config.bytes())?)?;
    let mut descriptor = image.descriptor.clone();
    let written = put_document(store, &manifest, &descriptor.media_type)?;
    descriptor.digest = written.digest;
    descriptor.size = written.size;
    descriptor.data = None;
    Ok(Image { descriptor, manifest, config })
}

#[cfg(test)]
mod tests;
