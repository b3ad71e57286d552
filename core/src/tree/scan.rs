//! Reading a directory as a tree, over which layers are merged.

use std::collections::HashMap;

use super::{Content, InodeId, Tree, seen};
use crate::{
    attrs::Xattrs,
    error::{Error, Result},
    fs::{Dir, FileType, Metadata},
    limits::Limits,
    name::{EntryPath, Name},
};

/// Reads a directory with everything below it, following no link. Files are not opened: there are no digests,
/// and only directories have extended attributes.
///
/// # Errors
/// Fails with [`Error::Io`] naming the path; [`Error::Limit`] if directories are nested deeper than any path
/// may be.
pub(crate) fn scan<D: Dir>(root: &D, limits: &Limits) -> Result<Tree> {
    let mut scan = Scan { tree: Tree::new(), links: HashMap::new(), depth: limits.path / 2, limits };
    scan.tree.inode_mut(Tree::ROOT).attrs = seen::attrs_of(root)?;
    scan.dir(root, &EntryPath::root(), Tree::ROOT)?;
    Ok(scan.tree)
}

struct Scan<'a> {
    tree: Tree,
    /// Files with several names.
    links: HashMap<(u64, u64), InodeId>,
    /// Levels that are still allowed.
    depth: usize,
    limits: &'a Limits,
}

impl Scan<'_> {
    fn dir<D: Dir>(&mut self, dir: &D, path: &EntryPath, id: InodeId) -> Result<()> {
        self.depth = self
            .depth
            .checked_sub(1)
            .ok_or_else(|| Error::limit(format!("/{path}"), "path", self.limits.path as u64))?;
        let names = dir.names().map_err(Error::io(format_args!("read directory /{path}")))?;
        for name in &names {
            self.entry(dir, &path.join(name.as_name()), name.as_name(), id)?;
        }
        self.depth += 1;
        Ok(())
    }

    fn entry<D: Dir>(&mut self, dir: &D, path: &EntryPath, name: Name<'_>, parent: InodeId) -> Result<()> {
        let metadata = dir.metadata(name).map_err(Error::io(format_args!("stat /{path}")))?;
        let file = (metadata.dev, metadata.ino);
        if let Some(&known) = self.links.get(&file) {
            self.tree.link(parent, name, known);
            return Ok(());
        }
        let xattrs = match metadata.file_type {
            FileType::Dir => {
                seen::own_xattrs(dir.xattrs(name).map_err(Error::io(format_args!("read xattrs of /{path}")))?)
            }
            _ => Xattrs::new(),
        };
        let content = content(dir, path, name, &metadata)?;
        let attrs = seen::attrs(&metadata, xattrs);
        let id = self
            .tree
            .insert(parent, name, attrs, content)
            .ok_or_else(|| Error::limit(format!("/{path}"), "entries", u64::from(u32::MAX)))?;
        if metadata.file_type == FileType::Dir {
            let opened = dir.open_dir(name).map_err(Error::io(format_args!("open directory /{path}")))?;
            return self.dir(&opened, path, id);
        }
        if metadata.nlink > 1 {
            self.links.insert(file, id);
        }
        Ok(())
    }
}

fn content<D: Dir>(dir: &D, path: &EntryPath, name: Name<'_>, metadata: &Metadata) -> Result<Content> {
    let (major, minor) = metadata.rdev;
    Ok(match metadata.file_type {
        FileType::File => Content::File { size: metadata.size, sha256: None },
        FileType::Dir => Content::Dir(Default::default()),
        FileType::Symlink => {
            let target = dir.read_link(name).map_err(Error::io(format_args!("read link /{path}")))?;
            Content::Symlink(target.into())
        }
        FileType::Char => Content::Char(major, minor),
        FileType::Block => Content::Block(major, minor),
        FileType::Fifo => Content::Fifo,
        FileType::Socket => Content::Socket,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fs::{DirWrite as _, mem::MemDir},
        tree::{
            merge::Merge,
            rootfs::RootfsSink,
            testing::{apply, dir, file, link, put, show, symlink, tree},
        },
    };

    #[test]
    fn a_directory_is_read_as_it_is() {
        let items = [
            dir("d"),
            file("d/f", "abc"),
            link("d/g", "d/f"),
            link("h", "d/f"),
            symlink("l", "d"),
            put("p", crate::layer::EntryKind::Fifo),
            put("n", crate::layer::EntryKind::Char { major: 1, minor: 3 }),
        ];
        let root = MemDir::new();
        let mut merge = Merge::new(Tree::new(), RootfsSink::new(root.clone()), &Limits::default());
        apply(&mut merge, &[&items]).unwrap();
        merge.finish().unwrap();
        assert_eq!(show(&scan(&root, &Limits::default()).unwrap()), show(&tree(&[&items]).unwrap()));
    }

    #[test]
    fn no_nesting_is_too_deep_for_the_stack() {
        let root = MemDir::new();
        let mut at = root.clone();
        for _ in 0..5 {
            at.create_dir(Name::literal("d")).unwrap();
            at = at.open_dir(Name::literal("d")).unwrap();
        }
        let limits = |path| Limits { path, ..Limits::default() };
        assert_eq!(scan(&root, &limits(12)).unwrap().len(), 6);
        let error = scan(&root, &limits(11)).unwrap_err();
        assert!(matches!(&error, Error::Limit { what, name: "path", .. } if what == "/d/d/d/d/d"), "{error}");
    }
}
