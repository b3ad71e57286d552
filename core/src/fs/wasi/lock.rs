//! A lock where the system has none.

use std::{
    io::{self, ErrorKind},
    os::fd::{BorrowedFd, OwnedFd},
    thread,
    time::Duration,
};

use rustix::{
    fs::{self as sys, AtFlags, Mode, OFlags},
    io::Errno,
};

use super::kind;

/// Holds the lock of a [`super::WasiDir`] until it is dropped.
///
/// The lock is a file that only one can create: [`WasiLock::FILE`] in the directory. Two sandboxes exclude each other by
/// it, but a sandbox and a native process do not. It outlives a process that is killed; then the next one gives up after
/// ten seconds, with an error that says which file to remove.
#[derive(Debug)]
pub struct WasiLock(OwnedFd);

impl WasiLock {
    /// The name of the file.
    pub const FILE: &str = ".ocicle-lock";
}

impl Drop for WasiLock {
    fn drop(&mut self) {
        // If it cannot be removed, the next one to wait for it says so.
        let _ = sys::unlinkat(&self.0, WasiLock::FILE, AtFlags::empty());
    }
}

const TRIES: u32 = 500;
const PAUSE: Duration = Duration::from_millis(20);

pub(super) fn wait_for(dir: BorrowedFd<'_>) -> io::Result<WasiLock> {
    // A handle to remove it by, of which nobody else disposes.
    let own =
        sys::openat(dir, c".", OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).map_err(kind::error)?;
    let create = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
    for _ in 0..TRIES {
        match sys::openat(dir, WasiLock::FILE, create, Mode::empty()) {
            Ok(_) => return Ok(WasiLock(own)),
            Err(Errno::EXIST) => pause(),
            Err(error) => return Err(kind::error(error)),
        }
    }
    let reason = format!(
        "another process holds the directory's lock: wait for it, or if there is none, remove {}",
        WasiLock::FILE
    );
    Err(io::Error::new(ErrorKind::TimedOut, reason))
}

#[allow(clippy::disallowed_methods, reason = "the pause of a lock is no time that a result could depend on")]
fn pause() {
    thread::sleep(PAUSE);
}
