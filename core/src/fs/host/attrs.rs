//! Changing attributes of open files and of entries by name: one system call for each attribute, in the
//! order of `DirPosix::set_attrs`.

use std::{
    io::{self, ErrorKind},
    os::fd::{AsFd, BorrowedFd},
};

use rustix::{
    fs::{self as sys, AtFlags, Gid, Mode, OFlags, Timespec, Timestamps, Uid},
    io::Errno,
    path::DecInt,
};

use super::{procfs::proc_self_fd, stat::file_type, xattrs};
use crate::{
    attrs::Time,
    fs::{AttrChange, FileType},
    name::Name,
};

/// Changes an open file or directory.
pub(super) fn set(fd: BorrowedFd<'_>, change: &AttrChange<'_>) -> io::Result<()> {
    let AttrChange { owner, mode, xattrs, mtime } = *change;
    if let Some(owner) = owner {
        let (uid, gid) = ids(owner)?;
        sys::fchown(fd, Some(uid), Some(gid)).map_err(|error| unless_mapped(owner, error))?;
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

/// Changes the entry of that name; a link is not followed.
pub(super) fn set_at(dir: BorrowedFd<'_>, name: Name<'_>, change: &AttrChange<'_>) -> io::Result<()> {
    let AttrChange { owner, mode, xattrs, mtime } = *change;
    if let Some(owner) = owner {
        let (uid, gid) = ids(owner)?;
        sys::chownat(dir, name.as_bytes(), Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|error| unless_mapped(owner, error))?;
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

/// Lets everyone read the entry; as root, gives a directory the owner of `dir`.
pub(super) fn share(dir: BorrowedFd<'_>, name: Name<'_>, root: bool) -> io::Result<()> {
    let found = sys::statat(dir, name.as_bytes(), AtFlags::SYMLINK_NOFOLLOW)?;
    if file_type(&found) != FileType::Dir {
        return set_mode_at(dir, name, mode_of(0o644));
    }
    if root {
        let open = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        give(dir, sys::openat(dir, name.as_bytes(), open, Mode::empty())?.as_fd())?;
    }
    set_mode_at(dir, name, mode_of(0o755))
}

/// Sets the owner of what is open to that of `dir`, as far as the system allows: user namespaces and file
/// servers refuse it. It is not named, as a name may be a hard link to something else by now.
pub(super) fn give(dir: BorrowedFd<'_>, to: BorrowedFd<'_>) -> io::Result<()> {
    let (owner, old) = (sys::fstat(dir)?, sys::fstat(to)?);
    if (owner.st_uid, owner.st_gid) == (old.st_uid, old.st_gid) {
        return Ok(());
    }
    let (uid, gid) = ids((owner.st_uid, owner.st_gid))?;
    let _ = sys::fchown(to, Some(uid), Some(gid));
    Ok(())
}

/// Sets the mode without following a link. `fchmodat` follows links, and `fchmodat2` is newer than the oldest
/// kernels supported. So the entry is opened with `O_PATH`, which follows no link, needs no permission and
/// has no effect on a device or fifo; the mode is then set through `/proc/self/fd`, which leads to the inode
/// that was opened and checked.
fn set_mode_at(dir: BorrowedFd<'_>, name: Name<'_>, mode: Mode) -> io::Result<()> {
    let pin = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let pinned = sys::openat(dir, name.as_bytes(), pin, Mode::empty())?;
    match (file_type(&sys::fstat(&pinned)?), proc_self_fd()) {
        (FileType::Symlink, _) => Ok(()),
        (_, Ok(proc)) => Ok(sys::chmodat(proc, DecInt::from_fd(pinned.as_fd()), mode, AtFlags::empty())?),
        // Opening a file or directory has no effect. If another entry took its place, that is still inside
        // `dir`.
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
/// `InvalidInput` for the id 2^32 - 1: to the kernel it means "leave as it is".
fn ids((uid, gid): (u32, u32)) -> io::Result<(Uid, Gid)> {
    match uid == u32::MAX || gid == u32::MAX {
        true => Err(io::Error::new(
            ErrorKind::InvalidInput,
            format!("owner {uid}:{gid}: {} is not a valid id", u32::MAX),
        )),
        false => Ok((Uid::from_raw(uid), Gid::from_raw(gid))),
    }
}

/// Explains the error for a valid owner that the user namespace of this process does not map.
fn unless_mapped((uid, gid): (u32, u32), error: Errno) -> io::Error {
    match error {
        Errno::INVAL => io::Error::new(
            ErrorKind::InvalidInput,
            format!(
                "owner {uid}:{gid} is not mapped in this user namespace\n\
                 hint: --rootless records owners instead of setting them"
            ),
        ),
        other => other.into(),
    }
}

fn mode_of(mode: u32) -> Mode {
    Mode::from_raw_mode(mode & 0o7777)
}

/// # Errors
/// `InvalidInput` for a second or more of nanoseconds: to the kernel some of these values mean "now" and
/// "leave it".
fn timestamps(time: Time) -> io::Result<Timestamps> {
    if time.nanoseconds >= 1_000_000_000 {
        let reason = format!("invalid time: {} nanoseconds (maximum 999999999)", time.nanoseconds);
        return Err(io::Error::new(ErrorKind::InvalidInput, reason));
    }
    let time = Timespec { tv_sec: time.seconds, tv_nsec: time.nanoseconds.into() };
    Ok(Timestamps { last_access: time, last_modification: time })
}
