//! Removing the blobs that nothing leads to.

use std::fmt;

use serde::Serialize;

use super::reach::{entries_of, reach};
use crate::{
    digest::Digest,
    error::Result,
    limits::Limits,
    store::{BlobRead, RootIndex, Sweepable},
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
/// it: what it leads to cannot be known, and nothing was removed. The same for [`Error::Limit`](crate::Error::Limit) past
/// [`Limits::descriptors`]. Those of [`RootIndex::load`] and [`Sweepable::sweep`]; [`Error::Io`](crate::Error::Io).
///
/// [`BlobReadExt::document`]: crate::store::BlobReadExt::document
pub fn gc<S>(store: &S, dry_run: bool, limits: &Limits) -> Result<Report>
where
    S: BlobRead + RootIndex + Sweepable + ?Sized,
{
    let sweep = store.sweep()?;
    // Read after everybody else has finished: what they wrote is in it.
    let reachable = reach(store, entries_of(store.load()?.view()), limits)?;
    let all = sweep.blobs()?;
    let total = all.len();
    let unused = |digest: &Digest| digest.algorithm().is_some() && !reachable.contains_key(digest);
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
        sweep.finish()?;
    }
    let sizes = blobs.iter().map(|blob| blob.size).chain(leftovers.iter().map(|leftover| leftover.size));
    let bytes = sizes.fold(0, u64::saturating_add);
    Ok(Report { schema_version: 1, dry_run, kept: total - blobs.len(), bytes, blobs, leftovers })
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
