//! A bundle that was unpacked before.

use super::{
    options::{CompareOptions, Format},
    record::{Record, Recorded},
};
use crate::{
    error::Result,
    fs::DirPosix,
    graph::Resolution,
    layer::{
        ChangeSink,
        on_disk::{FromDisk, OnDisk},
    },
    limits::Limits,
    spec::Descriptor,
    store::{BlobRead, Repository, RootIndex},
    tree::{
        diff::DiffSummary,
        emulated::{Defaults, Emulated},
    },
};

/// A bundle that [`unpack`](super::unpack) or umoci made.
#[derive(Debug)]
pub struct Bundle<'a, D> {
    pub(super) format: Format,
    pub(super) inner: Recorded<'a, D>,
}

/// The number of times that a record is read before an error counts: another process may be replacing its
/// files, one after the other.
const ATTEMPTS: usize = 3;

impl<'a, D: DirPosix> Bundle<'a, D> {
    /// Opens a bundle, and reads what it records.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) if this is not a bundle; [`Mismatch`](crate::Error::Mismatch) if
    /// the manifest was changed; [`Document`](crate::Error::Document); [`Limit`](crate::Error::Limit);
    /// [`Io`](crate::Error::Io).
    pub fn open(dir: &'a D, limits: &'a Limits) -> Result<Self> {
        let mut read = Format::read_record(dir, limits);
        for _ in 1..ATTEMPTS {
            if read.is_err() {
                read = Format::read_record(dir, limits);
            }
        }
        let (format, record) = read?;
        Ok(Self { format, inner: Recorded { dir, record, defaults: Defaults::default(), limits } })
    }

    /// Sets owner and mode of new files, where the disk holds neither.
    #[must_use]
    pub fn with_defaults(mut self, defaults: Defaults) -> Self {
        self.inner.defaults = defaults;
        self
    }

    /// Returns the format of the bundle.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// Returns the descriptor of the image that the bundle was unpacked from.
    #[must_use]
    pub fn image(&self) -> &Descriptor {
        self.record().source.image()
    }

    /// Returns the image's place in the store. umoci does not record the positions, so they are looked up.
    ///
    /// # Errors
    /// For a bundle in umoci's format those of [`Resolution::locate`].
    pub fn resolution<S>(&self, repository: &Repository<S>) -> Result<Resolution>
    where
        S: BlobRead + RootIndex,
    {
        self.record().source.resolution(repository)
    }

    /// Returns how entries are stored on the disk.
    #[must_use]
    pub fn on_disk(&self) -> &OnDisk {
        &self.record().on_disk
    }

    /// Opens the root file system, as it would be if the disk could hold everything.
    ///
    /// # Errors
    /// [`Io`](crate::Error::Io).
    pub fn root(&self) -> Result<Emulated<'_, D>> {
        self.inner.root()
    }

    /// Sends what changed since the bundle was unpacked, as the image would have it; see
    /// [`diff`](crate::tree::diff::diff). For a bundle for overlayfs, that is what its upper directory holds.
    ///
    /// # Errors
    /// [`Unsupported`](crate::Error::Unsupported) for a bundle for overlayfs whose marks are not visible
    /// here; those of [`diff`](crate::tree::diff::diff).
    pub fn changes(&self, options: &CompareOptions, sink: &mut dyn ChangeSink) -> Result<DiffSummary> {
        self.changes_on_disk(options, false, &mut FromDisk { sink, how: self.on_disk() })
    }

    /// Sends what changed as it is on the disk. With `learn`, the summary has the stamps that a new record
    /// needs.
    pub(super) fn changes_on_disk(
        &self,
        options: &CompareOptions,
        learn: bool,
        sink: &mut dyn ChangeSink,
    ) -> Result<DiffSummary> {
        self.format.changes(&self.inner, options, learn, sink)
    }

    pub(super) fn record(&self) -> &Record {
        &self.inner.record
    }
}
