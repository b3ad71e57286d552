//! The contents of the current layer's directory: enough to decide what a removal must leave behind.

use std::{collections::BTreeMap, io};

use crate::{
    fs::DirPosix,
    name::{Name, NameBuf},
    tree::merge::PathStep,
};

/// An entry of the directory.
#[derive(Debug)]
pub(super) struct Node {
    /// Whether lower layers have an entry of this name that would otherwise show.
    pub(super) lower: bool,
    pub(super) kind: Kind,
}

/// The type of an entry.
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

    /// Returns the directory at the end of these steps, if this layer has it.
    pub(super) fn find(&self, at: &[PathStep]) -> Option<&Self> {
        at.iter().try_fold(self, |dir, (_, name)| match &dir.get(name.as_name())?.kind {
            Kind::Dir(dir) => Some(dir),
            _ => None,
        })
    }

    /// Finds the same as [`Folder::find`], to be changed.
    pub(super) fn find_mut(&mut self, at: &[PathStep]) -> Option<&mut Self> {
        at.iter().try_fold(self, |dir, (_, name)| {
            match &mut dir.entries.get_mut(name.as_name().as_bytes())?.kind {
                Kind::Dir(dir) => Some(dir),
                _ => None,
            }
        })
    }

    /// Returns how many of these steps this layer already has.
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

    /// Hides everything of lower layers in the directory, which then needs no whiteouts. `dir` is the
    /// directory itself.
    pub(super) fn clear<D: DirPosix>(&mut self, dir: &D) -> io::Result<()> {
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
