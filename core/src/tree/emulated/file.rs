//! Open files of an emulated directory.

use std::{
    io::{self, Read, Seek, SeekFrom, Write},
    ops::Range,
};

use super::form::held;
use crate::fs::{AttrChange, File, FilePosix, FileWrite, Metadata, Support};

/// An open file of a [`super::Emulated`]. Its metadata are those of the disk.
#[derive(Debug)]
pub struct EmulatedFile<F> {
    file: F,
    held: Support,
}

impl<F> EmulatedFile<F> {
    pub(super) fn new(file: F, held: Support) -> Self {
        Self { file, held }
    }

    /// Returns the file of the directory below.
    pub(super) fn on_disk(&self) -> &F {
        &self.file
    }
}

impl<F: Read> Read for EmulatedFile<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl<F: Write> Write for EmulatedFile<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl<F: Seek> Seek for EmulatedFile<F> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl<F: File> File for EmulatedFile<F> {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.file.read_at(buffer, position)
    }

    fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    fn next_data(&self, position: u64) -> io::Result<Option<Range<u64>>> {
        self.file.next_data(position)
    }
}

impl<F: FileWrite> FileWrite for EmulatedFile<F> {
    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }
}

impl<F: FilePosix> FilePosix for EmulatedFile<F> {
    fn set_attrs(&self, change: &AttrChange<'_>) -> io::Result<()> {
        self.file.set_attrs(&held(&self.held, change))
    }
}
