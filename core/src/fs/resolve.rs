//! Following links by hand, inside a root.

use std::io::ErrorKind;

use super::{Dir, FileType};
use crate::{
    error::{Error, Result},
    limits::Limits,
    name::{EntryPath, Name, NameBuf},
};

/// Opens a regular file as a process with this root directory would: links on the way and at the end are followed, an
/// absolute target starts at the root again, and `..` stops there. `None` if there is no such file, be it that a link
/// leads nowhere or that a directory on the way is none.
///
/// ```
/// use ocicle::{fs::{DirPosix, DirWrite, mem::MemDir, open_file_in_root}, limits::Limits, name::{EntryPath, Name}};
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
/// [`Error::Limit`] for more links than [`Limits::links`]; [`Error::Io`] if what is found is no regular file (it is not
/// opened, so a fifo does not block), or a call fails.
pub fn open_file_in_root<D: Dir>(root: &D, path: &EntryPath, limits: &Limits) -> Result<Option<D::File>> {
    let Some(place) = find(root, path, limits)? else { return Ok(None) };
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

/// A directory, `None` for the root, and the name of an entry of it that is no link, or the directory itself.
type Place<D> = (Option<D>, Option<NameBuf>);

fn find<D: Dir>(root: &D, path: &EntryPath, limits: &Limits) -> Result<Option<Place<D>>> {
    let mut links = 0;
    // The handles from the root down to where we are: they are what `..` goes back to.
    let mut at: Vec<D> = Vec::new();
    // What is still to be walked, last component first.
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
                    return Err(Error::Limit { what, name: "links", limit: limits.links as u64 });
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
mod tests {
    use std::io::{Read, Write};

    use super::*;
    use crate::{
        error::ErrorKind,
        fs::{DirPosix as _, DirWrite as _, Special, mem::MemDir},
    };

    /// A root with the file `usr/lib/passwd`, and these links in `etc`.
    fn root(links: &[(&'static str, &str)]) -> Result<MemDir> {
        let root = MemDir::from_files([(path("usr/lib/passwd"), b"root".to_vec())])?;
        let made = (|| {
            root.create_dir(Name::literal("etc"))?;
            let etc = root.open_dir(Name::literal("etc"))?;
            etc.create_file(Name::literal("here"))?.write_all(b"here")?;
            links.iter().try_for_each(|(name, target)| etc.symlink(Name::literal(name), target.as_bytes()))
        })();
        made.map_err(Error::io("prepare"))?;
        Ok(root)
    }

    fn path(text: &str) -> EntryPath {
        EntryPath::clean(text.as_bytes(), &Limits::default()).unwrap_or_default()
    }

    fn content(root: &MemDir, text: &str) -> Result<Option<String>> {
        let Some(mut file) = open_file_in_root(root, &path(text), &Limits::default())? else {
            return Ok(None);
        };
        let mut content = String::new();
        file.read_to_string(&mut content).map_err(Error::io("read"))?;
        Ok(Some(content))
    }

    #[test]
    fn links_are_followed_inside_the_root() -> Result<()> {
        let links = [
            ("plain", "here"),
            ("dots", "./../etc//here"),
            ("absolute", "/usr/lib/passwd"),
            ("above", "../../../../usr/lib/passwd"),
            ("dir", "/usr/./lib"),
            ("chain", "absolute"),
        ];
        let root = root(&links)?;
        let cases = [
            ("etc/here", "here"),
            ("etc/plain", "here"),
            ("etc/dots", "here"),
            ("etc/absolute", "root"),
            ("etc/above", "root"),
            ("etc/dir/passwd", "root"),
            ("etc/chain", "root"),
        ];
        for (path, expected) in cases {
            assert_eq!(content(&root, path)?.as_deref(), Some(expected), "{path}");
        }
        Ok(())
    }

    #[test]
    fn what_is_not_there_is_none() -> Result<()> {
        let root = root(&[("dangling", "/no/where"), ("through", "here/below")])?;
        for path in ["none", "none/passwd", "etc/dangling", "etc/through", "etc/here/below", "etc/dangling/x"]
        {
            assert_eq!(content(&root, path)?, None, "{path}");
        }
        Ok(())
    }

    #[test]
    fn what_is_no_file_is_an_error() -> Result<()> {
        let root = root(&[("dir", "../usr"), ("fifo", "/pipe"), ("up", "..")])?;
        root.create_node(Name::literal("pipe"), Special::Fifo).map_err(Error::io("prepare"))?;
        for path in ["", "etc", "etc/dir", "etc/fifo", "pipe", "etc/up"] {
            assert_eq!(content(&root, path).map_err(|error| error.kind()), Err(ErrorKind::Io), "{path}");
        }
        Ok(())
    }

    #[test]
    fn as_many_links_as_the_limit_and_no_more() -> Result<()> {
        let root = root(&[("one", "here"), ("two", "one"), ("three", "two"), ("loop", "loop")])?;
        let limits = Limits { links: 2, ..Limits::default() };
        assert!(open_file_in_root(&root, &path("etc/two"), &limits)?.is_some());
        let error = open_file_in_root(&root, &path("etc/three"), &limits).map(|_| ());
        assert_eq!(
            error.map_err(|error| error.to_string()),
            Err("links of etc/three: more than the limit of 2 (links)".into())
        );
        assert_eq!(content(&root, "etc/loop").map_err(|error| error.kind()), Err(ErrorKind::Limit));
        Ok(())
    }

    #[test]
    fn a_component_too_long_for_a_name_is_an_error() -> Result<()> {
        let target = "x".repeat(256);
        let root = root(&[("long", &target)])?;
        assert_eq!(content(&root, "etc/long").map_err(|error| error.kind()), Err(ErrorKind::Io));
        Ok(())
    }
}
