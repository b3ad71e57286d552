//! Metadata in preview 1, and changing it: only times can be set.

use std::{io, os::fd::BorrowedFd};

use rustix::fs::{self as sys, Stat, Timespec, Timestamps};

use super::{kind, unsupported};
use crate::{
    attrs::Time,
    fs::{AttrChange, FileType, Metadata, is_system_xattr},
};

pub(super) fn metadata_of(stat: &Stat) -> Metadata {
    Metadata {
        file_type: match sys::FileType::from_raw_mode(stat.st_mode) {
            sys::FileType::RegularFile => FileType::File,
            sys::FileType::Directory => FileType::Dir,
            sys::FileType::Symlink => FileType::Symlink,
            sys::FileType::CharacterDevice => FileType::Char,
            sys::FileType::BlockDevice => FileType::Block,
            // The C library has no number for sockets; the only type without one in preview 1 is the
            // fifo.
            sys::FileType::Unknown => FileType::Fifo,
        },
        size: u64::try_from(stat.st_size).unwrap_or_default(),
        mode: 0,
        uid: 0,
        gid: 0,
        mtime: time(stat.st_mtim.tv_sec, stat.st_mtim.tv_nsec),
        ctime: time(stat.st_ctim.tv_sec, stat.st_ctim.tv_nsec),
        dev: stat.st_dev,
        ino: stat.st_ino,
        nlink: stat.st_nlink,
        rdev: (0, 0),
    }
}

/// Converts a time. Preview 1 counts unsigned nanoseconds; Node passes times before 1970 on as if they were
/// signed.
fn time(seconds: i64, nanoseconds: impl TryInto<i64>) -> Time {
    let unsigned = i128::from(seconds) * SECOND + i128::from(nanoseconds.try_into().unwrap_or_default());
    let signed = if unsigned > i128::from(i64::MAX) { unsigned - (1 << 64) } else { unsigned };
    Time { seconds: signed.div_euclid(SECOND) as i64, nanoseconds: signed.rem_euclid(SECOND) as u32 }
}

const SECOND: i128 = 1_000_000_000;

/// Changes an open file or directory.
pub(super) fn set(fd: BorrowedFd<'_>, change: &AttrChange<'_>) -> io::Result<()> {
    if let Some(times) = times_only(change, || Ok(false))? {
        sys::futimens(fd, &times).map_err(kind::error)?;
    }
    Ok(())
}

/// Returns the times of a change that sets nothing else; the mode of a link is ignored.
///
/// # Errors
/// `Unsupported` if it sets anything else.
pub(super) fn times_only(
    change: &AttrChange<'_>,
    is_link: impl FnOnce() -> io::Result<bool>,
) -> io::Result<Option<Timestamps>> {
    if change.owner.is_some() {
        return Err(unsupported("owners"));
    }
    if change.xattrs.is_some_and(|wanted| !wanted.keys().all(|name| is_system_xattr(name))) {
        return Err(unsupported("extended attributes"));
    }
    if change.mode.is_some() && !is_link()? {
        return Err(unsupported("modes"));
    }
    Ok(change.mtime.map(timestamps))
}

/// The times that every runtime reads back as they were set: from 1970 to 2262, where signed nanoseconds end.
pub(super) const TIMES: (Time, Time) =
    (Time::EPOCH, Time { seconds: i64::MAX / 1_000_000_000 - 1, nanoseconds: 999_999_999 });

/// Converts a time to the nearest one in [`TIMES`], as Linux does for a file system with a smaller range.
fn timestamps(time: Time) -> Timestamps {
    let Time { seconds, nanoseconds } = time.clamp(TIMES.0, TIMES.1);
    let nanoseconds = nanoseconds.min(TIMES.1.nanoseconds);
    let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds as i32 };
    Timestamps { last_access: time, last_modification: time }
}
