//! Directory handles: the only way this library touches a file system.
//!
//! A handle opens nothing but what is below it, one [`Name`] at a time, and follows no link. Drivers: [`mem`] in memory,
//! `host` over cap-std handles (Linux), `wasi` in a WASI sandbox. What a driver cannot hold it declares in [`Support`].

use std::io::{self, Read, Seek, Write};

use serde::{Deserialize, Serialize};

use crate::{
    attrs::{Time, Xattrs},
    name::{Name, NameBuf},
};

#[cfg(all(target_os = "linux", feature = "host"))]
pub mod host;
#[cfg(any(all(target_os = "linux", feature = "host"), target_os = "wasi", test))]
mod marks;
pub mod mem;
mod readable;
mod resolve;
mod rules;
mod walk;
#[cfg(target_os = "wasi")]
pub mod wasi;

pub use readable::Readable;
pub use resolve::open_file_in_root;
pub use walk::remove_tree;

/// A directory, as a handle.
///
/// Errors are the `io::Error`s of the calls they stand for, with the usual kinds (`NotFound`, `AlreadyExists`,
/// `NotADirectory`, `IsADirectory`, `PermissionDenied`, `Unsupported` …). They do not name the path: the caller knows it.
pub trait Dir: Sized + Send {
    /// An open regular file.
    type File: File;
    /// Holds the lock of [`Dir::lock`] or [`Dir::lock_shared`] until it is dropped.
    type Lock: Send;

