//! Changing attributes, of what is open and of what has a name. One call to the kernel for each thing asked for, in the
//! order of [`crate::fs::DirPosix::set_attrs`].

use std::{
    io::{self, ErrorKind},
    os::fd::{AsFd, BorrowedFd},
};

use rustix::{
    fs::{self as sys, AtFlags, Gid, Mode, OFlags, Timespec, Timestamps, Uid},
    path::DecInt,
};
use rustix_linux_procfs::proc_self_fd;

use super::{stat::file_type, xattrs};
use crate::{
    attrs::Time,
    fs::{AttrChange, FileType},
    name::Name,
};

/// Changes what is open.
pub(super) fn set(fd: BorrowedFd<'_>, change: &AttrChange<'_>) -> io::Result<()> {
    let AttrChange { owner, mode, xattrs, mtime } = *change;
    if let Some(owner) = owner {
        let (uid, gid) = ids(owner)?;
        sys::fchown(fd, Some(uid), Some(gid))?;
    }
    if let Some(wanted) = xattrs {
        xattrs::replace(fd, wanted)?;
    }
    if let Some(mode) = mode {
        sys::fchmod(fd, mode_of(mode))?;
    }
    if let Some(mtime) = mtime {
        sys::futimens(fd, &timestamps(mtime)?)?;
    }
    Ok(())
}

/// Changes the entry of that name itself; a link is not followed.
pub(super) fn set_at(dir: BorrowedFd<'_>, name: Name<'_>, change: &AttrChange<'_>) -> io::Result<()> {
    let AttrChange { owner, mode, xattrs, mtime } = *change;
    if let Some(owner) = owner {
        let (uid, gid) = ids(owner)?;
        sys::chownat(dir, name.as_bytes(), Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
    }
    if let Some(wanted) = xattrs {
        xattrs::replace_at(dir, name, wanted)?;
    }
    if let Some(mode) = mode {
        set_mode_at(dir, name, mode_of(mode))?;
    }
    if let Some(mtime) = mtime {
        sys::utimensat(dir, name.as_bytes(), &timestamps(mtime)?, AtFlags::SYMLINK_NOFOLLOW)?;
    }
    Ok(())
}

/// Lets everyone read the entry.
pub(super) fn share(dir: BorrowedFd<'_>, name: Name<'_>) -> io::Result<()> {
    let found = sys::statat(dir, name.as_bytes(), AtFlags::SYMLINK_NOFOLLOW)?;
    let mode = if file_type(&found) == FileType::Dir { 0o755 } else { 0o644 };
    set_mode_at(dir, name, mode_of(mode))
}

/// `fchmodat` follows links, and the call that does not is younger than the kernels we run on. So the entry is pinned with
/// `O_PATH`, which neither follows a link, nor needs permission on it, nor wakes a device or fifo; the mode is then set
/// through `/proc/self/fd`, which leads to the very inode that was pinned and looked at.
fn set_mode_at(dir: BorrowedFd<'_>, name: Name<'_>, mode: Mode) -> io::Result<()> {
    let pin = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let pinned = sys::openat(dir, name.as_bytes(), pin, Mode::empty())?;
    match (file_type(&sys::fstat(&pinned)?), proc_self_fd()) {
        (FileType::Symlink, _) => Ok(()),
        (_, Ok(proc)) => Ok(sys::chmodat(proc, DecInt::from_fd(pinned.as_fd()), mode, AtFlags::empty())?),
        // A file or directory may be opened for real. If another entry took its place, it is still inside `dir`.
        (FileType::File | FileType::Dir, Err(_)) => {
            let open = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            Ok(sys::fchmod(sys::openat(dir, name.as_bytes(), open, Mode::empty())?, mode)?)
        }
        (_, Err(_)) => Err(io::Error::new(
            ErrorKind::Unsupported,
            "the mode of a fifo, device or socket can only be set where /proc is mounted",
        )),
    }
}

/// # Errors
/// `InvalidInput` for the id 2^32 - 1: for the kernel it means "leave it".
fn ids((uid, gid): (u32, u32)) -> io::Result<(Uid, Gid)> {
    match uid == u32::MAX || gid == u32::MAX {
        true => {
            Err(io::Error::new(ErrorKind::InvalidInput, format!("owner {uid}:{gid}: {} is no id", u32::MAX)))
        }
        false => Ok((Uid::from_raw(uid), Gid::from_raw(gid))),
    }
}

fn mode_of(mode: u32) -> Mode {
    Mode::from_raw_mode(mode & 0o7777)
}

/// # Errors
/// `InvalidInput` for a second or more of nanoseconds: for the kernel some of these mean "now" and "leave it".
fn timestamps(time: Time) -> io::Result<Timestamps> {
    if time.nanoseconds >= 1_000_000_000 {
        let reason = format!("time with {} nanoseconds: a second has 1000000000", time.nanoseconds);
        return Err(io::Error::new(ErrorKind::InvalidInput, reason));
    }
    let time = Timespec { tv_sec: time.seconds, tv_nsec: time.nanoseconds.into() };
    Ok(Timestamps { last_access: time, last_modification: time })
}
