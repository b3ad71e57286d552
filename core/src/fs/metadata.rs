//! The metadata of entries, and changes to it.

use crate::attrs::{Time, Xattrs};

/// The type of an entry.
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

/// The metadata of an entry, as a file system has it without opening the entry. What it cannot know is 0 (see
/// [`Support`]).
///
/// A driver starts from [`Metadata::new`] and sets the fields it knows.
///
/// [`Support`]: super::Support
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// The type.
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
    /// Time of last change of anything. No call can set it, so while it stays the same, nothing changed.
    pub ctime: Time,
    /// Identity of the file system.
    pub dev: u64,
    /// Identity of the file within it.
    pub ino: u64,
    /// Number of names.
    pub nlink: u64,
    /// Major and minor number of a device; otherwise 0, 0.
    pub rdev: (u32, u32),
}

impl Metadata {
    /// Returns the metadata of an entry of which only type and size are known: one name, everything else 0.
    #[must_use]
    pub const fn new(file_type: FileType, size: u64) -> Self {
        Self {
            file_type,
            size,
            mode: 0,
            uid: 0,
            gid: 0,
            mtime: Time::EPOCH,
            ctime: Time::EPOCH,
            dev: 0,
            ino: 0,
            nlink: 1,
            rdev: (0, 0),
        }
    }
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

/// Attributes to change; `None` leaves them as they are.
///
/// ```
/// use ocicle::fs::AttrChange;
/// let change = AttrChange::default().owner(0, 0).mode(0o755);
/// assert_eq!(change.mode, Some(0o755));
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
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

impl<'a> AttrChange<'a> {
    /// Sets owner and group, too.
    #[must_use]
    pub const fn owner(mut self, uid: u32, gid: u32) -> Self {
        self.owner = Some((uid, gid));
        self
    }

    /// Sets the mode, too.
    #[must_use]
    pub const fn mode(mut self, mode: u32) -> Self {
        self.mode = Some(mode);
        self
    }

    /// Sets the extended attributes, too.
    #[must_use]
    pub const fn xattrs(mut self, xattrs: &'a Xattrs) -> Self {
        self.xattrs = Some(xattrs);
        self
    }

    /// Sets the time of last change, too.
    #[must_use]
    pub const fn mtime(mut self, mtime: Time) -> Self {
        self.mtime = Some(mtime);
        self
    }
}
