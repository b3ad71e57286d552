//! The encoding of whiteouts in archives. This is the only module that knows `.wh.`.
//!
//! Source: image-spec 1.1.1, layer.md, "Whiteouts". AUFS keeps its own files under names that start with
//! `.wh..wh.` (`.wh..wh.plnk`, `.wh..wh.aufs`); some old images contain them, although they are not part of
//! the file system.

use super::{Change, Entry};
use crate::{
    error::{Error, Result},
    limits::Limits,
    name::{EntryPath, Name},
};

const PREFIX: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";
const AUFS: &[u8] = b".wh..wh.";

/// The meaning of the path of an archive entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// An entry of the file system.
    Ordinary(EntryPath),
    /// A whiteout, whatever the type of its entry.
    Whiteout(Change),
    /// A file of AUFS, to be skipped.
    Ignored,
}

/// Interprets the path of an archive entry.
///
/// # Errors
/// Fails with the reason, for a path that no file system can have, a whiteout without a name (`.wh.`,
/// `.wh..`, `.wh...`), and an entry below a whiteout.
pub(crate) fn meaning(raw: &[u8], limits: &Limits) -> Result<Meaning, String> {
    let (dir, last) = match EntryPath::clean(raw, limits) {
        Ok(path) if !mentions_prefix(path.as_bytes()) => return Ok(Meaning::Ordinary(path)),
        Ok(path) => match path.split_last() {
            None => return Ok(Meaning::Ordinary(path)),
            Some((dir, last)) => (dir, last.as_bytes().to_vec()),
        },
        Err(error) => long_whiteout(raw, limits).ok_or_else(|| error.to_string())?,
    };
    let is_aufs = |name: &[u8]| name.starts_with(AUFS) && name != OPAQUE;
    if is_aufs(&last) || dir.names().any(|name| is_aufs(name.as_bytes())) {
        return Ok(Meaning::Ignored);
    }
    if dir.names().any(|name| name.as_bytes().starts_with(PREFIX)) {
        return Err("it is below a whiteout, which cannot be a directory".into());
    }
    if last == OPAQUE {
        return Ok(Meaning::Whiteout(Change::ClearLower(dir)));
    }
    let name = |bytes| Name::new(bytes).map_err(|error| error.to_string());
    match last.strip_prefix(PREFIX) {
        None => Ok(Meaning::Ordinary(dir.join(name(&last)?))),
        Some(b"" | b"." | b"..") => Err("whiteout without a name".into()),
        Some(hidden) => Ok(Meaning::Whiteout(Change::Remove(dir.join(name(hidden)?)))),
    }
}

/// Splits the path of a whiteout of a name that is nearly as long as names can be. No file has the name of
/// the whiteout, so it can be longer: containerd and umoci write and read it.
fn long_whiteout(raw: &[u8], limits: &Limits) -> Option<(EntryPath, Vec<u8>)> {
    let name_at = raw.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    let (dir, last) = raw.split_at(name_at);
    let hidden = last.strip_prefix(PREFIX)?;
    EntryPath::clean(&[dir, hidden].concat(), limits).ok()?;
    Some((EntryPath::clean(dir, limits).ok()?, last.to_vec()))
}

/// Returns the path of a change in an archive: that of the entry, or of its whiteout.
///
/// # Errors
/// Fails with [`Error::Layer`] if an archive cannot express the change: a name in the path starts with
/// `.wh.`, or the root would be removed.
pub(crate) fn archive_path(change: &Change) -> Result<Vec<u8>> {
    let (Change::Put(Entry { path, .. }) | Change::Remove(path) | Change::ClearLower(path)) = change;
    if mentions_prefix(path.as_bytes()) && path.names().any(|name| name.as_bytes().starts_with(PREFIX)) {
        return Err(error(
            path,
            "cannot be put into a layer: names that start with .wh. are reserved for whiteouts",
        ));
    }
    let (dir, name) = match change {
        Change::Put(_) => return Ok(path.as_bytes().to_vec()),
        Change::ClearLower(dir) => (dir.clone(), OPAQUE.to_vec()),
        Change::Remove(path) => match path.split_last() {
            None => return Err(error(path, "cannot be removed: it is the root")),
            Some((dir, last)) => (dir, [PREFIX, last.as_bytes()].concat()),
        },
    };
    let slash: &[u8] = if dir.is_root() { b"" } else { b"/" };
    Ok([dir.as_bytes(), slash, &name].concat())
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
