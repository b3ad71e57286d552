//! The inodes, and the operations on them.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io::{self, ErrorKind},
    sync::Arc,
};

use super::super::{AttrChange, FileType, Metadata, Special, is_system_xattr};
use crate::{
    attrs::{Time, Xattrs},
    name::{Name, NameBuf},
};

/// The inode of the root directory.
pub(super) const ROOT: u64 = 1;

/// All inodes of one file system.
pub(super) struct Table {
    inodes: HashMap<u64, Inode>,
    last_ino: u64,
    /// The time in nanoseconds; every change advances it.
    clock: u64,
    /// Directories with an exclusive lock.
    pub(super) locked: HashSet<u64>,
    /// Number of shared locks by directory; never 0.
    pub(super) shared: HashMap<u64, usize>,
}

pub(super) struct Inode {
    pub(super) body: Body,
    pub(super) xattrs: Xattrs,
    /// Number of open handles: they keep an inode without names alive.
    pub(super) handles: usize,
    nlink: u64,
    mode: u32,
    uid: u32,
    gid: u32,
    mtime: Time,
    ctime: Time,
}

pub(super) enum Body {
    File(Arc<Vec<u8>>),
    Dir(BTreeMap<NameBuf, u64>),
    Symlink(Box<[u8]>),
    Special(Special),
}

impl Table {
    /// Returns whether a lock of this directory would have to be waited for.
    pub(super) fn is_locked(&self, ino: u64, shared: bool) -> bool {
        self.locked.contains(&ino) || (!shared && self.shared.contains_key(&ino))
    }

    /// Creates a table with an empty root directory, which has one handle.
    pub(super) fn new() -> Self {
        let root = Inode { handles: 1, ..Inode::new(Body::Dir(BTreeMap::new()), 0o755, Time::EPOCH) };
        Self {
            inodes: HashMap::from([(ROOT, root)]),
            last_ino: ROOT,
            clock: 0,
            locked: HashSet::new(),
            shared: HashMap::new(),
        }
    }

    pub(super) fn inode(&self, ino: u64) -> io::Result<&Inode> {
        self.inodes.get(&ino).ok_or_else(|| ErrorKind::NotFound.into())
    }

    pub(super) fn inode_mut(&mut self, ino: u64) -> io::Result<&mut Inode> {
        self.inodes.get_mut(&ino).ok_or_else(|| ErrorKind::NotFound.into())
    }

    pub(super) fn entries(&self, dir: u64) -> io::Result<&BTreeMap<NameBuf, u64>> {
        match &self.inode(dir)?.body {
            Body::Dir(entries) => Ok(entries),
            _ => Err(ErrorKind::NotADirectory.into()),
        }
    }

    pub(super) fn child(&self, dir: u64, name: Name<'_>) -> io::Result<u64> {
        self.entries(dir)?.get(name.as_bytes()).copied().ok_or_else(|| ErrorKind::NotFound.into())
    }

    pub(super) fn metadata(&self, ino: u64) -> io::Result<Metadata> {
        Ok(self.inode(ino)?.metadata(ino))
    }

    /// Creates an inode under a free name.
    pub(super) fn create(&mut self, dir: u64, name: Name<'_>, body: Body, mode: u32) -> io::Result<u64> {
        self.check_free(dir, name)?;
        self.last_ino += 1;
        let (ino, now) = (self.last_ino, self.tick());
        self.inodes.insert(ino, Inode::new(body, mode, now));
        self.insert_entry(dir, name, ino, now)?;
        Ok(ino)
    }

    /// Adds a name to an inode.
    pub(super) fn link(&mut self, dir: u64, name: Name<'_>, target: u64) -> io::Result<()> {
        if self.inode(target)?.file_type() == FileType::Dir {
            return Err(ErrorKind::PermissionDenied.into());
        }
        self.check_free(dir, name)?;
        let now = self.tick();
        self.insert_entry(dir, name, target, now)?;
        let inode = self.inode_mut(target)?;
        inode.nlink += 1;
        inode.ctime = now;
        Ok(())
    }

