//! Open files of the host.

use std::{
    io::{self, IoSlice, Read, Seek, SeekFrom, Write},
    ops::Range,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{fs as sys, io::Errno};

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
        Ok(metadata_of(&sys::fstat(&self.0)?))
    }

    fn next_data(&self, position: u64) -> io::Result<Option<Range<u64>>> {
        // Looking for it moves the position of the file.
        let own = sys::tell(&self.0)?;
        let found = next_data(&self.0, position);
        sys::seek(&self.0, sys::SeekFrom::Start(own))?;
        match found {
            Ok(data) => Ok(Some(data)),
            Err(Errno::NXIO) => Ok(None),
            Err(Errno::INVAL) => Ok(Some(position..u64::MAX)), // the file system does not know
            Err(error) => Err(error.into()),
        }
    }
}

fn next_data(file: &std::fs::File, position: u64) -> Result<Range<u64>, Errno> {
    let start = sys::seek(file, sys::SeekFrom::Data(position))?;
    Ok(start..sys::seek(file, sys::SeekFrom::Hole(start))?)
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
