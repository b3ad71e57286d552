//! A file system in memory. It holds everything an image can contain, needs no privilege, and is
//! deterministic.

use std::{
    fmt,
    io::{self, ErrorKind},
    sync::Arc,
};

use super::{
    AttrChange, Dir, DirPosix, DirWrite, FilePosix as _, FileType, Metadata, Special, Support,
    rules::{check_link_target, not_a_file},
};
use crate::{
    attrs::Xattrs,
    error::{Error, Result},
    name::{EntryPath, Name, NameBuf},
};

mod file;
mod handle;
mod table;

pub use file::MemFile;
use handle::Handle;
pub use handle::MemLock;
use table::{Body, Table};

/// A directory of a file system in memory. Clones are handles of the same directory. The file system lives as
/// long as any handle, and can be shared between threads.
///
/// Times are deterministic: the clock starts in 1970, and every change advances it by one nanosecond. Owners
/// and permissions are stored but not enforced. A change of owner clears the set-id bits and the file
/// capability of a file, as on Linux.
///
/// ```
/// use std::io::{Read, Write};
/// use ocicle::{fs::{Dir, DirWrite, mem::MemDir}, name::Name};
///
/// let root = MemDir::new();
/// root.create_dir(Name::literal("etc"))?;
/// let etc = root.open_dir(Name::literal("etc"))?;
/// etc.create_file(Name::literal("hostname"))?.write_all(b"box\n")?;
///
/// let mut text = String::new();
/// etc.open_file(Name::literal("hostname"))?.read_to_string(&mut text)?;
/// assert_eq!(text, "box\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct MemDir(Handle);

impl MemDir {
    /// Creates an empty file system and returns its root: mode 0755, owner 0:0, time 0.
    #[must_use]
    pub fn new() -> Self {
        Self(Handle::new_root())
    }

    /// Creates a file system with these files, mode 0644, and their parent directories, mode 0755. The
    /// contents are moved, not copied.
    ///
    /// ```
    /// use ocicle::{fs::{Dir, mem::MemDir}, limits::Limits, name::{EntryPath, Name}};
    ///
    /// let path = EntryPath::clean(b"blobs/sha256/00", &Limits::default())?;
    /// let root = MemDir::from_files([(path, vec![1, 2, 3])])?;
    /// let sha256 = root.open_dir(Name::literal("blobs"))?.open_dir(Name::literal("sha256"))?;
    /// assert_eq!(sha256.metadata(Name::literal("00"))?.size, 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Exists`] if a path occurs twice, or lies below one that is a file; [`Error::Misuse`] for the
    /// root path.
    pub fn from_files(files: impl IntoIterator<Item = (EntryPath, Vec<u8>)>) -> Result<Self> {
        let root = Self::new();
        let mut table = root.0.lock();
        for (path, bytes) in files {
            put_file(&mut table, root.0.ino(), &path, bytes)?;
        }
        drop(table);
        Ok(root)
    }
}

fn put_file(table: &mut Table, root: u64, path: &EntryPath, bytes: Vec<u8>) -> Result<()> {
    let Some((parent, last)) = path.split_last() else {
        return Err(Error::Misuse("cannot create a file at the root path".into()));
    };
    let taken = |error: io::Error| match error.kind() {
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
            Error::Exists(format!("{path} already exists"))
        }
        _ => Error::io(format_args!("create {path}"))(error),
    };
    let mut dir = root;
    for name in parent.names() {
        dir = match table.child(dir, name) {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                table.create(dir, name, Body::Dir(Default::default()), 0o755).map_err(taken)?
            }
            Err(error) => return Err(taken(error)),
        };
    }
    table.create(dir, last, Body::File(Arc::new(bytes)), 0o644).map_err(taken)?;
    Ok(())
}

impl Default for MemDir {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MemDir").field(&self.0.ino()).finish()
    }
}

impl Dir for MemDir {
    type File = MemFile;

    fn open_dir(&self, name: Name<'_>) -> io::Result<Self> {
        let mut table = self.0.lock();
        let child = table.child(self.0.ino(), name)?;
        match table.inode(child)?.body {
            Body::Dir(_) => Ok(Self(self.0.open(&mut table, child)?)),
            _ => Err(ErrorKind::NotADirectory.into()),
        }
    }

    fn open_file(&self, name: Name<'_>) -> io::Result<MemFile> {
        let mut table = self.0.lock();
        let child = table.child(self.0.ino(), name)?;
        let inode = table.inode(child)?;
        match &inode.body {
            Body::File(content) => {
                let content = Arc::clone(content);
                Ok(MemFile::reader(self.0.open(&mut table, child)?, content))
            }
            _ => Err(not_a_file(inode.file_type())),
        }
    }

    fn names(&self) -> io::Result<Vec<NameBuf>> {
        Ok(self.0.lock().entries(self.0.ino())?.keys().cloned().collect())
    }