    /// Removes a name; it must not be that of a directory with entries.
    pub(super) fn unlink(&mut self, dir: u64, name: Name<'_>) -> io::Result<()> {
        let ino = self.child(dir, name)?;
        let now = self.tick();
        self.remove_entry(dir, name, now)?;
        let inode = self.inode_mut(ino)?;
        inode.nlink -= 1;
        inode.ctime = now;
        self.free_if_unused(ino);
        Ok(())
    }

    /// Renames as POSIX does: an entry at the new place is replaced if both are directories, the replaced one
    /// empty, or neither is.
    pub(super) fn rename(&mut self, from: (u64, Name<'_>), to: (u64, Name<'_>)) -> io::Result<()> {
        let moved = self.child(from.0, from.1)?;
        let is_dir = self.inode(moved)?.file_type() == FileType::Dir;
        if is_dir && self.is_within(to.0, moved)? {
            return Err(io::Error::new(ErrorKind::InvalidInput, "a directory cannot move into itself"));
        }
        match self.child(to.0, to.1) {
            Ok(replaced) if replaced == moved => return Ok(()),
            Ok(replaced) => match (is_dir, self.entries(replaced)) {
                (true, Err(error)) => return Err(error),
                (false, Ok(_)) => return Err(ErrorKind::IsADirectory.into()),
                (true, Ok(entries)) if !entries.is_empty() => {
                    return Err(ErrorKind::DirectoryNotEmpty.into());
                }
                _ => self.unlink(to.0, to.1)?,
            },
            Err(error) if error.kind() == ErrorKind::NotFound => self.check_free(to.0, to.1)?,
            Err(error) => return Err(error),
        }
        let now = self.tick();
        self.remove_entry(from.0, from.1, now)?;
        self.insert_entry(to.0, to.1, moved, now)?;
        self.inode_mut(moved)?.ctime = now;
        Ok(())
    }

    pub(super) fn set_attrs(&mut self, ino: u64, change: &AttrChange<'_>) -> io::Result<()> {
        let AttrChange { owner, mode, xattrs, mtime } = *change;
        if owner.is_none() && mode.is_none() && xattrs.is_none() && mtime.is_none() {
            return Ok(());
        }
        let now = self.tick();
        let inode = self.inode_mut(ino)?;
        inode.ctime = now;
        if let Some(owner) = owner {
            inode.set_owner(owner);
        }
        if let (Some(mode), false) = (mode, inode.file_type() == FileType::Symlink) {
            inode.mode = mode & 0o7777;
        }
        if let Some(wanted) = xattrs {
            inode.xattrs.retain(|name, _| is_system_xattr(name));
            let settable = wanted.iter().filter(|(name, _)| !is_system_xattr(name));
            inode.xattrs.extend(settable.map(|(name, value)| (name.clone(), value.clone())));
        }
        if let Some(mtime) = mtime {
            inode.mtime = mtime;
        }
        Ok(())
    }

    /// Changes a file's content with `edit`. Snapshots of readers keep the old content.
    pub(super) fn edit<T>(
        &mut self,
        ino: u64,
        edit: impl FnOnce(&mut Vec<u8>) -> io::Result<T>,
    ) -> io::Result<T> {
        let now = self.tick();
        let inode = self.inode_mut(ino)?;
        let Body::File(content) = &mut inode.body else { return Err(ErrorKind::InvalidInput.into()) };
        let result = edit(Arc::make_mut(content))?;
        (inode.mtime, inode.ctime) = (now, now);
        Ok(result)
    }

    /// Removes an inode without names and handles.
    pub(super) fn free_if_unused(&mut self, ino: u64) {
        if self.inodes.get(&ino).is_some_and(|inode| inode.nlink == 0 && inode.handles == 0) {
            self.inodes.remove(&ino);
        }
    }

