//! The times that a file system holds. The kernel does not tell them: it changes one that cannot be held to
//! the nearest one, silently. ext4 holds 1901 to 2446, or to 2038 and whole seconds with small inodes.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::{
    fs::{self as sys, AtFlags, Mode, OFlags},
    io::Errno,
};

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

/// Finds the times out with a file that nobody sees. Where such a file cannot be made, all times are taken to
/// be held.
pub(super) fn held(dir: BorrowedFd<'_>) -> Held {
    let found = unnamed(dir).or_else(|_| unlinked(dir)).and_then(|file| try_held(&file));
    found.unwrap_or(Held { times: Support::ALL.times, fractions: Support::ALL.fractions })
}

/// Makes a file without a name.
fn unnamed(dir: BorrowedFd<'_>) -> std::io::Result<OwnedFd> {
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    Ok(sys::openat(dir, c".", flags, Mode::RUSR | Mode::WUSR)?)
}

/// Makes a file and removes its name, where all files have one at first (NFS, FUSE, 9p).
fn unlinked(dir: BorrowedFd<'_>) -> std::io::Result<OwnedFd> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::WRONLY | OFlags::CLOEXEC;
    // Another process may be at the same.
    for name in [c".ocicle-times", c".ocicle-times-1", c".ocicle-times-2", c".ocicle-times-3"] {
        match sys::openat(dir, name, flags, Mode::RUSR | Mode::WUSR) {
            Err(Errno::EXIST) => {}
            made => {
                let file = made?;
                sys::unlinkat(dir, name, AtFlags::empty())?;
                return Ok(file);
            }
        }
    }
    Err(Errno::EXIST.into())
}

fn try_held(file: &OwnedFd) -> std::io::Result<Held> {
    let set = |time| {
        attrs::set(file.as_fd(), &AttrChange::default().mtime(time))?;
        Ok::<_, std::io::Error>(metadata_of(&sys::fstat(file)?).mtime)
    };
    let fraction = Time { seconds: 1, nanoseconds: 999_999_999 };
    Ok(Held { times: (set(Time::MIN)?, set(Time::MAX)?), fractions: set(fraction)? == fraction })
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use rustix::fs::{CWD, Mode, OFlags, openat};

    use super::{try_held, unlinked, unnamed};

    #[test]
    fn both_ways_find_the_same() {
        let dir = openat(CWD, c".", OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        // Nothing is left, or the names would be used up.
        let held: Vec<_> = (0..9).map(|_| try_held(&unlinked(dir.as_fd()).unwrap()).unwrap()).collect();
        let held = held[8];
        if let Ok(file) = unnamed(dir.as_fd()) {
            let other = try_held(&file).unwrap();
            assert_eq!((held.times, held.fractions), (other.times, other.fractions));
        }
        assert!(held.times.0.seconds < 0 && held.times.1.seconds > i64::from(i32::MAX));
    }
}
