//! The record that a bundle has of the image it was unpacked from.

use super::{
    files::{ROOTFS, open_dir},
    mount_points::mount_points,
    options::CompareOptions,
};
use crate::{
    attrs::Time,
    error::Result,
    fs::{Dir, DirPosix, Support},
    graph::Resolution,
    layer::on_disk::OnDisk,
    limits::Limits,
    name::EntryPath,
    spec::Descriptor,
    store::{BlobRead, Repository, RootIndex},
    tree::{
        Tree,
        emulated::{Defaults, Emulated},
        rootfs::Stamp,
    },
};

/// The record of a bundle, in any format.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) source: Source,
    /// The representation of entries in `rootfs/`.
    pub(super) on_disk: OnDisk,
    /// The capabilities of the disk; what it cannot hold, the tree has.
    pub(super) held: Support,
    /// The files, as they are on the disk.
    pub(super) tree: Tree,
    /// The stamp of each inode of the tree; empty if there are none.
    pub(super) stamps: Vec<Stamp>,
    /// See [`crate::tree::diff::Baseline::settled`]. `None`: the time at which the stamps are written.
    pub(super) settled: Option<Time>,
}

impl Record {
    /// Returns what the disk can hold, as far as it can be seen through a handle with this support.
    pub(super) fn held_here(&self, support: &Support) -> Support {
        match support.mode {
            true => self.held,
            false => Support { owner: false, mode: false, xattrs: false, times: support.times, ..self.held },
        }
    }
}

/// The image of a bundle, and its place.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// The whole path is known.
    Resolution(Resolution),
    /// Only the descriptors are known, from the entry of `index.json` to the image; never empty.
    Walk(Vec<Descriptor>),
}

impl Source {
    /// Returns the image's descriptor.
    pub(super) fn image(&self) -> &Descriptor {
        match self {
            Self::Resolution(resolution) => resolution.target(),
            Self::Walk(walk) => &walk[walk.len() - 1],
        }
    }

    /// Returns the descriptors from the entry of `index.json` to the image.
    pub(super) fn walk(&self) -> Vec<Descriptor> {
        match self {
            Self::Resolution(resolution) => {
                resolution.hops().iter().map(|hop| hop.descriptor.clone()).collect()
            }
            Self::Walk(walk) => walk.clone(),
        }
    }

    /// Returns the path, looked up in the store if only the descriptors are known.
    pub(super) fn resolution<S>(&self, repository: &Repository<S>) -> Result<Resolution>
    where
        S: BlobRead + RootIndex,
    {
        match self {
            Self::Resolution(resolution) => Ok(resolution.clone()),
            Self::Walk(walk) => Resolution::locate(repository, &repository.index()?, walk),
        }
    }
}

/// A bundle's directory, with its record.
#[derive(Debug)]
pub(super) struct Recorded<'a, D> {
    pub(super) dir: &'a D,
    pub(super) record: Record,
    pub(super) defaults: Defaults,
    pub(super) limits: &'a Limits,
}

impl<D: DirPosix> Recorded<'_, D> {
    /// Opens `rootfs/` as it would be if the disk could hold everything.
    pub(super) fn root(&self) -> Result<Emulated<'_, D>> {
        let root = open_dir(self.dir, ROOTFS)?;
        let held = self.record.held_here(&self.dir.support());
        Ok(Emulated::new(root, held, Some(&self.record.tree), self.defaults))
    }

    /// Returns the paths in `root` at and below which changes are ignored.
    pub(super) fn masked<R: Dir>(&self, root: &R, options: &CompareOptions) -> Vec<EntryPath> {
        let mut masked = mount_points(self.dir, root, &self.record.tree, self.limits);
        masked.extend_from_slice(&options.masked);
        masked
    }
}
