//! Each layer in a directory of its own, as overlayfs wants them: a [`Mirror`] of the merged tree.
//!
//! What a layer means is decided on the merged tree, as for one root directory; so links on the way, implied directories and
//! the order of whiteouts need no thought here. The directory of a layer gets what the layer puts, the directories on the
//! way with the attributes the merged tree gives them, and a whiteout or an opaque mark where something of a lower layer goes.
//!
//! A hard link to a file of a lower layer needs the file here: it is copied, and all its names come along.

mod current;
mod find;
mod upper;

use std::{
    collections::{HashMap, hash_map},
    io::Read,
};

pub use self::find::open_file;
use self::{
    current::{Copies, Current, copy_entry, finish_dir},
    upper::{Folder, Node},
};
use super::{
    Content, InodeId, Tree,
    merge::{Mirror, Step, show_path},
    rootfs::{RootFs, failed},
};
use crate::{
    attrs::{Attrs, Xattrs},
    error::{Error, Result},
    fs::{AttrChange, Dir, Special, remove_tree},
    layer::overlay::Namespace,
    name::{Name, NameBuf},
};

/// Writes each layer into a directory named by its number, from 0, the lowest.
#[derive(Debug)]
pub struct Layers<D> {
    base: D,
    namespace: Namespace,
    number: usize,
    current: Option<Current<D>>,
}

const COPIES: &str = "copies";

impl<D: Dir> Layers<D> {
    /// Writes into this empty directory.
    pub fn new(base: D, namespace: Namespace) -> Self {
        Self { base, namespace, number: 0, current: None }
    }

    /// How many directories there are: one for each layer, but at least one, since overlayfs cannot do without.
    #[must_use]
    pub fn count(&self) -> usize {
        self.number
    }

    /// The current layer; its directory is made when it is first needed.
    fn current(&mut self) -> Result<&mut Current<D>> {
        let current = match self.current.take() {
            Some(current) => current,
            None => Current {
                disk: RootFs::new(make_dir(&self.base, number_name(self.number)?.as_name())?),
                top: Folder::new(self.number > 0),
                copies: None,
            },
        };
        Ok(self.current.insert(current))
    }

    /// Sees to it that the current layer can have names of a file that lower layers have.
    fn copy_up(&mut self, from: &[Step], name: Name<'_>, id: InodeId) -> Result<()> {
        if self.current()?.copies.is_none() {
            let dir = make_dir(&self.base, Name::literal(COPIES))?;
            let again = self.base.open_dir(Name::literal(COPIES)).map_err(Error::io("open the copies"))?;
            self.current()?.copies = Some(Copies { disk: RootFs::new(again), dir, names: HashMap::new() });
        }
        let Self { base, number, current: Some(Current { copies: Some(copies), .. }), .. } = self else {
            return Err(inconsistent(from, name));
        };
        if let hash_map::Entry::Vacant(vacant) = copies.names.entry(id) {
            let copy = number_name(id.index())?;
            let source = find::holder(base, *number, from, name)?.ok_or_else(|| inconsistent(from, name))?;
            copy_entry(&source, from, name, id, &mut copies.disk, copy.as_name())?;
            vacant.insert(copy);
        }
        Ok(())
    }
}

impl<D: Dir> Mirror for Layers<D> {
    fn dir(&mut self, at: &[Step], name: Name<'_>, id: InodeId) -> Result<()> {
        let current = self.current()?;
        let lower = current.make_room(at, name)?;
        current.disk.dir(at, name, id)?;
        // What it takes the place of was removed: nothing lower may show in it.
        current.set(at, name, Node::folder(lower, false))
    }

    fn file(
        &mut self,
        at: &[Step],
        name: Name<'_>,
        id: InodeId,
        attrs: &Attrs,
        body: &mut dyn Read,
    ) -> Result<()> {
        let attrs = escaped(self.namespace, attrs);
        let current = self.current()?;
        let lower = current.make_room(at, name)?;
        current.disk.file(at, name, id, &attrs, body)?;
        current.set(at, name, Node::leaf(lower))
    }

