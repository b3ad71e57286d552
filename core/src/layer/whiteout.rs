//! The encoding of whiteouts in archives. This is the only module that knows `.wh.`.
//!
//! Source: image-spec 1.1.1, layer.md, "Whiteouts". AUFS keeps its own files under names that start with
//! `.wh..wh.` (`.wh..wh.plnk`, `.wh..wh.aufs`); some old images contain them, although they are not part of
//! the file system.

use super::{Change, Entry};
use crate::{
    error::{Error, Result},
    name::{EntryPath, NAME_MAX, Name},
};

const PREFIX: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";
const AUFS: &[u8] = b".wh..wh.";

/// The meaning of the path of an archive entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// An ordinary entry.
    Ordinary,
    /// A whiteout, whatever the type of its entry.
    Whiteout(Change),
    /// A file of AUFS, to be skipped.
    Ignored,
}

/// Interprets the path of an archive entry.
///
/// # Errors
/// Fails with the reason, for a whiteout without a name (`.wh.`, `.wh..`, `.wh...`) and for an entry below a
/// whiteout.
pub(crate) fn meaning(path: &EntryPath) -> Result<Meaning, &'static str> {
    if !mentions_prefix(path.as_bytes()) {
        return Ok(Meaning::Ordinary);
    }
    if path.names().any(|name| name.as_bytes().starts_with(AUFS) && name.as_bytes() != OPAQUE) {
        return Ok(Meaning::Ignored);
    }
    let Some((dir, last)) = path.split_last() else { return Ok(Meaning::Ordinary) };
    if dir.names().any(|name| name.as_bytes().starts_with(PREFIX)) {
        return Err("it is below a whiteout, which cannot be a directory");
    }
    if last.as_bytes() == OPAQUE {
        return Ok(Meaning::Whiteout(Change::ClearLower(dir)));
    }
    match last.as_bytes().strip_prefix(PREFIX) {
        None => Ok(Meaning::Ordinary),
        Some(hidden) => {
            let hidden = Name::new(hidden).map_err(|_| "whiteout without a name")?;
            Ok(Meaning::Whiteout(Change::Remove(dir.join(hidden))))
        }
    }
}

/// Returns the path of a change in an archive: that of the entry, or of its whiteout.
///
/// # Errors
/// Fails with [`Error::Layer`] if an archive cannot express the change: a name in the path starts with
/// `.wh.`, the root would be removed, or the name of the whiteout would be longer than [`NAME_MAX`].
pub(crate) fn archive_path(change: &Change) -> Result<EntryPath> {
    let (Change::Put(Entry { path, .. }) | Change::Remove(path) | Change::ClearLower(path)) = change;
    if mentions_prefix(path.as_bytes()) && path.names().any(|name| name.as_bytes().starts_with(PREFIX)) {
        return Err(error(
            path,
            "cannot be put into a layer: names that start with .wh. are reserved for whiteouts",
        ));
    }
    let (dir, whiteout) = match change {
        Change::Put(_) => return Ok(path.clone()),
        Change::ClearLower(dir) => (dir.clone(), OPAQUE.to_vec()),
        Change::Remove(path) => match path.split_last() {
            None => return Err(error(path, "cannot be removed: it is the root")),
            Some((dir, last)) => (dir, [PREFIX, last.as_bytes()].concat()),
        },
    };
    let too_long = |_| {
        error(
            path,
            format!("cannot be removed: the name of its whiteout would be longer than {NAME_MAX} bytes"),
        )
    };
    Ok(dir.join(Name::new(&whiteout).map_err(too_long)?))
}

/// Rejects nearly all paths without a closer look.
fn mentions_prefix(path: &[u8]) -> bool {
    path.windows(PREFIX.len()).any(|window| window == PREFIX)
}

fn error(path: &EntryPath, reason: impl Into<String>) -> Error {
    Error::layer(format!("entry {path:?}"), reason)
}

#[cfg(test)]
mod tests;
