//! The origin of everything in a merged tree, and the fate of the rest: a [`TreeSink`] that records them.

use std::{
    collections::{BTreeMap, HashMap},
    io::{self, Read},
};

use serde::{Deserialize, Serialize};

use super::{
    Content, InodeId, Tree,
    merge::{PathStep, Slot, TreeSink, path_of},
};
use crate::{
    attrs::Attrs,
    error::{Error, Result},
    fs::FileType,
    hash::Sha256,
    name::EntryPath,
};

/// The layer that put an inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Origin {
    /// The layer, from 0.
    pub layer: usize,
    /// For a file: its zero-based position among the layer's files, in the order of the archive.
    pub ordinal: u64,
}

/// A change that a layer makes to a path.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PathChange {
    /// The layer, from 0.
    pub layer: usize,
    /// The path, with symbolic links in its directories followed.
    pub path: EntryPath,
    /// The kind of change.
    pub kind: ChangeKind,
    /// The type of what the layer puts there, or removes.
    pub file_type: FileType,
    /// For [`ChangeKind::Removed`] without a whiteout of its own: the directory that was removed with
    /// everything in it, or that has an opaque whiteout.
    pub removed_with: Option<EntryPath>,
    /// Bytes of file content that the layer stores for the path; 0 for other types, and for a hard link to an
    /// existing file.
    pub size: u64,
}

/// The kinds of change that a layer makes to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::exhaustive_enums, reason = "all that a merge does")]
pub enum ChangeKind {
    /// The path is new.
    Added,
    /// The path had another type or other content.
    Replaced,
    /// Only attributes: of an existing directory, or of a file that is stored again with the same content.
    Attributes,
    /// The path is a new hard link to a file.
    Linked,
    /// The path is gone.
    Removed,
}

impl ChangeKind {
    /// Returns the name used in JSON, such as `added`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Replaced => "replaced",
            Self::Attributes => "attributes",
            Self::Linked => "linked",
            Self::Removed => "removed",
        }
    }
}

/// The content of a file as stored by one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Stored {
    /// The layer that stores it, and the position.
    pub origin: Origin,
    /// Its first name in that layer.
    pub path: EntryPath,
    /// Size in bytes.
    pub size: u64,
    /// Its SHA-256; `None` if the same layer hides it again.
    pub sha256: Option<Sha256>,
    /// Why it is not in the merged tree; `None` if it is.
    pub hidden: Option<Hidden>,
    /// The number of its names.
    names: u32,
}

/// Why a content is not in the merged tree.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Hidden {
    /// The layer, from 0, that removed its last name.
    pub layer: usize,
    /// The change of that layer to the name: [`ChangeKind::Replaced`], [`ChangeKind::Attributes`] if it
    /// stores the same content again, or [`ChangeKind::Removed`].
    pub kind: ChangeKind,
    /// The same as [`PathChange::removed_with`].
    pub removed_with: Option<EntryPath>,
}

/// A record of the changes of all layers.
#[derive(Debug, Default)]
pub struct Provenance {
    layer: usize,
    /// The number of files of the current layer so far.
    files: u64,
    origins: Vec<Origin>,
    changes: Vec<PathChange>,
    stored: Vec<Stored>,
    /// The names in the current tree.
    present: BTreeMap<EntryPath, Present>,
    /// The names removed in this layer, with the indexes of their changes.
    gone: HashMap<EntryPath, (usize, Present)>,
    /// Indexes of contents that this layer replaced, by the index of the change.
    replaced: HashMap<usize, usize>,
    /// The directory whose opaque whiteout is being applied.
    clearing: Option<EntryPath>,
}

/// An existing name.
#[derive(Debug, Clone, Copy)]
struct Present {
    file_type: FileType,
    /// Its content at the end of the previous layer.
    before: Option<Sha256>,
    /// Its content now, if it is a file.
    stored: Option<usize>,
}

impl Provenance {
    /// Returns an empty record.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns all changes, layer by layer.
    #[must_use]
    pub fn changes(&self) -> &[PathChange] {
        &self.changes
    }

    /// Returns the origin of an inode of the merged tree. That of the root is layer 0; that of directories
    /// which no layer lists is the layer that implied them.
    #[must_use]
    pub fn origin(&self, id: InodeId) -> Origin {
        self.origins.get(id.index()).copied().unwrap_or_default()
    }

    /// Returns all contents of files that layers store, layer by layer, in the order of the archive.
    #[must_use]
    pub fn stored(&self) -> &[Stored] {
        &self.stored
    }

    fn put(&mut self, slot: Slot<'_>, file_type: FileType, stored: Option<usize>, kind: ChangeKind) {
        let path = slot.path();
        self.clearing = None;
        let size = match kind {
            ChangeKind::Linked => 0,
            _ => stored.and_then(|stored| self.stored.get(stored)).map_or(0, |stored| stored.size),
        };
        // If there was an entry, it was removed to make room for this one.
        let Some((change, old)) = self.gone.remove(&path) else {
            self.present.insert(path.clone(), Present { file_type, before: None, stored });
            let layer = self.layer;
            self.changes.push(PathChange { layer, path, kind, file_type, removed_with: None, size });
            return;
        };
        self.present.insert(path, Present { file_type, before: old.before, stored });
        if let Some(change) = self.changes.get_mut(change) {
            (change.kind, change.removed_with) = (ChangeKind::Replaced, None);
            (change.file_type, change.size) = (file_type, size);
        }
        let hidden = old.stored.and_then(|old| Some((old, self.stored.get_mut(old)?.hidden.as_mut()?)));
        if let Some((old, hidden)) = hidden {
            (hidden.kind, hidden.removed_with) = (ChangeKind::Replaced, None);
            self.replaced.insert(change, old);
        }
    }

