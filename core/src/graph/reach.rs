//! Everything that is reachable from some descriptors.

use std::collections::{BTreeMap, HashSet};

use crate::{
    digest::Digest,
    error::{Error, Result},
    spec::{Descriptor, Index, Manifest, MediaType, Raw},
    store::{BlobRead, Repository},
};

/// A reachable object.
#[derive(Debug, Clone)]
pub(crate) struct Reached {
    pub(crate) descriptor: Descriptor,
    /// Whether it must be present: the parts of a manifest must, while an index may name objects that are
    /// elsewhere (image-spec, image-layout.md), as may a `subject` and a blob with `urls`.
    pub(crate) needed: bool,
}

impl Reached {
    pub(crate) fn needed(descriptor: &Descriptor) -> Self {
        Self { descriptor: descriptor.clone(), needed: true }
    }

    fn part(descriptor: &Descriptor) -> Self {
        let elsewhere = !descriptor.urls.is_empty() || descriptor.data.is_some();
        Self { descriptor: descriptor.clone(), needed: !elsewhere }
    }

    fn optional(descriptor: &Descriptor) -> Self {
        Self { descriptor: descriptor.clone(), needed: false }
    }
}

/// Returns the entries of an index.
pub(crate) fn entries_of(index: &Index) -> Vec<Reached> {
    index.manifests.iter().chain(&index.subject).map(Reached::optional).collect()
}

/// Returns some objects and everything reachable from them, by digest. Absent objects are skipped.
///
/// # Errors
/// An index or manifest that exists but cannot be read or does not match its digest; a malformed entry of an
/// index; [`Error::Limit`] past [`Limits::descriptors`].
pub(crate) fn reach<S: BlobRead>(
    repository: &Repository<S>,
    start: Vec<Reached>,
) -> Result<BTreeMap<Digest, Reached>> {
    let mut found: BTreeMap<Digest, Reached> = BTreeMap::new();
    let mut read: HashSet<(Digest, u64, MediaType)> = HashSet::new();
    // A list instead of recursion: a chain of subjects may be as long as there are descriptors.
    let mut pending = start;
    let mut visited = 0_usize;
    while let Some(reached) = pending.pop() {
        visited += 1;
        if visited > repository.limits().descriptors {
            let limit = repository.limits().descriptors as u64;
            return Err(Error::limit("descriptors in the repository", "descriptors", limit));
        }
        let descriptor = reached.descriptor.clone();
        // What it stands for is unknown, and would be lost.
        descriptor.well_formed()?;
        let entry = found.entry(descriptor.digest.clone()).or_insert_with(|| reached.clone());
        entry.needed |= reached.needed;
        let key = (descriptor.digest.clone(), descriptor.size, descriptor.media_type.clone());
        if read.contains(&key) {
            continue;
        }
        match children(repository, &descriptor) {
            // Not recorded: another descriptor of it may have the content embedded.
            Err(Error::MissingBlob(_)) => {}
            children => {
                pending.extend(children?);
                read.insert(key);
            }
        }
    }
    Ok(found)
}

/// Checks that the store has an object and everything that must be present below it.
///
/// # Errors
/// [`Error::MissingBlob`]; those of [`reach`].
pub(crate) fn check_complete<S: BlobRead>(repository: &Repository<S>, object: &Descriptor) -> Result<()> {
    for reached in reach(repository, vec![Reached::needed(object)])?.values().filter(|reached| reached.needed)
    {
        if repository.store().try_size(&reached.descriptor)?.is_none() {
            return Err(Error::MissingBlob(reached.descriptor.digest.clone()));
        }
    }
    Ok(())
}

fn children<S: BlobRead>(repository: &Repository<S>, descriptor: &Descriptor) -> Result<Vec<Reached>> {
    if descriptor.media_type.is_index() {
        let index: Raw<Index> = repository.document(descriptor)?;
        Ok(entries_of(index.view()))
    } else if descriptor.media_type.is_manifest() {
        let manifest: Raw<Manifest> = repository.document(descriptor)?;
        let manifest = manifest.view();
        let parts = std::iter::once(&manifest.config).chain(&manifest.layers).map(Reached::part);
        Ok(parts.chain(manifest.subject.as_ref().map(Reached::optional)).collect())
    } else {
        Ok(Vec::new())
    }
}
