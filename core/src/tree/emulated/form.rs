//! The form in which entries are stored on a disk that cannot hold them as they are, and its interpretation.

use std::{
    borrow::Cow,
    io::{self, ErrorKind},
};

use crate::{
    attrs::Time,
    fs::{AttrChange, FileType, Metadata, Support},
    tree::{Content, Inode},
};

/// Owner and mode of new entries on a disk that holds neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Defaults {
    /// User and group.
    pub owner: (u32, u32),
    /// Mode of files, octal. In modes of directories, search permission is added to read permission: 0644
    /// becomes 0755.
    pub mode: u32,
}

impl Default for Defaults {
    /// Returns root and 0644.
    fn default() -> Self {
        Self { owner: (0, 0), mode: 0o644 }
    }
}

impl Defaults {
    /// Returns the mode of a new entry of this type.
    #[must_use]
    pub fn mode_of(&self, file_type: FileType) -> u32 {
        match file_type {
            FileType::Dir => self.mode | (self.mode & 0o444) >> 2,
            FileType::Symlink => 0o777,
            _ => self.mode,
        }
    }
}

/// The interpretation of an entry on the disk.
pub(super) struct Seen<'t> {
    pub(super) metadata: Metadata,
    /// The inode that was written there, if the entry still has that type.
    pub(super) old: Option<&'t Inode>,
}

/// Interprets an entry on the disk.
///
/// # Errors
/// Fails with `Unsupported` for a device whose numbers are unknown.
pub(super) fn seen<'t>(
    found: &Metadata,
    old: Option<&'t Inode>,
    held: &Support,
    defaults: &Defaults,
) -> io::Result<Seen<'t>> {
    let is_device = matches!(found.file_type, FileType::Char | FileType::Block);
    let placeholder = found.file_type == FileType::File && found.size == 0;
    let same = old.and_then(|inode| {
        let file_type = inode.content.file_type();
        let stands_for = match file_type {
            FileType::Char | FileType::Block => placeholder && !held.devices,
            FileType::Fifo => placeholder && !held.fifos,
            FileType::Symlink => placeholder && !held.absolute_links,
            _ => false,
        };
        (file_type == found.file_type || stands_for).then_some((inode, file_type))
    });
    let metadata = match same {
        Some((inode, file_type)) => {
            let attrs = &inode.attrs;
            let rdev = match &inode.content {
                Content::Char(major, minor) | Content::Block(major, minor) => (*major, *minor),
                _ => (0, 0),
            };
            let mtime = if as_written(attrs.mtime, found.mtime, held) { attrs.mtime } else { found.mtime };
            let (mode, uid, gid) = (attrs.mode, attrs.uid, attrs.gid);
            Metadata { file_type, mode, uid, gid, mtime, rdev, ..found.clone() }
        }
        None if is_device && found.rdev == (0, 0) => {
            let reason = "cannot read the numbers of a new device: repack outside the sandbox";
            return Err(io::Error::new(ErrorKind::Unsupported, reason));
        }
        None => {
            let (uid, gid) = defaults.owner;
            let mode = if found.mode == 0 { defaults.mode_of(found.file_type) } else { found.mode };
            Metadata { mode, uid, gid, ..found.clone() }
        }
    };
    Ok(Seen { metadata, old: same.map(|(inode, _)| inode) })
}

fn as_written(written: Time, found: Time, held: &Support) -> bool {
    found == written || found == held.nearest(written) || found == written.clamp(held.times.0, held.times.1)
}

/// Returns the part of a change that the disk can hold.
pub(super) fn held<'c>(held: &Support, change: &AttrChange<'c>) -> AttrChange<'c> {
    if held.mode {
        return *change;
    }
    AttrChange { mtime: change.mtime, ..AttrChange::default() }
}

/// Returns a link target in a form that the disk can hold.
pub(super) fn link_target(held: &Support, target: &[u8], depth: usize) -> Vec<u8> {
    let target = if held.absolute_links { target.into() } else { inside(target, depth) };
    if held.any_names { target } else { utf8(&target).into_owned() }
}

/// Converts a target that is absolute or climbs out of the root to the equivalent relative target in a
/// directory at this depth.
fn inside(target: &[u8], depth: usize) -> Vec<u8> {
    let absolute = target.starts_with(b"/");
    let mut below: Vec<&[u8]> = Vec::new();
    let (mut up, mut out) = (if absolute { depth } else { 0 }, absolute);
    for part in target.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".") {
        match (part, below.last()) {
            (b"..", Some(last)) if *last != b".." => drop(below.pop()),
            // The parent of the root is the root.
            (b"..", _) if up == depth => out = true,
            (b"..", _) => up += 1,
            _ => below.push(part),
        }
    }
    if !out {
        return target.into();
    }
    let parts: Vec<_> = std::iter::repeat_n(&b".."[..], up).chain(below).collect();
    if parts.is_empty() { b".".into() } else { parts.join(&b'/') }
}

/// Returns valid UTF-8 unchanged, and otherwise replaces each invalid byte by `%` and two hexadecimal digits.
pub(super) fn utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    if std::str::from_utf8(bytes).is_ok() {
        return Cow::Borrowed(bytes);
    }
    let mut text = Vec::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        text.extend_from_slice(chunk.valid().as_bytes());
        text.extend(chunk.invalid().iter().flat_map(|byte| format!("%{byte:02X}").into_bytes()));
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::{inside, utf8};

    #[test]
    fn targets_stay_inside() {
        for (target, depth, expected) in [
            ("/", 0, "."),
            ("/", 2, "../.."),
            ("/etc/passwd", 0, "etc/passwd"),
            ("/etc/passwd", 2, "../../etc/passwd"),
            ("//etc/./x/", 1, "../etc/x"),
            ("/../../etc", 1, "../etc"),
            ("/a/../../b", 1, "../b"),
            ("a/b", 3, "a/b"),
            ("./b//c/..", 0, "./b//c/.."),
            ("../b", 1, "../b"),
            ("../../b", 1, "../b"),
            ("a/../../b", 0, "b"),
            ("..", 0, "."),
        ] {
            let found = inside(target.as_bytes(), depth);
            assert_eq!(String::from_utf8_lossy(&found), expected, "{target} at {depth}");
        }
    }

    #[test]
    fn other_bytes_become_text() {
        assert_eq!(*utf8("ünï".as_bytes()), *"ünï".as_bytes());
        assert_eq!(*utf8(b"latin-\xe9%41"), *b"latin-%E9%41");
        assert_eq!(*utf8(b"\xf0\x9f-\xff"), *b"%F0%9F-%FF");
    }
}
