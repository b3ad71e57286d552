//! Which layer's directory has what the merged tree shows.

use std::io::ErrorKind;

use super::number_name;
use crate::{
    error::Result,
    fs::Dir,
    limits::Limits,
    name::{EntryPath, Name},
    tree::{Tree, follow::follow, merge::Step, rootfs::failed},
};

/// Opens the regular file that a path of the merged tree means, symbolic links followed inside the root; `None` if there is
/// none. `layers` is what [`super::Layers`] wrote, `count` directories.
///
/// # Errors
/// [`Error::Limit`](crate::Error::Limit) for more links than [`Limits::links`]; [`Error::Io`](crate::Error::Io) if what is found is no regular file, or a call fails.
pub fn open_file<D: Dir>(
    layers: &D,
    count: usize,
    tree: &Tree,
    path: &EntryPath,
    limits: &Limits,
) -> Result<Option<D::File>> {
    let Some(way) = follow(tree, path, limits)? else { return Ok(None) };
    let Some(((_, name), at)) = way.split_last() else { return Ok(None) };
    match holder(layers, count, at, name.as_name())? {
        None => Ok(None),
        Some(dir) => {
            let name = name.as_name();
            dir.open_file(name).map(Some).map_err(failed("open", at, name))
        }
    }
}

/// The directory at the end of a way, in the highest of `count` layers that has the entry in it. The merged tree must have the
/// entry: then no layer hides it.
pub(super) fn holder<D: Dir>(layers: &D, count: usize, at: &[Step], name: Name<'_>) -> Result<Option<D>> {
    for number in (0..count).rev() {
        let found = (|| {
            let mut dir = layers.open_dir(number_name(number).map_err(std::io::Error::other)?.as_name())?;
            for (_, step) in at {
                dir = dir.open_dir(step.as_name())?;
            }
            dir.metadata(name)?;
            Ok(dir)
        })();
        match found {
            Ok(dir) => return Ok(Some(dir)),
            Err(error) if ErrorKind::NotFound == std::io::Error::kind(&error) => {}
            Err(error) => return Err(failed("look up", at, name)(error)),
        }
    }
    Ok(None)
}
