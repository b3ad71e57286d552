//! Removing the blobs that nothing leads to.

use std::{
    collections::{BTreeSet, HashSet},
    fmt,
};

use serde::Serialize;

use crate::{
    digest::Digest,
    error::{Error, Result},
    limits::Limits,
    spec::{Descriptor, Index, Manifest, MediaType, Raw},
    store::{BlobRead, BlobReadExt as _, RootIndex, Sweepable},
    text::{self, human_size},
};

/// What was removed, or with a dry run would be. Schema version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Report {
    schema_version: u32,
    /// Nothing was removed.
    pub dry_run: bool,
    /// How many blobs stay.
    pub kept: usize,
    /// The sum of the sizes of what goes, in bytes.
    pub bytes: u64,
    /// Blobs that nothing leads to, by digest.
    pub blobs: Vec<Blob>,
    /// What interrupted writers left in the layout's directory.
    pub leftovers: Vec<Leftover>,
}

/// A blob that goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Blob {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// A temporary file or directory that goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Leftover {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
}

/// Removes every blob that `index.json` does not lead to, and what interrupted writers left. With `dry_run` it only says
/// what that would be.
///
/// Kept is what any descriptor names: of indexes and manifests, of OCI or Docker, with their subjects, at any depth. What is
/// absent is passed over, since a layout may hold a part of an image only. A blob whose digest has an algorithm that this
/// library does not know is kept, too.
///
/// Waits for edits that are at work (see [`Sweepable::sweep`]), and edits wait for this. Programs that take no lock, such as
/// skopeo or umoci, must not write at the same time.
///
/// # Errors
/// An index or manifest that is there but cannot be read or is not what its digest promises, as [`BlobReadExt::document`] has
/// it: what it leads to cannot be known, and nothing was removed. The same for [`Error::Limit`] past
/// [`Limits::descriptors`]. Those of [`RootIndex::load`] and [`Sweepable::sweep`]; [`Error::Io`].
///
/// [`BlobReadExt::document`]: crate::store::BlobReadExt::document
pub fn gc<S>(store: &S, dry_run: bool, limits: &Limits) -> Result<Report>
where
    S: BlobRead + RootIndex + Sweepable + ?Sized,
{
    let sweep = store.sweep()?;
    // Read after everybody else has finished: what they wrote is in it.
    let reachable = reachable(store, &store.load()?, limits)?;
    let all = sweep.blobs()?;
    let total = all.len();
    let unused = |digest: &Digest| digest.algorithm().is_some() && !reachable.contains(digest);
    let blobs: Vec<Blob> = all
        .into_iter()
        .filter(|(digest, _)| unused(digest))
        .map(|(digest, size)| Blob { digest, size })
        .collect();
    let leftovers: Vec<Leftover> =
        sweep.leftovers()?.into_iter().map(|(name, size)| Leftover { name, size }).collect();
    if !dry_run {
        blobs.iter().try_for_each(|blob| sweep.remove(&blob.digest))?;
        leftovers.iter().try_for_each(|leftover| sweep.remove_leftover(&leftover.name))?;
    }
    let sizes = blobs.iter().map(|blob| blob.size).chain(leftovers.iter().map(|leftover| leftover.size));
    let bytes = sizes.fold(0, u64::saturating_add);
    Ok(Report { schema_version: 1, dry_run, kept: total - blobs.len(), bytes, blobs, leftovers })
}

/// The digests of everything an index leads to.
fn reachable<S: BlobRead + ?Sized>(
    store: &S,
    root: &Raw<Index>,
    limits: &Limits,
) -> Result<BTreeSet<Digest>> {
    let mut found = BTreeSet::new();
    let mut read: HashSet<(Digest, u64, MediaType)> = HashSet::new();
    // A list and no recursion: a chain of subjects may be as long as there are descriptors.
    let mut pending = children_of_index(root.view());
    let mut visited = 0_usize;
    while let Some(descriptor) = pending.pop() {
        visited += 1;
        if visited > limits.descriptors {
            let limit = limits.descriptors as u64;
            return Err(Error::Limit { what: "descriptors in the store".into(), name: "descriptors", limit });
        }
        found.insert(descriptor.digest.clone());
        let key = (descriptor.digest.clone(), descriptor.size, descriptor.media_type.clone());
        if read.contains(&key) {
            continue;
        }
        match children(store, &descriptor, limits) {
            // Not remembered: another descriptor of it may have the content embedded.
            Err(Error::MissingBlob(_)) => {}
            children => {
                pending.extend(children?);
                read.insert(key);
            }
        }
    }
    Ok(found)
}

fn children<S: BlobRead + ?Sized>(
    store: &S,
    descriptor: &Descriptor,
    limits: &Limits,
) -> Result<Vec<Descriptor>> {
    if descriptor.media_type.is_index() {
        let index: Raw<Index> = store.document(descriptor, limits)?;
        Ok(children_of_index(index.view()))
    } else if descriptor.media_type.is_manifest() {
        let manifest: Raw<Manifest> = store.document(descriptor, limits)?;
        let manifest = manifest.view();
        let named = std::iter::once(&manifest.config).chain(&manifest.layers).chain(&manifest.subject);
        Ok(named.cloned().collect())
    } else {
        Ok(Vec::new())
    }
}

fn children_of_index(index: &Index) -> Vec<Descriptor> {
    index.manifests.iter().chain(&index.subject).cloned().collect()
}

impl text::Report for Report {
    /// A line for each thing that goes: digest of a blob or name of a temporary file, bytes.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.blobs.iter().try_for_each(|Blob { digest, size }| writeln!(out, "{digest}\t{size}"))?;
        self.leftovers.iter().try_for_each(|Leftover { name, size }| writeln!(out, "{name}\t{size}"))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Blob { digest, size } in &self.blobs {
            writeln!(f, "{digest}  {}", human_size(*size))?;
        }
        for Leftover { name, size } in &self.leftovers {
            writeln!(f, "{name}  {}", human_size(*size))?;
        }
        let done = if self.dry_run { "would remove" } else { "removed" };
        let blobs = match self.blobs.len() {
            1 => "1 blob".to_owned(),
            many => format!("{many} blobs"),
        };
        let leftovers = match self.leftovers.len() {
            0 => String::new(),
            1 => " and 1 temporary file".to_owned(),
            many => format!(" and {many} temporary files"),
        };
        let (bytes, kept) = (human_size(self.bytes), self.kept);
        writeln!(f, "{done} {blobs}{leftovers}, {bytes}; {kept} kept")
    }
}

#[cfg(test)]
mod tests;
