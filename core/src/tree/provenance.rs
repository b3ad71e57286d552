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
    /// What that layer did to the name: [`ChangeKind::Replaced`], [`ChangeKind::Attributes`] if it stores the
    /// same content again, or [`ChangeKind::Removed`].
    pub kind: ChangeKind,
    /// As in [`PathChange::removed_with`].
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
#[derive(Debug, Clone, Copy, Default)]
struct Present {
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

    fn put(&mut self, slot: Slot<'_>, stored: Option<usize>, kind: ChangeKind) {
        let path = slot.path();
        self.clearing = None;
        let size = match kind {
            ChangeKind::Linked => 0,
            _ => stored.and_then(|stored| self.stored.get(stored)).map_or(0, |stored| stored.size),
        };
        // If there was an entry, it was removed to make room for this one.
        let Some((change, old)) = self.gone.remove(&path) else {
            self.present.insert(path.clone(), Present { before: None, stored });
            self.changes.push(PathChange { layer: self.layer, path, kind, removed_with: None, size });
            return;
        };
        self.present.insert(path, Present { before: old.before, stored });
        if let Some(change) = self.changes.get_mut(change) {
            (change.kind, change.removed_with) = (ChangeKind::Replaced, None);
            change.size = size;
        }
        let hidden = old.stored.and_then(|old| Some((old, self.stored.get_mut(old)?.hidden.as_mut()?)));
        if let Some((old, hidden)) = hidden {
            (hidden.kind, hidden.removed_with) = (ChangeKind::Replaced, None);
            self.replaced.insert(change, old);
        }
    }

    fn born(&mut self, id: InodeId, ordinal: u64) {
        if self.origins.len() <= id.index() {
            self.origins.resize(id.index() + 1, Origin::default());
        }
        self.origins[id.index()] = Origin { layer: self.layer, ordinal };
    }

    fn take(&mut self, path: EntryPath, removed_with: Option<EntryPath>) {
        let kind = ChangeKind::Removed;
        let old = self.present.remove(&path).unwrap_or_default();
        if let Some(stored) = old.stored.and_then(|stored| self.stored.get_mut(stored)) {
            stored.names = stored.names.saturating_sub(1);
            if stored.names == 0 {
                stored.hidden = Some(Hidden { layer: self.layer, kind, removed_with: removed_with.clone() });
            }
        }
        let change = self.changes.len();
        self.changes.push(PathChange { layer: self.layer, path: path.clone(), kind, removed_with, size: 0 });
        self.gone.insert(path, (change, old));
    }
}

impl TreeSink for Provenance {
    fn dir(&mut self, slot: Slot<'_>) -> Result<()> {
        self.born(slot.id, 0);
        self.put(slot, None, ChangeKind::Added);
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
        self.put(slot, Some(self.stored.len() - 1), ChangeKind::Added);
        Ok(())
    }

    fn special(&mut self, slot: Slot<'_>, _: &Attrs, _: &Content) -> Result<()> {
        self.dir(slot)
    }

    fn link(&mut self, slot: Slot<'_>, existing: Slot<'_>) -> Result<()> {
        let stored = self.present.get(&existing.path()).and_then(|present| present.stored);
        if let Some(stored) = stored.and_then(|stored| self.stored.get_mut(stored)) {
            stored.names += 1;
        }
        self.put(slot, stored, ChangeKind::Linked);
        Ok(())
    }

    fn remove(&mut self, slot: Slot<'_>, content: &Content) -> Result<()> {
        let path = slot.path();
        let with = self.clearing.clone();
        if matches!(content, Content::Dir(_)) {
            let prefix = [path.as_bytes(), b"/"].concat();
            let near = self.present.range(path.clone()..).map(|(near, _)| near);
            let near = near.take_while(|near| near.as_bytes().starts_with(path.as_bytes()));
            let below: Vec<EntryPath> =
                near.filter(|near| near.as_bytes().starts_with(&prefix)).cloned().collect();
            for below in below {
                self.take(below, Some(with.clone().unwrap_or_else(|| path.clone())));
            }
        }
        self.take(path, with);
        Ok(())
    }

