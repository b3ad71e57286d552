//! `ocicle files`: the merged file system as a list, or what one layer does.

use serde::Serialize;

use super::Look;
use crate::{
    error::{Error, Result},
    name::EntryPath,
    tree::{Content, InodeId, Tree, mtree::vis, provenance::PathChange},
};

/// What `ocicle files` shows. Sizes are bytes, modes octal. A path that is no text, or has
/// a backslash, control characters or such as turn the direction of writing, is escaped as in an mtree
/// manifest; so an escaped one has a backslash in it, and no other has.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Files {
    /// In the order of the tree.
    pub files: Vec<FileRow>,
}

/// One name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FileRow {
    /// From the root, with a slash before it.
    pub path: String,
    /// The layer it is from, from 1.
    pub layer: usize,
    /// What that layer does: `added`, `replaced`, `attributes`, `linked` or `removed`; only in the list of
    /// one layer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<&'static str>,
    /// What it is, if it is there in the end.
    #[serde(flatten)]
    pub now: Option<Facts>,
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Facts {
    /// `file`, `dir`, `link`, `char`, `block`, `fifo` or `socket`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Octal, such as `0755`.
    pub mode: String,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes; 0 for what is no file.
    pub size: u64,
    /// When its content changed, RFC 3339.
    pub mtime: String,
    /// Where a link leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Number of names.
    pub nlink: u32,
}

impl Files {
    /// Everything at and below a path.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is nothing at the path.
    pub fn merged(look: &Look, below: &EntryPath) -> Result<Self> {
        if look.tree.get(below).is_none() {
            return Err(Error::NotFound(format!(
                "there is no /{} in the image",
                vis::to_text(below.as_bytes())
            )));
        }
        let rows =
            (&look.tree).into_iter().filter(|(path, _)| is_below(path, below)).map(|(path, id)| FileRow {
                path: shown(&path),
                layer: look.provenance.origin(id).layer + 1,
                change: None,
                now: Some(Facts::of(&look.tree, id)),
            });
        Ok(Self { files: rows.collect() })
    }

    /// What one layer, counted from 0, does at and below a path. What upper layers make of it is shown as it
    /// is in the end.
    #[must_use]
    pub fn of_layer(look: &Look, layer: usize, below: &EntryPath) -> Self {
        let of_layer = |change: &&PathChange| change.layer == layer && is_below(&change.path, below);
        let rows = look.provenance.changes().iter().filter(of_layer).map(|change| FileRow {
            path: shown(&change.path),
            layer: layer + 1,
            change: Some(change.kind.name()),
            now: look.tree.get(&change.path).map(|id| Facts::of(&look.tree, id)),
        });
        Self { files: rows.collect() }
    }
}

/// Returns a path from the root as text, with a slash before it.
pub(in crate::image) fn shown(path: &EntryPath) -> String {
    format!("/{}", vis::readable(path.as_bytes()))
}

fn is_below(path: &EntryPath, above: &EntryPath) -> bool {
    above.is_root()
        || path
            .as_bytes()
            .strip_prefix(above.as_bytes())
            .is_some_and(|rest| rest.first().is_none_or(|&byte| byte == b'/'))
}

impl Facts {
    /// Returns the attributes of an inode.
    #[must_use]
    pub fn of(tree: &Tree, id: InodeId) -> Self {
        let inode = tree.inode(id);
        let (kind, size, target) = match &inode.content {
            Content::File { size, .. } => ("file", *size, None),
            Content::Dir(_) => ("dir", 0, None),
            Content::Symlink(target) => ("link", 0, Some(vis::to_text(target))),
            Content::Char(..) => ("char", 0, None),
            Content::Block(..) => ("block", 0, None),
            Content::Fifo => ("fifo", 0, None),
            Content::Socket => ("socket", 0, None),
        };
        let attrs = &inode.attrs;
        Self {
            kind,
            mode: format!("{:04o}", attrs.mode),
            uid: attrs.uid,
            gid: attrs.gid,
            size,
            mtime: attrs.mtime.to_string(),
            target,
            nlink: inode.nlink,
        }
    }
}
