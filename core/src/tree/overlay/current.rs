//! The layer that is being written: its directory on disk, and what is known of it.

use std::collections::HashMap;

use super::{
    inconsistent,
    upper::{Folder, Kind, Node},
};
use crate::{
    attrs::Attrs,
    error::{Error, Result},
    fs::{AttrChange, Dir, FileType},
    layer::overlay::Namespace,
    name::{Name, NameBuf},
    tree::{
        Content, InodeId, Tree,
        merge::{Mirror as _, Step},
        rootfs::{RootFs, failed},
    },
};

/// The layer that is being written.
#[derive(Debug)]
pub(super) struct Current<D> {
    pub(super) disk: RootFs<D>,
    /// What the directory has.
    pub(super) top: Folder,
    pub(super) copies: Option<Copies<D>>,
}

/// Files of lower layers that the current one needs: until the layer ends, each has a name in a directory beside the layers.
#[derive(Debug)]
pub(super) struct Copies<D> {
    pub(super) dir: D,
    pub(super) disk: RootFs<D>,
    pub(super) names: HashMap<InodeId, NameBuf>,
}

impl<D: Dir> Current<D> {
    /// Makes the directories on a way that this layer does not have yet: lower layers have them.
    pub(super) fn enter(&mut self, at: &[Step]) -> Result<&mut Folder> {
        let known = self.top.known(at);
        for index in known..at.len() {
            let (Some(above), Some((id, name))) = (at.get(..index), at.get(index)) else { break };
            self.disk.dir(above, name.as_name(), *id)?;
            if let Some(folder) = self.top.find_mut(above) {
                folder.entries.insert(name.clone(), Node::folder(true, true));
            }
        }
        self.top.find_mut(at).ok_or_else(|| match at.split_last() {
            Some(((_, name), above)) => inconsistent(above, name.as_name()),
            None => inconsistent(&[], Name::literal("root")),
        })
    }

    /// Makes room for an entry. Tells whether it hides one of lower layers.
    pub(super) fn make_room(&mut self, at: &[Step], name: Name<'_>) -> Result<bool> {
        match self.enter(at)?.entries.remove(name.as_bytes()) {
            None => Ok(false),
            Some(Node { kind: Kind::Whiteout, .. }) => {
                let removed = self.disk.within(at, |dir| dir.remove_file(name));
                removed.map_err(failed("remove the whiteout of", at, name))?;
                Ok(true)
            }
            Some(_) => Err(inconsistent(at, name)),
        }
    }

    pub(super) fn set(&mut self, at: &[Step], name: Name<'_>, node: Node) -> Result<()> {
        self.enter(at)?.entries.insert(name.into(), node);
        Ok(())
    }

    pub(super) fn has(&self, at: &[Step], name: Name<'_>) -> bool {
        let node = self.top.find(at).and_then(|folder| folder.get(name));
        node.is_some_and(|node| !matches!(node.kind, Kind::Whiteout))
    }

    /// Gives a copied file a name, which may be one it `has` in lower layers.
    pub(super) fn link_copy(&mut self, at: &[Step], name: Name<'_>, id: InodeId, has: bool) -> Result<()> {
        let lower = self.make_room(at, name)? || has;
        let Some(copies) = &self.copies else { return Err(inconsistent(at, name)) };
        let Some(copy) = copies.names.get(&id) else { return Err(inconsistent(at, name)) };
        let linked = self.disk.within(at, |dir| dir.hard_link(name, &copies.dir, copy.as_name()));
        linked.map_err(failed("create hard link", at, name))?;
        self.set(at, name, Node::leaf(lower))
    }

    /// The names that copied files have in lower layers are theirs here, too.
    pub(super) fn link_other_names(&mut self, tree: &Tree, id: InodeId, at: &mut Vec<Step>) -> Result<()> {
        for (name, &child) in tree.entries(id).into_iter().flatten() {
            if tree.entries(child).is_some() {
                at.push((child, name.clone()));
                self.link_other_names(tree, child, at)?;
                at.pop();
            } else if self.copies.as_ref().is_some_and(|copies| copies.names.contains_key(&child))
                && !self.has(at, name.as_name())
            {
                self.link_copy(at, name.as_name(), child, true)?;
            }
        }
        Ok(())
    }
}

/// Sets the attributes of a directory of a layer and of all below it, as the merged tree has them now.
pub(super) fn finish_dir<D: Dir>(
    dir: &D,
    folder: &Folder,
    namespace: Namespace,
    lower: bool,
    tree: &Tree,
    id: InodeId,
    at: &mut Vec<Step>,
) -> Result<()> {
    for (name, node) in &folder.entries {
        let Kind::Dir(below) = &node.kind else { continue };
        let name = name.as_name();
        let child = tree.child(id, name).ok_or_else(|| inconsistent(at, name))?;
        let opened = dir.open_dir(name).map_err(failed("open directory", at, name))?;
        at.push((child, name.into()));
        finish_dir(&opened, below, namespace, node.lower, tree, child, at)?;
        at.pop();
    }
    let attrs = &tree.inode(id).attrs;
    let mut xattrs = namespace.escape(&attrs.xattrs);
    if lower && !folder.merged {
        namespace.set_opaque(&mut xattrs);
    }
    let change = AttrChange {
        owner: Some((attrs.uid, attrs.gid)),
        mode: Some(attrs.mode),
        xattrs: Some(&xattrs),
        mtime: Some(attrs.mtime),
    };
    dir.set_self_attrs(&change).map_err(|error| match at.split_last() {
        Some(((_, name), above)) => failed("set attributes of", above, name.as_name())(error),
        None => Error::io("set attributes of the root of a layer")(error),
    })
}

/// Copies an entry that is no directory, with all its attributes.
pub(super) fn copy_entry<D: Dir>(
    from: &D,
    at: &[Step],
    name: Name<'_>,
    id: InodeId,
    to: &mut RootFs<D>,
    to_name: Name<'_>,
) -> Result<()> {
    let read = || failed("read", at, name);
    let metadata = from.metadata(name).map_err(read())?;
    let attrs = Attrs {
        mode: metadata.mode,
        uid: metadata.uid,
        gid: metadata.gid,
        mtime: metadata.mtime,
        xattrs: from.xattrs(name).map_err(read())?,
    };
    let (major, minor) = metadata.rdev;
    let content = match metadata.file_type {
        FileType::File => {
            let mut file = from.open_file(name).map_err(read())?;
            return to.file(&[], to_name, id, &attrs, &mut file);
        }
        FileType::Symlink => Content::Symlink(from.read_link(name).map_err(read())?.into()),
        FileType::Char => Content::Char(major, minor),
        FileType::Block => Content::Block(major, minor),
        _ => Content::Fifo,
    };
    to.other(&[], to_name, id, &attrs, &content)
}
