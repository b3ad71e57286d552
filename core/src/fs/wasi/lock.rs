//! Locks by lock files alone.

use std::os::fd::BorrowedFd;

use rustix::fs::{self as sys, Mode, OFlags};

use super::{
    super::{DirWrite as _, lockfile},
    WasiDir, kind,
};
use crate::name::NameBuf;

/// Holds the lock of a [`WasiDir`] until it is dropped: a lock file in the directory, which native processes
/// respect, too.
///
/// It outlives a process that is killed; then the next one gives up after ten seconds, with an error that
/// names the file to remove.
#[derive(Debug)]
pub struct WasiLock {
    /// A handle of its own, to remove the file.
    dir: WasiDir,
    file: Option<NameBuf>,
}

impl Drop for WasiLock {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            // If this fails, the next process that waits for the lock names the file.
            let _ = self.dir.remove_file(file.as_name());
        }
    }
}

pub(super) fn attempt(dir: BorrowedFd<'_>, mode: lockfile::Mode) -> lockfile::Attempt<WasiLock> {
    let dir = sys::openat(dir, c".", OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty());
    let dir = WasiDir(dir.map_err(kind::error)?);
    let lock = match lockfile::create_sandboxed(&dir, mode)? {
        Ok(file) => WasiLock { dir, file },
        Err(conflict) => return Ok(Err(conflict)),
    };
    let conflict = lock.file.as_ref().map(|file| lockfile::conflicting(&lock.dir, file.as_name()));
    match conflict.transpose()?.flatten() {
        None => Ok(Ok(lock)),
        Some(conflict) => Ok(Err(conflict)),
    }
}
