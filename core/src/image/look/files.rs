//! The files of the merged tree as a list, or the changes of one layer.

use super::Look;
use crate::{
    attrs::{Attrs, Time},
    error::{Error, Result},
    fs::FileType,
    layer::{Entry, EntryKind},
    name::EntryPath,
    tree::{Content, InodeId, Tree, mtree::vis, provenance::ChangeKind},
};

/// A path of an image, or of one of its layers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileRow {
    /// The path.
    pub path: EntryPath,
    /// The number of the layer that it is from, from 1.
    pub layer: usize,
    /// The change that the layer makes to it; only in the list of one layer.
    pub change: Option<ChangeKind>,
    /// The file at the path; in the list of one layer, as that layer has it, if it has one.
    pub file: Option<FileInfo>,
}

/// The type and attributes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileInfo {
    /// Its type.
    pub file_type: FileType,
    /// The low 12 bits of the mode.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The size of the content in bytes; 0 for anything but a regular file.
    pub size: u64,
    /// The modification time.
    pub mtime: Time,
    /// The target of a symbolic link.
    pub target: Option<Box<[u8]>>,
    /// The number of hard links.
    pub nlink: u32,
}

/// Lists everything at and below a path of the merged tree, in the order of the tree.
///
/// # Errors
/// [`Error::NotFound`] if the path does not exist.
pub fn list_files(look: &Look, below: &EntryPath) -> Result<Vec<FileRow>> {
    if look.tree.get(below).is_none() {
        return Err(Error::NotFound(format!("/{} not found in the image", vis::to_text(below.as_bytes()))));
    }
    let rows = (&look.tree).into_iter().filter(|(path, _)| is_below(path, below)).map(|(path, id)| FileRow {
        path,
        layer: look.provenance.origin(id).layer + 1,
        change: None,
        file: Some(FileInfo::of(&look.tree, id)),
    });
    Ok(rows.collect())
}

/// Returns a path as text, with a leading slash. A path that is not UTF-8, or has a backslash, control
/// characters or bidirectional control characters, is escaped as in an mtree manifest; only escaped paths
/// contain a backslash.
#[must_use]
pub fn path_text(path: &EntryPath) -> String {
    format!("/{}", vis::readable(path.as_bytes()))
}

pub(super) fn is_below(path: &EntryPath, above: &EntryPath) -> bool {
    above.is_root()
        || path
            .as_bytes()
            .strip_prefix(above.as_bytes())
            .is_some_and(|rest| rest.first().is_none_or(|&byte| byte == b'/'))
}

impl FileInfo {
    /// Returns the type and attributes of an entry of a layer; `None` for a hard link, which has none.
    pub(super) fn of_entry(entry: &Entry, nlink: u32) -> Option<Self> {
        let file_type = entry.kind.file_type()?;
        let (size, target) = match &entry.kind {
            EntryKind::File { size } => (*size, None),
            EntryKind::Symlink { target } => (0, Some(target.clone())),
            _ => (0, None),
        };
        let Attrs { mode, uid, gid, mtime, .. } = entry.attrs;
        Some(Self { file_type, mode, uid, gid, size, mtime, target, nlink })
    }

    /// Returns the type and attributes of an inode.
    #[must_use]
    pub fn of(tree: &Tree, id: InodeId) -> Self {
        let inode = tree.inode(id);
        let (size, target) = match &inode.content {
            Content::File { size, .. } => (*size, None),
            Content::Symlink(target) => (0, Some(target.clone())),
            _ => (0, None),
        };
        let file_type = inode.content.file_type();
        let Attrs { mode, uid, gid, mtime, .. } = inode.attrs;
        Self { file_type, mode, uid, gid, size, mtime, target, nlink: inode.nlink }
    }
}
