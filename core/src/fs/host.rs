//! The file system of a Linux host, through directory handles.

use std::{
    fmt, io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::{
    fs::{self as sys, AtFlags, FlockOperation, Mode, OFlags, RawDir},
    io::retry_on_intr,
};

use super::{
    AttrChange, Dir, DirPosix, DirWrite, FileType, Metadata, Special, Support, lockfile,
    rules::{check_link_target, listed_name, not_a_file},
};
use crate::{
    attrs::Xattrs,
    name::{Name, NameBuf},
};

mod attrs;
mod file;
mod procfs;
mod stat;
mod times;
mod xattrs;

pub use file::HostFile;
use stat::metadata_of;

/// A directory of the host.
///
/// Every call passes one path component to the kernel, relative to this handle, and follows no link: nothing
/// outside the directory can be reached, whatever another process changes at the same time. That is stricter
/// than cap-std, whose handles follow links that stay inside.
///
/// The mode and the extended attributes of an entry are accessed by name through `/proc/self/fd`, since Linux
/// has no other call free of races and side effects. Where `/proc` is not mounted, [`Support::xattrs`] is
/// `false`, and the mode can be set by name only for readable files and directories.
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
    /// All but the times.
    support: Support,
    /// Found out when they are first asked for.
    times: Arc<OnceLock<times::Held>>,
    /// The directory has not been listed through this handle yet.
    unlisted: AtomicBool,
}

impl HostDir {
    /// Wraps a directory.
    ///
    /// Owners can be set and devices made if the process is root now; handles opened from this one inherit
    /// that. The times that the file system holds are found out by setting those of a file without a name,
    /// the first time that [`Dir::support`] is called.
    #[must_use]
    pub fn new(dir: cap_std::fs::Dir) -> Self {
        let root = rustix::process::geteuid().is_root();
        let xattrs = procfs::proc_self_fd().is_ok();
        let support = Support { owner: root, devices: root, xattrs, ..Support::ALL };
        // cap-std opens directories with `O_PATH`: such a handle cannot be listed, synced or queried. A
        // directory that may not be read is kept as it is, and its calls fail.
        let fd = sys::openat(&dir, c".", OPEN_DIR, Mode::empty()).unwrap_or_else(|_| dir.into());
        Self { fd, support, times: Arc::default(), unlisted: AtomicBool::new(false) }
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Opens this directory again, with a position and a lock of its own.
    fn reopen(&self) -> io::Result<OwnedFd> {
        Ok(sys::openat(self.fd(), c".", OPEN_DIR, Mode::empty())?)
    }

    fn attempt(&self, mode: lockfile::Mode, flock: FlockOperation) -> lockfile::Attempt<HostLock> {
        let fd = self.reopen()?;
        retry_on_intr(|| sys::flock(&fd, flock))?;
        let lock = HostLock { fd, file: lockfile::create_native(self, mode)? };
        match lock.file.map(|file| lockfile::conflicting(self, file)).transpose()?.flatten() {
            None => Ok(Ok(lock)),
            Some(conflict) => Ok(Err(conflict)),
        }
    }
}

const OPEN_DIR: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
// A fifo that takes the place of a file must not block.
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
        let times = Arc::clone(&self.times);
        Ok(Self { fd, support: self.support, times, unlisted: AtomicBool::new(true) })
    }

    fn open_file(&self, name: Name<'_>) -> io::Result<HostFile> {
        // Checked before, since merely opening a device can have effects, and after, since the entry may have
        // changed.
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
        // Listing moves the position of an open directory: the first listing uses this handle, all others a
        // new one.
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
        let times::Held { times, fractions } = *self.times.get_or_init(|| times::held(self.fd()));
        Support { times, fractions, ..self.support }
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
        attrs::share(self.fd(), name, self.support.owner)
    }

    fn give(&self, file: &HostFile) -> io::Result<()> {
        match self.support.owner {
            true => attrs::give(self.fd(), file.fd()),
            false => Ok(()),
        }
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

    /// Takes an `flock`, which belongs to the open file, so two handles of one process exclude each other,
    /// too; and creates a lock file for processes in a sandbox, where there is no `flock`.
    fn lock(&self) -> io::Result<HostLock> {
        lockfile::wait(|| self.attempt(lockfile::Mode::Exclusive, FlockOperation::LockExclusive))
    }

    fn try_lock(&self) -> io::Result<Option<HostLock>> {
        match self.attempt(lockfile::Mode::Exclusive, FlockOperation::NonBlockingLockExclusive) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            attempt => Ok(attempt?.ok()),
        }
    }

    fn lock_shared(&self) -> io::Result<HostLock> {
        lockfile::wait(|| self.attempt(lockfile::Mode::Shared, FlockOperation::LockShared))
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
    file: Option<Name<'static>>,
}

impl Drop for HostLock {
    fn drop(&mut self) {
        // All holders of a shared lock share one lock file; the last one removes it.
        if let Some(file) = self.file
            && sys::flock(&self.fd, FlockOperation::NonBlockingLockExclusive).is_ok()
        {
            // If this fails, the next native process recognizes the file as stale.
            let _ = sys::unlinkat(&self.fd, file.as_bytes(), AtFlags::empty());
        }
    }
}
