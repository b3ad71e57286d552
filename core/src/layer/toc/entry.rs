//! Conversion of entries of a table to changes, by the rules of the tar reader.

use std::{borrow::Cow, collections::BTreeMap};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;

use super::time;
use crate::{
    attrs::{Attrs, Time, Xattrs},
    layer::{
        Change, Entry, EntryKind, tar,
        whiteout::{self, Meaning},
    },
    limits::Limits,
};

/// The reason why an entry is invalid; the caller adds the entry's name.
type Reason = String;

/// An entry as written. Its other members (digests, positions of chunks in the blob) are not about the file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TocEntry<'a> {
    /// Missing in chunks by old writers.
    #[serde(borrow, default)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(default)]
    pub(super) size: u64,
    #[serde(borrow, default)]
    link_name: Cow<'a, str>,
    /// The mode, possibly with the bits of the type.
    #[serde(default)]
    mode: u64,
    #[serde(default)]
    uid: u64,
    #[serde(default)]
    gid: u64,
    #[serde(default)]
    modtime: Option<String>,
    #[serde(default)]
    dev_major: u32,
    #[serde(default)]
    dev_minor: u32,
    /// Values in base64. Go writes `null` if there are none.
    #[serde(default)]
    xattrs: Option<BTreeMap<String, Option<String>>>,
}

impl TocEntry<'_> {
    /// Returns whether it is a chunk of the file before it.
    pub(super) fn is_chunk(&self) -> bool {
        self.kind == "chunk"
    }

    pub(super) fn is_file(&self) -> bool {
        self.kind == "reg"
    }
}

/// Converts an entry to a change; `None` if it is not part of the file system.
pub(super) fn change(entry: &TocEntry<'_>, limits: &Limits) -> Result<Option<Change>, Reason> {
    let path = match whiteout::meaning(entry.name.as_bytes(), limits)? {
        Meaning::Ordinary(path) => path,
        Meaning::Ignored => return Ok(None),
        Meaning::Whiteout(change) => return Ok(Some(change)),
    };
    if path.is_root() && entry.kind != "dir" {
        return Err("the root must be a directory".into());
    }
    let kind = entry_kind(entry, limits)?;
    let attrs = attrs(entry, &kind)?;
    Ok(Some(Change::Put(Entry { path, attrs, kind })))
}

fn entry_kind(entry: &TocEntry<'_>, limits: &Limits) -> Result<EntryKind, Reason> {
    let link = entry.link_name.as_bytes();
    let (major, minor) = (entry.dev_major, entry.dev_minor);
    Ok(match &*entry.kind {
        "reg" if entry.name.ends_with('/') => {
            return Err("the name of the file ends with '/'".into());
        }
        "reg" => EntryKind::File { size: entry.size },
        "dir" => EntryKind::Dir,
        "symlink" if link.contains(&0) => return Err("the target of the link contains NUL".into()),
        "symlink" => EntryKind::Symlink { target: tar::symlink_target(link, limits)? },
        "hardlink" => EntryKind::HardLink { to: tar::hard_link_target(link, limits)? },
        "char" => EntryKind::Char { major, minor },
        "block" => EntryKind::Block { major, minor },
        "fifo" => EntryKind::Fifo,
        other => return Err(format!("unknown entry type {:?}", other.chars().take(20).collect::<String>())),
    })
}

fn attrs(entry: &TocEntry<'_>, kind: &EntryKind) -> Result<Attrs, Reason> {
    let mode = match kind {
        EntryKind::Symlink { .. } => 0o777,
        _ => (entry.mode & 0o7777) as u32,
    };
    let mtime = match entry.modtime.as_deref() {
        None | Some("") => Time::EPOCH,
        Some(text) => {
            time::parse(text).ok_or_else(|| format!("modtime: {text:?} is not an RFC 3339 date"))?
        }
    };
    let (uid, gid) = (tar::id("uid", entry.uid)?, tar::id("gid", entry.gid)?);
    Ok(Attrs { mode, uid, gid, mtime, xattrs: xattrs(entry)? })
}

fn xattrs(entry: &TocEntry<'_>) -> Result<Xattrs, Reason> {
    let mut xattrs = Xattrs::default();
    for (name, value) in entry.xattrs.iter().flatten() {
        if name.is_empty() || name.contains('\0') {
            return Err("extended attribute without a name".into());
        }
        let value = STANDARD
            .decode(value.as_deref().unwrap_or_default())
            .map_err(|error| format!("extended attribute {name:?} is not base64: {error}"))?;
        xattrs.insert(name.as_bytes().into(), value.into());
    }
    Ok(xattrs)
}
