//! Removing whole trees.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
};

use super::{AttrChange, DirPosix, FileType};
use crate::name::{Name, NameBuf};

/// Removes an entry, and if it is a directory, everything below it. Links are removed, not followed.
///
/// Directories whose mode forbids their owner to read, enter or change them get another mode first. The
/// number of open handles is bounded, however deep the tree is.
///
/// ```
/// use ocicle::{fs::{Dir, DirWrite, mem::MemDir, remove_tree}, name::Name};
/// let root = MemDir::new();
/// root.create_dir(Name::literal("cache"))?;
/// root.open_dir(Name::literal("cache"))?.create_file(Name::literal("entry"))?;
/// remove_tree(&root, Name::literal("cache"))?;
/// assert!(root.names()?.is_empty());
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// Those of the calls: the first one stops the removal, and entries removed before stay removed.
/// `CrossesDevices` for a directory on which another file system is mounted: it is not entered.
pub fn remove_tree<D: DirPosix>(dir: &D, name: Name<'_>) -> io::Result<()> {
    let device = dir.self_metadata()?.dev;
    let Some(top) = remove_or_enter(dir, name, device)? else { return Ok(()) };
    let mut path = Path { levels: Vec::new(), open: VecDeque::new() };
    path.enter(name, top)?;
    while let Some((here, level)) = path.deepest(dir)? {
        match level.left.pop() {
            Some(child) => {
                if let Some(entered) = remove_or_enter(here, child.as_name(), device)? {
                    path.enter(child.as_name(), entered)?;
                }
            }
            None => {
                let empty = path.leave();
                let parent = path.deepest(dir)?.map_or(dir, |(parent, _)| parent);
                empty.map_or(Ok(()), |empty| parent.remove_dir(empty.as_name()))?;
            }
        }
    }
    Ok(())
}

/// Removes the entry unless it is a directory; otherwise opens it.
fn remove_or_enter<D: DirPosix>(parent: &D, name: Name<'_>, device: u64) -> io::Result<Option<D>> {
    // Most entries are files, and cost one call only.
    let Err(error) = parent.remove_file(name) else { return Ok(None) };
    let found = match parent.metadata(name) {
        Ok(found) if found.file_type == FileType::Dir => found,
        _ => return Err(error),
    };
    if found.dev != device {
        let reason = format!("another file system is mounted on {name}\nhint: unmount it first");
        return Err(io::Error::new(ErrorKind::CrossesDevices, reason));
    }
    if found.mode & 0o700 != 0o700 && parent.support().mode {
        // A directory of another owner may be open to this process all the same; if not, the next call fails.
        let _ = parent.set_attrs(name, &AttrChange::default().mode(found.mode | 0o700));
    }
    parent.open_dir(name).map(Some)
}

/// The directories from the top of the tree to the current one, with handles of the deepest ones.
struct Path<D> {
    levels: Vec<Level>,
    open: VecDeque<D>,
}

struct Level {
    name: NameBuf,
    left: Vec<NameBuf>,
}

/// Far below the usual limit of 1024 open files.
const OPEN_MAX: usize = 128;

impl<D: DirPosix> Path<D> {
    fn enter(&mut self, name: Name<'_>, handle: D) -> io::Result<()> {
        self.levels.push(Level { name: name.into(), left: handle.names()? });
        self.keep(handle);
        Ok(())
    }

    fn leave(&mut self) -> Option<NameBuf> {
        self.open.pop_back();
        self.levels.pop().map(|level| level.name)
    }

    /// Returns the directory to continue in. If its handle was closed, the path from the top of the tree is
    /// opened again, and up to [`OPEN_MAX`] handles are kept, so that this happens once for that many levels.
    fn deepest(&mut self, above: &D) -> io::Result<Option<(&D, &mut Level)>> {
        if self.open.is_empty() {
            for index in 0..self.levels.len() {
                let parent = self.open.back().unwrap_or(above);
                let Some(level) = self.levels.get(index) else { break };
                let handle = parent.open_dir(level.name.as_name())?;
                self.keep(handle);
            }
        }
        Ok(self.open.back().zip(self.levels.last_mut()))
    }

    fn keep(&mut self, handle: D) {
        if self.open.len() == OPEN_MAX {
            self.open.pop_front();
        }
        self.open.push_back(handle);
    }
}

#[cfg(test)]
mod tests;
