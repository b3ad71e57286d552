//! Removing whole trees.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
};

use super::{AttrChange, DirPosix, FileType};
use crate::name::{Name, NameBuf};

/// Removes what has that name, with everything below it if it is a directory. Links are removed, not followed.
///
/// Directories whose owner may not read, enter or change them are opened up first. The number of open handles is bounded,
/// however deep the tree is.
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
/// Those of the calls; the first one ends the work, and what is gone stays gone. `CrossesDevices` for a directory on which
/// another file system is mounted: it is not entered.
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

/// Removes the entry if it is no directory; otherwise opens it.
fn remove_or_enter<D: DirPosix>(parent: &D, name: Name<'_>, device: u64) -> io::Result<Option<D>> {
    // Most entries are files: they cost one call.
    let Err(error) = parent.remove_file(name) else { return Ok(None) };
    let found = match parent.metadata(name) {
        Ok(found) if found.file_type == FileType::Dir => found,
        _ => return Err(error),
    };
    if found.dev != device {
        let reason = format!("another file system is mounted on {name}: unmount it first");
        return Err(io::Error::new(ErrorKind::CrossesDevices, reason));
    }
    if found.mode & 0o700 != 0o700 && parent.support().mode {
        // Somebody else's directory may still let us in; if not, the next call says so.
        let _ = parent.set_attrs(name, &AttrChange::default().mode(found.mode | 0o700));
    }
    parent.open_dir(name).map(Some)
}

/// The directories from the top of the tree to where the work is, with handles of the deepest ones.
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

    /// The directory to work on next. Where its handle was given up, a whole run of them is opened again from the top of
    /// the tree, so that this happens once in [`OPEN_MAX`] levels.
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
mod tests {
    use super::*;
    use crate::fs::{Dir as _, DirWrite as _, mem::MemDir};

    fn literal(text: &'static str) -> Name<'static> {
        Name::literal(text)
    }

    #[test]
    fn removes_a_file_and_a_link_but_not_its_target() -> io::Result<()> {
        let root = MemDir::new();
        root.create_dir(literal("kept"))?;
        root.create_file(literal("f"))?;
        root.symlink(literal("l"), b"kept")?;
        remove_tree(&root, literal("f"))?;
        remove_tree(&root, literal("l"))?;
        assert_eq!(root.names()?, [NameBuf::from(literal("kept"))]);
        Ok(())
    }

    #[test]
    fn a_missing_name_is_an_error() {
        let error = remove_tree(&MemDir::new(), literal("none")).map_err(|error| error.kind());
        assert_eq!(error, Err(ErrorKind::NotFound));
    }

    #[test]
    fn removes_a_tree_deeper_than_the_handles_kept_with_siblings_on_every_level() -> io::Result<()> {
        let root = MemDir::new();
        let mut at = root.clone();
        for _ in 0..3 * OPEN_MAX + 1 {
            at.create_dir(literal("d"))?;
            at = at.open_dir(literal("d"))?;
            at.create_file(literal("a"))?;
            at.create_dir(literal("e"))?;
            at.symlink(literal("z"), b"..")?;
        }
        drop(at);
        remove_tree(&root, literal("d"))?;
        assert_eq!(root.names()?, []);
        Ok(())
    }

    #[test]
    fn handles_stay_bounded() -> io::Result<()> {
        let root = MemDir::new();
        let mut path = Path { levels: Vec::new(), open: VecDeque::new() };
        root.create_dir(literal("d"))?;
        let mut at = root.clone();
        for _ in 0..OPEN_MAX + 5 {
            let next = at.open_dir(literal("d"))?;
            next.create_dir(literal("d"))?;
            path.enter(literal("d"), next.clone())?;
            at = next;
        }
        assert_eq!((path.open.len(), path.levels.len()), (OPEN_MAX, OPEN_MAX + 5));
        for _ in 0..OPEN_MAX {
            path.leave();
        }
        assert_eq!((path.open.len(), path.levels.len()), (0, 5));
        path.deepest(&root)?;
        assert_eq!(path.open.len(), 5);
        Ok(())
    }
}
