//! Files under temporary names, until they are complete.

use std::{
    io::{self, ErrorKind, Seek, SeekFrom, Write},
    sync::atomic::{AtomicU64, Ordering},
};

use crate::{
    fs::{AttrChange, DirPosix, DirWrite, FilePosix as _, FileWrite as _, Metadata},
    name::{Name, NameBuf},
};

/// The prefix of temporary names.
pub(super) const TEMPORARY: &str = ".ocicle-";

/// A file with a temporary name. Dropping it removes it.
pub(crate) struct Temporary<'a, D: DirWrite> {
    file: Option<D::File>,
    dir: &'a D,
    name: NameBuf,
}

impl<'a, D: DirWrite> Temporary<'a, D> {
    pub(crate) fn new(dir: &'a D, next: &AtomicU64) -> io::Result<Self> {
        let (file, name) = free_name(next, |name| dir.create_file(name))?;
        Ok(Self { file: Some(file), dir, name })
    }

    /// Returns the file with the owner of its directory.
    pub(super) fn given(self) -> io::Result<Self> {
        self.file.as_ref().map_or(Ok(()), |file| self.dir.give(file))?;
        Ok(self)
    }

    /// Makes the content durable and renames the file to its final name, readable by all.
    pub(crate) fn place(self, to: &D, name: Name<'_>) -> io::Result<()> {
        self.place_with(to, name, |temporary, _| temporary.dir.share(temporary.name.as_name()))
    }

    fn place_with(
        self,
        to: &D,
        name: Name<'_>,
        prepare: impl FnOnce(&Self, &D::File) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut complete = self.complete(prepare)?;
        complete.dir.rename(complete.name.as_name(), to, name)?;
        complete.file = None;
        to.sync()
    }

    /// Makes the content durable.
    fn complete(mut self, prepare: impl FnOnce(&Self, &D::File) -> io::Result<()>) -> io::Result<Self> {
        self.flush()?;
        if let Some(file) = &self.file {
            prepare(&self, file)?;
            file.sync()?;
        }
        Ok(self)
    }
}

impl<D: DirPosix> Temporary<'_, D> {
    /// Does the same for a name that is free; `AlreadyExists` if it is not.
    pub(crate) fn place_new(self, to: &D, name: Name<'_>) -> io::Result<()> {
        let mut complete = self.complete(|temporary, _| temporary.dir.share(temporary.name.as_name()))?;
        match to.hard_link(name, complete.dir, complete.name.as_name()) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(error),
            Err(_) => {
                // Not every file system has hard links.
                if to.metadata(name).is_ok() {
                    return Err(ErrorKind::AlreadyExists.into());
                }
                complete.dir.rename(complete.name.as_name(), to, name)?;
                complete.file = None;
            }
            Ok(()) => drop(complete), // which removes the other name
        }
        to.sync()
    }

    /// Does the same in place of an old file, whose mode it gets, and its owner as far as the system allows:
    /// the new file is readable by the same users.
    pub(crate) fn replace(self, old: &Metadata, to: &D, name: Name<'_>) -> io::Result<()> {
        let support = self.dir.support();
        self.place_with(to, name, |_, file| {
            if support.owner {
                // Only root can change the owner.
                let _ = file.set_attrs(&AttrChange::default().owner(old.uid, old.gid));
            }
            match support.mode {
                true => file.set_attrs(&AttrChange::default().mode(old.mode & 0o777)),
                false => Ok(()),
            }
        })
    }
}

impl<D: DirWrite> Write for Temporary<'_, D> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.file {
            Some(file) => file.write(bytes),
            None => Ok(0),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl<D: DirWrite> Seek for Temporary<'_, D> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.as_mut().map_or(Ok(0), |file| file.seek(to))
    }
}

impl<D: DirWrite> Drop for Temporary<'_, D> {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // Nothing depends on it, and `drop` cannot return an error.
            let _ = self.dir.remove_file(self.name.as_name());
        }
    }
}

/// Creates something under a name that is free.
pub(super) fn free_name<T>(
    next: &AtomicU64,
    mut create: impl FnMut(Name<'_>) -> io::Result<T>,
) -> io::Result<(T, NameBuf)> {
    loop {
        let name = format!("{TEMPORARY}{}", next.fetch_add(1, Ordering::Relaxed));
        let name = Name::new(name.as_bytes()).map_err(io::Error::other)?;
        match create(name) {
            Ok(made) => return Ok((made, name.into())),
            // A running writer, or the leftover of a crash.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}