    fn metadata(&self, name: Name<'_>) -> io::Result<Metadata> {
        let table = self.0.lock();
        table.metadata(table.child(self.0.ino(), name)?)
    }

    fn self_metadata(&self) -> io::Result<Metadata> {
        self.0.lock().metadata(self.0.ino())
    }

    fn read_link(&self, name: Name<'_>) -> io::Result<Vec<u8>> {
        let table = self.0.lock();
        match &table.inode(table.child(self.0.ino(), name)?)?.body {
            Body::Symlink(target) => Ok(target.to_vec()),
            _ => Err(io::Error::new(ErrorKind::InvalidInput, "not a symbolic link")),
        }
    }

    fn xattrs(&self, name: Name<'_>) -> io::Result<Xattrs> {
        let table = self.0.lock();
        Ok(table.inode(table.child(self.0.ino(), name)?)?.xattrs.clone())
    }

    fn self_xattrs(&self) -> io::Result<Xattrs> {
        Ok(self.0.lock().inode(self.0.ino())?.xattrs.clone())
    }

    fn support(&self) -> Support {
        Support::ALL
    }
}

impl DirWrite for MemDir {
    type Lock = MemLock;

    fn create_file(&self, name: Name<'_>) -> io::Result<MemFile> {
        let mut table = self.0.lock();
        let child = table.create(self.0.ino(), name, Body::File(Arc::default()), 0o600)?;
        Ok(MemFile::writer(self.0.open(&mut table, child)?))
    }

    fn create_dir(&self, name: Name<'_>) -> io::Result<()> {
        self.0.lock().create(self.0.ino(), name, Body::Dir(Default::default()), 0o700).map(drop)
    }

    fn share(&self, name: Name<'_>) -> io::Result<()> {
        let mut table = self.0.lock();
        let child = table.child(self.0.ino(), name)?;
        let mode = if table.inode(child)?.file_type() == FileType::Dir { 0o755 } else { 0o644 };
        table.set_attrs(child, &AttrChange::default().mode(mode))
    }

    fn give(&self, file: &MemFile) -> io::Result<()> {
        let Metadata { uid, gid, .. } = self.self_metadata()?;
        file.set_attrs(&AttrChange::default().owner(uid, gid))
    }

    fn rename(&self, name: Name<'_>, to: &Self, to_name: Name<'_>) -> io::Result<()> {
        self.0.same_file_system(&to.0)?;
        self.0.lock().rename((self.0.ino(), name), (to.0.ino(), to_name))
    }

    fn remove_file(&self, name: Name<'_>) -> io::Result<()> {
        let mut table = self.0.lock();
        let child = table.child(self.0.ino(), name)?;
        match table.inode(child)?.file_type() {
            FileType::Dir => Err(ErrorKind::IsADirectory.into()),
            _ => table.unlink(self.0.ino(), name),
        }
    }

    fn remove_dir(&self, name: Name<'_>) -> io::Result<()> {
        let mut table = self.0.lock();
        let child = table.child(self.0.ino(), name)?;
        match table.entries(child)?.is_empty() {
            true => table.unlink(self.0.ino(), name),
            false => Err(ErrorKind::DirectoryNotEmpty.into()),
        }
    }

    /// Succeeds: memory has nothing to make durable.
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    /// Fails with [`ErrorKind::Deadlock`] on WebAssembly if the lock is held: no other thread could release
    /// it.
    fn lock(&self) -> io::Result<MemLock> {
        self.0.wait_for_lock(false)
    }

    fn try_lock(&self) -> io::Result<Option<MemLock>> {
        self.0.try_lock()
    }

    fn lock_shared(&self) -> io::Result<MemLock> {
        self.0.wait_for_lock(true)
    }
}

impl DirPosix for MemDir {
    fn symlink(&self, name: Name<'_>, target: &[u8]) -> io::Result<()> {
        check_link_target(target)?;
        self.0.lock().create(self.0.ino(), name, Body::Symlink(target.into()), 0o777).map(drop)
    }

    fn hard_link(&self, name: Name<'_>, from: &Self, from_name: Name<'_>) -> io::Result<()> {
        self.0.same_file_system(&from.0)?;
        let mut table = self.0.lock();
        let target = table.child(from.0.ino(), from_name)?;
        table.link(self.0.ino(), name, target)
    }

    fn create_node(&self, name: Name<'_>, node: Special) -> io::Result<()> {
        self.0.lock().create(self.0.ino(), name, Body::Special(node), 0o600).map(drop)
    }

    fn set_attrs(&self, name: Name<'_>, change: &AttrChange<'_>) -> io::Result<()> {
        let mut table = self.0.lock();
        let child = table.child(self.0.ino(), name)?;
        table.set_attrs(child, change)
    }

    fn set_self_attrs(&self, change: &AttrChange<'_>) -> io::Result<()> {
        self.0.lock().set_attrs(self.0.ino(), change)
    }
}

#[cfg(test)]
mod tests;
