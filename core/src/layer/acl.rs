//! Access control lists, which star, GNU tar and bsdtar write as text: `user::rw-,user:lisa:r--:1000,…`, with
//! commas or newlines. In a file system they are extended attributes in a binary form, whose ids are those of
//! the host.
//!
//! Sources: acl(5), "ACL TEXT FORMS"; star(4), `SCHILY.acl.access`; Linux,
//! include/uapi/linux/posix_acl_xattr.h.

use std::{fmt, sync::Arc};

use crate::name::EntryPath;

/// The name of the list that applies to an entry.
pub(super) const ACCESS: &[u8] = b"system.posix_acl_access";
/// The name of the list that new entries of a directory get.
pub(super) const DEFAULT: &[u8] = b"system.posix_acl_default";

const VERSION: u32 = 2;
/// The bytes of an entry: kind, permissions, id.
const ENTRY: usize = 8;
/// The id of entries that have none.
const NO_ID: u32 = u32::MAX;

/// The kinds of entries, in the order of the binary form.
const USER_OBJ: u16 = 0x01;
const USER: u16 = 0x02;
const GROUP_OBJ: u16 = 0x04;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;
const OTHER: u16 = 0x20;

/// An access control list, as far as it can be understood without the names of the machine it is from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Acl {
    /// Kind, id and permissions, in order.
    entries: Vec<(u16, u32, u16)>,
    /// Whether an entry could not be understood.
    incomplete: bool,
}

impl Acl {
    /// Parses a list. What is not an entry, or names a user without a number, makes it incomplete.
    pub(super) fn parse(text: &[u8]) -> Self {
        let mut acl = Self::default();
        let lines = text.split(|byte| matches!(byte, b',' | b'\n'));
        // getfacl adds comments.
        let lines =
            lines.map(|line| line.split(|&byte| byte == b'#').next().unwrap_or_default().trim_ascii());
        for line in lines.filter(|line| !line.is_empty()) {
            match entry(line) {
                Some(entry) => acl.entries.push(entry),
                None => acl.incomplete = true,
            }
        }
        // There are few: the stable sort is a tenth of the code.
        acl.entries.sort_by_key(|entry| *entry);
        let twice = acl.entries.windows(2).any(|pair| (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1));
        let bases = [USER_OBJ, GROUP_OBJ, OTHER].iter().all(|kind| acl.perms(*kind).is_some());
        acl.incomplete |= twice || !bases || acl.has_names() && acl.perms(MASK).is_none();
        acl
    }

    /// Returns the mode and the attribute of an entry with this list. There is no attribute if the mode says
    /// it all, or the list is incomplete. Then the group has only its own bits: with a list, the mode has
    /// those of the mask in their place, which are the most that any group or named user may do.
    pub(super) fn into_access(self, mode: u32) -> (u32, Option<Arc<[u8]>>) {
        let perms = |kind| self.perms(kind).map(u32::from);
        match (perms(USER_OBJ), perms(MASK), perms(OTHER), perms(GROUP_OBJ)) {
            // bsdtar's mode is that of the group; where it extracts, the list has the last word.
            (Some(user), Some(mask), Some(other), _) if !self.incomplete => {
                (mode & 0o7000 | user << 6 | mask << 3 | other, Some(self.encode()))
            }
            (.., Some(group)) if self.incomplete => (mode & (!0o070 | group << 3), None),
            _ => (mode, None),
        }
    }

    /// Returns the attribute for new entries of a directory; `None` if the list is incomplete.
    pub(super) fn into_default(self) -> Option<Arc<[u8]>> {
        (!self.incomplete).then(|| self.encode())
    }

    /// Returns whether it says too little to be kept.
    pub(super) fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    fn perms(&self, kind: u16) -> Option<u16> {
        self.entries.iter().find(|entry| entry.0 == kind).map(|entry| entry.2)
    }

    fn has_names(&self) -> bool {
        self.perms(USER).is_some() || self.perms(GROUP).is_some()
    }

