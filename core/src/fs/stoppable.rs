//! Ending long work early.

use std::{
    fmt,
    io::{self, Read, Seek, SeekFrom, Write},
    ops::Range,
    sync::Arc,
};

use super::{AttrChange, Dir, DirPosix, DirWrite, File, FilePosix, FileWrite, Metadata, Special, Support};
use crate::{
    attrs::Xattrs,
    name::{Name, NameBuf},
};

/// A function that returns an error once the program is to stop.
type Check = dyn Fn() -> io::Result<()> + Send + Sync;

/// A directory whose files cannot be opened, read or written any more once a function returns an error, which
/// is then the error of these calls. So long work ends like any that fails, and cleans up: names can still be
/// listed, moved and removed.
///
/// The error must not be of the kind [`Interrupted`](io::ErrorKind::Interrupted), after which calls are
/// repeated.
///
/// ```
/// use std::{io, sync::{Arc, atomic::{AtomicBool, Ordering}}};
/// use ocicle::{fs::{DirWrite, Stoppable, mem::MemDir}, name::Name};
///
/// let stop = Arc::new(AtomicBool::new(false));
/// let flag = Arc::clone(&stop);
/// let dir = Stoppable::new(MemDir::new(), move || match flag.load(Ordering::Relaxed) {
///     true => Err(io::Error::other("cancelled")),
///     false => Ok(()),
/// });
/// dir.create_file(Name::literal("one"))?;
/// stop.store(true, Ordering::Relaxed);
/// assert_eq!(dir.create_file(Name::literal("two")).unwrap_err().to_string(), "cancelled");
/// dir.remove_file(Name::literal("one"))?;
/// # Ok::<(), io::Error>(())
/// ```
pub struct Stoppable<D> {
    inner: D,
    check: Arc<Check>,
}

/// A file of a [`Stoppable`] directory.
pub struct StoppableFile<F> {
    inner: F,
    check: Arc<Check>,
}

impl<D> Stoppable<D> {
    /// Wraps a directory. `check` is called before each call that it can stop.
    pub fn new(inner: D, check: impl Fn() -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self { inner, check: Arc::new(check) }
    }

    fn file<F>(&self, open: impl FnOnce(&D) -> io::Result<F>) -> io::Result<StoppableFile<F>> {
        (self.check)()?;
        Ok(StoppableFile { inner: open(&self.inner)?, check: Arc::clone(&self.check) })
    }
}

impl<D: Dir> Dir for Stoppable<D> {
    type File = StoppableFile<D::File>;

    fn open_dir(&self, name: Name<'_>) -> io::Result<Self> {
        Ok(Self { inner: self.inner.open_dir(name)?, check: Arc::clone(&self.check) })
    }

    fn open_file(&self, name: Name<'_>) -> io::Result<Self::File> {
        self.file(|dir| dir.open_file(name))
    }

    fn names(&self) -> io::Result<Vec<NameBuf>> {
        self.inner.names()
    }

    fn metadata(&self, name: Name<'_>) -> io::Result<Metadata> {
        self.inner.metadata(name)
    }

    fn self_metadata(&self) -> io::Result<Metadata> {
        self.inner.self_metadata()
    }

    fn read_link(&self, name: Name<'_>) -> io::Result<Vec<u8>> {
        self.inner.read_link(name)
    }

    fn xattrs(&self, name: Name<'_>) -> io::Result<Xattrs> {
        self.inner.xattrs(name)
    }

    fn self_xattrs(&self) -> io::Result<Xattrs> {
        self.inner.self_xattrs()
    }

    fn support(&self) -> Support {
        self.inner.support()
    }
}

impl<D: DirWrite> DirWrite for Stoppable<D> {
    type Lock = D::Lock;

    fn create_file(&self, name: Name<'_>) -> io::Result<Self::File> {
        self.file(|dir| dir.create_file(name))
    }

    fn create_dir(&self, name: Name<'_>) -> io::Result<()> {
        self.inner.create_dir(name)
    }

    fn share(&self, name: Name<'_>) -> io::Result<()> {
        self.inner.share(name)
    }

    fn give(&self, file: &Self::File) -> io::Result<()> {
        self.inner.give(&file.inner)
    }

    fn rename(&self, name: Name<'_>, to: &Self, to_name: Name<'_>) -> io::Result<()> {
        self.inner.rename(name, &to.inner, to_name)
    }

    fn remove_file(&self, name: Name<'_>) -> io::Result<()> {
        self.inner.remove_file(name)
    }

    fn remove_dir(&self, name: Name<'_>) -> io::Result<()> {
        self.inner.remove_dir(name)
    }

    fn sync(&self) -> io::Result<()> {
        self.inner.sync()
    }

    fn lock(&self) -> io::Result<D::Lock> {
        self.inner.lock()
    }

    fn try_lock(&self) -> io::Result<Option<D::Lock>> {
        self.inner.try_lock()
    }

    fn lock_shared(&self) -> io::Result<D::Lock> {
        self.inner.lock_shared()
    }
}

impl<D: DirPosix> DirPosix for Stoppable<D> {
    fn symlink(&self, name: Name<'_>, target: &[u8]) -> io::Result<()> {
        self.inner.symlink(name, target)
    }

    fn hard_link(&self, name: Name<'_>, from: &Self, from_name: Name<'_>) -> io::Result<()> {
        self.inner.hard_link(name, &from.inner, from_name)
    }

    fn create_node(&self, name: Name<'_>, node: Special) -> io::Result<()> {
        self.inner.create_node(name, node)
    }

    fn set_attrs(&self, name: Name<'_>, change: &AttrChange<'_>) -> io::Result<()> {
        self.inner.set_attrs(name, change)
    }

    fn set_self_attrs(&self, change: &AttrChange<'_>) -> io::Result<()> {
        self.inner.set_self_attrs(change)
    }
}

impl<F: Read> Read for StoppableFile<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (self.check)()?;
        self.inner.read(buffer)
    }
}

impl<F: Write> Write for StoppableFile<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.check)()?;
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<F: Seek> Seek for StoppableFile<F> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

impl<F: File> File for StoppableFile<F> {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        (self.check)()?;
        self.inner.read_at(buffer, position)
    }

    fn metadata(&self) -> io::Result<Metadata> {
        self.inner.metadata()
    }

    fn next_data(&self, position: u64) -> io::Result<Option<Range<u64>>> {
        self.inner.next_data(position)
    }
}

impl<F: FileWrite> FileWrite for StoppableFile<F> {
    fn sync(&self) -> io::Result<()> {
        self.inner.sync()
    }
}

impl<F: FilePosix> FilePosix for StoppableFile<F> {
    fn set_attrs(&self, change: &AttrChange<'_>) -> io::Result<()> {
        self.inner.set_attrs(change)
    }
}

impl<D: fmt::Debug> fmt::Debug for Stoppable<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stoppable").field(&self.inner).finish()
    }
}

impl<F: fmt::Debug> fmt::Debug for StoppableFile<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StoppableFile").field(&self.inner).finish()
    }
}
