//! Docker's archives (`docker save`) as stores: the manifests that they lack are made here, always the same
//! for the same archive.
//!
//! Source: the Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset Format", and what
//! `docker save`, skopeo and buildah write.

use std::{
    collections::{BTreeMap, HashMap},
    io::Read as _,
    sync::Arc,
};

use super::{
    Content, Extent, Part, Source,
    saved::{MANIFEST, Saved, SavedImages},
};
use crate::{
    digest::{Algorithm, Digest},
    error::{Error, Result},
    hash::Hasher,
    spec::{
        CompressedFormat, Compression, Descriptor, ImageConfig, Index, Manifest, MediaType, REF_NAME, Raw,
        media_type,
    },
    store::layout::empty_index,
};

pub(super) fn open(source: &Source<'_>) -> Result<(Raw<Index>, BTreeMap<Digest, Content>)> {
    let list = SavedImages::parse(&source.document(MANIFEST)?)?;
    let mut images = Images {
        source,
        blobs: BTreeMap::new(),
        configs: HashMap::new(),
        compressed: HashMap::new(),
        descriptors: 0,
    };
    let mut entries = Vec::new();
    for saved in &list.0 {
        let manifest = images.manifest(saved)?;
        let entry = manifest.descriptor(&MediaType::literal(media_type::MANIFEST));
        images.blobs.insert(entry.digest.clone(), Content::Made(manifest.bytes().into()));
        let tags = &saved.repo_tags;
        entries.extend(tags.iter().map(|tag| tagged(&entry, tag)));
        if tags.is_empty() {
            entries.push(entry);
        }
        images.count(tags.len())?;
    }
    let index = Index { manifests: entries, ..empty_index()?.view().clone() };
    Ok((Raw::new(index)?, images.blobs))
}

fn tagged(entry: &Descriptor, tag: &str) -> Descriptor {
    let mut entry = entry.clone();
    entry.annotations.insert(REF_NAME.into(), tag.into());
    entry
}

struct Config {
    descriptor: Descriptor,
    diff_ids: Vec<Digest>,
}

struct Images<'a> {
    source: &'a Source<'a>,
    blobs: BTreeMap<Digest, Content>,
    /// The configs by their position, so that a list that names one a thousand times does not have it read a
    /// thousand times.
    configs: HashMap<u64, Arc<Config>>,
    /// The digests of compressed layers, by their position: images share layers.
    compressed: HashMap<u64, Digest>,
    /// The number of descriptors that were made.
    descriptors: usize,
}

impl Images<'_> {
    fn manifest(&mut self, saved: &Saved) -> Result<Raw<Manifest>> {
        let config = self.config(&saved.config)?;
        let diff_ids = &config.diff_ids;
        let names = &saved.layers;
        if names.len() != diff_ids.len() {
            let (layers, config, ids) = (names.len(), &saved.config, diff_ids.len());
            let reason = format!("an image has {layers} layers, but its config {config:?} names {ids}");
            return Err(Error::document(MANIFEST, reason));
        }
        // The manifest and the config count as well.
        self.count(names.len().saturating_add(2))?;
        let layers = names.iter().zip(diff_ids).map(|(name, diff_id)| self.layer(name, diff_id));
        let layers = layers.collect::<Result<Vec<_>>>()?;
        Raw::new(Manifest::new(config.descriptor.clone(), layers))
    }

    fn config(&mut self, name: &str) -> Result<Arc<Config>> {
        let start = self.source.members.find(name.as_bytes())?.map(|extent| extent.start);
        if let Some(config) = start.and_then(|start| self.configs.get(&start)) {
            return Ok(Arc::clone(config));
        }
        let media_type = MediaType::literal(media_type::CONFIG);
        let config: Raw<ImageConfig> = Raw::parse(name, self.source.document(name)?, Some(&media_type))?;
        let descriptor = config.descriptor(&media_type);
        self.blobs.insert(descriptor.digest.clone(), Content::Made(config.bytes().into()));
        let config = Arc::new(Config { descriptor, diff_ids: config.view().rootfs.diff_ids.clone() });
        self.configs.extend(start.map(|start| (start, Arc::clone(&config))));
        Ok(config)
    }

    fn count(&mut self, more: usize) -> Result<()> {
        self.descriptors = self.descriptors.saturating_add(more);
        let limit = self.source.limits.descriptors;
        match self.descriptors > limit {
            true => Err(Error::limit(MANIFEST, "descriptors", limit as u64)),
            false => Ok(()),
        }
    }

    /// Returns the descriptor of a layer. A plain layer is known by its diff_id already; a compressed one has
    /// to be read once.
    fn layer(&mut self, name: &str, diff_id: &Digest) -> Result<Descriptor> {
        let Some(extent) = self.source.members.find(name.as_bytes())? else {
            return Err(Error::NotFound(format!(
                "{MANIFEST} names the layer {name:?}, which is not in the archive"
            )));
        };
        let compression = self.compression(name, extent)?;
        let digest = match compression {
            Compression::None => diff_id.clone(),
            _ => match self.compressed.get(&extent.start) {
                Some(digest) => digest.clone(),
                None => {
                    let digest = self.hash(name, extent)?;
                    self.compressed.insert(extent.start, digest.clone());
                    digest
                }
            },
        };
        self.blobs.insert(digest.clone(), Content::There(extent));
        Ok(Descriptor::new(MediaType::layer(compression), digest, extent.size))
    }

    fn compression(&self, name: &str, extent: Extent) -> Result<Compression> {
        let mut start = Vec::new();
        Part::new(self.source.bytes, extent)
            .take(CompressedFormat::START as u64)
            .read_to_end(&mut start)
            .map_err(Error::io(reading(name)))?;
        let found = CompressedFormat::of(&start).and_then(|format| format.compression);
        Ok(found.unwrap_or(Compression::None))
    }

    fn hash(&self, name: &str, extent: Extent) -> Result<Digest> {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        let mut buffer = vec![0; 128 << 10];
        let mut part = Part::new(self.source.bytes, extent);
        loop {
            match part.read(&mut buffer).map_err(Error::io(reading(name)))? {
                0 => return Ok(hasher.finish()),
                got => hasher.update(buffer.get(..got).unwrap_or_default()),
            }
        }
    }
}

fn reading(name: &str) -> String {
    format!("read {name:?} of the archive")
}
