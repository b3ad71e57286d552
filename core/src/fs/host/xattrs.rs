//! Extended attributes of open files and of entries by name.
//!
//! The system calls take a descriptor or a path, but not a name relative to a descriptor, and a link, fifo or
//! device cannot be opened for this. The path `/proc/self/fd/N/name` serves as the relative name: `N` leads
//! to the directory that is open, and the calls used do not follow the last component.

use std::{
    ffi::CStr,
    io::{self, ErrorKind, Write as _},
    os::fd::{AsRawFd as _, BorrowedFd},
};

use rustix::{
    fs::{self as sys, XattrFlags},
    io::Errno,
};

use super::procfs::proc_self_fd;
use crate::{
    attrs::Xattrs,
    fs::is_system_xattr,
    name::{NAME_MAX, Name},
};

pub(super) fn read(fd: BorrowedFd<'_>) -> io::Result<Xattrs> {
    read_from(Holder::Open(fd))
}

pub(super) fn read_at(dir: BorrowedFd<'_>, name: Name<'_>) -> io::Result<Xattrs> {
    with_path(dir, name, |path| read_from(Holder::Path(path)))
}

/// Makes `wanted` the complete set, apart from the attributes of the system.
pub(super) fn replace(fd: BorrowedFd<'_>, wanted: &Xattrs) -> io::Result<()> {
    replace_on(Holder::Open(fd), wanted)
}

pub(super) fn replace_at(dir: BorrowedFd<'_>, name: Name<'_>, wanted: &Xattrs) -> io::Result<()> {
    with_path(dir, name, |path| replace_on(Holder::Path(path), wanted))
}

fn read_from(holder: Holder<'_>) -> io::Result<Xattrs> {
    let mut found = Xattrs::new();
    for name in split(&holder.list()?) {
        match holder.get(name) {
            Ok(value) => {
                found.insert(name.into(), value.into());
            }
            // Removed since it was listed.
            Err(Errno::NODATA) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}

/// Lists first even for a new file: it may have inherited an access control list.
fn replace_on(holder: Holder<'_>, wanted: &Xattrs) -> io::Result<()> {
    for name in split(&holder.list()?) {
        if !wanted.contains_key(name) && !is_system_xattr(name) {
            match holder.remove(name) {
                Ok(()) | Err(Errno::NODATA) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    for (name, value) in wanted.iter().filter(|(name, _)| !is_system_xattr(name)) {
        holder.set(name, value)?;
    }
    Ok(())
}

fn split(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&byte| byte == 0).filter(|name| !name.is_empty())
}

/// The file, directory or link that has the attributes.
#[derive(Clone, Copy)]
enum Holder<'a> {
    Open(BorrowedFd<'a>),
    Path(&'a CStr),
}

impl Holder<'_> {
    /// Lists the names, each ended by NUL; none where the file system has no attributes.
    fn list(self) -> Result<Vec<u8>, Errno> {
        let list = read_growing(|buffer| match self {
            Self::Open(fd) => sys::flistxattr(fd, buffer),
            Self::Path(path) => sys::llistxattr(path, buffer),
        });
        match list {
            Err(Errno::OPNOTSUPP) => Ok(Vec::new()),
            other => other,
        }
    }

    fn get(self, name: &[u8]) -> Result<Vec<u8>, Errno> {
        read_growing(|buffer| match self {
            Self::Open(fd) => sys::fgetxattr(fd, name, buffer),
            Self::Path(path) => sys::lgetxattr(path, name, buffer),
        })
    }

    fn set(self, name: &[u8], value: &[u8]) -> Result<(), Errno> {
        match self {
            Self::Open(fd) => sys::fsetxattr(fd, name, value, XattrFlags::empty()),
            Self::Path(path) => sys::lsetxattr(path, name, value, XattrFlags::empty()),
        }
    }

    fn remove(self, name: &[u8]) -> Result<(), Errno> {
        match self {
            Self::Open(fd) => sys::fremovexattr(fd, name),
            Self::Path(path) => sys::lremovexattr(path, name),
        }
    }
}

/// Calls with a small buffer first: most entries have no attributes, or few and short ones. Linux limits a
/// list and a value to 64 KiB each (xattr(7)).
fn read_growing(mut call: impl FnMut(&mut [u8]) -> Result<usize, Errno>) -> Result<Vec<u8>, Errno> {
    let mut small = [0; 512];
    match call(&mut small) {
        Ok(length) => Ok(small.get(..length).unwrap_or_default().to_vec()),
        Err(Errno::RANGE) => {
            let mut large = vec![0; 64 << 10];
            let length = call(&mut large)?;
            large.truncate(length);
            Ok(large)
        }
        Err(error) => Err(error),
    }
}

/// Runs `act` with a path of the name in the open directory, built on the stack.
///
/// # Errors
/// `Unsupported` where `/proc` is not mounted, or is not a procfs.
fn with_path<R>(
    dir: BorrowedFd<'_>,
    name: Name<'_>,
    act: impl FnOnce(&CStr) -> io::Result<R>,
) -> io::Result<R> {
    if proc_self_fd().is_err() {
        let reason = "extended attributes can be accessed by name only where /proc is mounted";
        return Err(io::Error::new(ErrorKind::Unsupported, reason));
    }
    let mut path = [0; "/proc/self/fd/4294967295/".len() + NAME_MAX + 1];
    let mut rest = path.as_mut_slice();
    write!(rest, "/proc/self/fd/{}/", dir.as_raw_fd())?;
    rest.write_all(name.as_bytes())?;
    act(CStr::from_bytes_until_nul(&path).map_err(io::Error::other)?)
}
