//! A view of a directory on a disk that cannot hold everything in an image, such as in a WASI sandbox. What
//! the disk cannot hold is taken from a tree.
//!
//! Entries are written in a form that the disk can hold, and read as what that form represents:
//!
//! | in the image | on the disk |
//! |---|---|
//! | owner, mode, extended attributes | nothing; taken from the tree, if the type is still the same |
//! | device, fifo | an empty file |
//! | link whose target is absolute or climbs out of the root | the equivalent relative link |
//! | link that the runtime refuses to make, as some do if the target begins with `..` | an empty file |
//! | name or target that is not UTF-8 | with `%` and two hexadecimal digits for each invalid byte |
//!
//! Entries that are not in the tree have the owner of [`Defaults`], and its mode if the disk has none.

use std::{borrow::Cow, fmt, io};

use super::{Content, Inode, InodeId, Tree};
use crate::{
    attrs::Xattrs,
    fs::{AttrChange, Dir, DirPosix, DirWrite, FileType, Metadata, Special, Support},
    name::{Name, NameBuf},
};

mod file;
mod form;

pub use file::EmulatedFile;
pub use form::Defaults;
use form::{Seen, seen};

/// A directory as it would be if the disk could hold everything. If the disk can, this changes nothing.
pub struct Emulated<'t, D> {
    dir: D,
    view: View<'t>,
    /// The inode of this directory in the tree.
    at: Option<InodeId>,
    /// Distance from the root.
    depth: usize,
}

/// The disk and the source of what it cannot hold.
#[derive(Debug, Clone, Copy)]
struct View<'t> {
    tree: Option<&'t Tree>,
    held: Support,
    defaults: Defaults,
}

impl<'t, D: Dir> Emulated<'t, D> {
    /// Wraps a root directory on a disk that holds `held`. `tree` is what was written there before; entries
    /// that are not in it are new.
    pub fn new(dir: D, held: Support, tree: Option<&'t Tree>, defaults: Defaults) -> Self {
        Self { dir, view: View { tree, held, defaults }, at: tree.map(|_| Tree::ROOT), depth: 0 }
    }

    /// Returns the directory on the disk.
    pub(crate) fn disk(&self) -> &D {
        &self.dir
    }

    /// Returns whether the disk holds everything.
    fn holds_all(&self) -> bool {
        self.view.held.mode
    }

    fn child(&self, name: Name<'_>) -> Option<InodeId> {
        self.view.tree?.child(self.at?, name)
    }

    fn inode(&self, id: Option<InodeId>) -> Option<&'t Inode> {
        Some(self.view.tree?.inode(id?))
    }

    fn seen(&self, found: &Metadata, old: Option<&'t Inode>) -> io::Result<Seen<'t>> {
        seen(found, old, &self.view.held, &self.view.defaults)
    }

    /// Returns the part of a change that the disk can hold.
    fn held<'c>(&self, change: &AttrChange<'c>) -> AttrChange<'c> {
        form::held(&self.view.held, change)
    }

    fn link_target(&self, target: &[u8]) -> Vec<u8> {
        form::link_target(&self.view.held, target, self.depth)
    }

    /// Calls `act` with the name on the disk.
    pub(crate) fn on_disk<R, E: From<io::Error>>(
        &self,
        name: Name<'_>,
        act: impl FnOnce(Name<'_>) -> Result<R, E>,
    ) -> Result<R, E> {
        if self.view.held.any_names {
            return act(name);
        }
        let text = form::utf8(name.as_bytes());
        act(Name::new(&text).map_err(|error| io::Error::new(io::ErrorKind::InvalidFilename, error))?)
    }

    /// Replaces names on the disk by the names in the tree that they represent.
    fn original_names(&self, names: &mut [NameBuf]) {
        let Some(entries) = self.at.and_then(|at| self.view.tree?.entries(at)) else { return };
        let other: Vec<_> = entries
            .keys()
            .filter_map(|original| match form::utf8(original.as_name().as_bytes()) {
                Cow::Borrowed(_) => None,
                Cow::Owned(text) => {
                    let at = names.binary_search_by(|name| name.as_name().as_bytes().cmp(&text));
                    at.ok().map(|at| (at, original))
                }
            })
            .collect();
        for (at, original) in &other {
            names[*at].clone_from(original);
        }
        if !other.is_empty() {
            names.sort_unstable();
        }
    }
}

