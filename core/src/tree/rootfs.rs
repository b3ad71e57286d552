//! A [`TreeSink`] that writes the root directory on disk.
//!
//! Every call uses a directory handle and a single name, and follows no link. Files get their attributes
//! through the handle they were written with. Directories get theirs at the end, deepest first, when their
//! times no longer change and no mode can deny access.

mod open_dirs;

use std::io::{self, Read, Seek, Write};

use self::open_dirs::OpenDirs;
use super::{
    Content, Inode, InodeId, Tree,
    merge::{PathStep, Slot, TreeSink},
    seen::{attrs, keep_system_xattrs, own_xattrs},
};
use crate::{
    attrs::{Attrs, Time},
    error::{Error, Result},
    fs::{AttrChange, DirPosix, File as _, FilePosix as _, FileType, Metadata, Special, remove_tree},
};

/// Identifies the state of an inode right after it was written. A ctime cannot be set, so an unchanged ctime
/// of the same inode proves that nothing about the file changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Stamp {
    /// The inode number.
    pub ino: u64,
    /// The ctime.
    pub ctime: Time,
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        Self { ino: metadata.ino, ctime: metadata.ctime }
    }
}

/// Writes the merged tree to a directory.
#[derive(Debug)]
pub struct RootfsSink<D> {
    root: D,
    /// On the path to the last entry.
    open: OpenDirs<D>,
    /// On the path to the last file that got another name.
    linked: OpenDirs<D>,
    stamps: Vec<Stamp>,
    /// The owner of new files, learned from the first one. Files with this owner need no chown.
    owner: Option<(u32, u32)>,
    /// Whether the directory may have had other entries. Then the owner of new files is unknown, and
    /// directories may already have their attributes.
    over: bool,
    buffer: Vec<u8>,
}

const BUFFER: usize = 256 << 10;

impl<D: DirPosix> RootfsSink<D> {
    /// Writes to this empty directory.
    pub fn new(root: D) -> Self {
        Self {
            root,
            open: OpenDirs::new(),
            linked: OpenDirs::new(),
            stamps: Vec::new(),
            owner: None,
            over: false,
            buffer: vec![0; BUFFER],
        }
    }

    /// Writes to this directory, which may have entries. The tree of the merge starts with them.
    pub fn over(root: D) -> Self {
        Self { over: true, ..Self::new(root) }
    }

    /// Returns the directory.
    pub(crate) fn root(&self) -> &D {
        &self.root
    }

    /// Returns the stamps, indexed by [`InodeId::index`].
    #[must_use]
    pub fn into_stamps(self) -> Vec<Stamp> {
        self.stamps
    }

    /// Calls `act` with the handle of the directory at the end of these steps.
    pub(super) fn within<R>(
        &mut self,
        at: &[PathStep],
        act: impl FnOnce(&D) -> io::Result<R>,
    ) -> io::Result<R> {
        self.open.within(&self.root, at, act)
    }

    fn stamp(&mut self, id: InodeId, metadata: &Metadata) {
        if self.stamps.len() <= id.index() {
            self.stamps.resize(id.index() + 1, Stamp::default());
        }
        self.stamps[id.index()] = Stamp::from(metadata);
    }

    /// Returns the owner to set; `None` if new files have it already.
    fn owner(&self, attrs: &Attrs) -> Option<(u32, u32)> {
        let owner = (attrs.uid, attrs.gid);
        (self.owner != Some(owner)).then_some(owner)
    }

    fn make_special(
        &mut self,
        Slot { at, name, .. }: Slot<'_>,
        attrs: &Attrs,
        content: &Content,
    ) -> io::Result<Metadata> {
        let owner = self.owner(attrs);
        self.open.within(&self.root, at, |dir| {
            let is_link = match content {
                Content::Symlink(target) => {
                    dir.symlink(name, target)?;
                    true
                }
                Content::Char(major, minor) => {
                    dir.create_node(name, Special::Char(*major, *minor))?;
                    false
                }
                Content::Block(major, minor) => {
                    dir.create_node(name, Special::Block(*major, *minor))?;
                    false
                }
                _ => {
                    dir.create_node(name, Special::Fifo)?;
                    false
                }
            };
            let change = AttrChange {
                owner,
                mode: (!is_link).then_some(attrs.mode),
                xattrs: (!attrs.xattrs.is_empty()).then_some(&attrs.xattrs),
                mtime: Some(attrs.mtime),
            };
            dir.set_attrs(name, &change)?;
            dir.metadata(name)
        })
    }
}

impl<D: DirPosix> TreeSink for RootfsSink<D> {
    fn dir(&mut self, slot: Slot<'_>) -> Result<()> {
        self.open
            .within(&self.root, slot.at, |dir| dir.create_dir(slot.name))
            .map_err(failed("create directory", slot))
    }

    fn file(&mut self, slot: Slot<'_>, attrs: &Attrs, body: &mut dyn Read) -> Result<()> {
        let mut file = self
            .open
            .within(&self.root, slot.at, |dir| dir.create_file(slot.name))
            .map_err(failed("create file", slot))?;
        // Zeros that were not written yet: where the file system can, they become a hole.
        let mut hole = 0;
        loop {
            let got = body.read(&mut self.buffer).map_err(Error::io("read layer"))?;
            if got == 0 {
                break;
            }
            let bytes = &self.buffer[..got];
            if got >= HOLE && is_zero(bytes) {
                hole += got as u64;
                continue;
            }
            skip(&mut file, &mut hole)
                .and_then(|()| file.write_all(bytes))
                .map_err(failed("write file", slot))?;
        }
        if hole > 0 {
            // A file ends with its last byte.
            hole -= 1;
            skip(&mut file, &mut hole)
                .and_then(|()| file.write_all(&[0]))
                .map_err(failed("write file", slot))?;
        }
        if self.owner.is_none() && !self.over {
            let born = file.metadata().map_err(failed("stat file", slot))?;
            self.owner = Some((born.uid, born.gid));
        }
        let change = AttrChange {
            owner: self.owner(attrs),
            mode: Some(attrs.mode),
            xattrs: (!attrs.xattrs.is_empty()).then_some(&attrs.xattrs),
            mtime: Some(attrs.mtime),
        };
        file.set_attrs(&change).map_err(failed("set attributes of", slot))?;
        let metadata = file.metadata().map_err(failed("stat file", slot))?;
        self.stamp(slot.id, &metadata);
        Ok(())
    }