    fn encode(&self) -> Arc<[u8]> {
        let mut value = VERSION.to_le_bytes().to_vec();
        for (kind, id, perms) in &self.entries {
            value.extend(kind.to_le_bytes());
            value.extend(perms.to_le_bytes());
            value.extend(id.to_le_bytes());
        }
        value.into()
    }
}

/// The access control lists of layers that are left out, since they mean nothing without the machine they are
/// from: GNU tar names the users that its machine knows, and not their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostLists {
    /// The number of entries.
    pub count: u64,
    /// The first of them.
    pub first: Option<EntryPath>,
}

impl LostLists {
    pub(super) fn add(&mut self, path: &EntryPath) {
        self.count += 1;
        self.first.get_or_insert_with(|| path.clone());
    }

    /// Adds those of a higher layer.
    pub(crate) fn extend(&mut self, higher: Self) {
        self.count += higher.count;
        self.first = self.first.take().or(higher.first);
    }
}

/// A sentence; empty if nothing was lost.
impl fmt::Display for LostLists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = &self.first else { return Ok(()) };
        match self.count {
            1 => write!(f, "the access control list of /{first} is left out")?,
            more => write!(
                f,
                "the access control lists of {more} files are left out, the first that of /{first}"
            )?,
        }
        f.write_str(": without numeric ids, or incomplete; the group keeps its own permissions")
    }
}

/// Returns the attribute with other ids. One that is not a list stays as it is.
///
/// # Errors
/// Fails with the kind of id and the id that a map does not have.
pub(super) fn with_ids(
    value: &[u8],
    uid: impl Fn(u32) -> Option<u32>,
    gid: impl Fn(u32) -> Option<u32>,
) -> Result<Arc<[u8]>, (&'static str, u32)> {
    let mut mapped = value.to_vec();
    let Some((version, entries)) = mapped.split_first_chunk_mut::<4>() else { return Ok(value.into()) };
    if u32::from_le_bytes(*version) != VERSION || !entries.len().is_multiple_of(ENTRY) {
        return Ok(value.into());
    }
    for entry in entries.as_chunks_mut::<ENTRY>().0 {
        let [kind_low, kind_high, _, _, id @ ..] = entry;
        let old = u32::from_le_bytes(*id);
        let new = match u16::from_le_bytes([*kind_low, *kind_high]) {
            USER => uid(old).ok_or(("uid", old))?,
            GROUP => gid(old).ok_or(("gid", old))?,
            _ => continue,
        };
        *id = new.to_le_bytes();
    }
    Ok(mapped.into())
}

/// Parses `KIND:NAME:PERMISSIONS`, possibly with `:ID`.
fn entry(line: &[u8]) -> Option<(u16, u32, u16)> {
    let mut fields = std::str::from_utf8(line).ok()?.split(':');
    let (kind, name, perms, more) = (fields.next()?, fields.next()?, fields.next()?, fields.next());
    let id = match (name, more) {
        ("", None) => NO_ID,
        ("", Some(_)) => return None,
        (name, more) => more.unwrap_or(name).parse().ok().filter(|id| *id != NO_ID)?,
    };
    let kind = match (kind, id) {
        ("user" | "u", NO_ID) => USER_OBJ,
        ("user" | "u", _) => USER,
        ("group" | "g", NO_ID) => GROUP_OBJ,
        ("group" | "g", _) => GROUP,
        ("mask" | "m", NO_ID) => MASK,
        ("other" | "o", NO_ID) => OTHER,
        _ => return None,
    };
    let perms = perms.bytes().try_fold(0, |perms, byte| match byte {
        b'r' => Some(perms | 4),
        b'w' => Some(perms | 2),
        b'x' => Some(perms | 1),
        b'-' => Some(perms),
        _ => None,
    })?;
    fields.next().is_none().then_some((kind, id, perms))
}

#[cfg(test)]
mod tests {
    use super::{Acl, LostLists, with_ids};
    use crate::{limits::Limits, name::EntryPath};

