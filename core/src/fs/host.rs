//! The file system of a Linux host, through directory handles.

use std::{
    fmt, io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::{
    fs::{self as sys, AtFlags, FlockOperation, Mode, OFlags, RawDir},
    io::retry_on_intr,
};

use super::{
    AttrChange, Dir, DirPosix, DirWrite, FileType, Metadata, Special, Support, marks,
    rules::{check_link_target, listed_name, not_a_file},
};
use crate::{
    attrs::Xattrs,
    name::{Name, NameBuf},
};

mod attrs;
mod file;
mod stat;
mod xattrs;

pub use file::HostFile;
use stat::metadata_of;

/// A directory of the host.
///
/// Every call goes to the kernel as one component relative to this handle, and follows no link: nothing outside the
/// directory can be reached, whatever another process does to it meanwhile. That is stricter than cap-std, whose handles
/// follow links that stay inside.
///
/// By name, the mode of anything and the extended attributes are reached through `/proc/self/fd`, since Linux has no other
/// way that is free of races and of side effects. Where `/proc` is not mounted, [`Support::xattrs`] is `false`, and by
/// name only the mode of readable files and directories can be set.
///
/// ```
/// use std::io::Write;
/// use ocicle::{fs::{Dir, DirWrite, host::HostDir}, name::Name};
///
/// # fn main() -> std::io::Result<()> {
/// # let path = std::env::temp_dir().join(format!("ocicle-doc-{}", std::process::id()));
/// # std::fs::create_dir(&path)?;
/// let dir = cap_std::fs::Dir::open_ambient_dir(&path, cap_std::ambient_authority())?;
/// let dir = HostDir::new(dir);
/// dir.create_file(Name::literal("hostname"))?.write_all(b"box\n")?;
/// assert_eq!(dir.metadata(Name::literal("hostname"))?.size, 4);
/// # std::fs::remove_dir_all(&path)
/// # }
/// ```
pub struct HostDir {
    fd: OwnedFd,
    support: Support,
    /// Nobody has listed the directory through this handle yet.
    unlisted: AtomicBool,
}

impl HostDir {
    /// Takes a directory.
    ///
    /// Owners can be set and devices made if the process is root now; a handle opened from this one inherits that.
    #[must_use]
    pub fn new(dir: cap_std::fs::Dir) -> Self {
        let root = rustix::process::geteuid().is_root();
        let xattrs = rustix_linux_procfs::proc_self_fd().is_ok();
        let support = Support { owner: root, devices: root, xattrs, ..Support::ALL };
        // What cap-std opens stands for a place only (`O_PATH`): nothing can be listed, synced or asked through it. A
        // directory that may not be read is kept as it is, and its calls say so.
        let fd = sys::openat(&dir, c".", OPEN_DIR, Mode::empty()).unwrap_or_else(|_| dir.into());
        Self { fd, support, unlisted: AtomicBool::new(false) }
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// This directory once more, with a position and a lock of its own.
    fn reopen(&self) -> io::Result<OwnedFd> {
        Ok(sys::openat(self.fd(), c".", OPEN_DIR, Mode::empty())?)
    }

    fn attempt(&self, mode: marks::Mode) -> marks::Attempt<HostLock> {
        let fd = self.reopen()?;
        let flock = match mode {
            marks::Mode::Exclusive => FlockOperation::LockExclusive,
            marks::Mode::Shared => FlockOperation::LockShared,
        };
        retry_on_intr(|| sys::flock(&fd, flock))?;
        let lock = HostLock { fd, mark: marks::make_native(self, mode)? };
        match lock.mark.map(|mark| marks::other(self, mark)).transpose()?.flatten() {
            None => Ok(Ok(lock)),
            Some(other) => Ok(Err(other)),
        }
    }
}

const OPEN_DIR: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
// A fifo that takes the place of a file must not block us.
const OPEN_FILE: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);
const CREATE_FILE: OFlags =
    OFlags::RDWR.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

fn list(dir: BorrowedFd<'_>) -> io::Result<Vec<NameBuf>> {
    let mut buffer = [std::mem::MaybeUninit::uninit(); 8 << 10];
    let mut entries = RawDir::new(dir, &mut buffer);
    let mut names = Vec::new();
    while let Some(entry) = entries.next() {
        match entry?.file_name().to_bytes() {
            b"." | b".." => {}
            name => names.push(listed_name(name)?),
        }
    }
    names.sort_unstable();
    Ok(names)
}

impl Dir for HostDir {
    type File = HostFile;

    fn open_dir(&self, name: Name<'_>) -> io::Result<Self> {
        let fd = sys::openat(self.fd(), name.as_bytes(), OPEN_DIR, Mode::empty())?;
        Ok(Self { fd, support: self.support, unlisted: AtomicBool::new(true) })
    }

    fn open_file(&self, name: Name<'_>) -> io::Result<HostFile> {
        // Looked at before, because the mere opening of a device can do something; and after, because it may have changed.
        let before = self.metadata(name)?;
        if before.file_type != FileType::File {
            return Err(not_a_file(before.file_type));
        }
        let fd = sys::openat(self.fd(), name.as_bytes(), OPEN_FILE, Mode::empty())?;
        match metadata_of(&sys::fstat(&fd)?).file_type {
            FileType::File => Ok(HostFile::new(fd)),
            other => Err(not_a_file(other)),
        }
    }

    fn names(&self) -> io::Result<Vec<NameBuf>> {
        // Listing moves the position of an open directory: the first may have ours, all others open one of their own.
        if self.unlisted.swap(false, Ordering::Relaxed) {
            list(self.fd())
        } else {
            list(self.reopen()?.as_fd())
        }
    }

    fn metadata(&self, name: Name<'_>) -> io::Result<Metadata> {
        Ok(metadata_of(&sys::statat(self.fd(), name.as_bytes(), AtFlags::SYMLINK_NOFOLLOW)?))
    }

    fn self_metadata(&self) -> io::Result<Metadata> {
        Ok(metadata_of(&sys::fstat(self.fd())?))
    }

    fn read_link(&self, name: Name<'_>) -> io::Result<Vec<u8>> {
        Ok(sys::readlinkat(self.fd(), name.as_bytes(), Vec::new())?.into_bytes())
    }

    fn xattrs(&self, name: Name<'_>) -> io::Result<Xattrs> {
        match self.support.xattrs {
            true => xattrs::read_at(self.fd(), name),
            false => Ok(Xattrs::new()),
        }
    }

    fn self_xattrs(&self) -> io::Result<Xattrs> {
        xattrs::read(self.fd())
    }

    fn support(&self) -> Support {
        self.support
    }
}

impl DirWrite for HostDir {
    type Lock = HostLock;

    fn create_file(&self, name: Name<'_>) -> io::Result<HostFile> {
        let mode = Mode::RUSR | Mode::WUSR;
        Ok(HostFile::new(sys::openat(self.fd(), name.as_bytes(), CREATE_FILE, mode)?))
    }

    fn create_dir(&self, name: Name<'_>) -> io::Result<()> {
        Ok(sys::mkdirat(self.fd(), name.as_bytes(), Mode::RWXU)?)
    }

    fn share(&self, name: Name<'_>) -> io::Result<()> {
        attrs::share(self.fd(), name)
    }

    fn rename(&self, name: Name<'_>, to: &Self, to_name: Name<'_>) -> io::Result<()> {
        Ok(sys::renameat(self.fd(), name.as_bytes(), to.fd(), to_name.as_bytes())?)
    }

    fn remove_file(&self, name: Name<'_>) -> io::Result<()> {
        Ok(sys::unlinkat(self.fd(), name.as_bytes(), AtFlags::empty())?)
    }

    fn remove_dir(&self, name: Name<'_>) -> io::Result<()> {
        Ok(sys::unlinkat(self.fd(), name.as_bytes(), AtFlags::REMOVEDIR)?)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(sys::fsync(self.fd())?)
    }

    /// An `flock`, which belongs to the open file, so two handles of one process exclude each other too; and a file in the
    /// directory, for those in a sandbox that know no `flock`.
    fn lock(&self) -> io::Result<HostLock> {
        marks::wait(|| self.attempt(marks::Mode::Exclusive))
    }

    fn lock_shared(&self) -> io::Result<HostLock> {
        marks::wait(|| self.attempt(marks::Mode::Shared))
    }
}

impl DirPosix for HostDir {
    fn symlink(&self, name: Name<'_>, target: &[u8]) -> io::Result<()> {
        check_link_target(target)?;
        Ok(sys::symlinkat(target, self.fd(), name.as_bytes())?)
    }

    fn hard_link(&self, name: Name<'_>, from: &Self, from_name: Name<'_>) -> io::Result<()> {
        let (from_name, name) = (from_name.as_bytes(), name.as_bytes());
        Ok(sys::linkat(from.fd(), from_name, self.fd(), name, AtFlags::empty())?)
    }

    fn create_node(&self, name: Name<'_>, node: Special) -> io::Result<()> {
        let (file_type, device) = stat::node(node)?;
        Ok(sys::mknodat(self.fd(), name.as_bytes(), file_type, Mode::RUSR | Mode::WUSR, device)?)
    }

    fn set_attrs(&self, name: Name<'_>, change: &AttrChange<'_>) -> io::Result<()> {
        attrs::set_at(self.fd(), name, change)
    }

    fn set_self_attrs(&self, change: &AttrChange<'_>) -> io::Result<()> {
        attrs::set(self.fd(), change)
    }
}

impl fmt::Debug for HostDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HostDir").field(&self.fd).finish()
    }
}

/// Holds the lock of a [`HostDir`] until it is dropped.
#[derive(Debug)]
pub struct HostLock {
    /// Closing it releases the `flock`.
    fd: OwnedFd,
    mark: Option<Name<'static>>,
}

impl Drop for HostLock {
    fn drop(&mut self) {
        // The mark of a shared lock belongs to all who have it; the last one removes it.
        if let Some(mark) = self.mark
            && sys::flock(&self.fd, FlockOperation::NonBlockingLockExclusive).is_ok()
        {
            // If it cannot be removed, the next native process knows that nobody has it.
            let _ = sys::unlinkat(&self.fd, mark.as_bytes(), AtFlags::empty());
        }
    }
}