    /// Checks that an entry can be created: the name is free, and the directory has not been removed.
    fn check_free(&self, dir: u64, name: Name<'_>) -> io::Result<()> {
        match self.entries(dir)?.contains_key(name.as_bytes()) {
            true => Err(ErrorKind::AlreadyExists.into()),
            false if self.inode(dir)?.nlink == 0 => Err(ErrorKind::NotFound.into()),
            false => Ok(()),
        }
    }

    fn insert_entry(&mut self, dir: u64, name: Name<'_>, ino: u64, now: Time) -> io::Result<()> {
        self.entries_mut(dir, now)?.insert(name.into(), ino);
        Ok(())
    }

    fn remove_entry(&mut self, dir: u64, name: Name<'_>, now: Time) -> io::Result<()> {
        self.entries_mut(dir, now)?.remove(name.as_bytes());
        Ok(())
    }

    fn entries_mut(&mut self, dir: u64, now: Time) -> io::Result<&mut BTreeMap<NameBuf, u64>> {
        let inode = self.inode_mut(dir)?;
        (inode.mtime, inode.ctime) = (now, now);
        match &mut inode.body {
            Body::Dir(entries) => Ok(entries),
            _ => Err(ErrorKind::NotADirectory.into()),
        }
    }

    /// Returns whether `dir` is `top` or anywhere below it.
    fn is_within(&self, dir: u64, top: u64) -> io::Result<bool> {
        let mut pending = vec![top];
        while let Some(ino) = pending.pop() {
            if ino == dir {
                return Ok(true);
            }
            if let Body::Dir(entries) = &self.inode(ino)?.body {
                pending.extend(entries.values());
            }
        }
        Ok(false)
    }

    fn tick(&mut self) -> Time {
        self.clock += 1;
        let (seconds, nanoseconds) = (self.clock / 1_000_000_000, self.clock % 1_000_000_000);
        #[expect(
            clippy::cast_possible_wrap,
            clippy::cast_possible_truncation,
            reason = "below 2^35 and 10^9"
        )]
        let now = Time { seconds: seconds as i64, nanoseconds: nanoseconds as u32 };
        now
    }
}

impl Inode {
    fn new(body: Body, mode: u32, now: Time) -> Self {
        let xattrs = Xattrs::new();
        Self { body, xattrs, handles: 0, nlink: 1, mode, uid: 0, gid: 0, mtime: now, ctime: now }
    }

    pub(super) fn file_type(&self) -> FileType {
        match self.body {
            Body::File(_) => FileType::File,
            Body::Dir(_) => FileType::Dir,
            Body::Symlink(_) => FileType::Symlink,
            Body::Special(Special::Fifo) => FileType::Fifo,
            Body::Special(Special::Char(..)) => FileType::Char,
            Body::Special(Special::Block(..)) => FileType::Block,
        }
    }

    pub(super) fn metadata(&self, ino: u64) -> Metadata {
        let size = match &self.body {
            Body::File(content) => content.len(),
            Body::Symlink(target) => target.len(),
            Body::Dir(_) | Body::Special(_) => 0,
        };
        let rdev = match self.body {
            Body::Special(Special::Char(major, minor) | Special::Block(major, minor)) => (major, minor),
            _ => (0, 0),
        };
        Metadata {
            file_type: self.file_type(),
            size: size as u64,
            mode: self.mode,
            uid: self.uid,
            gid: self.gid,
            mtime: self.mtime,
            ctime: self.ctime,
            dev: 0,
            ino,
            nlink: self.nlink,
            rdev,
        }
    }

    /// Changes the owner as chown(2) does on Linux: a regular file loses the set-user-id bit, its
    /// capabilities, and, if its group may execute it, the set-group-id bit (otherwise that bit means
    /// mandatory locking).
    fn set_owner(&mut self, (uid, gid): (u32, u32)) {
        (self.uid, self.gid) = (uid, gid);
        if let Body::File(_) = self.body {
            let set_gid = if self.mode & 0o010 == 0 { 0 } else { 0o2000 };
            self.mode &= !(0o4000 | set_gid);
            self.xattrs.remove(&b"security.capability"[..]);
        }
    }
}
