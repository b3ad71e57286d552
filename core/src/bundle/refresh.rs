//! Recording the image that a bundle was repacked into.

use super::{open::Bundle, options::CompareOptions, record::Source, replace::Replacement};
use crate::{
    error::Result,
    fs::DirPosix,
    graph::Resolution,
    layer::{ChangeSink, on_disk::FromDisk},
    tree::{
        Tree,
        diff::{DiffSummary, Learned},
        rootfs::Stamp,
        update::Update,
    },
};

/// A new record, in the making. Dropping it leaves the old one.
pub(super) struct Refresh<'a, D: DirPosix> {
    bundle: &'a Bundle<'a, D>,
    /// Begun before any file is looked at: a file that is changed later may have the same ctime.
    replacement: Replacement<'a, D>,
    /// The files of the bundle, as far as they are in the image.
    tree: Tree,
    learned: Learned,
}

impl<'a, D: DirPosix> Refresh<'a, D> {
    /// Begins, before any file is looked at.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported) for a bundle for overlayfs;
    /// [`Error::Io`](crate::Error::Io).
    pub(super) fn begin(bundle: &'a Bundle<'a, D>) -> Result<Self> {
        bundle.format.check_refresh()?;
        let replacement = Replacement::begin(bundle.inner.dir)?;
        let tree = bundle.record().tree.clone();
        Ok(Self { bundle, replacement, tree, learned: Learned::default() })
    }

    /// Sends what changed, as the image would have it, and notes it.
    pub(super) fn changes(
        &mut self,
        options: &CompareOptions,
        sink: &mut dyn ChangeSink,
    ) -> Result<DiffSummary> {
        let sink = &mut FromDisk { sink, how: self.bundle.on_disk() };
        let mut update = Update { tree: &mut self.tree, sink };
        let mut summary = self.bundle.changes_on_disk(options, true, &mut update)?;
        self.learned = std::mem::take(&mut summary.learned);
        Ok(summary)
    }

    /// Replaces the record, with the new image in the store.
    pub(super) fn finish(self, resolution: &Resolution) -> Result<()> {
        let dir = self.bundle.inner.dir;
        let mut record = self.bundle.record().clone();
        record.source = Source::Resolution(resolution.clone());
        // The manifest alone may hold owner and mode of what is new.
        record.held = record.held_here(&dir.support());
        record.stamps = self.stamps();
        record.settled = Some(self.replacement.since);
        record.tree = self.tree;
        self.bundle.format.replace_record(self.replacement, &record, dir, self.bundle.image())
    }

    /// Returns the stamps of the new tree.
    fn stamps(&self) -> Vec<Stamp> {
        let mut stamps = self.bundle.record().stamps.clone();
        let sent = self.learned.sent.iter().filter_map(|(path, stamp)| Some((self.tree.get(path)?, *stamp)));
        // What was sent last: it may have taken the id of what is gone.
        for (id, stamp) in self.learned.unchanged.iter().copied().chain(sent) {
            if stamps.len() <= id.index() {
                stamps.resize(id.index() + 1, Stamp::default());
            }
            stamps[id.index()] = stamp;
        }
        stamps
    }
}
