//! How the entries of an image lie on a disk that is not its own: ids mapped, and what may not be made recorded instead.
//!
//! [`OnDisk`] says how; [`ToDisk`] and [`FromDisk`] are the adapters for the way there and back. The same adapter feeds the
//! disk and the merged tree, so a manifest of the tree is true to the disk, whatever was done.

mod capability;
mod ids;
mod recorded;

use std::{
    borrow::Cow,
    fmt,
    io::{self, Read},
};

use serde::{Deserialize, Serialize};

pub use self::ids::{IdMap, IdRange};
use super::{Change, ChangeSink, Entry, EntryKind};
use crate::{
    attrs::{Attrs, Xattrs},
    error::{Error, Result},
    name::EntryPath,
};

/// How entries lie on a disk. The default is: as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::exhaustive_structs, reason = "made with struct update syntax")]
pub struct OnDisk {
    /// Which users of the image are which of the host; empty: the same.
    #[serde(default, skip_serializing_if = "no_ranges")]
    pub uids: IdMap,
    /// Which groups of the image are which of the host; empty: the same.
    #[serde(default, skip_serializing_if = "no_ranges")]
    pub gids: IdMap,
    /// What whoever writes to the disk may do there.
    #[serde(default)]
    pub privilege: Privilege,
}

fn no_ranges(map: &IdMap) -> bool {
    map.0.is_empty()
}

/// What may be made on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::exhaustive_enums, reason = "the cases user_namespaces(7) knows")]
pub enum Privilege {
    /// Everything: root of the machine.
    #[default]
    Full,
    /// No devices, and of the attributes of `security` and `trusted` only file capabilities: root of a user namespace.
    Namespace,
    /// Files of one's own only: an ordinary user. Every entry belongs to the image's root, which the maps make that user.
    None,
}

impl OnDisk {
    /// An ordinary user, who is root of the image.
    ///
    /// ```
    /// use ocicle::layer::on_disk::OnDisk;
    ///
    /// let rootless = OnDisk::rootless(1000, 100);
    /// assert_eq!(rootless.uids.to_host(0), Some(1000));
    /// ```
    #[must_use]
    pub fn rootless(uid: u32, gid: u32) -> Self {
        let root = |host| IdMap(vec![IdRange { container: 0, host, size: 1 }]);
        Self { uids: root(uid), gids: root(gid), privilege: Privilege::None }
    }

    /// Whether entries lie on the disk as they are in the image.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// The attributes of a directory that a layer implies but does not list: see [`Attrs::implied_dir`].
    ///
    /// # Errors
    /// [`Error::Unsupported`] if the maps have no place for root.
    pub fn implied_dir(&self) -> Result<Attrs> {
        let mut attrs = Attrs::implied_dir();
        self.attrs_to_disk(&mut attrs, &EntryPath::root(), true)?;
        Ok(attrs)
    }

