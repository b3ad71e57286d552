//! The file system of a WASI sandbox (preview 1), through directory handles.

use std::{
    fmt,
    io::{self, ErrorKind},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    fs::{self as sys, AtFlags, Mode, OFlags},
    io::Errno,
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
mod kind;
mod lock;

use attrs::metadata_of;
pub use file::WasiFile;
pub use lock::WasiLock;

/// A directory that the host of the sandbox opened, or one below it.
///
/// The sandbox keeps every path inside the directory it starts from. This handle goes further: it takes one
/// component at a time and follows no link. One runtime follows links even where told not to, so entries are
/// checked before they are opened.
///
/// Preview 1 has no owners, modes, extended attributes, devices or fifos, and refuses links with an absolute
/// target: [`Support`] says so, and setting them is an `Unsupported` error. Modes, owners and device numbers
/// read as 0, and a socket reads as a fifo. Times before 1970 or after 2262 become the nearest time in that
/// range. In some runtimes names must be UTF-8: other names can be neither created nor listed there.
///
/// Node supports least: it drops fractions of seconds, refuses links whose target begins with `..`, and
/// handles of a directory stop working when it is renamed.
pub struct WasiDir(OwnedFd);

impl WasiDir {
    /// Wraps an open directory: a preopened one, or one opened by path below it.
    #[must_use]
    pub fn new(directory: OwnedFd) -> Self {
        Self(directory)
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    fn listed(&self) -> io::Result<Vec<NameBuf>> {
        let listing =
            sys::openat(self.fd(), c".", OPEN | OFlags::DIRECTORY, Mode::empty()).map_err(kind::error)?;
        let mut names = Vec::new();
        for entry in sys::Dir::new(listing).map_err(kind::error)? {
            match entry.map_err(kind::error)?.file_name().to_bytes() {
                b"." | b".." => {}
                name => names.push(listed_name(name)?),
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Opens the entry if it is of that type. Nothing else inside the sandbox can change it in between.
    fn open(&self, name: Name<'_>, expected: FileType, flags: OFlags) -> io::Result<OwnedFd> {
        let found = self.metadata(name)?.file_type;
        match (found == expected, expected) {
            (true, _) => {
                sys::openat(self.fd(), name.as_bytes(), flags | OPEN, Mode::empty()).map_err(kind::error)
            }
            (false, FileType::Dir) => Err(ErrorKind::NotADirectory.into()),
            (false, _) => Err(not_a_file(found)),
        }
    }
}

const OPEN: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW);

impl Dir for WasiDir {
    type File = WasiFile;

    fn open_dir(&self, name: Name<'_>) -> io::Result<Self> {
        self.open(name, FileType::Dir, OFlags::DIRECTORY).map(Self)
    }

    fn open_file(&self, name: Name<'_>) -> io::Result<WasiFile> {
        // Without NONBLOCK: with it, reads of a component fail with EAGAIN.
        self.open(name, FileType::File, OFlags::empty()).map(WasiFile::new)
    }

    fn names(&self) -> io::Result<Vec<NameBuf>> {
        let mut tries = 0;
        loop {
            match self.listed() {
                // wasmtime stats each entry, and fails if one was removed meanwhile.
                Err(error) if error.kind() == ErrorKind::NotFound && tries < 100 => tries += 1,
                result => return result,
            }
        }
    }

    fn metadata(&self, name: Name<'_>) -> io::Result<Metadata> {
        Ok(metadata_of(
            &sys::statat(self.fd(), name.as_bytes(), AtFlags::SYMLINK_NOFOLLOW).map_err(kind::error)?,
        ))
    }

    fn self_metadata(&self) -> io::Result<Metadata> {
        Ok(metadata_of(&sys::fstat(self.fd()).map_err(kind::error)?))
    }

    fn read_link(&self, name: Name<'_>) -> io::Result<Vec<u8>> {
        // Node fails if a target is longer than the buffer instead of truncating it. Linux has no longer
        // targets.
        let buffer = Vec::with_capacity(4096);
        match sys::readlinkat(self.fd(), name.as_bytes(), buffer) {
            Ok(target) => Ok(target.into_bytes()),
            // wasmtime, for a link that was made outside the sandbox.
            Err(Errno::PERM) => Err(io::Error::new(
                ErrorKind::Unsupported,
                "this runtime cannot read links with an absolute target\nhint: make the link relative",
            )),
            Err(error) => Err(kind::error(error)),
        }
    }

    /// Returns an empty set: there are none.
    fn xattrs(&self, _name: Name<'_>) -> io::Result<Xattrs> {
        Ok(Xattrs::new())
    }

    /// Returns an empty set: there are none.
    fn self_xattrs(&self) -> io::Result<Xattrs> {
        Ok(Xattrs::new())
    }

    /// Returns [`Support::NONE`] but for the times: wasmtime reports the time of creation as that of last
    /// change, and Node drops fractions of seconds.
    fn support(&self) -> Support {
        Support { times: attrs::TIMES, ..Support::NONE }
    }
}

impl DirWrite for WasiDir {
    type Lock = WasiLock;

    fn create_file(&self, name: Name<'_>) -> io::Result<WasiFile> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let made = sys::openat(self.fd(), name.as_bytes(), flags, Mode::empty());
        made.map(WasiFile::new).map_err(kind::error)
    }

    fn create_dir(&self, name: Name<'_>) -> io::Result<()> {
        sys::mkdirat(self.fd(), name.as_bytes(), Mode::empty()).map_err(kind::error)
    }

    /// Does nothing: there are no modes.
    fn share(&self, _name: Name<'_>) -> io::Result<()> {
        Ok(())
    }

    fn give(&self, _file: &WasiFile) -> io::Result<()> {
        Ok(())
    }

    fn rename(&self, name: Name<'_>, to: &Self, to_name: Name<'_>) -> io::Result<()> {
        sys::renameat(self.fd(), name.as_bytes(), to.fd(), to_name.as_bytes()).map_err(kind::error)
    }

    fn remove_file(&self, name: Name<'_>) -> io::Result<()> {
        sys::unlinkat(self.fd(), name.as_bytes(), AtFlags::empty()).map_err(kind::error)
    }

    fn remove_dir(&self, name: Name<'_>) -> io::Result<()> {
        sys::unlinkat(self.fd(), name.as_bytes(), AtFlags::REMOVEDIR).map_err(kind::error)
    }

    /// Syncs the directory if the runtime can: wasmtime cannot, which is ignored.
    fn sync(&self) -> io::Result<()> {
        match sys::fsync(self.fd()) {
            Ok(()) | Err(Errno::BADF) => Ok(()),
            Err(error) => Err(kind::error(error)),
        }
    }

    /// Creates a lock file, since preview 1 has no locks: see [`WasiLock`].
    fn lock(&self) -> io::Result<WasiLock> {
        lockfile::wait(|| lock::attempt(self.fd(), lockfile::Mode::Exclusive))
    }

    fn try_lock(&self) -> io::Result<Option<WasiLock>> {
        Ok(lock::attempt(self.fd(), lockfile::Mode::Exclusive)?.ok())
    }

    fn lock_shared(&self) -> io::Result<WasiLock> {
        lockfile::wait(|| lock::attempt(self.fd(), lockfile::Mode::Shared))
    }
}

impl DirPosix for WasiDir {
    fn symlink(&self, name: Name<'_>, target: &[u8]) -> io::Result<()> {
        check_link_target(target)?;
        match target.starts_with(b"/") {
            true => Err(unsupported("links with an absolute target")),
            false => sys::symlinkat(target, self.fd(), name.as_bytes()).map_err(kind::error),
        }
    }

    fn hard_link(&self, name: Name<'_>, from: &Self, from_name: Name<'_>) -> io::Result<()> {
        let (from_name, name) = (from_name.as_bytes(), name.as_bytes());
        sys::linkat(from.fd(), from_name, self.fd(), name, AtFlags::empty()).map_err(kind::error)
    }

    fn create_node(&self, _name: Name<'_>, _node: Special) -> io::Result<()> {
        Err(unsupported("devices and fifos"))
    }

    fn set_attrs(&self, name: Name<'_>, change: &AttrChange<'_>) -> io::Result<()> {
        let is_link = || Ok(self.metadata(name)?.file_type == FileType::Symlink);
        if let Some(times) = attrs::times_only(change, is_link)? {
            sys::utimensat(self.fd(), name.as_bytes(), &times, AtFlags::SYMLINK_NOFOLLOW)
                .map_err(kind::error)?;
        }
        Ok(())
    }

    fn set_self_attrs(&self, change: &AttrChange<'_>) -> io::Result<()> {
        // By name: in a component the times of a directory handle cannot be set.
        if let Some(times) = attrs::times_only(change, || Ok(false))? {
            sys::utimensat(self.fd(), c".", &times, AtFlags::SYMLINK_NOFOLLOW).map_err(kind::error)?;
        }
        Ok(())
    }
}

impl fmt::Debug for WasiDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WasiDir").field(&self.0).finish()
    }
}

fn unsupported(what: &str) -> io::Error {
    io::Error::new(ErrorKind::Unsupported, format!("{what} are not supported in a WASI sandbox"))
}
