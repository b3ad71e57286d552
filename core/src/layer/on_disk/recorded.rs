//! Attributes that record what an unprivileged user cannot set.
//!
//! | attribute | what it records |
//! |---|---|
//! | `user.rootlesscontainers` | the owner, as PRoot and umoci write it (rootlesscontaine.rs) |
//! | `user.ocicle.device` | an empty file in place of a device: `c MAJOR:MINOR` or `b MAJOR:MINOR` |
//! | `user.ocicle.xattr.NAME` | the extended attribute `NAME`, which only root may set |

use std::sync::Arc;

use crate::{attrs::Xattrs, layer::EntryKind};

/// The attribute that records the owner.
pub(super) const OWNER: &[u8] = b"user.rootlesscontainers";
/// The attribute that marks a placeholder.
pub(super) const DEVICE: &[u8] = b"user.ocicle.device";
/// The prefix for names of attributes that cannot be set.
const XATTR: &[u8] = b"user.ocicle.xattr.";
/// The prefix of all attributes of ocicle.
const OWN: &[u8] = b"user.ocicle.";
/// Linux's limit on the length of an attribute's name (xattr(7)), in bytes.
const NAME_MAX: usize = 255;

/// Returns whether any user may set the attribute on an own file, and it is not one of the above.
pub(super) fn anybody_may_set(name: &[u8]) -> bool {
    let posix_acl = [&b"system.posix_acl_access"[..], b"system.posix_acl_default"].contains(&name);
    posix_acl || (name.starts_with(b"user.") && !name.starts_with(OWN) && name != OWNER)
}

/// Returns the name under which an attribute is recorded; `None` if it would be too long.
pub(super) fn recorded_name(name: &[u8]) -> Option<Arc<[u8]>> {
    let recorded = [XATTR, name].concat();
    (recorded.len() <= NAME_MAX).then(|| recorded.into())
}

/// Replaces recorded attributes in those of a file by the attributes that they record.
pub(super) fn restore_xattrs(xattrs: &mut Xattrs) {
    let recorded: Vec<Arc<[u8]>> = xattrs.keys().filter(|name| name.starts_with(XATTR)).cloned().collect();
    for name in recorded {
        if let (Some(value), Some(original)) = (xattrs.remove(&name), name.strip_prefix(XATTR)) {
            xattrs.insert(original.into(), value);
        }
    }
}

/// Encodes `Resource { uint32 uid = 1; uint32 gid = 2; }` as protobuf. 4294967295 means "unchanged", which is
/// 0.
pub(super) fn owner_value(uid: u32, gid: u32) -> Arc<[u8]> {
    let mut value = Vec::with_capacity(12);
    for (tag, id) in [(0x08, uid), (0x10, gid)] {
        value.push(tag);
        let mut rest = if id == 0 { u32::MAX } else { id };
        while rest >= 0x80 {
            value.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        value.push(rest as u8);
    }
    value.into()
}

/// Decodes owner and group, as far as the value has them; `None` if it is invalid.
pub(super) fn parse_owner(value: &[u8]) -> Option<(Option<u32>, Option<u32>)> {
    let mut bytes = value.iter().copied();
    let (mut uid, mut gid) = (None, None);
    while let Some(tag) = bytes.next() {
        let mut id = 0_u64;
        let mut shift = 0;
        loop {
            let byte = bytes.next()?;
            id |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                break;
            }
            shift += 7;
        }
        let id = u32::try_from(id).ok()?;
        let id = (id != u32::MAX).then_some(id);
        match tag {
            0x08 => uid = id,
            0x10 => gid = id,
            _ => return None,
        }
    }
    Some((uid, gid))
}

/// Returns the value that marks a placeholder; `None` for other types than devices.
pub(super) fn device_value(kind: &EntryKind) -> Option<Arc<[u8]>> {
    match kind {
        EntryKind::Char { major, minor } => Some(format!("c {major}:{minor}").into_bytes().into()),
        EntryKind::Block { major, minor } => Some(format!("b {major}:{minor}").into_bytes().into()),
        _ => None,
    }
}

/// Returns the device of a placeholder.
pub(super) fn parse_device(value: &[u8]) -> Option<EntryKind> {
    let (kind, numbers) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    let (major, minor) = numbers.split_once(':')?;
    let (major, minor) = (major.parse().ok()?, minor.parse().ok()?);
    match kind {
        "c" => Some(EntryKind::Char { major, minor }),
        "b" => Some(EntryKind::Block { major, minor }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{device_value, owner_value, parse_device, parse_owner};
    use crate::layer::EntryKind;

    #[test]
    fn owners_are_written_as_other_tools_do() {
        // The value that umoci writes for 1000:0.
        assert_eq!(*owner_value(1000, 0), [0x08, 0xe8, 0x07, 0x10, 0xff, 0xff, 0xff, 0xff, 0x0f]);
        for (uid, gid) in [(0, 42), (65_534, 1), (1, 4_294_967_294)] {
            let read =
                parse_owner(&owner_value(uid, gid)).map(|(uid, gid)| (uid.unwrap_or(0), gid.unwrap_or(0)));
            assert_eq!(read, Some((uid, gid)));
        }
        // Protobuf omits zeros.
        assert_eq!(parse_owner(&[0x10, 5]), Some((None, Some(5))));
        assert_eq!(parse_owner(&[]), Some((None, None)));
        for wrong in [
            &[0x08][..],
            &[0x18, 1],
            &[0x08, 0x80],
            &[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
        ] {
            assert_eq!(parse_owner(wrong), None);
        }
    }

    #[test]
    fn devices_survive() {
        for kind in
            [EntryKind::Char { major: 1, minor: 3 }, EntryKind::Block { major: 4095, minor: 1_048_575 }]
        {
            assert_eq!(device_value(&kind).and_then(|value| parse_device(&value)), Some(kind));
        }
        assert_eq!(device_value(&EntryKind::Fifo), None);
        for wrong in [&b""[..], b"c", b"c 1", b"x 1:2", b"c 1:x", b"c -1:2"] {
            assert_eq!(parse_device(wrong), None);
        }
    }
}
