//! A [`TreeSink`] that writes each layer to a directory of its own, for overlayfs.
//!
//! The merged tree decides what a layer means, as for a single root directory, so links in paths, implied
//! directories and the order of whiteouts need no attention here. The directory of a layer gets what the
//! layer puts, the directories above it with the attributes in the merged tree, and a whiteout or opaque mark
//! where something of a lower layer is removed.
//!
//! A hard link to a file of a lower layer needs that file here: it is copied, with all its names.

mod current;
mod find;
mod upper;

use std::{
    collections::{HashMap, hash_map},
    io::Read,
};

pub(crate) use self::find::open_file;
use self::{
    current::{Copies, Current, FinishDirs, copy_entry},
    upper::{Folder, Node},
};
use super::{
    Content, Tree,
    merge::{PathStep, Slot, TreeSink},
    rootfs::{RootfsSink, failed},
};
use crate::{
    attrs::{Attrs, Xattrs},
    error::{Error, Result},
    fs::{AttrChange, DirPosix, Special, remove_tree},
    layer::overlayfs::Namespace,
    name::{Name, NameBuf},
};

/// Writes each layer to a directory named by its number, starting at 0 for the lowest.
#[derive(Debug)]
pub(crate) struct OverlayfsSink<D> {
    base: D,
    namespace: Namespace,
    number: usize,
    current: Option<Current<D>>,
}

const COPIES: &str = "copies";

impl<D: DirPosix> OverlayfsSink<D> {
    /// Writes to this empty directory.
    pub(crate) fn new(base: D, namespace: Namespace) -> Self {
        Self { base, namespace, number: 0, current: None }
    }

    /// Returns the number of directories: one for each layer, but at least one, which overlayfs requires.
    #[must_use]
    pub(crate) fn count(&self) -> usize {
        self.number
    }

    /// Returns the current layer. Its directory is made when first needed.
    fn current(&mut self) -> Result<&mut Current<D>> {
        let current = match self.current.take() {
            Some(current) => current,
            None => Current {
                disk: RootfsSink::new(make_dir(&self.base, number_name(self.number)?.as_name())?),
                top: Folder::new(self.number > 0),
                copies: None,
            },
        };
        Ok(self.current.insert(current))
    }

    /// Copies a file of lower layers beside the layers, so that the current layer can link names to it.
    fn copy_up(&mut self, lower: Slot<'_>) -> Result<()> {
        if self.current()?.copies.is_none() {
            let dir = make_dir(&self.base, Name::literal(COPIES))?;
            let again = self.base.open_dir(Name::literal(COPIES)).map_err(Error::io("open the copies"))?;
            self.current()?.copies =
                Some(Copies { disk: RootfsSink::new(again), dir, names: HashMap::new() });
        }
        let Self { base, number, current: Some(Current { copies: Some(copies), .. }), .. } = self else {
            return Err(inconsistent(lower));
        };
        if let hash_map::Entry::Vacant(vacant) = copies.names.entry(lower.id) {
            let copy = number_name(lower.id.index())?;
            let source = find::holder(base, *number, lower)?.ok_or_else(|| inconsistent(lower))?;
            copy_entry(&source, lower, &mut copies.disk, copy.as_name())?;
            vacant.insert(copy);
        }
        Ok(())
    }
}

impl<D: DirPosix> TreeSink for OverlayfsSink<D> {
    fn dir(&mut self, slot: Slot<'_>) -> Result<()> {
        let current = self.current()?;
        let lower = current.make_room(slot)?;
        current.disk.dir(slot)?;
        // An entry it replaces was removed: nothing lower may show in it.
        current.set(slot, Node::folder(lower, false))
    }

    fn file(&mut self, slot: Slot<'_>, attrs: &Attrs, body: &mut dyn Read) -> Result<()> {
        let attrs = escaped(self.namespace, attrs);
        let current = self.current()?;
        let lower = current.make_room(slot)?;
        current.disk.file(slot, &attrs, body)?;
        current.set(slot, Node::leaf(lower))
    }

    fn special(&mut self, slot: Slot<'_>, attrs: &Attrs, content: &Content) -> Result<()> {
        if *content == Content::Char(0, 0) {
            return Err(Error::Unsupported(format!(
                "/{slot} is a character device 0:0, which overlayfs takes for a whiteout\n\
                 hint: unpack into one directory",
            )));
        }
        let attrs = escaped(self.namespace, attrs);
        let current = self.current()?;
        let lower = current.make_room(slot)?;
        current.disk.special(slot, &attrs, content)?;
        current.set(slot, Node::leaf(lower))
    }