    fn reput(&mut self, slot: Slot<'_>, content: &Content) -> Result<()> {
        if matches!(content, Content::Dir(_)) {
            self.born(slot.id, 0);
            let (path, kind) = (slot.path(), ChangeKind::Attributes);
            self.changes.push(PathChange { layer: self.layer, path, kind, removed_with: None, size: 0 });
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
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use super::{ChangeKind, PathChange, Provenance};
    use crate::{
        limits::Limits,
        name::EntryPath,
        tree::{
            Tree,
            merge::Merge,
            testing::{Item, apply, clear, dir, file, link, path, remove},
        },
    };

    fn what(kind: ChangeKind, removed_with: Option<&EntryPath>) -> String {
        let with = removed_with.map(|path| format!(" with /{path}")).unwrap_or_default();
        format!("{}{with}", kind.name())
    }

    fn notes(layers: &[&[Item]]) -> (Tree, Provenance) {
        let mut merge = Merge::new(Tree::new(), Provenance::new(), &Limits::default());
        apply(&mut merge, layers).unwrap();
        merge.finish().unwrap()
    }

    fn lines(provenance: &Provenance) -> Vec<String> {
        let line = |change: &PathChange| {
            let what = what(change.kind, change.removed_with.as_ref());
            format!("{} /{} {what} {}", change.layer, change.path, change.size)
        };
        provenance.changes().iter().map(line).collect()
    }

    #[test]
    fn the_changes_of_each_layer_are_listed() {
        let (tree, provenance) = notes(&[
            &[dir("d"), file("d/a", "aa"), file("d/b", "b"), file("c", "c"), link("l", "c")],
            &[file("d/a", "aaa"), file("c", "c"), remove("l"), dir("d")],
            &[remove("d"), file("n/f", "x")],
        ]);
        assert_eq!(
            lines(&provenance),
            [
                "0 /d added 0",
                "0 /d/a added 2",
                "0 /d/b added 1",
                "0 /c added 1",
                "0 /l linked 0",
                "1 /d/a replaced 3",
                "1 /c attributes 1",
                "1 /l removed 0",
                "1 /d attributes 0",
                "2 /d/a removed with /d 0",
                "2 /d/b removed with /d 0",
                "2 /d removed 0",
                "2 /n added 0",
                "2 /n/f added 1",
            ]
        );
        let origin = |at: &str| provenance.origin(tree.get(&path(at)).unwrap());
        assert_eq!((origin("c").layer, origin("c").ordinal), (1, 1));
        assert_eq!((origin("n/f").layer, origin("n/f").ordinal), (2, 0));
    }

    #[test]
    fn what_became_of_each_content_is_told() {
        let (_, provenance) = notes(&[
            &[
                dir("d"),
                file("d/a", "aa"),
                file("d/b", "b"),
                link("l", "d/b"),
                file("m", "m"),
                file("t", "1"),
            ],
            &[file("t", "22"), file("t", "333"), file("m", "m"), remove("d")],
            &[remove("l"), file("o", "o")],
            &[file("o", "x"), remove("t"), dir("t")],
        ]);
        let line = |stored: &super::Stored| {
            let fate = stored.hidden.as_ref().map_or("there".into(), |hidden| {
                format!("{} by {}", what(hidden.kind, hidden.removed_with.as_ref()), hidden.layer)
            });
            format!(
                "{}.{} /{} {} {fate}",
                stored.origin.layer, stored.origin.ordinal, stored.path, stored.size
            )
        };
        let lines: Vec<String> = provenance.stored().iter().map(line).collect();
        assert_eq!(
            lines,
            [
                "0.0 /d/a 2 removed with /d by 1",
                "0.1 /d/b 1 removed by 2",
                "0.2 /m 1 attributes by 1",
                "0.3 /t 1 replaced by 1",
                "1.0 /t 2 replaced by 1",
                "1.1 /t 3 replaced by 3",
                "1.2 /m 1 there",
                "2.0 /o 1 replaced by 3",
                "3.0 /o 1 there",
            ]
        );
        assert!(provenance.stored()[4].sha256.is_none() && provenance.stored()[5].sha256.is_some());
    }

    #[test]
    fn directories_are_from_the_layer_that_made_or_listed_them() {
        let (tree, provenance) = notes(&[
            &[dir("d"), dir("e"), file("was-file", "1")],
            &[dir("new"), dir("e"), file("implied/by", "2"), dir("was-file"), file("d/f", "3")],
        ]);
        let layer = |at: &str| provenance.origin(tree.get(&path(at)).unwrap()).layer;
        assert_eq!(["d", "e", "new", "implied", "was-file"].map(layer), [0, 1, 1, 1, 1]);
    }

    #[test]
    fn opaque_markers_name_their_directory() {
        let (_, provenance) = notes(&[
            &[dir("o"), file("o/a", "a"), dir("o/s"), file("o/s/b", "b")],
            &[clear("o"), file("o/new", "n"), file("o/a", "a")],
        ]);
        assert_eq!(
            lines(&provenance)[4..],
            [
                "1 /o/a attributes 1",
                "1 /o/s/b removed with /o 0",
                "1 /o/s removed with /o 0",
                "1 /o/new added 1",
            ]
        );
    }
}