    /// Records anything but a file.
    fn node(&mut self, slot: Slot<'_>, file_type: FileType) {
        self.born(slot.id, 0);
        self.put(slot, file_type, None, ChangeKind::Added);
    }

    fn born(&mut self, id: InodeId, ordinal: u64) {
        if self.origins.len() <= id.index() {
            self.origins.resize(id.index() + 1, Origin::default());
        }
        self.origins[id.index()] = Origin { layer: self.layer, ordinal };
    }

    fn take(&mut self, path: EntryPath, file_type: FileType, removed_with: Option<EntryPath>) {
        let kind = ChangeKind::Removed;
        let unknown = Present { file_type, before: None, stored: None };
        let old = self.present.remove(&path).unwrap_or(unknown);
        if let Some(stored) = old.stored.and_then(|stored| self.stored.get_mut(stored)) {
            stored.names = stored.names.saturating_sub(1);
            if stored.names == 0 {
                stored.hidden = Some(Hidden { layer: self.layer, kind, removed_with: removed_with.clone() });
            }
        }
        let change = self.changes.len();
        let (layer, at) = (self.layer, path.clone());
        self.changes.push(PathChange { layer, path: at, kind, file_type, removed_with, size: 0 });
        self.gone.insert(path, (change, old));
    }
}

impl TreeSink for Provenance {
    fn dir(&mut self, slot: Slot<'_>) -> Result<()> {
        self.node(slot, FileType::Dir);
        Ok(())
    }

    fn file(&mut self, slot: Slot<'_>, _: &Attrs, body: &mut dyn Read) -> Result<()> {
        let size = io::copy(body, &mut io::sink()).map_err(Error::io("read layer"))?;
        self.file_without_content(slot, size)
    }

    fn file_without_content(&mut self, slot: Slot<'_>, size: u64) -> Result<()> {
        self.born(slot.id, self.files);
        let origin = Origin { layer: self.layer, ordinal: self.files };
        self.files += 1;
        self.stored.push(Stored { origin, path: slot.path(), size, sha256: None, hidden: None, names: 1 });
        self.put(slot, FileType::File, Some(self.stored.len() - 1), ChangeKind::Added);
        Ok(())
    }

    fn special(&mut self, slot: Slot<'_>, _: &Attrs, content: &Content) -> Result<()> {
        self.node(slot, content.file_type());
        Ok(())
    }

    fn link(&mut self, slot: Slot<'_>, existing: Slot<'_>) -> Result<()> {
        let present = self.present.get(&existing.path());
        let file_type = present.map_or(FileType::File, |present| present.file_type);
        let stored = present.and_then(|present| present.stored);
        if let Some(stored) = stored.and_then(|stored| self.stored.get_mut(stored)) {
            stored.names += 1;
        }
        self.put(slot, file_type, stored, ChangeKind::Linked);
        Ok(())
    }

    fn remove(&mut self, slot: Slot<'_>, content: &Content) -> Result<()> {
        let path = slot.path();
        let with = self.clearing.clone();
        if matches!(content, Content::Dir(_)) {
            let prefix = [path.as_bytes(), b"/"].concat();
            let near = self.present.range(path.clone()..);
            let near = near.take_while(|(near, _)| near.as_bytes().starts_with(path.as_bytes()));
            let below: Vec<_> = near
                .filter(|(near, _)| near.as_bytes().starts_with(&prefix))
                .map(|(near, present)| (near.clone(), present.file_type))
                .collect();
            for (below, file_type) in below {
                self.take(below, file_type, Some(with.clone().unwrap_or_else(|| path.clone())));
            }
        }
        self.take(path, content.file_type(), with);
        Ok(())
    }

    fn reput(&mut self, slot: Slot<'_>, content: &Content) -> Result<()> {
        if matches!(content, Content::Dir(_)) {
            self.born(slot.id, 0);
            let (layer, path, kind) = (self.layer, slot.path(), ChangeKind::Attributes);
            let file_type = FileType::Dir;
            self.changes.push(PathChange { layer, path, kind, file_type, removed_with: None, size: 0 });
        }
        Ok(())
    }

    fn clear(&mut self, at: &[PathStep]) -> Result<()> {
        self.clearing = Some(path_of(at));
        Ok(())
    }

    fn end_layer(&mut self, tree: &Tree) -> Result<()> {
        let first = self.changes.partition_point(|change| change.layer < self.layer);
        let content = |path: &EntryPath| match tree.get(path).map(|id| &tree.inode(id).content) {
            Some(Content::File { sha256, .. }) => *sha256,
            _ => None,
        };
        for (number, change) in self.changes.iter_mut().enumerate().skip(first) {
            let before = self.present.get(&change.path).and_then(|present| present.before);
            if change.kind == ChangeKind::Replaced && before.is_some() && before == content(&change.path) {
                change.kind = ChangeKind::Attributes;
                let old = self.replaced.get(&number).and_then(|old| self.stored.get_mut(*old));
                if let Some(hidden) = old.and_then(|old| old.hidden.as_mut()) {
                    hidden.kind = ChangeKind::Attributes;
                }
            }
        }
        for change in self.changes.iter().skip(first) {
            let Some(present) = self.present.get_mut(&change.path) else { continue };
            present.before = content(&change.path);
            if let Some(stored) = present.stored.and_then(|stored| self.stored.get_mut(stored)) {
                stored.sha256 = present.before;
            }
        }
        self.layer += 1;
        self.files = 0;
        self.gone.clear();
        self.replaced.clear();
        self.clearing = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
