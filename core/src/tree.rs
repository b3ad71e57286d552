//! The merged file system of an image, in memory, without the contents of files.
//!
//! Names and inodes are separate, so that hard links are several names of one inode.

pub mod compare;
pub mod diff;
pub mod emulated;
pub(crate) mod follow;
pub mod merge;
pub mod mtree;
pub(crate) mod overlayfs;
pub mod provenance;
pub mod rootfs;
pub(crate) mod scan;
pub(crate) mod seen;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod update;

use std::collections::BTreeMap;

use crate::{
    attrs::{Attrs, Time},
    fs::FileType,
    hash::Sha256,
    layer::LostLists,
    name::{EntryPath, Name, NameBuf},
};

/// A file system tree. It always has a root, which is a directory.
#[derive(Debug, Clone)]
pub struct Tree {
    inodes: Vec<Inode>,
    free: Vec<u32>,
    lost: LostLists,
}

/// The id of an inode in a [`Tree`]; valid until its last name is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InodeId(u32);

/// An inode: the attributes and content shared by all its names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Inode {
    /// Owner, mode, time, extended attributes.
    pub attrs: Attrs,
    /// Type and content.
    pub content: Content,
    /// Number of names; always 1 for a directory, as file systems count differently.
    pub nlink: u32,
}

/// The types of inodes, with their content.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "the types tar and POSIX have")]
pub enum Content {
    /// A regular file.
    File {
        /// Size in bytes.
        size: u64,
        /// SHA-256 of the content; `None` if it is unknown, as in a manifest without that keyword.
        sha256: Option<Sha256>,
    },
    /// A directory with its entries, in byte order.
    Dir(BTreeMap<NameBuf, InodeId>),
    /// A symbolic link.
    Symlink(Box<[u8]>),
    /// A character device with major and minor number.
    Char(u32, u32),
    /// A block device with major and minor number.
    Block(u32, u32),
    /// A named pipe.
    Fifo,
    /// A socket. Layers cannot hold sockets, but directories on disk can.
    Socket,
}

impl Content {
    /// Returns the type.
    #[must_use]
    pub fn file_type(&self) -> FileType {
        match self {
            Self::File { .. } => FileType::File,
            Self::Dir(_) => FileType::Dir,
            Self::Symlink(_) => FileType::Symlink,
            Self::Char(..) => FileType::Char,
            Self::Block(..) => FileType::Block,
            Self::Fifo => FileType::Fifo,
            Self::Socket => FileType::Socket,
        }
    }
}

impl InodeId {
    /// Returns a small number, to index tables beside the tree.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Default for Tree {
    fn default() -> Self {
        Self::new()
    }
}

impl Tree {
    /// The id of the root.
    pub const ROOT: InodeId = InodeId(0);

    /// Returns a tree with only an empty root, which has the attributes of [`Attrs::implied_dir`].
    #[must_use]
    pub fn new() -> Self {
        Self {
            inodes: vec![Inode::new(Attrs::implied_dir(), Content::Dir(BTreeMap::new()))],
            free: Vec::new(),
            lost: LostLists::default(),
        }
    }

    /// Returns the access control lists that the layers have and the tree does not.
    #[must_use]
    pub fn lost_lists(&self) -> &LostLists {
        &self.lost
    }

    /// Returns the inode of an id of this tree.
    #[must_use]
    pub fn inode(&self, id: InodeId) -> &Inode {
        &self.inodes[id.0 as usize]
    }

    /// Returns the inode of an id of this tree, to change. The type of a directory with entries must not be
    /// changed.
    pub fn inode_mut(&mut self, id: InodeId) -> &mut Inode {
        &mut self.inodes[id.0 as usize]
    }

    /// Returns the entry of a directory; `None` if there is none, or `dir` is not a directory.
    #[must_use]
    pub fn child(&self, dir: InodeId, name: Name<'_>) -> Option<InodeId> {
        self.entries(dir)?.get(name.as_bytes()).copied()
    }

    /// Returns the entries of a directory, in byte order; `None` if it is not a directory.
    #[must_use]
    pub fn entries(&self, dir: InodeId) -> Option<&BTreeMap<NameBuf, InodeId>> {
        match &self.inode(dir).content {
            Content::Dir(entries) => Some(entries),
            _ => None,
        }
    }

    /// Returns the inode at a path, without following links.
    #[must_use]
    pub fn get(&self, path: &EntryPath) -> Option<InodeId> {
        path.names().try_fold(Self::ROOT, |dir, name| self.child(dir, name))
    }

