//! What the directory of the current layer has, and what lies below it: enough to tell what a removal must leave behind.

use std::{collections::BTreeMap, io};

use crate::{
    fs::Dir,
    name::{Name, NameBuf},
    tree::merge::PathStep,
};

/// An entry of the directory.
#[derive(Debug)]
pub(super) struct Node {
    /// Whether lower layers have something of this name that would show, were this not here.
    pub(super) lower: bool,
    pub(super) kind: Kind,
}

/// What an entry is.
#[derive(Debug)]
pub(super) enum Kind {
    Dir(Folder),
    /// Anything but a directory.
    Leaf,
    Whiteout,
}

/// A directory.
#[derive(Debug)]
pub(super) struct Folder {
    /// Whether what lower layers have in it shows.
    pub(super) merged: bool,
    pub(super) entries: BTreeMap<NameBuf, Node>,
}

impl Node {
    pub(super) fn folder(lower: bool, merged: bool) -> Self {
        Self { lower, kind: Kind::Dir(Folder::new(merged)) }
    }

    pub(super) fn leaf(lower: bool) -> Self {
        Self { lower, kind: Kind::Leaf }
    }

    pub(super) fn whiteout() -> Self {
        Self { lower: true, kind: Kind::Whiteout }
    }
}

impl Folder {
    pub(super) fn new(merged: bool) -> Self {
        Self { merged, entries: BTreeMap::new() }
    }

    pub(super) fn get(&self, name: Name<'_>) -> Option<&Node> {
        self.entries.get(name.as_bytes())
    }

    /// The directory at the end of a way, if this layer has it.
    pub(super) fn find(&self, at: &[PathStep]) -> Option<&Self> {
        at.iter().try_fold(self, |dir, (_, name)| match &dir.get(name.as_name())?.kind {
            Kind::Dir(dir) => Some(dir),
            _ => None,
        })
    }

    /// As [`Folder::find`].
    pub(super) fn find_mut(&mut self, at: &[PathStep]) -> Option<&mut Self> {
        at.iter().try_fold(self, |dir, (_, name)| {
            match &mut dir.entries.get_mut(name.as_name().as_bytes())?.kind {
                Kind::Dir(dir) => Some(dir),
                _ => None,
            }
        })
    }

    /// How many of these steps this layer has already.
    pub(super) fn known(&self, at: &[PathStep]) -> usize {
        let mut dir = self;
        for (index, (_, name)) in at.iter().enumerate() {
            match dir.get(name.as_name()) {
                Some(Node { kind: Kind::Dir(next), .. }) => dir = next,
                _ => return index,
            }
        }
        at.len()
    }

    /// Nothing of lower layers shows in it any more, so it needs no whiteouts. `dir` is the directory itself.
    pub(super) fn clear<D: Dir>(&mut self, dir: &D) -> io::Result<()> {
        if !self.merged {
            return Ok(());
        }
        self.merged = false;
        for (name, node) in &mut self.entries {
            node.lower = false;
            match &mut node.kind {
                Kind::Whiteout => dir.remove_file(name.as_name())?,
                Kind::Dir(below) if below.merged => below.clear(&dir.open_dir(name.as_name())?)?,
                Kind::Dir(_) | Kind::Leaf => {}
            }
        }
        self.entries.retain(|_, node| !matches!(node.kind, Kind::Whiteout));
        Ok(())
    }
}
