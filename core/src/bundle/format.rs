//! The differences between the formats of bundles: each function here is one step, each module one way to do
//! it.

mod native;
mod overlayfs;
mod rootfs;
mod stamps;
mod umoci;

pub use self::overlayfs::{MOUNT_OPTIONS_MAX, mount_options};
use super::{
    files::{ROOTFS, STATE, UMOCI, in_dir, open_dir},
    layers::{Layers, check_support},
    options::{CompareOptions, Format},
    record::{Record, Recorded},
    replace::Replacement,
    runtime::Users,
};
use crate::{
    error::{Error, Result},
    fs::{DirPosix, Readable, Support},
    layer::{ChangeSink, on_disk::Privilege},
    limits::Limits,
    name::{Name, NameBuf},
    spec::Descriptor,
    store::BlobRead,
    tree::{Tree, diff::DiffSummary, rootfs::Stamp},
};

/// Layers on a disk.
pub(super) struct Laid {
    /// The merged files, as they are on the disk.
    pub(super) tree: Tree,
    /// The stamp of each inode of the tree; empty if the format has none.
    pub(super) stamps: Vec<Stamp>,
    /// The capabilities of the disk.
    pub(super) held: Support,
    /// The users and groups of the image.
    pub(super) users: Users,
    /// The directories that were made.
    pub(super) dirs: Vec<NameBuf>,
}

impl Format {
    /// Refuses a directory that cannot hold a bundle of this format.
    pub(super) fn check(self, support: &Support, privilege: Privilege) -> Result<()> {
        if support.mode {
            check_support(support, privilege)?;
        } else if self != Self::Native {
            let message = "this directory cannot hold owners and modes\n\
                           hint: a bundle in the native format keeps them in its manifest";
            return Err(Error::Unsupported(message.into()));
        }
        match self {
            Self::Native | Self::Umoci => Ok(()),
            Self::Overlayfs(namespace) => overlayfs::check(namespace, privilege),
        }
    }

    /// Puts the layers into new directories of `dir`.
    pub(super) fn lay_out<S, D>(self, layers: &Layers<'_, S>, dir: &D) -> Result<Laid>
    where
        S: BlobRead,
        D: DirPosix,
    {
        let support = dir.support();
        let mut laid = match self {
            Self::Native => rootfs::lay_out(layers, dir, support.effective()),
            Self::Umoci => rootfs::lay_out(layers, dir, Support::ALL),
            Self::Overlayfs(namespace) => overlayfs::lay_out(layers, dir, namespace),
        }?;
        // The record is what the disk has; only where that is far too little, it is what the image has.
        if support.mode {
            laid.tree.map_times(|time| support.nearest(time));
        }
        Ok(laid)
    }

    /// Writes the record of a bundle, whose `rootfs/` is in `bundle`, to `to`. Returns the names of the
    /// files, the one that makes it a bundle last.
    pub(super) fn write_record<D: DirPosix>(
        self,
        record: &Record,
        bundle: &D,
        to: &D,
    ) -> Result<Vec<NameBuf>> {
        match self {
            Self::Native => native::write(record, None, to),
            Self::Umoci => in_dir(bundle, ROOTFS, |_| {
                let root = Readable::new(open_dir(bundle, ROOTFS)?);
                umoci::write(record, &root, to)
            }),
            Self::Overlayfs(namespace) => native::write(record, Some(namespace), to),
        }
    }

    /// Reads the record of a bundle of any format.
    pub(super) fn read_record<D: DirPosix>(bundle: &D, limits: &Limits) -> Result<(Self, Record)> {
        if bundle.metadata(Name::literal(STATE)).is_err()
            && let Ok(file) = bundle.open_file(Name::literal(UMOCI))
        {
            return Ok((Self::Umoci, umoci::read(file, bundle, limits)?));
        }
        let (namespace, record) = native::read(bundle, limits)?;
        Ok((namespace.map_or(Self::Native, Self::Overlayfs), record))
    }

    /// Sends what changed since the record was made, as it is on the disk. With `learn`, the summary has the
    /// stamps that a new record needs.
    pub(super) fn changes<D: DirPosix>(
        self,
        bundle: &Recorded<'_, D>,
        options: &CompareOptions,
        learn: bool,
        sink: &mut dyn ChangeSink,
    ) -> Result<DiffSummary> {
        match self {
            Self::Native | Self::Umoci => rootfs::changes(bundle, options, learn, sink),
            Self::Overlayfs(namespace) => overlayfs::changes(bundle, namespace, options, sink),
        }
    }

    /// Refuses a bundle that cannot record the image it was repacked into.
    pub(super) fn check_refresh(self) -> Result<()> {
        match self {
            Self::Native | Self::Umoci => Ok(()),
            Self::Overlayfs(_) => Err(Error::Unsupported(
                "a bundle for overlayfs cannot be refreshed\nhint: unpack the new image".into(),
            )),
        }
    }

    /// Replaces the record of a bundle that was unpacked from the image `old`.
    pub(super) fn replace_record<D: DirPosix>(
        self,
        replacement: Replacement<'_, D>,
        record: &Record,
        bundle: &D,
        old: &Descriptor,
    ) -> Result<()> {
        let names = self.write_record(record, bundle, replacement.dir())?;
        if self != Self::Umoci {
            return replacement.commit(&names);
        }
        // The manifest is named after the image, so `umoci.json` alone decides.
        replacement.commit_in_order(&names)?;
        let old = umoci::manifest_name(old)?;
        if !names.contains(&old) {
            let _ = bundle.remove_file(old.as_name()); // nothing refers to it
        }
        Ok(())
    }
}
