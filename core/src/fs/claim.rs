//! Directories of temporary files, each of which one process at a time has.

use std::io::{self, ErrorKind};

use super::{DirPosix, remove_tree};
use crate::name::{Name, NameBuf};

/// The prefix of the names of lock files.
const LOCK_FILES: &[u8] = b".ocicle-lock";

/// Returns whether a name is that of the lock of its directory.
fn is_lock_file(name: Name<'_>) -> bool {
    name.as_bytes().starts_with(LOCK_FILES)
}

/// Creates a directory and locks it; returns `None` if another process has it. It has what an interrupted
/// process left in it, whose lock ended with it: see [`clear`]. The claim ends when the lock is dropped; the
/// holder removes the directory before that.
pub(crate) fn claim<D: DirPosix>(parent: &D, name: Name<'_>) -> io::Result<Option<(D, D::Lock)>> {
    try_claim(parent, name).inspect_err(|_| {
        let _ = parent.remove_dir(name); // unless something is in it; the first error is the one to report
    })
}

fn try_claim<D: DirPosix>(parent: &D, name: Name<'_>) -> io::Result<Option<(D, D::Lock)>> {
    loop {
        match parent.create_dir(name) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        // From here on, its holder may remove it.
        let Some(dir) = unless_removed(parent.open_dir(name))? else { continue };
        let Some(lock) = unless_removed(dir.try_lock())? else { continue };
        let Some(lock) = lock else { return Ok(None) };
        let Some(named) = unless_removed(parent.metadata(name))? else { continue };
        if named.ino != dir.self_metadata()?.ino {
            continue;
        }
        return Ok(Some((dir, lock)));
    }
}

/// Removes what is in a claimed directory.
pub(crate) fn clear<D: DirPosix>(dir: &D) -> io::Result<()> {
    let names = dir.names()?;
    let mut left = names.iter().map(NameBuf::as_name).filter(|name| !is_lock_file(*name));
    left.try_for_each(|name| remove_tree(dir, name))
}

fn unless_removed<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::{Dir as _, DirWrite as _, mem::MemDir};

    #[test]
    fn a_running_process_keeps_its_directory_and_a_dead_one_does_not() {
        let (dir, name) = (MemDir::new(), Name::literal("mine"));
        let (mine, lock) = claim(&dir, name).unwrap().unwrap();
        mine.create_file(Name::literal("file")).unwrap();
        assert!(claim(&dir, name).unwrap().is_none());
        assert_eq!(mine.names().unwrap().len(), 1);
        drop(lock);
        let (taken, _lock) = claim(&dir, name).unwrap().unwrap();
        clear(&taken).unwrap();
        assert!(taken.names().unwrap().is_empty());
    }
}
