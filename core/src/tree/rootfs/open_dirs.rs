//! Open handles of the directories on the path to the last entry.

use std::io;

use crate::{
    fs::Dir,
    tree::{InodeId, merge::PathStep},
};

/// Handles on a path from a root. Their number is bounded, and walking a tree in any usual order opens each
/// directory a few times, however deep it is: the [`KEPT`] deepest handles are kept, and above them one of
/// [`KEPT`] in turn.
#[derive(Debug)]
pub(super) struct OpenDirs<D>(Vec<Open<D>>);

#[derive(Debug)]
struct Open<D> {
    /// The position in the path, from 0.
    level: usize,
    id: InodeId,
    dir: D,
}

const KEPT: usize = 64;

impl<D: Dir> OpenDirs<D> {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    /// Closes the handles of all but the first `depth` directories of the path.
    pub(super) fn truncate(&mut self, depth: usize) {
        let kept = self.0.partition_point(|open| open.level < depth);
        self.0.truncate(kept);
    }

    /// Calls `act` with the handle of the directory at the end of these steps.
    pub(super) fn within<R>(
        &mut self,
        root: &D,
        at: &[PathStep],
        act: impl FnOnce(&D) -> io::Result<R>,
    ) -> io::Result<R> {
        // A directory has one parent, so those above the last common one are common, too.
        while self.0.last().is_some_and(|open| at.get(open.level).is_none_or(|(id, _)| *id != open.id)) {
            self.0.pop();
        }
        let known = self.0.last().map_or(0, |open| open.level + 1);
        for (level, (id, name)) in at.iter().enumerate().skip(known) {
            let dir = self.deepest(root).open_dir(name.as_name())?;
            self.close_at(level.checked_sub(KEPT));
            self.0.push(Open { level, id: *id, dir });
        }
        act(self.deepest(root))
    }

    fn deepest<'a>(&'a self, root: &'a D) -> &'a D {
        self.0.last().map_or(root, |open| &open.dir)
    }

    fn close_at(&mut self, level: Option<usize>) {
        if let Some(level) = level.filter(|level| level % KEPT != 0)
            && let Ok(index) = self.0.binary_search_by_key(&level, |open| open.level)
        {
            self.0.remove(index);
        }
    }
}
