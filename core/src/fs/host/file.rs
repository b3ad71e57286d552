//! Open files of the host.

use std::{
    io::{self, IoSlice, Read, Seek, SeekFrom, Write},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use super::{attrs, stat::metadata_of};
use crate::fs::{AttrChange, File, FilePosix, FileWrite, Metadata};

/// An open regular file of a [`super::HostDir`].
#[derive(Debug)]
pub struct HostFile(std::fs::File);

impl HostFile {
    pub(super) fn new(fd: OwnedFd) -> Self {
        Self(fd.into())
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Read for HostFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }

    fn read_to_end(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        self.0.read_to_end(buffer)
    }
}

impl Write for HostFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.write_vectored(parts)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Seek for HostFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl File for HostFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.0, buffer, position)
    }

    fn metadata(&self) -> io::Result<Metadata> {
        Ok(metadata_of(&rustix::fs::fstat(&self.0)?))
    }
}

impl FileWrite for HostFile {
    fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }
}

impl FilePosix for HostFile {
    fn set_attrs(&self, change: &AttrChange<'_>) -> io::Result<()> {
        attrs::set(self.0.as_fd(), change)
    }
}
