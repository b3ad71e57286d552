//! The times that a file system holds. The kernel does not tell them: it changes one that cannot be held to
//! the nearest one, silently. ext4 holds 1901 to 2446, or to 2038 and whole seconds with small inodes.

use std::os::fd::{AsFd as _, BorrowedFd};

use rustix::fs::{self as sys, Mode, OFlags};

use super::{attrs, stat::metadata_of};
use crate::{
    attrs::Time,
    fs::{AttrChange, Support},
};

/// See [`Support`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) times: (Time, Time),
    pub(super) fractions: bool,
}

/// Finds the times out with a file that has no name, so nobody sees it. Where such a file cannot be made, all
/// times are taken to be held.
pub(super) fn held(dir: BorrowedFd<'_>) -> Held {
    try_held(dir).unwrap_or(Held { times: Support::ALL.times, fractions: Support::ALL.fractions })
}

fn try_held(dir: BorrowedFd<'_>) -> std::io::Result<Held> {
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = sys::openat(dir, c".", flags, Mode::RUSR | Mode::WUSR)?;
    let set = |time| {
        attrs::set(file.as_fd(), &AttrChange::default().mtime(time))?;
        Ok::<_, std::io::Error>(metadata_of(&sys::fstat(&file)?).mtime)
    };
    let fraction = Time { seconds: 1, nanoseconds: 999_999_999 };
    Ok(Held { times: (set(Time::MIN)?, set(Time::MAX)?), fractions: set(fraction)? == fraction })
}