    /// An entry as it lies on the disk.
    ///
    /// # Errors
    /// [`Error::Unsupported`] naming path and id, if the maps have no place for its owner; [`Error::Layer`] for an attribute
    /// whose name is too long to be recorded.
    pub fn to_disk<'a>(&self, entry: &'a Entry) -> Result<Cow<'a, Entry>> {
        if self.is_plain() || matches!(entry.kind, EntryKind::HardLink { .. }) {
            return Ok(Cow::Borrowed(entry));
        }
        let mut entry = entry.clone();
        if self.privilege != Privilege::Full
            && let Some(value) = recorded::device_value(&entry.kind)
        {
            entry.kind = EntryKind::File { size: 0 };
            self.attrs_to_disk(&mut entry.attrs, &entry.path, true)?;
            entry.attrs.xattrs.insert(recorded::DEVICE.into(), value);
            return Ok(Cow::Owned(entry));
        }
        let holds_records = matches!(entry.kind, EntryKind::File { .. } | EntryKind::Dir);
        self.attrs_to_disk(&mut entry.attrs, &entry.path, holds_records)?;
        Ok(Cow::Owned(entry))
    }

    /// `holds_records`: the kernel keeps attributes of users for files and directories only (xattr(7)); with a link or fifo,
    /// what may not be set is not recorded either.
    fn attrs_to_disk(&self, attrs: &mut Attrs, path: &EntryPath, holds_records: bool) -> Result<()> {
        let lost = |what: &str, id: u32| {
            Error::Unsupported(format!(
                "/{path}: {what} {id} of the image has no place in the {what} map: add a range that has it"
            ))
        };
        if let Some(value) = attrs.xattrs.get_mut(capability::NAME)
            && let Some(root) = capability::root_id(value)
        {
            let root = self.uids.to_host(root).ok_or_else(|| lost("uid", root))?;
            *value = capability::with_root_id(value, root);
        }
        if self.privilege != Privilege::Full {
            self.record_xattrs(&mut attrs.xattrs, path, holds_records)?;
        }
        if self.privilege == Privilege::None {
            let owner = (std::mem::take(&mut attrs.uid), std::mem::take(&mut attrs.gid));
            if owner != (0, 0) && holds_records {
                attrs.xattrs.insert(recorded::OWNER.into(), recorded::owner_value(owner.0, owner.1));
            }
        }
        attrs.uid = self.uids.to_host(attrs.uid).ok_or_else(|| lost("uid", attrs.uid))?;
        attrs.gid = self.gids.to_host(attrs.gid).ok_or_else(|| lost("gid", attrs.gid))?;
        Ok(())
    }

    fn record_xattrs(&self, xattrs: &mut Xattrs, path: &EntryPath, holds_records: bool) -> Result<()> {
        let refused: Vec<Box<[u8]>> = xattrs.keys().filter(|name| !self.may_set(name)).cloned().collect();
        for name in refused {
            let Some(value) = xattrs.remove(&name) else { continue };
            if holds_records {
                let recorded = recorded::recorded_name(&name).ok_or_else(|| {
                    let name = String::from_utf8_lossy(&name);
                    Error::layer(
                        format!("/{path}"),
                        format!("extended attribute {name:?}: too long a name to be recorded"),
                    )
                })?;
                xattrs.insert(recorded, value);
            }
        }
        Ok(())
    }

    fn may_set(&self, name: &[u8]) -> bool {
        let capabilities = self.privilege == Privilege::Namespace && name == capability::NAME;
        capabilities || crate::fs::is_system_xattr(name) || recorded::anybody_may_set(name)
    }

    /// An entry as the image has it: the reverse of [`OnDisk::to_disk`].
    ///
    /// # Errors
    /// [`Error::Unsupported`] naming path and id, if the maps have no id of the image for its owner.
    pub fn from_disk<'a>(&self, entry: &'a Entry) -> Result<Cow<'a, Entry>> {
        if self.is_plain() || matches!(entry.kind, EntryKind::HardLink { .. }) {
            return Ok(Cow::Borrowed(entry));
        }
        let mut entry = entry.clone();
        let attrs = &mut entry.attrs;
        let lost = |what: &str, id: u32| {
            Error::Unsupported(format!(
                "/{}: {what} {id} of the host has no place in the {what} map: add a range that has it, or give the file to somebody who has one (a copy is one's own)",
                entry.path
            ))
        };
        attrs.uid = self.uids.to_container(attrs.uid).ok_or_else(|| lost("uid", attrs.uid))?;
        attrs.gid = self.gids.to_container(attrs.gid).ok_or_else(|| lost("gid", attrs.gid))?;
        if self.privilege == Privilege::None
            && let Some(value) = attrs.xattrs.remove(recorded::OWNER)
            && let Some((uid, gid)) = recorded::parse_owner(&value)
        {
            attrs.uid = uid.unwrap_or(attrs.uid);
            attrs.gid = gid.unwrap_or(attrs.gid);
        }
        if self.privilege != Privilege::Full {
            recorded::restore_xattrs(&mut attrs.xattrs);
            let device =
                attrs.xattrs.remove(recorded::DEVICE).and_then(|value| recorded::parse_device(&value));
            // Whoever wrote something into the placeholder made it a file.
            if let (Some(device), EntryKind::File { size: 0 }) = (device, &entry.kind) {
                entry.kind = device;
            }
        }
        if let Some(value) = attrs.xattrs.get_mut(capability::NAME)
            && let Some(root) = capability::root_id(value)
            && let Some(root) = self.uids.to_container(root)
        {
            *value = capability::with_root_id(value, root);
        }
        Ok(Cow::Owned(entry))
    }
}

/// Passes changes on as they go to the disk.
pub struct ToDisk<'a> {
    /// Where changes go.
    pub sink: &'a mut dyn ChangeSink,
    /// How they lie there.
    pub how: &'a OnDisk,
}

impl ChangeSink for ToDisk<'_> {
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> Result<()> {
        adapt(change, body, self.sink, |entry| self.how.to_disk(entry))
    }
}

/// Passes changes found on the disk on as they are in the image.
pub struct FromDisk<'a> {
    /// Where changes go.
    pub sink: &'a mut dyn ChangeSink,
    /// How they lie there.
    pub how: &'a OnDisk,
}

impl ChangeSink for FromDisk<'_> {
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> Result<()> {
        adapt(change, body, self.sink, |entry| self.how.from_disk(entry))
    }
}

fn adapt<'a>(
    change: &'a Change,
    body: &mut dyn Read,
    sink: &mut dyn ChangeSink,
    how: impl FnOnce(&'a Entry) -> Result<Cow<'a, Entry>>,
) -> Result<()> {
    let Change::Put(entry) = change else { return sink.put(change, body) };
    match how(entry)? {
        Cow::Borrowed(_) => sink.put(change, body),
        Cow::Owned(entry) if matches!(entry.kind, EntryKind::File { .. }) => {
            sink.put(&Change::Put(entry), body)
        }
        Cow::Owned(entry) => sink.put(&Change::Put(entry), &mut io::empty()),
    }
}

impl fmt::Debug for ToDisk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToDisk").field("how", &self.how).finish_non_exhaustive()
    }
}

impl fmt::Debug for FromDisk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromDisk").field("how", &self.how).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
