//! Directories that can only be read, where one that can be written is asked for.

use std::{
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    ops::Range,
};

use super::{Dir, DirWrite, File, FileWrite, Metadata, Support};
use crate::{
    attrs::Xattrs,
    name::{Name, NameBuf},
};

/// A directory of which everything can be read and nothing written: each attempt is a `ReadOnlyFilesystem`
/// error. So a driver that implements [`Dir`] alone can hold a layout for reading.
///
/// ```
/// use ocicle::{fs::{ReadOnly, mem::MemDir}, limits::Limits, store::{RootIndex, layout::LayoutStore}};
/// # fn main() -> ocicle::Result<()> {
/// # let dir = MemDir::new();
/// # LayoutStore::create(dir.clone())?;
/// let store = LayoutStore::open(ReadOnly(dir), &Limits::default())?;
/// assert!(store.load()?.view().manifests.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[allow(clippy::exhaustive_structs, reason = "a wrapper")]
pub struct ReadOnly<D>(pub D);

impl<D: Dir> Dir for ReadOnly<D> {
    type File = ReadOnlyFile<D::File>;

    fn open_dir(&self, name: Name<'_>) -> io::Result<Self> {
        self.0.open_dir(name).map(Self)
    }

    fn open_file(&self, name: Name<'_>) -> io::Result<Self::File> {
        self.0.open_file(name).map(ReadOnlyFile)
    }

    fn names(&self) -> io::Result<Vec<NameBuf>> {
        self.0.names()
    }

    fn metadata(&self, name: Name<'_>) -> io::Result<Metadata> {
        self.0.metadata(name)
    }

    fn self_metadata(&self) -> io::Result<Metadata> {
        self.0.self_metadata()
    }

    fn read_link(&self, name: Name<'_>) -> io::Result<Vec<u8>> {
        self.0.read_link(name)
    }

    fn xattrs(&self, name: Name<'_>) -> io::Result<Xattrs> {
        self.0.xattrs(name)
    }

    fn self_xattrs(&self) -> io::Result<Xattrs> {
        self.0.self_xattrs()
    }

    fn support(&self) -> Support {
        self.0.support()
    }
}

fn refused<T>() -> io::Result<T> {
    Err(ErrorKind::ReadOnlyFilesystem.into())
}

impl<D: Dir> DirWrite for ReadOnly<D> {
    type Lock = ();

    fn create_file(&self, _name: Name<'_>) -> io::Result<Self::File> {
        refused()
    }

    fn create_dir(&self, _name: Name<'_>) -> io::Result<()> {
        refused()
    }

    fn share(&self, _name: Name<'_>) -> io::Result<()> {
        refused()
    }

    fn give(&self, _file: &Self::File) -> io::Result<()> {
        refused()
    }

    fn rename(&self, _name: Name<'_>, _to: &Self, _to_name: Name<'_>) -> io::Result<()> {
        refused()
    }

    fn remove_file(&self, _name: Name<'_>) -> io::Result<()> {
        refused()
    }

    fn remove_dir(&self, _name: Name<'_>) -> io::Result<()> {
        refused()
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    /// Succeeds: where nothing can be changed, no lock is needed.
    fn lock(&self) -> io::Result<()> {
        Ok(())
    }

    fn try_lock(&self) -> io::Result<Option<()>> {
        Ok(Some(()))
    }

    fn lock_shared(&self) -> io::Result<()> {
        Ok(())
    }
}

/// An open file of a [`ReadOnly`] directory.
#[derive(Debug)]
pub struct ReadOnlyFile<F>(F);

impl<F: Read> Read for ReadOnlyFile<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<F: Seek> Seek for ReadOnlyFile<F> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl<F> Write for ReadOnlyFile<F> {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        refused()
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<F: File> File for ReadOnlyFile<F> {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.0.read_at(buffer, position)
    }

    fn metadata(&self) -> io::Result<Metadata> {
        self.0.metadata()
    }

    fn next_data(&self, position: u64) -> io::Result<Option<Range<u64>>> {
        self.0.next_data(position)
    }
}

impl<F: File> FileWrite for ReadOnlyFile<F> {
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
