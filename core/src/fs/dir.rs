//! The operations of directories and open files.

use std::{
    io::{self, Read, Seek, Write},
    ops::Range,
};

use super::{AttrChange, Metadata, Special, Support};
use crate::{
    attrs::Xattrs,
    name::{Name, NameBuf},
};

/// A directory handle for reading.
///
/// Errors are the `io::Error`s of the calls they stand for, with the usual kinds (`NotFound`,
/// `AlreadyExists`, `NotADirectory`, `IsADirectory`, `PermissionDenied`, `Unsupported` …). They do not name
/// the path: the caller knows it.
pub trait Dir: Sized + Send {
    /// An open regular file.
    type File: File;

    /// Opens the directory of that name. A symbolic link is an error, wherever it points.
    fn open_dir(&self, name: Name<'_>) -> io::Result<Self>;
    /// Opens a regular file for reading. Anything else is an error and never blocks (a fifo, a device, a
    /// link).
    fn open_file(&self, name: Name<'_>) -> io::Result<Self::File>;
    /// Lists the names in the directory, in byte order, without `.` and `..`.
    fn names(&self) -> io::Result<Vec<NameBuf>>;
    /// Returns the metadata of the entry itself (a link is not followed).
    fn metadata(&self, name: Name<'_>) -> io::Result<Metadata>;
    /// Returns the metadata of this directory.
    fn self_metadata(&self) -> io::Result<Metadata>;
    /// Reads the target of a symbolic link, verbatim.
    fn read_link(&self, name: Name<'_>) -> io::Result<Vec<u8>>;
    /// Reads the extended attributes of the entry itself; empty where the file system has none.
    fn xattrs(&self, name: Name<'_>) -> io::Result<Xattrs>;
    /// Reads the extended attributes of this directory.
    fn self_xattrs(&self) -> io::Result<Xattrs>;
    /// Returns what this file system can hold.
    fn support(&self) -> Support;
}

/// A directory in which files and directories can be made, moved, removed and locked: what a store needs.
pub trait DirWrite: Dir<File: FileWrite> {
    /// Holds the lock of [`DirWrite::lock`] or [`DirWrite::lock_shared`] until it is dropped.
    type Lock: Send;

    /// Creates a regular file for writing, mode 0600 until changed; `AlreadyExists` if the name is taken by
    /// anything.
    fn create_file(&self, name: Name<'_>) -> io::Result<Self::File>;
    /// Creates a directory, mode 0700 until changed.
    fn create_dir(&self, name: Name<'_>) -> io::Result<()>;
    /// Lets everyone read an entry: sets mode 0755 for a directory, 0644 for anything else. A directory also
    /// gets the owner of this one, if the process is root. Does nothing where the file system has no modes.
    fn share(&self, name: Name<'_>) -> io::Result<()>;
    /// Sets the owner of an open file to that of this directory, if the process is root and the system allows
    /// it; does nothing otherwise. So what root adds to the directory of another user stays usable for that
    /// user.
    fn give(&self, file: &Self::File) -> io::Result<()>;
    /// Moves an entry, replacing a file that is there.
    fn rename(&self, name: Name<'_>, to: &Self, to_name: Name<'_>) -> io::Result<()>;
    /// Removes anything but a directory.
    fn remove_file(&self, name: Name<'_>) -> io::Result<()>;
    /// Removes an empty directory.
    fn remove_dir(&self, name: Name<'_>) -> io::Result<()>;
    /// Makes the directory's entries durable.
    fn sync(&self) -> io::Result<()>;
    /// Takes an exclusive advisory lock on this directory, and waits until it is free. It also excludes
    /// processes that reach the directory through another driver.
    fn lock(&self) -> io::Result<Self::Lock>;
    /// Takes the same lock if it is free; returns `None` if it is held.
    fn try_lock(&self) -> io::Result<Option<Self::Lock>>;
    /// Takes a shared lock: any number can be held at a time, but none beside an exclusive one.
    fn lock_shared(&self) -> io::Result<Self::Lock>;
}

/// A directory that can hold a root file system: with attributes, links and special files.
///
/// What [`Support`] denies is an `Unsupported` error.
pub trait DirPosix: DirWrite<File: FilePosix> {
    /// Creates a symbolic link with this target, verbatim.
    fn symlink(&self, name: Name<'_>, target: &[u8]) -> io::Result<()>;
    /// Creates the hard link `name` to the entry `from_name` of `from`. A symbolic link is linked itself.
    fn hard_link(&self, name: Name<'_>, from: &Self, from_name: Name<'_>) -> io::Result<()>;
    /// Creates a fifo or device, mode 0600 until changed.
    fn create_node(&self, name: Name<'_>, node: Special) -> io::Result<()>;
    /// Changes attributes of the entry itself (a link is not followed), in the order owner, xattrs, mode,
    /// time: a change of owner clears set-id bits and file capabilities, and a mode may forbid to set
    /// attributes.
    fn set_attrs(&self, name: Name<'_>, change: &AttrChange<'_>) -> io::Result<()>;
    /// Changes attributes of this directory.
    fn set_self_attrs(&self, change: &AttrChange<'_>) -> io::Result<()>;
}

/// An open regular file.
pub trait File: Read + Seek + Send + Sync {
    /// Reads from a position, in bytes, as far as one call of the system goes, and leaves the file's own
    /// position alone; 0 at the end.
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize>;
    /// Returns the metadata of the file as it is now.
    fn metadata(&self) -> io::Result<Metadata>;
    /// Returns the next range of bytes at or after a position that are stored; what is before it is a hole,
    /// and reads as zeros. `None` if there is only a hole, or the end. By default everything is stored, which
    /// is right for every file.
    fn next_data(&self, position: u64) -> io::Result<Option<Range<u64>>> {
        Ok(Some(position..u64::MAX))
    }
}

/// An open file of a [`DirWrite`]. It can be written if [`DirWrite::create_file`] made it.
pub trait FileWrite: File + Write {
    /// Makes content and attributes durable.
    fn sync(&self) -> io::Result<()>;
}

/// An open file of a [`DirPosix`].
pub trait FilePosix: FileWrite {
    /// Changes attributes, in the order of [`DirPosix::set_attrs`].
    fn set_attrs(&self, change: &AttrChange<'_>) -> io::Result<()>;
}
