//! Removing the blobs that nothing leads to.

use serde::Serialize;

use super::reach::{entries_of, reach};
use crate::{
    digest::Digest,
    error::Result,
    limits::Limits,
    store::{BlobRead, RootIndex, Sweepable},
};

/// The blobs and temporary files that were removed, or with a dry run would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct GcReport {
    /// Nothing was removed.
    pub dry_run: bool,
    /// How many blobs stay.
    pub kept: usize,
    /// The sum of the sizes of what goes, in bytes.
    pub bytes: u64,
    /// Blobs that nothing leads to, by digest.
    pub blobs: Vec<UnusedBlob>,
    /// What interrupted writers left in the layout's directory.
    pub leftovers: Vec<Leftover>,
}

/// A blob that goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UnusedBlob {
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
/// it: what it leads to cannot be known, and nothing was removed. The same for [`Error::Limit`](crate::Error::Limit) past
/// [`Limits::descriptors`]. Those of [`RootIndex::load`] and [`Sweepable::sweep`]; [`Error::Io`](crate::Error::Io).
///
/// [`BlobReadExt::document`]: crate::store::BlobReadExt::document
pub fn gc<S>(store: &S, dry_run: bool, limits: &Limits) -> Result<GcReport>
where
    S: BlobRead + RootIndex + Sweepable + ?Sized,
{
    let sweep = store.sweep()?;
    // Read after everybody else has finished: what they wrote is in it.
    let reachable = reach(store, entries_of(store.load()?.view()), limits)?;
    let all = sweep.blobs()?;
    let total = all.len();
    let unused = |digest: &Digest| digest.algorithm().is_some() && !reachable.contains_key(digest);
    let blobs: Vec<UnusedBlob> = all
        .into_iter()
        .filter(|(digest, _)| unused(digest))
        .map(|(digest, size)| UnusedBlob { digest, size })
        .collect();
    let leftovers: Vec<Leftover> =
        sweep.leftovers()?.into_iter().map(|(name, size)| Leftover { name, size }).collect();
    if !dry_run {
        blobs.iter().try_for_each(|blob| sweep.remove(&blob.digest))?;
        leftovers.iter().try_for_each(|leftover| sweep.remove_leftover(&leftover.name))?;
        sweep.finish()?;
    }
    let sizes = blobs.iter().map(|blob| blob.size).chain(leftovers.iter().map(|leftover| leftover.size));
    let bytes = sizes.fold(0, u64::saturating_add);
    Ok(GcReport { dry_run, kept: total - blobs.len(), bytes, blobs, leftovers })
}

#[cfg(test)]
mod tests;
