//! Docker's lists of the images in an archive that is a layout, too, as `docker save` writes it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    digest::Digest,
    error::{Error, Result},
    graph::walk::Places,
    spec::{Index, Manifest, Raw, image_name::is_tag},
    store::{
        BlobRead, Repository,
        archive::{DockerList, saved::SavedImages},
    },
};

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
    let mut images = SavedImages::default();
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
        let layers = manifest.layers.iter().map(|layer| path(&layer.digest)).collect();
        images.add(path(&manifest.config.digest), tag, layers);
    }
    let content = |list: &DockerList| {
        let bytes = match list {
            DockerList::Manifest => images.to_json()?,
            DockerList::Repositories => serde_json::to_vec(&repositories)
                .map_err(|error| Error::document(list.name(), error.to_string()))?,
        };
        Ok((*list, bytes))
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
