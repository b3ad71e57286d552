//! Lookup of entries of the merged tree in the directories of layers.

use std::io::ErrorKind;

use super::number_name;
use crate::{
    error::Result,
    fs::Dir,
    limits::Limits,
    name::EntryPath,
    tree::{Tree, follow::follow, merge::Slot, rootfs::failed},
};

/// Opens the regular file at a path of the merged tree, following symbolic links inside the root; `None` if
/// there is none. `layers` was written by [`super::OverlayfsSink`] and has `count` directories.
///
/// # Errors
/// Fails with [`Error::Limit`](crate::Error::Limit) for more links than [`Limits::links`];
/// [`Error::Io`](crate::Error::Io) if it is not a regular file, or a call fails.
pub(crate) fn open_file<D: Dir>(
    layers: &D,
    count: usize,
    tree: &Tree,
    path: &EntryPath,
    limits: &Limits,
) -> Result<Option<D::File>> {
    let Some(steps) = follow(tree, path, limits)? else { return Ok(None) };
    let Some(slot) = Slot::of_dir(&steps) else { return Ok(None) };
    match holder(layers, count, slot)? {
        None => Ok(None),
        Some(dir) => dir.open_file(slot.name).map(Some).map_err(failed("open", slot)),
    }
}

/// Returns the directory that holds a slot, in the highest of `count` layers that have the entry. The entry
/// must be in the merged tree, so that no layer hides it.
pub(super) fn holder<D: Dir>(layers: &D, count: usize, slot: Slot<'_>) -> Result<Option<D>> {
    for number in (0..count).rev() {
        let found = (|| {
            let mut dir = layers.open_dir(number_name(number).map_err(std::io::Error::other)?.as_name())?;
            for (_, step) in slot.at {
                dir = dir.open_dir(step.as_name())?;
            }
            dir.metadata(slot.name)?;
            Ok(dir)
        })();
        match found {
            Ok(dir) => return Ok(Some(dir)),
            Err(error) if ErrorKind::NotFound == std::io::Error::kind(&error) => {}
            Err(error) => return Err(failed("look up", slot)(error)),
        }
    }
    Ok(None)
}
