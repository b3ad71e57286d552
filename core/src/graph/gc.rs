//! Removing unreachable blobs.

use std::io::Read as _;

use serde::Serialize;

use super::reach::{entries_of, reach};
use crate::{
    digest::Digest,
    error::Result,
    spec::{Descriptor, Document as _, Manifest, MediaType, Raw, media_type::MANIFEST},
    store::{BlobRead, BlobReadExt as _, Collect, Repository, RootIndex},
};

/// The blobs and temporary files that were removed or, in a dry run, would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct GcReport {
    /// Whether nothing was removed.
    pub dry_run: bool,
    /// The number of blobs that are kept.
    pub kept: usize,
    /// The sum of the sizes of what is removed, in bytes.
    pub bytes: u64,
    /// Unreachable blobs, by digest.
    pub blobs: Vec<UnusedBlob>,
    /// Files and directories that interrupted writers left in the layout's directory.
    pub leftovers: Vec<Leftover>,
}

/// A blob that is removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UnusedBlob {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// A temporary file or directory that is removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Leftover {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
}

/// Whether garbage collection removes what it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "to do it or not")]
pub enum GcMode {
    /// Reports what would be removed.
    DryRun,
    /// Removes it.
    Remove,
}

impl<S: BlobRead + RootIndex + Collect> Repository<S> {
    /// Removes every blob that is not reachable from `index.json`, and temporary files of interrupted
    /// writers.
    ///
    /// A blob is kept if any descriptor names it: in indexes and manifests, of OCI or Docker, with their
    /// subjects, at any depth. Absent objects are skipped, since a layout may hold only a part of an image.
    /// Blobs with an unknown digest algorithm are kept, too.
    ///
    /// Waits for edits in progress (see [`Collect::collect`]), and edits wait for it. Programs that take no
    /// lock, such as skopeo or umoci, must not write at the same time.
    ///
    /// # Errors
    /// An index or manifest that exists but cannot be read or does not match its digest: what is reachable
    /// from it is unknown, and nothing was removed. The same for [`Error::Limit`](crate::Error::Limit) past
    /// [`Limits::descriptors`]. Those of [`RootIndex::load`] and [`Collect::collect`];
    /// [`Error::Io`](crate::Error::Io).
    ///
    /// [`Limits::descriptors`]: crate::limits::Limits::descriptors
    pub fn gc(&self, mode: GcMode) -> Result<GcReport> {
        let collector = self.store().collect()?;
        // Read after all writers have finished, so it has what they wrote.
        let reachable = reach(self, entries_of(self.index()?.view()))?;
        let all = collector.blobs()?;
        let total = all.len();
        let unused = |digest: &Digest| digest.algorithm().is_some() && !reachable.contains_key(digest);
        let blobs: Vec<UnusedBlob> = all
            .into_iter()
            .filter(|(digest, _)| unused(digest))
            .map(|(digest, size)| UnusedBlob { digest, size })
            .collect();
        let leftovers: Vec<Leftover> =
            collector.leftovers()?.into_iter().map(|(name, size)| Leftover { name, size }).collect();
        if mode == GcMode::Remove {
            // An interrupted run leaves no manifest without its blobs: an edit might count on them.
            let (manifests, others): (Vec<_>, Vec<_>) = blobs.iter().partition(|blob| self.is_manifest(blob));
            manifests.into_iter().chain(others).try_for_each(|blob| collector.remove(&blob.digest))?;
            leftovers.iter().try_for_each(|leftover| collector.remove_leftover(&leftover.name))?;
            collector.finish()?;
        }
        let sizes = blobs.iter().map(|blob| blob.size).chain(leftovers.iter().map(|leftover| leftover.size));
        let bytes = sizes.fold(0, u64::saturating_add);
        let dry_run = mode == GcMode::DryRun;
        Ok(GcReport { dry_run, kept: total - blobs.len(), bytes, blobs, leftovers })
    }
}

impl<S: BlobRead> Repository<S> {
    fn is_manifest(&self, blob: &UnusedBlob) -> bool {
        let descriptor = Descriptor::new(MediaType::literal(MANIFEST), blob.digest.clone(), blob.size);
        let Ok(mut content) = self.store().content(&descriptor) else { return false };
        let mut bytes = vec![0];
        // The first byte tells that most blobs are layers.
        content.read_exact(&mut bytes).is_ok()
            && bytes == b"{"
            && content.take(self.limits().document).read_to_end(&mut bytes).is_ok()
            && Raw::<Manifest>::parse(Manifest::KIND, bytes, None).is_ok()
    }
}

#[cfg(test)]
mod tests;
