//! Attributes of entries on disk, as in a layer.

use super::Inode;
use crate::{
    attrs::{Attrs, Xattrs},
    error::{Error, Result},
    fs::{Dir, FileType, Metadata, is_system_xattr},
};

/// Reads the attributes of a directory.
///
/// # Errors
/// Fails with [`Error::Io`].
pub(crate) fn attrs_of<D: Dir>(dir: &D) -> Result<Attrs> {
    let metadata = dir.self_metadata().map_err(Error::io("stat the directory"))?;
    let xattrs = dir.self_xattrs().map_err(Error::io("read xattrs of the directory"))?;
    Ok(attrs(&metadata, own_xattrs(xattrs)))
}

pub(crate) fn attrs(metadata: &Metadata, xattrs: Xattrs) -> Attrs {
    Attrs { mode: mode(metadata), uid: metadata.uid, gid: metadata.gid, mtime: metadata.mtime, xattrs }
}

pub(super) fn mode(metadata: &Metadata) -> u32 {
    if metadata.file_type == FileType::Symlink { 0o777 } else { metadata.mode }
}

pub(super) fn own_xattrs(mut xattrs: Xattrs) -> Xattrs {
    xattrs.retain(|name, _| !is_system_xattr(name));
    xattrs
}

/// Adds the attributes of the system that the old inode has, if the entry still has its type. They were not
/// set on the disk, so the disk cannot tell whether they have changed.
pub(crate) fn keep_system_xattrs(xattrs: &mut Xattrs, old: Option<&Inode>, file_type: FileType) {
    let Some(old) = old.filter(|old| old.content.file_type() == file_type) else { return };
    let kept = old.attrs.xattrs.iter().filter(|(name, _)| is_system_xattr(name));
    xattrs.extend(kept.map(|(name, value)| (name.clone(), value.clone())));
}
