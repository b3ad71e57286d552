//! The type and attributes of an entry, from its header and records.

use super::{Reason, header::Header, kind, pax::Pax};
use crate::{
    attrs::{Attrs, Time, Xattrs},
    layer::{
        EntryKind,
        acl::{self, Acl},
    },
    limits::Limits,
    name::EntryPath,
};

/// Returns the type of an entry. `flag` is its type flag; `size` and `link` come from all of its headers.
pub(super) fn entry_kind(
    flag: u8,
    header: Header<'_>,
    size: u64,
    link: &[u8],
    limits: &Limits,
) -> Result<EntryKind, Reason> {
    Ok(match flag {
        kind::FILE => EntryKind::File { size },
        kind::DIR => EntryKind::Dir,
        kind::SYMLINK => EntryKind::Symlink { target: symlink_target(link, limits)? },
        kind::HARD_LINK => EntryKind::HardLink { to: hard_link_target(link, limits)? },
        kind::CHAR => {
            let (major, minor) = header.device()?;
            EntryKind::Char { major, minor }
        }
        kind::BLOCK => {
            let (major, minor) = header.device()?;
            EntryKind::Block { major, minor }
        }
        kind::FIFO => EntryKind::Fifo,
        other => return Err(format!("unknown entry type {:?}", char::from(other))),
    })
}

/// Checks the target of a symbolic link.
pub(crate) fn symlink_target(link: &[u8], limits: &Limits) -> Result<Box<[u8]>, Reason> {
    if link.is_empty() {
        return Err("the symbolic link has no target".into());
    }
    if link.len() > limits.path {
        return Err(format!("the target of the link is longer than the limit of {} bytes", limits.path));
    }
    Ok(link.into())
}

/// Checks the target of a hard link.
pub(crate) fn hard_link_target(link: &[u8], limits: &Limits) -> Result<EntryPath, Reason> {
    let to = EntryPath::clean(link, limits).map_err(|error| format!("hard link: {error}"))?;
    if to.is_root() {
        return Err("the hard link points to the root".into());
    }
    Ok(to)
}

/// Returns owner, mode, time and extended attributes, and whether an access control list is not among them.
/// Records take precedence over the header.
pub(super) fn attrs(kind: &EntryKind, header: Header<'_>, pax: &mut Pax) -> Result<(Attrs, bool), Reason> {
    let lost = [&pax.access, &pax.default].into_iter().flatten().any(Acl::is_incomplete);
    let mut xattrs = pax.take_xattrs();
    // Systems disagree about the mode of symbolic links, and none uses it.
    let mode = match kind {
        EntryKind::Symlink { .. } => 0o777,
        _ => with_lists((header.mode()? & 0o7777) as u32, kind, pax, &mut xattrs),
    };
    let uid = id("uid", pax.uid.map_or_else(|| header.uid(), Ok)?)?;
    let gid = id("gid", pax.gid.map_or_else(|| header.gid(), Ok)?)?;
    let mtime = pax.mtime.map_or_else(|| header.mtime().map(Time::from_seconds), Ok)?;
    Ok((Attrs { mode, uid, gid, mtime, xattrs }, lost))
}

/// Adds access control lists that are not among the attributes already. Returns the mode with them.
fn with_lists(mode: u32, kind: &EntryKind, pax: &mut Pax, xattrs: &mut Xattrs) -> u32 {
    if let Some(list) = pax.default.take().and_then(Acl::into_default).filter(|_| *kind == EntryKind::Dir) {
        xattrs.entry(acl::DEFAULT.into()).or_insert(list);
    }
    let Some(list) = pax.access.take().filter(|_| !xattrs.contains_key(acl::ACCESS)) else { return mode };
    let (mode, list) = list.into_access(mode);
    xattrs.extend(list.map(|list| (acl::ACCESS.into(), list)));
    mode
}

/// Checks an id: Linux ids have 32 bits, and the highest value means "none".
pub(crate) fn id(name: &str, number: u64) -> Result<u32, Reason> {
    match u32::try_from(number) {
        Ok(id) if id != u32::MAX => Ok(id),
        _ => Err(format!("{name} {number} is out of range (at most {})", u32::MAX - 1)),
    }
}