    fn other(
        &mut self,
        at: &[Step],
        name: Name<'_>,
        id: InodeId,
        attrs: &Attrs,
        content: &Content,
    ) -> Result<()> {
        if *content == Content::Char(0, 0) {
            return Err(Error::Unsupported(format!(
                "/{} is a character device 0:0, which overlayfs takes for a whiteout: unpack into one directory instead",
                show_path(at, name)
            )));
        }
        let attrs = escaped(self.namespace, attrs);
        let current = self.current()?;
        let lower = current.make_room(at, name)?;
        current.disk.other(at, name, id, &attrs, content)?;
        current.set(at, name, Node::leaf(lower))
    }

    fn link(
        &mut self,
        at: &[Step],
        name: Name<'_>,
        id: InodeId,
        from: &[Step],
        from_name: Name<'_>,
    ) -> Result<()> {
        let current = self.current()?;
        if !current.has(from, from_name) {
            self.copy_up(from, from_name, id)?;
            return self.current()?.link_copy(at, name, id, false);
        }
        let lower = current.make_room(at, name)?;
        current.disk.link(at, name, id, from, from_name)?;
        current.set(at, name, Node::leaf(lower))
    }

    fn remove(&mut self, at: &[Step], name: Name<'_>, content: &Content) -> Result<()> {
        let current = self.current()?;
        let folder = current.enter(at)?;
        let show_lower = match folder.entries.remove(name.as_bytes()) {
            Some(node) => {
                current.disk.remove(at, name, content)?;
                node.lower
            }
            None => folder.merged,
        };
        if !show_lower {
            return Ok(());
        }
        let made = current.disk.within(at, |dir| dir.create_node(name, Special::Char(0, 0)));
        made.map_err(failed("create the whiteout of", at, name))?;
        current.set(at, name, Node::whiteout())
    }

    fn again(&mut self, at: &[Step], name: Name<'_>, id: InodeId, content: &Content) -> Result<()> {
        let current = self.current()?;
        if current.has(at, name) {
            return Ok(());
        }
        match content {
            Content::Dir(_) => {
                let mut to = at.to_vec();
                to.push((id, name.into()));
                current.enter(&to).map(drop)
            }
            _ => {
                self.copy_up(at, name, id)?;
                self.current()?.link_copy(at, name, id, true)
            }
        }
    }

    fn clear(&mut self, at: &[Step]) -> Result<()> {
        // Overlayfs asks no mark of the topmost directory of a layer: there, each entry needs a whiteout of its own.
        let Some(((_, name), above)) = at.split_last() else { return Ok(()) };
        let current = self.current()?;
        current.enter(at)?;
        let Some(folder) = current.top.find_mut(at) else { return Ok(()) };
        current.disk.within(at, |dir| folder.clear(dir)).map_err(failed("clear", above, name.as_name()))
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
            finish_dir(&dir, &top, self.namespace, false, tree, Tree::ROOT, &mut Vec::new())?;
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

/// Makes a directory that inherits no access control list, and opens it.
fn make_dir<D: Dir>(base: &D, name: Name<'_>) -> Result<D> {
    let made = (|| {
        base.create_dir(name)?;
        base.set_attrs(name, &AttrChange { xattrs: Some(&Xattrs::new()), ..AttrChange::default() })?;
        base.open_dir(name)
    })();
    made.map_err(Error::io(format_args!("create directory {name} beside the layers")))
}

fn number_name(number: usize) -> Result<NameBuf> {
    let text = number.to_string();
    Name::new(text.as_bytes()).map(Into::into).map_err(|error| Error::Misuse(error.to_string()))
}

/// The directory of a layer is not what the merged tree says.
fn inconsistent(at: &[Step], name: Name<'_>) -> Error {
    let message = "the directories of the layers are not as they were written: did somebody change them?";
    Error::Misuse(format!("/{}: {message}", show_path(at, name)))
}

#[cfg(test)]
mod tests;