    /// Adds a new inode under a free name. Returns `None`, and changes nothing, if the name is taken or `dir`
    /// is not a directory.
    pub fn insert(
        &mut self,
        dir: InodeId,
        name: Name<'_>,
        attrs: Attrs,
        content: Content,
    ) -> Option<InodeId> {
        if self.entries(dir)?.contains_key(name.as_bytes()) {
            return None;
        }
        let inode = Inode::new(attrs, content);
        let id = match self.free.pop() {
            Some(slot) => {
                self.inodes[slot as usize] = inode;
                InodeId(slot)
            }
            None => {
                let id = InodeId(u32::try_from(self.inodes.len()).ok()?);
                self.inodes.push(inode);
                id
            }
        };
        self.entries_mut(dir)?.insert(name.into(), id);
        Some(id)
    }

    /// Adds a name to an inode that is not a directory. Returns `None`, and changes nothing, if that is
    /// impossible.
    pub fn link(&mut self, dir: InodeId, name: Name<'_>, target: InodeId) -> Option<()> {
        if matches!(self.inode(target).content, Content::Dir(_))
            || self.entries(dir)?.contains_key(name.as_bytes())
        {
            return None;
        }
        self.entries_mut(dir)?.insert(name.into(), target);
        self.inode_mut(target).nlink += 1;
        Some(())
    }

    /// Removes a name with everything below it. Other names of the same inodes stay.
    pub fn remove(&mut self, dir: InodeId, name: Name<'_>) {
        let Some(first) = self.entries_mut(dir).and_then(|entries| entries.remove(name.as_bytes())) else {
            return;
        };
        let mut doomed = vec![first];
        while let Some(id) = doomed.pop() {
            let inode = self.inode_mut(id);
            inode.nlink -= 1;
            if inode.nlink == 0 {
                if let Content::Dir(entries) = std::mem::replace(&mut inode.content, Content::Fifo) {
                    doomed.extend(entries.into_values());
                }
                self.free.push(id.0);
            }
        }
    }

    /// Replaces the time of every inode.
    pub(crate) fn map_times(&mut self, map: impl Fn(Time) -> Time) {
        self.inodes.iter_mut().for_each(|inode| inode.attrs.mtime = map(inode.attrs.mtime));
    }

    /// Returns the number of inodes, including the root.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inodes.len() - self.free.len()
    }

    /// Returns whether there is only the root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 1
    }

    /// Returns all paths with their inodes: the root first, parents before children, siblings in byte order.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter { tree: self, pending: vec![(EntryPath::root(), Self::ROOT)] }
    }

    fn entries_mut(&mut self, dir: InodeId) -> Option<&mut BTreeMap<NameBuf, InodeId>> {
        match &mut self.inode_mut(dir).content {
            Content::Dir(entries) => Some(entries),
            _ => None,
        }
    }
}

impl<'a> IntoIterator for &'a Tree {
    type Item = (EntryPath, InodeId);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// See [`Tree::iter`].
#[derive(Debug)]
pub struct Iter<'a> {
    tree: &'a Tree,
    pending: Vec<(EntryPath, InodeId)>,
}

impl Iterator for Iter<'_> {
    type Item = (EntryPath, InodeId);

    fn next(&mut self) -> Option<Self::Item> {
        let (path, id) = self.pending.pop()?;
        if let Some(entries) = self.tree.entries(id) {
            self.pending
                .extend(entries.iter().rev().map(|(name, &child)| (path.join(name.as_name()), child)));
        }
        Some((path, id))
    }
}

impl Inode {
    fn new(attrs: Attrs, content: Content) -> Self {
        Self { attrs, content, nlink: 1 }
    }

    /// Returns the time of last change.
    #[must_use]
    pub fn mtime(&self) -> Time {
        self.attrs.mtime
    }
}

/// Trees are equal if they have the same paths with the same attributes, content and hard links, whatever the
/// order of inodes.
impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        let mut pairs = BTreeMap::new();
        let mut theirs = other.iter();
        self.iter().all(|(path, id)| {
            let Some((other_path, other_id)) = theirs.next() else { return false };
            let (a, b) = (self.inode(id), other.inode(other_id));
            let same_content = match (&a.content, &b.content) {
                (Content::Dir(_), Content::Dir(_)) => true,
                (a, b) => a == b,
            };
            path == other_path
                && same_content
                && a.attrs == b.attrs
                && a.nlink == b.nlink
                && *pairs.entry(id).or_insert(other_id) == other_id
        }) && theirs.next().is_none()
    }
}