    fn special(&mut self, slot: Slot<'_>, attrs: &Attrs, content: &Content) -> Result<()> {
        let metadata = self.make_special(slot, attrs, content).map_err(failed("create", slot))?;
        self.stamp(slot.id, &metadata);
        Ok(())
    }

    fn link(&mut self, slot: Slot<'_>, existing: Slot<'_>) -> Result<()> {
        let Self { root, open, linked, .. } = self;
        let metadata = linked.within(root, existing.at, |existing_dir| {
            open.within(root, slot.at, |dir| {
                dir.hard_link(slot.name, existing_dir, existing.name)?;
                dir.metadata(slot.name)
            })
        });
        let metadata = metadata.map_err(failed("create hard link", slot))?;
        self.stamp(slot.id, &metadata);
        Ok(())
    }

    fn remove(&mut self, slot: Slot<'_>, content: &Content) -> Result<()> {
        // A handle below a removed directory must be closed: the id may be reused by another directory.
        self.open.truncate(slot.at.len());
        self.linked.truncate(0);
        self.open
            .within(&self.root, slot.at, |dir| match content {
                Content::Dir(_) => remove_tree(dir, slot.name),
                _ => dir.remove_file(slot.name),
            })
            .map_err(failed("remove", slot))
    }

    fn finish(&mut self, tree: &Tree) -> Result<()> {
        self.linked.truncate(0);
        let Self { root, open, stamps, .. } = self;
        stamps.resize(stamps.len().max(tree.inodes.len()), Stamp::default());
        let (born, over) = (self.owner, self.over);
        let mut finish = Finish { root, open, tree, born, over, stamps, at: Vec::new() };
        finish.dir(Tree::ROOT)
    }
}

/// The state of finishing directories.
struct Finish<'a, D> {
    root: &'a D,
    open: &'a mut OpenDirs<D>,
    tree: &'a Tree,
    born: Option<(u32, u32)>,
    over: bool,
    stamps: &'a mut [Stamp],
    at: Vec<PathStep>,
}

impl<D: DirPosix> Finish<'_, D> {
    /// Sets the attributes of a directory and everything below it. The depth is bounded: see
    /// [`super::merge`].
    fn dir(&mut self, id: InodeId) -> Result<()> {
        let tree = self.tree;
        for (name, &child) in tree.entries(id).into_iter().flatten() {
            if tree.entries(child).is_some() {
                self.at.push((child, name.clone()));
                self.dir(child)?;
                self.at.pop();
            }
        }
        let doing = || match Slot::of_dir(&self.at) {
            Some(slot) => format!("set attributes of {slot}"),
            None => "set attributes of the root".into(),
        };
        let inode = tree.inode(id);
        let (born, over) = (self.born, self.over);
        let set = self.open.within(self.root, &self.at, |dir| {
            if over && has_attrs(dir, inode)? {
                return Ok(None); // setting them may not be allowed
            }
            let attrs = &inode.attrs;
            let owner = (attrs.uid, attrs.gid);
            dir.set_self_attrs(&AttrChange {
                owner: (born != Some(owner)).then_some(owner),
                mode: Some(attrs.mode),
                xattrs: (over || !attrs.xattrs.is_empty()).then_some(&attrs.xattrs),
                mtime: Some(attrs.mtime),
            })?;
            dir.self_metadata().map(Some)
        });
        let metadata = set.map_err(|error| Error::io(doing())(error))?;
        if let (Some(metadata), Some(stamp)) = (metadata, self.stamps.get_mut(id.index())) {
            *stamp = Stamp::from(&metadata);
        }
        Ok(())
    }
}

/// Returns whether a directory has the attributes of the inode already.
fn has_attrs<D: DirPosix>(dir: &D, inode: &Inode) -> io::Result<bool> {
    let mut xattrs = own_xattrs(dir.self_xattrs()?);
    keep_system_xattrs(&mut xattrs, Some(inode), FileType::Dir);
    Ok(attrs(&dir.self_metadata()?, xattrs) == inode.attrs)
}

/// Runs of zeros of at least this many bytes are not written; file systems allocate blocks of this size.
const HOLE: usize = 4096;

fn is_zero(bytes: &[u8]) -> bool {
    // The first bytes decide in nearly all cases.
    bytes.iter().take(16).all(|&byte| byte == 0) && bytes.iter().all(|&byte| byte == 0)
}

/// Moves over zeros that were left out.
fn skip(file: &mut impl Seek, hole: &mut u64) -> io::Result<()> {
    while *hole > 0 {
        let step = i64::try_from(*hole).unwrap_or(i64::MAX);
        file.seek_relative(step)?;
        *hole -= step.unsigned_abs();
    }
    Ok(())
}

/// Wraps a system error with the failed operation and the path.
pub(super) fn failed<'a>(doing: &'a str, slot: Slot<'a>) -> impl FnOnce(io::Error) -> Error + 'a {
    move |error| Error::io(format_args!("{doing} {slot}"))(error)
}
