//! Reading the user's own files where their mode forbids it.

use std::io::{self, ErrorKind};

use super::{AttrChange, Dir, DirPosix, DirWrite, FileType, Metadata, Special, Support};
use crate::{
    attrs::Xattrs,
    name::{Name, NameBuf},
};

/// A directory in which the user can read all files they own: a mode that forbids it is changed for that
/// moment and restored. For root nothing is changed.
///
/// Other processes may observe the changed mode meanwhile, and it stays if this process is killed.
#[derive(Debug)]
pub struct Readable<D: DirPosix> {
    dir: D,
    /// The original mode of this directory, if it was changed.
    mode: Option<u32>,
}

/// The mode bits needed to read a directory.
const LIST_AND_ENTER: u32 = 0o500;
const READ: u32 = 0o400;

impl<D: DirPosix> Readable<D> {
    /// Wraps a directory.
    pub fn new(dir: D) -> Self {
        Self { dir, mode: None }
    }

    fn set_mode(&self, name: Name<'_>, mode: u32) -> io::Result<()> {
        self.dir.set_attrs(name, &AttrChange::default().mode(mode))
    }

    /// Reads something of an entry, and changes its mode meanwhile if necessary.
    fn read<R>(&self, name: Name<'_>, read: impl Fn(&D) -> io::Result<R>) -> io::Result<R> {
        let error = match read(&self.dir) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => error,
            done => return done,
        };
        let found = self.dir.metadata(name)?;
        if found.mode & READ != 0 || self.set_mode(name, found.mode | READ).is_err() {
            return Err(error);
        }
        let done = read(&self.dir);
        self.set_mode(name, found.mode)?;
        done
    }
}

impl<D: DirPosix> Drop for Readable<D> {
    fn drop(&mut self) {
        if let Some(mode) = self.mode {
            // It could be changed, so it can be restored; an error could not be reported here.
            let _ = self.dir.set_self_attrs(&AttrChange::default().mode(mode));
        }
    }
}

impl<D: DirPosix> Dir for Readable<D> {
    type File = D::File;

    fn open_dir(&self, name: Name<'_>) -> io::Result<Self> {
        let mut mode = None;
        if !self.dir.support().owner {
            let found = self.dir.metadata(name)?;
            let shut = found.file_type == FileType::Dir && found.mode & LIST_AND_ENTER != LIST_AND_ENTER;
            // If the mode cannot be changed, opening the directory fails.
            if shut && self.set_mode(name, found.mode | LIST_AND_ENTER).is_ok() {
                mode = Some(found.mode);
            }
        }
        match self.dir.open_dir(name) {
            Ok(dir) => Ok(Self { dir, mode }),
            Err(error) => {
                mode.map_or(Ok(()), |mode| self.set_mode(name, mode))?;
                Err(error)
            }
        }
    }

    fn open_file(&self, name: Name<'_>) -> io::Result<D::File> {
        self.read(name, |dir| dir.open_file(name))
    }

    fn names(&self) -> io::Result<Vec<NameBuf>> {
        self.dir.names()
    }

    fn metadata(&self, name: Name<'_>) -> io::Result<Metadata> {
        self.dir.metadata(name)
    }

    fn self_metadata(&self) -> io::Result<Metadata> {
        let metadata = self.dir.self_metadata()?;
        Ok(Metadata { mode: self.mode.unwrap_or(metadata.mode), ..metadata })
    }

    fn read_link(&self, name: Name<'_>) -> io::Result<Vec<u8>> {
        self.dir.read_link(name)
    }

    fn xattrs(&self, name: Name<'_>) -> io::Result<Xattrs> {
        self.read(name, |dir| dir.xattrs(name))
    }

    fn self_xattrs(&self) -> io::Result<Xattrs> {
        self.dir.self_xattrs()
    }

    fn support(&self) -> Support {
        self.dir.support()
    }
}

impl<D: DirPosix> DirWrite for Readable<D> {
    type Lock = D::Lock;

    fn create_file(&self, name: Name<'_>) -> io::Result<D::File> {
        self.dir.create_file(name)
    }

    fn create_dir(&self, name: Name<'_>) -> io::Result<()> {
        self.dir.create_dir(name)
    }

    fn share(&self, name: Name<'_>) -> io::Result<()> {
        self.dir.share(name)
    }

    fn give(&self, file: &D::File) -> io::Result<()> {
        self.dir.give(file)
    }

    fn rename(&self, name: Name<'_>, to: &Self, to_name: Name<'_>) -> io::Result<()> {
        self.dir.rename(name, &to.dir, to_name)
    }

    fn remove_file(&self, name: Name<'_>) -> io::Result<()> {
        self.dir.remove_file(name)
    }

    fn remove_dir(&self, name: Name<'_>) -> io::Result<()> {
        self.dir.remove_dir(name)
    }

    fn sync(&self) -> io::Result<()> {
        self.dir.sync()
    }

    fn lock(&self) -> io::Result<D::Lock> {
        self.dir.lock()
    }

    fn try_lock(&self) -> io::Result<Option<D::Lock>> {
        self.dir.try_lock()
    }

    fn lock_shared(&self) -> io::Result<D::Lock> {
        self.dir.lock_shared()
    }
}

impl<D: DirPosix> DirPosix for Readable<D> {
    fn symlink(&self, name: Name<'_>, target: &[u8]) -> io::Result<()> {
        self.dir.symlink(name, target)
    }

    fn hard_link(&self, name: Name<'_>, from: &Self, from_name: Name<'_>) -> io::Result<()> {
        self.dir.hard_link(name, &from.dir, from_name)
    }

    fn create_node(&self, name: Name<'_>, node: Special) -> io::Result<()> {
        self.dir.create_node(name, node)
    }

    fn set_attrs(&self, name: Name<'_>, change: &AttrChange<'_>) -> io::Result<()> {
        self.dir.set_attrs(name, change)
    }

    fn set_self_attrs(&self, change: &AttrChange<'_>) -> io::Result<()> {
        self.dir.set_self_attrs(change)
    }
}
