//! `/proc/self/fd`, whose entries lead to the files that this process has open. The crate for this,
//! rustix-linux-procfs, panics where a system call is refused in a way that it does not expect.

use std::{
    io::{self, ErrorKind},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::OnceLock,
};

use rustix::{
    fs::{self as sys, AtFlags, CWD, Mode},
    io::Errno,
    path::DecInt,
};

use super::OPEN_DIR;

/// Returns a handle of `/proc/self/fd`; `Unsupported` where `/proc` is not mounted, or is not a procfs.
pub(super) fn proc_self_fd() -> io::Result<BorrowedFd<'static>> {
    static DIR: OnceLock<Option<OwnedFd>> = OnceLock::new();
    let dir = DIR.get_or_init(|| open().ok());
    dir.as_ref().map(AsFd::as_fd).ok_or_else(|| ErrorKind::Unsupported.into())
}

fn open() -> Result<OwnedFd, Errno> {
    let dir = sys::openat(CWD, c"/proc/self/fd", OPEN_DIR, Mode::empty())?;
    // Another directory could be mounted there. In ours, the entry of this handle leads to this directory.
    let (own, found) = (sys::fstat(&dir)?, sys::statat(&dir, DecInt::from_fd(&dir), AtFlags::empty())?);
    let is_ours = (own.st_dev, own.st_ino) == (found.st_dev, found.st_ino);
    match sys::fstatfs(&dir)?.f_type == sys::PROC_SUPER_MAGIC && is_ours {
        true => Ok(dir),
        false => Err(Errno::NOTSUP),
    }
}