    fn link(&mut self, slot: Slot<'_>, existing: Slot<'_>) -> Result<()> {
        let current = self.current()?;
        if !current.has(existing) {
            self.copy_up(existing)?;
            return self.current()?.link_copy(slot, false);
        }
        let lower = current.make_room(slot)?;
        current.disk.link(slot, existing)?;
        current.set(slot, Node::leaf(lower))
    }

    fn remove(&mut self, slot: Slot<'_>, content: &Content) -> Result<()> {
        let current = self.current()?;
        let folder = current.enter(slot.at)?;
        let show_lower = match folder.entries.remove(slot.name.as_bytes()) {
            Some(node) => {
                current.disk.remove(slot, content)?;
                node.lower
            }
            None => folder.merged,
        };
        if !show_lower {
            return Ok(());
        }
        let made = current.disk.within(slot.at, |dir| dir.create_node(slot.name, Special::Char(0, 0)));
        made.map_err(failed("create the whiteout of", slot))?;
        current.set(slot, Node::whiteout())
    }

    fn reput(&mut self, slot: Slot<'_>, content: &Content) -> Result<()> {
        let current = self.current()?;
        if current.has(slot) {
            return Ok(());
        }
        match content {
            Content::Dir(_) => {
                let mut to = slot.at.to_vec();
                to.push((slot.id, slot.name.into()));
                current.enter(&to).map(drop)
            }
            _ => {
                self.copy_up(slot)?;
                self.current()?.link_copy(slot, true)
            }
        }
    }

    fn clear(&mut self, at: &[PathStep]) -> Result<()> {
        // Overlayfs ignores an opaque mark on the topmost directory of a layer, so each entry there needs its
        // own whiteout.
        let Some(slot) = Slot::of_dir(at) else { return Ok(()) };
        let current = self.current()?;
        current.enter(at)?;
        let Some(folder) = current.top.find_mut(at) else { return Ok(()) };
        current.disk.within(at, |dir| folder.clear(dir)).map_err(failed("clear", slot))
    }

    fn end_layer(&mut self, tree: &Tree) -> Result<()> {
        let current = self.current()?;
        if current.copies.is_some() {
            current.link_other_names(tree, Tree::ROOT, &mut Vec::new())?;
            current.copies = None;
            remove_tree(&self.base, Name::literal(COPIES)).map_err(Error::io("remove the copies"))?;
        }
        if let Some(Current { top, .. }) = self.current.take() {
            let name = number_name(self.number)?;
            let dir =
                self.base.open_dir(name.as_name()).map_err(Error::io(format_args!("open layer {name:?}")))?;
            FinishDirs { namespace: self.namespace, tree, at: Vec::new() }.finish(
                &dir,
                &top,
                false,
                Tree::ROOT,
            )?;
        }
        self.number += 1;
        Ok(())
    }

    fn finish(&mut self, tree: &Tree) -> Result<()> {
        if self.number == 0 { self.end_layer(tree) } else { Ok(()) }
    }
}

fn escaped(namespace: Namespace, attrs: &Attrs) -> Attrs {
    Attrs { xattrs: namespace.escape(&attrs.xattrs), ..*attrs }
}

/// Makes and opens a directory that inherits no access control list.
fn make_dir<D: DirPosix>(base: &D, name: Name<'_>) -> Result<D> {
    let made = (|| {
        base.create_dir(name)?;
        base.set_attrs(name, &AttrChange::default().xattrs(&Xattrs::new()))?;
        base.open_dir(name)
    })();
    made.map_err(Error::io(format_args!("create directory {name} beside the layers")))
}

fn number_name(number: usize) -> Result<NameBuf> {
    let text = number.to_string();
    Name::new(text.as_bytes()).map(Into::into).map_err(|error| Error::Misuse(error.to_string()))
}

/// Returns the error for a directory of a layer that does not match the merged tree.
fn inconsistent(slot: Slot<'_>) -> Error {
    Error::Misuse(format!("/{slot}: {CHANGED}"))
}

const CHANGED: &str = "the directories of the layers changed since they were written";

#[cfg(test)]
mod tests;
