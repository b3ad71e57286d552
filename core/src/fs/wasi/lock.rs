//! A lock where the system has none.

use std::os::fd::BorrowedFd;

use rustix::fs::{self as sys, Mode, OFlags};

use super::{
    super::{Dir as _, marks},
    WasiDir, kind,
};
use crate::name::NameBuf;

/// Holds the lock of a [`WasiDir`] until it is dropped: a file in the directory, that all others look for, in a sandbox or not.
///
/// It outlives a process that is killed; then the next one gives up after ten seconds, with an error that says which file to
/// remove.
#[derive(Debug)]
pub struct WasiLock {
    /// A handle to remove the file by, of which nobody else disposes.
    dir: WasiDir,
    mark: NameBuf,
}

impl Drop for WasiLock {
    fn drop(&mut self) {
        // If it cannot be removed, the next one to wait for it says so.
        let _ = self.dir.remove_file(self.mark.as_name());
    }
}

pub(super) fn attempt(dir: BorrowedFd<'_>, mode: marks::Mode) -> marks::Attempt<WasiLock> {
    let dir = sys::openat(dir, c".", OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty());
    let dir = WasiDir(dir.map_err(kind::error)?);
    let lock = match marks::make(&dir, mode)? {
        Ok(mark) => WasiLock { dir, mark },
        Err(other) => return Ok(Err(other)),
    };
    Ok(match marks::other(&lock.dir, lock.mark.as_name())? {
        None => Ok(lock),
        Some(other) => Err(other),
    })
}
