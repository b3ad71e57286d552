//! Following links inside a root directory.

use std::io::ErrorKind;

use super::{Dir, FileType};
use crate::{
    error::{Error, Result},
    limits::Limits,
    name::{EntryPath, Name, NameBuf},
};

/// Opens a regular file as a process with this root directory would: links are followed, an absolute target
/// starts at the root again, and `..` stops there. Returns `None` if the file does not exist: also if a link
/// dangles, or a parent is not a directory.
///
/// ```
/// use ocicle::{
///     fs::{DirPosix, DirWrite, mem::MemDir, open_file_in_root},
///     limits::Limits,
///     name::{EntryPath, Name},
/// };
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let root = MemDir::new();
/// root.create_file(Name::literal("passwd"))?;
/// root.symlink(Name::literal("etc"), b"/../..")?;
/// let limits = Limits::default();
/// let path = EntryPath::clean(b"/etc/passwd", &limits)?;
/// assert!(open_file_in_root(&root, &path, &limits)?.is_some());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Limit`] for more links than [`Limits::links`]; [`Error::Io`] if the entry is not a regular file
/// (it is not opened, so a fifo does not block), or a call fails.
pub fn open_file_in_root<D: Dir>(root: &D, path: &EntryPath, limits: &Limits) -> Result<Option<D::File>> {
    let Some(place) = find_in_root(root, path, limits)? else { return Ok(None) };
    let (parent, name) = match &place {
        (parent, Some(name)) => (parent.as_ref().unwrap_or(root), name.as_name()),
        (_, None) => return Err(failed(path)(ErrorKind::IsADirectory.into())),
    };
    match parent.open_file(name) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path)(error)),
    }
}

/// A directory (`None` for the root), and the name of an entry in it that is not a link (`None` for the
/// directory itself).
pub(crate) type Place<D> = (Option<D>, Option<NameBuf>);

/// Finds an entry, following links. Returns `None` if it does not exist.
pub(crate) fn find_in_root<D: Dir>(root: &D, path: &EntryPath, limits: &Limits) -> Result<Option<Place<D>>> {
    let mut links = 0;
    // The handles from the root down to the current directory: `..` goes back to them.
    let mut at: Vec<D> = Vec::new();
    // The components still to be walked, last one first.
    let mut left: Vec<Box<[u8]>> = path.names().rev().map(|name| name.as_bytes().into()).collect();
    while let Some(part) = left.pop() {
        let name = match &*part {
            b"" | b"." => continue,
            b".." => {
                at.pop();
                continue;
            }
            name => Name::new(name)
                .map_err(|error| failed(path)(std::io::Error::new(ErrorKind::InvalidInput, error)))?,
        };
        let dir = at.last().unwrap_or(root);
        let found = match dir.metadata(name) {
            Ok(found) => found.file_type,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(path)(error)),
        };
        match found {
            FileType::Symlink => {
                links += 1;
                if links > limits.links {
                    let what = format!("links of {path}");
                    return Err(Error::limit(what, "links", limits.links as u64));
                }
                let target = dir.read_link(name).map_err(failed(path))?;
                if target.starts_with(b"/") {
                    at.clear();
                }
                left.extend(target.rsplit(|&byte| byte == b'/').map(Box::from));
            }
            FileType::Dir => {
                let next = dir.open_dir(name).map_err(failed(path))?;
                at.push(next);
            }
            _ if left.is_empty() => {
                let name = name.into();
                return Ok(Some((at.pop(), Some(name))));
            }
            _ => return Ok(None),
        }
    }
    Ok(Some((at.pop(), None)))
}

fn failed(path: &EntryPath) -> impl FnOnce(std::io::Error) -> Error {
    Error::io(format!("open {path} inside the root"))
}

#[cfg(test)]
mod tests;
