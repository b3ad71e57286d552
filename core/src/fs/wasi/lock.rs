//! A lock where the system has none.

use std::os::fd::BorrowedFd;

use rustix::fs::{self as sys, Mode, OFlags};

use super::{
    super::{DirWrite as _, marks},
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
    mark: Option<NameBuf>,
}

impl Drop for WasiLock {
    fn drop(&mut self) {
        if let Some(mark) = &self.mark {
            // If it cannot be removed, the next one to wait for it says so.
            let _ = self.dir.remove_file(mark.as_name());
        }
    }
}

pub(super) fn attempt(dir: BorrowedFd<'_>, mode: marks::Mode) -> marks::Attempt<WasiLock> {
    let dir = sys::openat(dir, c".", OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty());
    let dir = WasiDir(dir.map_err(kind::error)?);
    let lock = match marks::make(&dir, mode)? {
        Ok(mark) => WasiLock { dir, mark },
        Err(other) => return Ok(Err(other)),
    };
    let other = lock.mark.as_ref().map(|mark| marks::other(&lock.dir, mark.as_name()));
    match other.transpose()?.flatten() {
        None => Ok(Ok(lock)),
        Some(other) => Ok(Err(other)),
    }
}
