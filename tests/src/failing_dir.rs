//! A file system in memory whose calls can be made to fail.

use std::{
    io::{self, Read, Seek, SeekFrom, Write},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use ocicle::{
    attrs::Xattrs,
    fs::{
        AttrChange, Dir, DirPosix, DirWrite, File, FilePosix, FileWrite, Metadata, Special, Support,
        mem::{MemDir, MemFile, MemLock},
    },
    name::{Name, NameBuf},
};

/// Which calls fail. The first one is number 0.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::exhaustive_enums, reason = "made by tests")]
pub enum Fail {
    /// Only this one: a full disk, a broken sector.
    Only(usize),
    /// This call and all after it: the end of the process.
    From(usize),
}

/// A directory whose calls fail as [`Fail`] says, and those of the files and directories opened from it.
#[derive(Debug, Clone)]
pub struct FailingDir {
    inner: MemDir,
    plan: Arc<Plan>,
}

#[derive(Debug)]
struct Plan {
    fail: Fail,
    calls: AtomicUsize,
}

impl Plan {
    fn call(&self) -> io::Result<()> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let fails = match self.fail {
            Fail::Only(number) => call == number,
            Fail::From(number) => call >= number,
        };
        if fails { Err(io::Error::other(format!("call {call} fails"))) } else { Ok(()) }
    }
}

impl FailingDir {
    /// Wraps a directory; counting starts now.
    #[must_use]
    pub fn new(inner: MemDir, fail: Fail) -> Self {
        Self { inner, plan: Arc::new(Plan { fail, calls: AtomicUsize::new(0) }) }
    }

    /// Returns whether the call that had to fail was made.
    #[must_use]
    pub fn failed(&self) -> bool {
        let (Fail::Only(number) | Fail::From(number)) = self.plan.fail;
        self.plan.calls.load(Ordering::Relaxed) > number
    }

    /// Returns how many calls were made.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.plan.calls.load(Ordering::Relaxed)
    }

    fn inner(&self) -> io::Result<&MemDir> {
        self.plan.call().map(|()| &self.inner)
    }

    fn file(&self, file: MemFile) -> FailingFile {
        FailingFile { inner: file, plan: Arc::clone(&self.plan) }
    }
}

impl Dir for FailingDir {
    type File = FailingFile;

    fn open_dir(&self, name: Name<'_>) -> io::Result<Self> {
        Ok(Self { inner: self.inner()?.open_dir(name)?, plan: Arc::clone(&self.plan) })
    }

    fn open_file(&self, name: Name<'_>) -> io::Result<FailingFile> {
        Ok(self.file(self.inner()?.open_file(name)?))
    }

    fn names(&self) -> io::Result<Vec<NameBuf>> {
        self.inner()?.names()
    }

    fn metadata(&self, name: Name<'_>) -> io::Result<Metadata> {
        self.inner()?.metadata(name)
    }

    fn self_metadata(&self) -> io::Result<Metadata> {
        self.inner()?.self_metadata()
    }

    fn read_link(&self, name: Name<'_>) -> io::Result<Vec<u8>> {
        self.inner()?.read_link(name)
    }

    fn xattrs(&self, name: Name<'_>) -> io::Result<Xattrs> {
        self.inner()?.xattrs(name)
    }

    fn self_xattrs(&self) -> io::Result<Xattrs> {
        self.inner()?.self_xattrs()
    }

    fn support(&self) -> Support {
        self.inner.support()
    }
}

impl DirWrite for FailingDir {
    type Lock = MemLock;

    fn create_file(&self, name: Name<'_>) -> io::Result<FailingFile> {
        Ok(self.file(self.inner()?.create_file(name)?))
    }

    fn create_dir(&self, name: Name<'_>) -> io::Result<()> {
        self.inner()?.create_dir(name)
    }

    fn share(&self, name: Name<'_>) -> io::Result<()> {
        self.inner()?.share(name)
    }

    fn give(&self, file: &FailingFile) -> io::Result<()> {
        self.inner()?.give(&file.inner)
    }

    fn rename(&self, name: Name<'_>, to: &Self, to_name: Name<'_>) -> io::Result<()> {
        self.inner()?.rename(name, &to.inner, to_name)
    }

    fn remove_file(&self, name: Name<'_>) -> io::Result<()> {
        self.inner()?.remove_file(name)
    }

    fn remove_dir(&self, name: Name<'_>) -> io::Result<()> {
        self.inner()?.remove_dir(name)
    }

    fn sync(&self) -> io::Result<()> {
        self.inner()?.sync()
    }

    fn lock(&self) -> io::Result<MemLock> {
        self.inner()?.lock()
    }

    fn try_lock(&self) -> io::Result<Option<MemLock>> {
        self.inner()?.try_lock()
    }

    fn lock_shared(&self) -> io::Result<MemLock> {
        self.inner()?.lock_shared()
    }
}

impl DirPosix for FailingDir {
    fn symlink(&self, name: Name<'_>, target: &[u8]) -> io::Result<()> {
        self.inner()?.symlink(name, target)
    }

    fn hard_link(&self, name: Name<'_>, from: &Self, from_name: Name<'_>) -> io::Result<()> {
        self.inner()?.hard_link(name, &from.inner, from_name)
    }

    fn create_node(&self, name: Name<'_>, node: Special) -> io::Result<()> {
        self.inner()?.create_node(name, node)
    }

    fn set_attrs(&self, name: Name<'_>, change: &AttrChange<'_>) -> io::Result<()> {
        self.inner()?.set_attrs(name, change)
    }

    fn set_self_attrs(&self, change: &AttrChange<'_>) -> io::Result<()> {
        self.inner()?.set_self_attrs(change)
    }
}

/// An open file of a [`FailingDir`].
#[derive(Debug)]
pub struct FailingFile {
    inner: MemFile,
    plan: Arc<Plan>,
}

impl Read for FailingFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.plan.call()?;
        self.inner.read(buffer)
    }
}

impl Write for FailingFile {
    /// Takes a few bytes at a time, so that a failure can come between them.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.plan.call()?;
        self.inner.write(&bytes[..bytes.len().min(16)])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.plan.call()?;
        self.inner.flush()
    }
}

impl Seek for FailingFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.plan.call()?;
        self.inner.seek(to)
    }
}

impl File for FailingFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.plan.call()?;
        self.inner.read_at(buffer, position)
    }

    fn metadata(&self) -> io::Result<Metadata> {
        self.plan.call()?;
        self.inner.metadata()
    }
}

impl FileWrite for FailingFile {
    fn sync(&self) -> io::Result<()> {
        self.plan.call()?;
        self.inner.sync()
    }
}

impl FilePosix for FailingFile {
    fn set_attrs(&self, change: &AttrChange<'_>) -> io::Result<()> {
        self.plan.call()?;
        self.inner.set_attrs(change)
    }
}
