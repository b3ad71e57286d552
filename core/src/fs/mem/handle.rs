//! Handles, which keep an inode alive with or without a name, as open files do on Unix.

use std::{
    fmt,
    io::{self, ErrorKind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use super::table::{ROOT, Table};

/// A counted reference to an inode of a shared table.
pub(super) struct Handle {
    shared: Arc<Shared>,
    ino: u64,
}

struct Shared {
    table: Mutex<Table>,
    /// Signalled when a directory lock is released.
    released: Condvar,
}

impl Handle {
    pub(super) fn new_root() -> Self {
        let shared = Arc::new(Shared { table: Mutex::new(Table::new()), released: Condvar::new() });
        Self { shared, ino: ROOT }
    }

    pub(super) fn ino(&self) -> u64 {
        self.ino
    }

    /// Locks the table. Poison is ignored: after a panic a half-made change does no further harm.
    pub(super) fn lock(&self) -> MutexGuard<'_, Table> {
        self.shared.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a handle of another inode of the table.
    pub(super) fn open(&self, table: &mut Table, ino: u64) -> io::Result<Self> {
        table.inode_mut(ino)?.handles += 1;
        Ok(Self { shared: Arc::clone(&self.shared), ino })
    }

    pub(super) fn same_file_system(&self, other: &Self) -> io::Result<()> {
        match Arc::ptr_eq(&self.shared, &other.shared) {
            true => Ok(()),
            false => Err(ErrorKind::CrossesDevices.into()),
        }
    }

    /// Blocks until no conflicting lock is held, and takes the lock.
    pub(super) fn wait_for_lock(&self, shared: bool) -> io::Result<MemLock> {
        let mut table = self.lock();
        while table.is_locked(self.ino, shared) {
            if cfg!(target_family = "wasm") {
                return Err(io::Error::new(ErrorKind::Deadlock, "the directory is locked by this thread"));
            }
            table = self.shared.released.wait(table).unwrap_or_else(PoisonError::into_inner);
        }
        self.take_lock(table, shared)
    }

    /// Takes the exclusive lock unless a lock is held.
    pub(super) fn try_lock(&self) -> io::Result<Option<MemLock>> {
        let table = self.lock();
        match table.is_locked(self.ino, false) {
            true => Ok(None),
            false => self.take_lock(table, false).map(Some),
        }
    }

    fn take_lock(&self, mut table: MutexGuard<'_, Table>, shared: bool) -> io::Result<MemLock> {
        let handle = self.open(&mut table, self.ino)?;
        if shared {
            *table.shared.entry(self.ino).or_default() += 1;
        } else {
            table.locked.insert(self.ino);
        }
        Ok(MemLock { handle, shared })
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        // The inode exists: this handle keeps it alive.
        if let Ok(inode) = self.lock().inode_mut(self.ino) {
            inode.handles += 1;
        }
        Self { shared: Arc::clone(&self.shared), ino: self.ino }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut table = self.lock();
        if let Ok(inode) = table.inode_mut(self.ino) {
            inode.handles -= 1;
        }
        table.free_if_unused(self.ino);
    }
}

/// Holds the lock of a [`super::MemDir`] until it is dropped.
pub struct MemLock {
    handle: Handle,
    shared: bool,
}

impl fmt::Debug for MemLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemLock").field("ino", &self.handle.ino).field("shared", &self.shared).finish()
    }
}

impl Drop for MemLock {
    fn drop(&mut self) {
        let mut table = self.handle.lock();
        match table.shared.get_mut(&self.handle.ino) {
            Some(holders) if self.shared && *holders > 1 => *holders -= 1,
            _ if self.shared => drop(table.shared.remove(&self.handle.ino)),
            _ => drop(table.locked.remove(&self.handle.ino)),
        }
        drop(table);
        self.handle.shared.released.notify_all();
    }
}
