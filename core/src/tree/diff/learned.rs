//! What a comparison saw, so that the next one need not look again.

use crate::{
    fs::Metadata,
    name::EntryPath,
    tree::{InodeId, rootfs::Stamp},
};

/// Stamps of files as they were before they were read: if one changes later, its stamp does.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Learned {
    /// Of what has not changed, though its old stamp did not say so; by inode of the old tree.
    pub unchanged: Vec<(InodeId, Stamp)>,
    /// Of what was sent; for a file with several names, by the first.
    pub sent: Vec<(EntryPath, Stamp)>,
}

/// Where to put it, if anybody wants to know.
pub(super) struct Learning<'a>(pub(super) Option<&'a mut Learned>);

impl Learning<'_> {
    pub(super) fn unchanged(&mut self, id: InodeId, metadata: &Metadata) {
        if let Some(learned) = &mut self.0 {
            learned.unchanged.push((id, Stamp::from(metadata)));
        }
    }

    pub(super) fn sent(&mut self, path: &EntryPath, metadata: &Metadata) {
        if let Some(learned) = &mut self.0 {
            learned.sent.push((path.clone(), Stamp::from(metadata)));
        }
    }
}