    /// The attribute that Linux makes of `setfacl -m u:1000:rw,g:5:r` on a file of mode 0640.
    const LISTED: &[u8] = b"\x02\0\0\0\
        \x01\0\x06\0\xff\xff\xff\xff\
        \x02\0\x06\0\xe8\x03\0\0\
        \x04\0\x04\0\xff\xff\xff\xff\
        \x08\0\x04\0\x05\0\0\0\
        \x10\0\x06\0\xff\xff\xff\xff\
        \x20\0\0\0\xff\xff\xff\xff";

    #[test]
    fn every_spelling_is_read() {
        for text in [
            // star and GNU tar, bsdtar, getfacl
            "user::rw-\nuser:1000:rw-\ngroup::r--\ngroup:5:r--\nmask::rw-\nother::---\n",
            "user::rw-,group::r--,other::---,user:lisa:rw-:1000,group:tty:r--:5,mask::rw-",
            "# file: f\nu::rw-\nu:1000:rw-\ng::r--\t#effective:r--\ng:5:r\nm::rw\no::-\n",
        ] {
            let acl = Acl::parse(text.as_bytes());
            for mode in [0o2660, 0o2640] {
                assert_eq!(acl.clone().into_access(mode), (0o2660, Some(LISTED.into())), "{text}");
            }
            assert_eq!(acl.into_default().as_deref(), Some(LISTED), "{text}");
        }
    }

    #[test]
    fn a_list_that_the_mode_says_is_not_needed() {
        let acl = Acl::parse(b"user::rw-,group::r--,other::r--");
        assert_eq!(acl.into_access(0o664), (0o664, None));
    }

    #[test]
    fn without_a_list_the_group_gets_no_more_than_its_own() {
        for text in [
            "user::rw-,user:lisa:rw-,group::r--,mask::rw-,other::---",
            "user::rw-,user:1:rw-,user:1:r--,group::r--,mask::rw-,other::---",
            "user::rw-,user:1:rw-,group::r--,other::---",
            "user::rw-,user:1:rwz,group::r--,mask::rw-,other::---",
            "user::rw-,mask:5:rw-,group::r--,mask::rw-,other::---",
            "user::rw-,user:1:rw-,group::r--,mask::rw-",
        ] {
            let acl = Acl::parse(text.as_bytes());
            assert_eq!(acl.clone().into_default(), None, "{text}");
            assert_eq!(acl.into_access(0o2660), (0o2640, None), "{text}");
        }
        assert_eq!(Acl::parse(b"\xff").into_access(0o660), (0o660, None));
    }

    #[test]
    fn ids_are_mapped() {
        let add = |id: u32| id.checked_add(100_000);
        let mapped = with_ids(LISTED, add, add).unwrap();
        assert_eq!(
            (&mapped[16..20], &mapped[32..36]),
            (&101_000_u32.to_le_bytes()[..], &100_005_u32.to_le_bytes()[..])
        );
        let subtract = |id: u32| id.checked_sub(100_000);
        assert_eq!(&*with_ids(&mapped, subtract, subtract).unwrap(), LISTED);
        assert_eq!(with_ids(LISTED, add, |_| None), Err(("gid", 5)));
        for odd in [&b"acl"[..], b"", &LISTED[..18], b"\x01\0\0\0"] {
            assert_eq!(with_ids(odd, |_| None, |_| None).as_deref(), Ok(odd));
        }
    }

    #[test]
    fn what_is_lost_is_said() {
        let path = |path: &str| EntryPath::clean(path.as_bytes(), &Limits::default()).unwrap();
        let mut lost = LostLists::default();
        assert_eq!(lost.to_string(), "");
        lost.add(&path("etc/f"));
        assert!(lost.to_string().starts_with("the access control list of /etc/f is left out: "), "{lost}");
        let mut all = LostLists::default();
        all.extend(lost.clone());
        lost.first = Some(path("other"));
        all.extend(lost);
        let text = "the access control lists of 2 files are left out, the first that of /etc/f: ";
        assert!(all.to_string().starts_with(text), "{all}");
    }
}
