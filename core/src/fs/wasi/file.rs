//! Open files of a sandbox.

use std::{
    io::{self, Read, Seek, SeekFrom, Write},
    os::fd::{AsFd, OwnedFd},
};

use super::{
    attrs::{self, metadata_of},
    kind,
};
use crate::fs::{AttrChange, File, FilePosix, FileWrite, Metadata};

/// An open regular file of a [`super::WasiDir`].
#[derive(Debug)]
pub struct WasiFile(std::fs::File);

impl WasiFile {
    pub(super) fn new(fd: OwnedFd) -> Self {
        Self(fd.into())
    }
}

impl Read for WasiFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for WasiFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Seek for WasiFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl File for WasiFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        rustix::io::pread(&self.0, buffer, position).map_err(kind::error)
    }

    fn metadata(&self) -> io::Result<Metadata> {
        Ok(metadata_of(&rustix::fs::fstat(&self.0).map_err(kind::error)?))
    }
}

impl FileWrite for WasiFile {
    fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }
}

impl FilePosix for WasiFile {
    fn set_attrs(&self, change: &AttrChange<'_>) -> io::Result<()> {
        attrs::set(self.0.as_fd(), change)
    }
}
