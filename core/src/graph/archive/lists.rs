//! Docker's lists of the images in an archive that is a layout, too, as `docker save` writes it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    digest::Digest,
    error::{Error, Result},
    graph::walk::Places,
    spec::{Index, Manifest, Raw, image_name::is_tag},
    store::{BlobRead, Repository, archive::DockerList},
};

/// An image in `manifest.json`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    repo_tags: Vec<String>,
    layers: Vec<String>,
}

/// Returns the content of some lists: for each entry of a root index, the first image below it that is
/// complete, with the entry's tag if Docker accepts it.
pub(super) fn lists<S: BlobRead>(
    repository: &Repository<S>,
    index: &Raw<Index>,
    lists: &[DockerList],
) -> Result<Vec<(DockerList, Vec<u8>)>> {
    if lists.is_empty() {
        return Ok(Vec::new());
    }
    let places = Places::walk(repository, index)?;
    let mut done = BTreeSet::new();
    let mut images: Vec<Saved> = Vec::new();
    let mut repositories: BTreeMap<&str, BTreeMap<&str, String>> = BTreeMap::new();
    for place in places.ids() {
        let root = places.way(place).first().copied().unwrap_or(place);
        if done.contains(&root) || !places.is_image(place) {
            continue;
        }
        let Some(Ok(manifest)) = places.manifest(place) else { continue };
        if !is_complete(repository, &manifest)? {
            continue;
        }
        done.insert(root);
        let tag = places.get(root).descriptor.tag().filter(|tag| is_tag(tag));
        if let Some((name, tag)) = tag.and_then(|tag| tag.rsplit_once(':'))
            && let Some(top) = manifest.layers.last()
        {
            repositories.entry(name).or_default().insert(tag, top.digest.encoded().into());
        }
        let config = path(&manifest.config.digest);
        match images.iter_mut().find(|image| image.config == config) {
            Some(image) => image.repo_tags.extend(tag.map(Into::into)),
            None => images.push(Saved {
                config,
                repo_tags: tag.map(Into::into).into_iter().collect(),
                layers: manifest.layers.iter().map(|layer| path(&layer.digest)).collect(),
            }),
        }
    }
    let content = |list: &DockerList| {
        let bytes = match list {
            DockerList::Manifest => serde_json::to_vec(&images),
            DockerList::Repositories => serde_json::to_vec(&repositories),
        };
        Ok((*list, bytes.map_err(|error| Error::document(list.name(), error.to_string()))?))
    };
    lists.iter().map(content).collect()
}

fn is_complete<S: BlobRead>(repository: &Repository<S>, manifest: &Manifest) -> Result<bool> {
    for part in manifest.layers.iter().chain([&manifest.config]) {
        if repository.store().try_size(part)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns the member that is a blob.
fn path(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm_name(), digest.encoded())
}