impl<D: Dir> Dir for Emulated<'_, D> {
    type File = EmulatedFile<D::File>;

    fn open_dir(&self, name: Name<'_>) -> io::Result<Self> {
        let at = self.child(name);
        Ok(Self {
            dir: self.on_disk(name, |name| self.dir.open_dir(name))?,
            view: self.view,
            at,
            depth: self.depth + 1,
        })
    }

    fn open_file(&self, name: Name<'_>) -> io::Result<Self::File> {
        Ok(EmulatedFile::new(self.on_disk(name, |name| self.dir.open_file(name))?, self.view.held))
    }

    fn names(&self) -> io::Result<Vec<NameBuf>> {
        let mut names = self.dir.names()?;
        if !self.view.held.any_names {
            self.original_names(&mut names);
        }
        Ok(names)
    }

    fn metadata(&self, name: Name<'_>) -> io::Result<Metadata> {
        let found = self.on_disk(name, |name| self.dir.metadata(name))?;
        match self.holds_all() {
            true => Ok(found),
            false => Ok(self.seen(&found, self.inode(self.child(name)))?.metadata),
        }
    }

    fn self_metadata(&self) -> io::Result<Metadata> {
        let found = self.dir.self_metadata()?;
        match self.holds_all() {
            true => Ok(found),
            false => Ok(self.seen(&found, self.inode(self.at))?.metadata),
        }
    }

    fn read_link(&self, name: Name<'_>) -> io::Result<Vec<u8>> {
        let target = self.on_disk(name, |name| self.dir.read_link(name));
        let Some(Inode { content: Content::Symlink(old), attrs, .. }) = self.inode(self.child(name)) else {
            return target;
        };
        let as_written = match &target {
            Ok(target) => *target == self.link_target(old),
            // An absolute target that was made outside may not even be readable: then length and time must
            // do.
            Err(error) if error.kind() == io::ErrorKind::Unsupported && old.starts_with(b"/") => {
                let found = self.metadata(name)?;
                (found.size, found.mtime) == (old.len() as u64, attrs.mtime)
            }
            // A placeholder for a link.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                self.metadata(name)?.file_type == FileType::Symlink
            }
            Err(_) => false,
        };
        if as_written { Ok(old.to_vec()) } else { target }
    }

    fn xattrs(&self, name: Name<'_>) -> io::Result<Xattrs> {
        if self.holds_all() {
            return self.dir.xattrs(name);
        }
        let found = self.on_disk(name, |name| self.dir.metadata(name))?;
        let seen = self.seen(&found, self.inode(self.child(name)))?;
        Ok(seen.old.map(|old| old.attrs.xattrs.clone()).unwrap_or_default())
    }

    fn self_xattrs(&self) -> io::Result<Xattrs> {
        match self.holds_all() {
            true => self.dir.self_xattrs(),
            false => Ok(self.inode(self.at).map(|old| old.attrs.xattrs.clone()).unwrap_or_default()),
        }
    }

    fn support(&self) -> Support {
        match self.holds_all() {
            true => self.dir.support(),
            false => Support::ALL,
        }
    }
}

impl<D: DirWrite> DirWrite for Emulated<'_, D> {
    type Lock = D::Lock;

    fn create_file(&self, name: Name<'_>) -> io::Result<Self::File> {
        Ok(EmulatedFile::new(self.on_disk(name, |name| self.dir.create_file(name))?, self.view.held))
    }

    fn create_dir(&self, name: Name<'_>) -> io::Result<()> {
        self.on_disk(name, |name| self.dir.create_dir(name))
    }

    fn share(&self, name: Name<'_>) -> io::Result<()> {
        self.on_disk(name, |name| self.dir.share(name))
    }

    fn give(&self, file: &Self::File) -> io::Result<()> {
        self.dir.give(file.on_disk())
    }

    fn rename(&self, name: Name<'_>, to: &Self, to_name: Name<'_>) -> io::Result<()> {
        self.on_disk(name, |name| to.on_disk(to_name, |to_name| self.dir.rename(name, &to.dir, to_name)))
    }

    fn remove_file(&self, name: Name<'_>) -> io::Result<()> {
        self.on_disk(name, |name| self.dir.remove_file(name))
    }

    fn remove_dir(&self, name: Name<'_>) -> io::Result<()> {
        self.on_disk(name, |name| self.dir.remove_dir(name))
    }

    fn sync(&self) -> io::Result<()> {
        self.dir.sync()
    }

    fn lock(&self) -> io::Result<D::Lock> {
        self.dir.lock()
    }

    fn try_lock(&self) -> io::Result<Option<D::Lock>> {
        self.dir.try_lock()
    }

    fn lock_shared(&self) -> io::Result<D::Lock> {
        self.dir.lock_shared()
    }
}

impl<D: DirPosix> DirPosix for Emulated<'_, D> {
    fn symlink(&self, name: Name<'_>, target: &[u8]) -> io::Result<()> {
        self.on_disk(name, |name| match self.dir.symlink(name, &self.link_target(target)) {
            Err(error)
                if error.kind() == io::ErrorKind::PermissionDenied && !self.view.held.absolute_links =>
            {
                self.dir.create_file(name).map(drop)
            }
            result => result,
        })
    }

    fn hard_link(&self, name: Name<'_>, from: &Self, from_name: Name<'_>) -> io::Result<()> {
        self.on_disk(name, |name| {
            from.on_disk(from_name, |from_name| self.dir.hard_link(name, &from.dir, from_name))
        })
    }

    fn create_node(&self, name: Name<'_>, node: Special) -> io::Result<()> {
        let held = match node {
            Special::Fifo => self.view.held.fifos,
            Special::Char(..) | Special::Block(..) => self.view.held.devices,
        };
        self.on_disk(name, |name| match held || self.holds_all() {
            true => self.dir.create_node(name, node),
            false => self.dir.create_file(name).map(drop),
        })
    }

    fn set_attrs(&self, name: Name<'_>, change: &AttrChange<'_>) -> io::Result<()> {
        self.on_disk(name, |name| self.dir.set_attrs(name, &self.held(change)))
    }

    fn set_self_attrs(&self, change: &AttrChange<'_>) -> io::Result<()> {
        self.dir.set_self_attrs(&self.held(change))
    }
}

impl<D: fmt::Debug> fmt::Debug for Emulated<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulated")
            .field("dir", &self.dir)
            .field("held", &self.view.held)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
