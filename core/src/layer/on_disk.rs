//! The representation of an image's entries on a disk where not everything can be created: ids are mapped,
//! and attributes that must not be set are recorded in others.
//!
//! [`OnDisk`] describes the representation; [`ToDisk`] and [`FromDisk`] adapt changes in both directions. The
//! same adapter feeds the disk and the merged tree, so a manifest of the tree always matches the disk.

mod capability;
mod ids;
mod recorded;

use std::{
    borrow::Cow,
    fmt,
    io::{self, Read},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

pub use self::ids::{IdMap, IdRange};
use super::{Change, ChangeSink, Entry, EntryKind, acl};
use crate::{
    attrs::{Attrs, Xattrs},
    error::{Error, Result},
    name::EntryPath,
};

/// The representation of entries on a disk. By default, entries are stored as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::exhaustive_structs, reason = "made with struct update syntax")]
pub struct OnDisk {
    /// The user ids of the image and those of the host; empty if they are the same.
    #[serde(default, skip_serializing_if = "no_ranges")]
    pub uids: IdMap,
    /// The group ids of the image and those of the host; empty if they are the same.
    #[serde(default, skip_serializing_if = "no_ranges")]
    pub gids: IdMap,
    /// The privileges of the user who writes to the disk.
    #[serde(default)]
    pub privilege: Privilege,
}

fn no_ranges(map: &IdMap) -> bool {
    map.0.is_empty()
}

/// The privileges of the user who writes to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::exhaustive_enums, reason = "the cases user_namespaces(7) knows")]
pub enum Privilege {
    /// All: root on the host.
    #[default]
    Full,
    /// No devices, and of the extended attributes in `security` and `trusted` only file capabilities: root of
    /// a user namespace.
    Namespace,
    /// Only files of the user's own: an ordinary user. All entries belong to the image's root, which the maps
    /// make that user.
    None,
}

impl OnDisk {
    /// Returns the representation for an ordinary user, who is root in the image.
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

    /// Returns whether entries are stored as they are in the image.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the attributes of a directory that a layer implies but does not list: see
    /// [`Attrs::implied_dir`].
    ///
    /// # Errors
    /// Fails with [`Error::Unsupported`] if root is not in the maps.
    pub fn implied_dir(&self) -> Result<Attrs> {
        let mut attrs = Attrs::implied_dir();
        self.attrs_to_disk(&mut attrs, &EntryPath::root(), true)?;
        Ok(attrs)
    }

    /// Converts an entry of the image to its representation on the disk.
    ///
    /// # Errors
    /// Fails with [`Error::Unsupported`], naming path and id, if the owner is not in the maps;
    /// [`Error::Layer`] for an attribute whose name is too long to be recorded.
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

    /// `holds_records`: the kernel supports attributes of users only on files and directories (xattr(7)); on
    /// other types, nothing is recorded.
    fn attrs_to_disk(&self, attrs: &mut Attrs, path: &EntryPath, holds_records: bool) -> Result<()> {
        let lost = |what: &str, id: u32| {
            Error::Unsupported(format!(
                "/{path}: {what} {id} of the image is not in the {what} map\n\
                 hint: add a range that contains it"
            ))
        };
        // An ordinary user sets no capabilities, and lists with the ids of the image.
        if self.privilege != Privilege::None {
            self.xattrs_to_disk(&mut attrs.xattrs, path)?;
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

    /// Maps the ids in attributes.
    fn xattrs_to_disk(&self, xattrs: &mut Xattrs, path: &EntryPath) -> Result<()> {
        let lost = |name: &[u8], what: &str, id: u32, why: &str| {
            let name = String::from_utf8_lossy(name);
            Error::Unsupported(format!(
                "/{path}: {name} {why} {what} {id} of the image, which is not in the {what} map\n\
                 hint: add a range that contains it"
            ))
        };
        if let Some(value) = xattrs.get_mut(capability::NAME)
            && let Some(root) = capability::root_id(value)
        {
            let why = "is for a container whose root is";
            let root = self.uids.to_host(root).ok_or_else(|| lost(capability::NAME, "uid", root, why))?;
            *value = capability::with_root_id(value, root);
        }
        for name in [acl::ACCESS, acl::DEFAULT] {
            if let Some(value) = xattrs.get_mut(name) {
                let mapped = acl::with_ids(value, |id| self.uids.to_host(id), |id| self.gids.to_host(id));
                *value = mapped.map_err(|(what, id)| lost(name, what, id, "names"))?;
            }
        }
        Ok(())
    }

    /// Undoes [`OnDisk::xattrs_to_disk`]. What has an id that is not in the maps stays as it is.
    fn xattrs_from_disk(&self, xattrs: &mut Xattrs) {
        if let Some(value) = xattrs.get_mut(capability::NAME)
            && let Some(root) = capability::root_id(value)
            && let Some(root) = self.uids.to_container(root)
        {
            *value = capability::with_root_id(value, root);
        }
        for name in [acl::ACCESS, acl::DEFAULT] {
            if let Some(value) = xattrs.get_mut(name)
                && let Ok(mapped) =
                    acl::with_ids(value, |id| self.uids.to_container(id), |id| self.gids.to_container(id))
            {
                *value = mapped;
            }
        }
    }

    fn record_xattrs(&self, xattrs: &mut Xattrs, path: &EntryPath, holds_records: bool) -> Result<()> {
        let refused: Vec<Arc<[u8]>> = xattrs.keys().filter(|name| !self.may_set(name)).cloned().collect();
        for name in refused {
            let Some(value) = xattrs.remove(&name) else { continue };
            if holds_records {
                let recorded = recorded::recorded_name(&name).ok_or_else(|| {
                    let name = String::from_utf8_lossy(&name);
                    Error::layer(
                        format!("/{path}"),
                        format!("extended attribute {name:?}: the name is too long to be recorded"),
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

    /// Converts an entry on the disk to that of the image: the reverse of [`OnDisk::to_disk`].
    ///
    /// # Errors
    /// Fails with [`Error::Unsupported`], naming path and id, if the owner is not in the maps.
    pub fn from_disk<'a>(&self, entry: &'a Entry) -> Result<Cow<'a, Entry>> {
        if self.is_plain() || matches!(entry.kind, EntryKind::HardLink { .. }) {
            return Ok(Cow::Borrowed(entry));
        }
        let mut entry = entry.clone();
        let attrs = &mut entry.attrs;
        let lost = |what: &str, id: u32| {
            Error::Unsupported(format!(
                "/{}: {what} {id} of the host is not in the {what} map\n\
                 hint: add a range that contains it, or chown the file",
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
            // A placeholder that got content has become a file.
            if let (Some(device), EntryKind::File { size: 0 }) = (device, &entry.kind) {
                entry.kind = device;
            }
        }
        if self.privilege != Privilege::None {
            self.xattrs_from_disk(&mut attrs.xattrs);
        }
        Ok(Cow::Owned(entry))
    }
}

/// A sink that converts changes to their representation on the disk.
pub struct ToDisk<'a> {
    /// The sink that receives the changes.
    pub sink: &'a mut dyn ChangeSink,
    /// The representation.
    pub how: &'a OnDisk,
}

impl ChangeSink for ToDisk<'_> {
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> Result<()> {
        adapt(change, body, self.sink, |entry| self.how.to_disk(entry))
    }
}

/// A sink that converts changes found on the disk to those of the image.
pub struct FromDisk<'a> {
    /// The sink that receives the changes.
    pub sink: &'a mut dyn ChangeSink,
    /// The representation.
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
