//! The capabilities of file systems.

use serde::{Deserialize, Serialize};

use crate::attrs::Time;

/// The capabilities of a file system, as seen through a driver. The caller decides how to handle the rest:
/// drivers drop nothing silently.
///
/// A driver starts from [`Support::ALL`] or [`Support::NONE`] and sets the fields that differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Support {
    /// Owner and group can be set.
    pub owner: bool,
    /// Mode bits can be set.
    pub mode: bool,
    /// Extended attributes can be set.
    pub xattrs: bool,
    /// Devices can be made.
    pub devices: bool,
    /// Fifos can be made.
    pub fifos: bool,
    /// Symbolic links can have an absolute target, or one that climbs out of the root. Where they cannot, a
    /// runtime may refuse every target that begins with `..`, with `PermissionDenied`, as new versions of
    /// Node do.
    pub absolute_links: bool,
    /// Names and link targets can be any bytes; otherwise they are UTF-8.
    pub any_names: bool,
    /// [`Metadata::ctime`](super::Metadata::ctime) is the time of last change. Otherwise it proves nothing.
    pub change_times: bool,
    /// The earliest and the latest time; one beyond becomes the nearest of them.
    pub times: (Time, Time),
    /// Times that are set keep fractions of a second.
    pub fractions: bool,
}

impl Support {
    /// Everything.
    pub const ALL: Self = Self {
        owner: true,
        mode: true,
        xattrs: true,
        devices: true,
        fifos: true,
        absolute_links: true,
        any_names: true,
        change_times: true,
        times: (Time::MIN, Time::MAX),
        fractions: true,
    };

    /// Files, directories, links to targets below the root, and whole seconds since 1970.
    pub const NONE: Self = Self {
        owner: false,
        mode: false,
        xattrs: false,
        devices: false,
        fifos: false,
        absolute_links: false,
        any_names: false,
        change_times: false,
        times: (Time::EPOCH, Time::MAX),
        fractions: false,
    };

    /// Returns what holds when the rest is emulated: everything, or where modes cannot be set, neither owners
    /// nor extended attributes.
    #[must_use]
    pub fn effective(&self) -> Self {
        if self.mode { Self::ALL } else { Self { owner: false, xattrs: false, ..*self } }
    }

    /// Returns the time that an entry has after this one was set.
    #[must_use]
    pub fn nearest(&self, time: Time) -> Time {
        let time = time.clamp(self.times.0, self.times.1);
        if self.fractions { time } else { Time::from_seconds(time.seconds) }
    }
}

/// Returns whether an extended attribute belongs to the system it is on rather than to the image.
#[must_use]
pub fn is_system_xattr(name: &[u8]) -> bool {
    [&b"security.selinux"[..], b"system.nfs4_acl"].contains(&name)
}