    /// Opens the directory of that name. A symbolic link is an error, wherever it points.
    fn open_dir(&self, name: Name<'_>) -> io::Result<Self>;
    /// Opens a regular file for reading. Anything else is an error and never blocks (a fifo, a device, a link).
    fn open_file(&self, name: Name<'_>) -> io::Result<Self::File>;
    /// Creates a regular file for writing, mode 0600 until changed; `AlreadyExists` if the name is taken by anything.
    fn create_file(&self, name: Name<'_>) -> io::Result<Self::File>;
    /// The names in the directory, in byte order, without `.` and `..`.
    fn names(&self) -> io::Result<Vec<NameBuf>>;
    /// What is known about the entry itself (a link is not followed).
    fn metadata(&self, name: Name<'_>) -> io::Result<Metadata>;
    /// What is known about this directory.
    fn self_metadata(&self) -> io::Result<Metadata>;
    /// The target of a symbolic link, verbatim.
    fn read_link(&self, name: Name<'_>) -> io::Result<Vec<u8>>;
    /// The extended attributes of the entry itself; empty where the file system has none.
    fn xattrs(&self, name: Name<'_>) -> io::Result<Xattrs>;
    /// The extended attributes of this directory.
    fn self_xattrs(&self) -> io::Result<Xattrs>;
    /// Creates a directory, mode 0700 until changed.
    fn create_dir(&self, name: Name<'_>) -> io::Result<()>;
    /// Creates a symbolic link with this target, verbatim.
    fn symlink(&self, name: Name<'_>, target: &[u8]) -> io::Result<()>;
    /// Gives the entry `from_name` of `from` the additional name `name` here. A symbolic link is linked itself.
    fn hard_link(&self, name: Name<'_>, from: &Self, from_name: Name<'_>) -> io::Result<()>;
    /// Creates a fifo or device, mode 0600 until changed.
    fn create_node(&self, name: Name<'_>, node: Special) -> io::Result<()>;
    /// Moves an entry, replacing a file that is there.
    fn rename(&self, name: Name<'_>, to: &Self, to_name: Name<'_>) -> io::Result<()>;
    /// Removes anything but a directory.
    fn remove_file(&self, name: Name<'_>) -> io::Result<()>;
    /// Removes an empty directory.
    fn remove_dir(&self, name: Name<'_>) -> io::Result<()>;
    /// Changes attributes of the entry itself (a link is not followed), in the order owner, xattrs, mode, time: a change of
    /// owner clears set-id bits and file capabilities, and a mode may forbid to set attributes.
    fn set_attrs(&self, name: Name<'_>, change: &AttrChange<'_>) -> io::Result<()>;
    /// Changes attributes of this directory.
    fn set_self_attrs(&self, change: &AttrChange<'_>) -> io::Result<()>;
    /// Makes the directory's entries durable.
    fn sync(&self) -> io::Result<()>;
    /// Waits for an exclusive advisory lock on this directory, released on drop. It keeps out those who reach the directory
    /// through another driver, too.
    fn lock(&self) -> io::Result<Self::Lock>;
    /// As [`Dir::lock`], but others may hold a shared lock at the same time; only the exclusive one is kept out.
    fn lock_shared(&self) -> io::Result<Self::Lock>;
    /// What this file system can hold.
    fn support(&self) -> Support;
}

/// An open regular file.
pub trait File: Read + Write + Seek + Send + Sync {
    /// Reads from a position, in bytes, as far as one call of the system goes, and leaves the file's own position alone; 0 at
    /// the end.
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize>;
    /// What is known about the file now.
    fn metadata(&self) -> io::Result<Metadata>;
    /// Changes attributes, in the order of [`Dir::set_attrs`].
    fn set_attrs(&self, change: &AttrChange<'_>) -> io::Result<()>;
    /// Makes content and attributes durable.
    fn sync(&self) -> io::Result<()>;
}

/// What an entry on a file system is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "the types POSIX has")]
pub enum FileType {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Symlink,
    /// A character device.
    Char,
    /// A block device.
    Block,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
}

/// What a file system knows about an entry, without opening it. What it cannot know is 0 (see [`Support`]).
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a plain value that drivers make")]
pub struct Metadata {
    /// What it is.
    pub file_type: FileType,
    /// Bytes of content; for a link, of its target.
    pub size: u64,
    /// The low 12 bits of the mode, octal 7777.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Time of last change of the content.
    pub mtime: Time,
    /// Time of last change of anything; nobody can set it, so an unchanged one proves that nothing changed.
    pub ctime: Time,
    /// Identity of the file system.
    pub dev: u64,
    /// Identity of the file on it.
    pub ino: u64,
    /// Number of names.
    pub nlink: u64,
    /// Major and minor number of a device; otherwise 0, 0.
    pub rdev: (u32, u32),
}

/// A special file to create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "what mknod makes, less sockets")]
pub enum Special {
    /// A named pipe.
    Fifo,
    /// A character device with major and minor number.
    Char(u32, u32),
    /// A block device with major and minor number.
    Block(u32, u32),
}

/// Attributes to change; `None` leaves them.
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::exhaustive_structs, reason = "made with struct update syntax")]
pub struct AttrChange<'a> {
    /// Owner and group.
    pub owner: Option<(u32, u32)>,
    /// Mode, low 12 bits. Ignored for symbolic links.
    pub mode: Option<u32>,
    /// The complete set of extended attributes: others are removed, except those the system itself owns
    /// (`security.selinux`, `system.nfs4_acl`), which are neither removed nor set.
    pub xattrs: Option<&'a Xattrs>,
    /// Time of last change of the content; the access time is set to the same.
    pub mtime: Option<Time>,
}

/// What a file system, as seen through a driver, can hold. Whoever writes to it decides what to do with the rest;
/// nothing is dropped silently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::exhaustive_structs, reason = "a plain value that drivers make")]
pub struct Support {
    /// Owner and group can be set.
    pub owner: bool,
    /// Mode bits can be set.
    pub mode: bool,
    /// Extended attributes.
    pub xattrs: bool,
    /// Devices can be made.
    pub devices: bool,
    /// Fifos can be made.
    pub fifos: bool,
    /// Symbolic links can have an absolute target, or one that climbs out of the root. Where they cannot, a runtime may refuse each
    /// target that begins with `..`, with `PermissionDenied`, as new versions of Node do.
    pub absolute_links: bool,
    /// Names and link targets can be any bytes; otherwise they are UTF-8.
    pub any_names: bool,
    /// [`Metadata::ctime`] is what it should be. Otherwise it is no proof of anything.
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

    /// Returns what holds when the rest is emulated: everything, or where modes cannot be set, neither owners nor
    /// extended attributes.
    #[must_use]
    pub fn effective(&self) -> Self {
        if self.mode { Self::ALL } else { Self { owner: false, xattrs: false, ..*self } }
    }
}

/// Whether an extended attribute belongs to the system it is on rather than to the image.
#[must_use]
pub fn is_system_xattr(name: &[u8]) -> bool {
    [&b"security.selinux"[..], b"system.nfs4_acl"].contains(&name)
}
