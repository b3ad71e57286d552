//! Resolution of paths in a tree, as for a process with that root directory.

use super::{Content, Tree, merge::PathStep};
use crate::{
    error::{Error, Result},
    limits::Limits,
    name::{EntryPath, Name},
};

/// Resolves a path, following symbolic links; `..` stops at the root. Returns the steps to it: empty for the
/// root, `None` if the path does not exist.
///
/// # Errors
/// Fails with [`Error::Limit`] for more links than [`Limits::links`]; [`Error::Layer`] for a link with an
/// invalid name.
pub(crate) fn follow(tree: &Tree, path: &EntryPath, limits: &Limits) -> Result<Option<Vec<PathStep>>> {
    let mut links = 0;
    let mut at: Vec<PathStep> = Vec::new();
    let mut left: Vec<Box<[u8]>> = path.names().rev().map(|name| name.as_bytes().into()).collect();
    while let Some(part) = left.pop() {
        match &*part {
            b"" | b"." => continue,
            b".." => {
                at.pop();
                continue;
            }
            _ => {}
        }
        let name = Name::new(&part).map_err(|error| Error::layer(path.to_string(), error.to_string()))?;
        let here = at.last().map_or(Tree::ROOT, |(id, _)| *id);
        let Some(id) = tree.child(here, name) else { return Ok(None) };
        match &tree.inode(id).content {
            Content::Symlink(target) => {
                links += 1;
                if links > limits.links {
                    let what = format!("{path}: symbolic links followed");
                    return Err(Error::limit(what, "links", limits.links as u64));
                }
                if target.first() == Some(&b'/') {
                    at.clear();
                }
                left.extend(target.rsplit(|&byte| byte == b'/').map(Box::from));
            }
            _ => at.push((id, name.into())),
        }
    }
    Ok(Some(at))
}
