//! The layer being written: its directory on disk, and its contents in memory.

use std::collections::HashMap;

use super::{
    CHANGED, inconsistent,
    upper::{Folder, Kind, Node},
};
use crate::{
    attrs::Attrs,
    error::{Error, Result},
    fs::{AttrChange, DirPosix, FileType},
    layer::overlayfs::Namespace,
    name::{Name, NameBuf},
    tree::{
        Content, InodeId, Tree,
        merge::{PathStep, Slot, TreeSink as _},
        rootfs::{RootfsSink, failed},
    },
};

/// The layer being written.
#[derive(Debug)]
pub(super) struct Current<D> {
    pub(super) disk: RootfsSink<D>,
    /// The contents of the directory.
    pub(super) top: Folder,
    pub(super) copies: Option<Copies<D>>,
}

/// Files of lower layers that the current one needs. Until the layer ends, each has a name in a directory
/// beside the layers.
#[derive(Debug)]
pub(super) struct Copies<D> {
    pub(super) dir: D,
    pub(super) disk: RootfsSink<D>,
    pub(super) names: HashMap<InodeId, NameBuf>,
}

impl<D: DirPosix> Current<D> {
    /// Makes the directories on a path that this layer does not have yet. Lower layers have them.
    pub(super) fn enter(&mut self, at: &[PathStep]) -> Result<&mut Folder> {
        let known = self.top.known(at);
        for index in known..at.len() {
            let (Some(above), Some((id, name))) = (at.get(..index), at.get(index)) else { break };
            self.disk.dir(Slot::new(above, name.as_name(), *id))?;
            if let Some(folder) = self.top.find_mut(above) {
                folder.entries.insert(name.clone(), Node::folder(true, true));
            }
        }
        self.top.find_mut(at).ok_or_else(|| match Slot::of_dir(at) {
            Some(slot) => inconsistent(slot),
            None => Error::Misuse(CHANGED.into()),
        })
    }

    /// Makes room for an entry. Returns whether it hides one of lower layers.
    pub(super) fn make_room(&mut self, slot: Slot<'_>) -> Result<bool> {
        match self.enter(slot.at)?.entries.remove(slot.name.as_bytes()) {
            None => Ok(false),
            Some(Node { kind: Kind::Whiteout, .. }) => {
                let removed = self.disk.within(slot.at, |dir| dir.remove_file(slot.name));
                removed.map_err(failed("remove the whiteout of", slot))?;
                Ok(true)
            }
            Some(_) => Err(inconsistent(slot)),
        }
    }

    pub(super) fn set(&mut self, slot: Slot<'_>, node: Node) -> Result<()> {
        self.enter(slot.at)?.entries.insert(slot.name.into(), node);
        Ok(())
    }

    pub(super) fn has(&self, slot: Slot<'_>) -> bool {
        let node = self.top.find(slot.at).and_then(|folder| folder.get(slot.name));
        node.is_some_and(|node| !matches!(node.kind, Kind::Whiteout))
    }

    /// Links a name to a copied file. `has`: whether the file has this name in lower layers.
    pub(super) fn link_copy(&mut self, slot: Slot<'_>, has: bool) -> Result<()> {
        let lower = self.make_room(slot)? || has;
        let Some(copies) = &self.copies else { return Err(inconsistent(slot)) };
        let Some(copy) = copies.names.get(&slot.id) else { return Err(inconsistent(slot)) };
        let linked = self.disk.within(slot.at, |dir| dir.hard_link(slot.name, &copies.dir, copy.as_name()));
        linked.map_err(failed("create hard link", slot))?;
        self.set(slot, Node::leaf(lower))
    }

    /// Links the other names that copied files have in lower layers.
    pub(super) fn link_other_names(
        &mut self,
        tree: &Tree,
        id: InodeId,
        at: &mut Vec<PathStep>,
    ) -> Result<()> {
        for (name, &child) in tree.entries(id).into_iter().flatten() {
            if tree.entries(child).is_some() {
                at.push((child, name.clone()));
                self.link_other_names(tree, child, at)?;
                at.pop();
            } else if self.copies.as_ref().is_some_and(|copies| copies.names.contains_key(&child)) {
                let slot = Slot::new(at, name.as_name(), child);
                if !self.has(slot) {
                    self.link_copy(slot, true)?;
                }
            }
        }
        Ok(())
    }
}

/// Sets the attributes of the directories of a layer to those in the merged tree.
pub(super) struct FinishDirs<'a> {
    pub(super) namespace: Namespace,
    pub(super) tree: &'a Tree,
    /// The current directory.
    pub(super) at: Vec<PathStep>,
}

impl FinishDirs<'_> {
    /// Finishes a directory with everything below it. `lower`: whether it hides a directory of lower layers.
    pub(super) fn finish<D: DirPosix>(
        &mut self,
        dir: &D,
        folder: &Folder,
        lower: bool,
        id: InodeId,
    ) -> Result<()> {
        for (name, node) in &folder.entries {
            let Kind::Dir(below) = &node.kind else { continue };
            let name = name.as_name();
            let child = self.tree.child(id, name);
            let slot = Slot::new(&self.at, name, child.unwrap_or(id));
            let child = child.ok_or_else(|| inconsistent(slot))?;
            let opened = dir.open_dir(name).map_err(failed("open directory", slot))?;
            self.at.push((child, name.into()));
            self.finish(&opened, below, node.lower, child)?;
            self.at.pop();
        }
        let attrs = &self.tree.inode(id).attrs;
        let mut xattrs = self.namespace.escape(&attrs.xattrs);
        if lower && !folder.merged {
            self.namespace.set_opaque(&mut xattrs);
        }
        let change = AttrChange {
            owner: Some((attrs.uid, attrs.gid)),
            mode: Some(attrs.mode),
            xattrs: Some(&xattrs),
            mtime: Some(attrs.mtime),
        };
        dir.set_self_attrs(&change).map_err(|error| match Slot::of_dir(&self.at) {
            Some(slot) => failed("set attributes of", slot)(error),
            None => Error::io("set attributes of the root of a layer")(error),
        })
    }
}

/// Copies an entry that is not a directory, with all its attributes.
pub(super) fn copy_entry<D: DirPosix>(
    dir: &D,
    lower: Slot<'_>,
    to: &mut RootfsSink<D>,
    to_name: Name<'_>,
) -> Result<()> {
    let read = || failed("read", lower);
    let metadata = dir.metadata(lower.name).map_err(read())?;
    let attrs = Attrs {
        mode: metadata.mode,
        uid: metadata.uid,
        gid: metadata.gid,
        mtime: metadata.mtime,
        xattrs: dir.xattrs(lower.name).map_err(read())?,
    };
    let copy = Slot::new(&[], to_name, lower.id);
    let (major, minor) = metadata.rdev;
    let content = match metadata.file_type {
        FileType::File => {
            let mut file = dir.open_file(lower.name).map_err(read())?;
            return to.file(copy, &attrs, &mut file);
        }
        FileType::Symlink => Content::Symlink(dir.read_link(lower.name).map_err(read())?.into()),
        FileType::Char => Content::Char(major, minor),
        FileType::Block => Content::Block(major, minor),
        _ => Content::Fifo,
    };
    to.special(copy, &attrs, &content)
}
