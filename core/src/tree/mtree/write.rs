//! Writing of a tree as a manifest. The content of lines is in [`super::entry`].

use std::io::Write;

use super::{
    Dialect,
    dir_facts::{DirFacts, Disk},
    entry::Entries,
    vis,
};
use crate::{
    error::{Error, Result},
    fs::Dir,
    name::NameBuf,
    tree::{InodeId, Tree},
};

/// Writes a manifest. The same tree yields the same bytes.
///
/// In each directory, everything but directories comes first, then the directories with everything below
/// them, both in byte order, as all mtree programs do.
///
/// # Errors
/// Fails with [`Error::Io`] from `out`.
pub fn write_tree(tree: &Tree, dialect: Dialect, out: &mut dyn Write) -> Result<()> {
    Writer::new(tree, dialect, false, out).run(&mut ())
}

/// Writes the manifest of a bundle for `umoci repack`: dialect [`Dialect::Umoci`] with size and link count of
/// each directory of the unpacked root, which umoci compares and only the file system has.
///
/// # Errors
/// Fails with [`Error::Io`] from `out`, or if a directory of the tree cannot be opened below `root`.
pub(crate) fn write_for_umoci<D: Dir>(tree: &Tree, root: &D, out: &mut dyn Write) -> Result<()> {
    Writer::new(tree, Dialect::Umoci, true, out).run(&mut Disk { root, open: Vec::new() })
}

struct Writer<'a> {
    tree: &'a Tree,
    dialect: Dialect,
    out: &'a mut dyn Write,
    entries: Entries,
    /// The current directory, escaped and with a trailing slash, in dialects where lines or comments have
    /// whole paths.
    path: Vec<u8>,
}

/// A directory being written: the entries left, and the length of the path without it.
struct Frame<'a> {
    rest: std::vec::IntoIter<(u8, &'a NameBuf, InodeId)>,
    outer_path: usize,
}

const BUFFER: usize = 64 << 10;

impl<'a> Writer<'a> {
    fn new(tree: &'a Tree, dialect: Dialect, dir_facts: bool, out: &'a mut dyn Write) -> Self {
        Self { tree, dialect, out, entries: Entries::new(dialect, dir_facts), path: Vec::new() }
    }

    fn run(mut self, facts: &mut dyn DirFacts) -> Result<()> {
        self.entries.text.raw(match self.dialect {
            Dialect::Native => super::NATIVE_HEADER,
            Dialect::Portable => b"#mtree v2.0\n",
            Dialect::Bsd => b"#mtree v1.0\n",
            Dialect::Umoci => {
                b"#      keywords: size,type,uid,gid,mode,link,nlink,tar_time,sha256digest,xattr\n"
            }
        });
        let mut open = vec![self.enter_dir(None, Tree::ROOT, facts)?];
        while let Some(frame) = open.last_mut() {
            match frame.rest.next() {
                Some((_, name, id)) if self.tree.entries(id).is_some() => {
                    let frame = self.enter_dir(Some(name), id, facts)?;
                    open.push(frame);
                }
                Some((_, name, id)) => {
                    if self.dialect == Dialect::Umoci {
                        self.entries.text.raw(b"    ");
                    }
                    self.name(name.as_name().as_bytes());
                    self.entries.keywords(id, self.tree.inode(id), None);
                }
                None => {
                    self.path.truncate(frame.outer_path);
                    facts.leave();
                    open.pop();
                    self.leave_dir(open.is_empty());
                }
            }
            if self.entries.text.0.len() >= BUFFER {
                self.flush()?;
            }
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        self.out.write_all(&self.entries.text.0).map_err(Error::io("write mtree manifest"))?;
        self.entries.text.0.clear();
        Ok(())
    }

    /// Writes the line of a directory. The name is `None` for the root.
    fn enter_dir(
        &mut self,
        name: Option<&NameBuf>,
        id: InodeId,
        facts: &mut dyn DirFacts,
    ) -> Result<Frame<'a>> {
        let outer_path = self.path.len();
        let known = facts.enter(name)?;
        let inode = self.tree.inode(id);
        let name = name.map_or(&b"."[..], |name| name.as_name().as_bytes());
        if self.dialect == Dialect::Umoci {
            self.comment(name);
            self.entries.set_owner(inode);
        }
        self.name(name);
        self.entries.keywords(id, inode, known);
        let in_path = match self.dialect {
            Dialect::Native | Dialect::Bsd => false,
            Dialect::Portable => true,
            Dialect::Umoci => id != Tree::ROOT,
        };
        if in_path {
            vis::encode(name, &mut self.path);
            self.path.push(b'/');
        }
        Ok(Frame { rest: self.ordered(id).into_iter(), outer_path })
    }

    fn leave_dir(&mut self, is_root: bool) {
        let ends = match self.dialect {
            Dialect::Native | Dialect::Bsd => !is_root,
            Dialect::Portable => false,
            Dialect::Umoci => true,
        };
        if ends {
            self.entries.text.raw(b"..\n");
        }
    }

    fn name(&mut self, name: &[u8]) {
        if self.dialect == Dialect::Portable {
            self.entries.text.raw(&self.path);
        }
        vis::encode(name, &mut self.entries.text.0);
    }

    /// Writes gomtree's heading of a directory.
    fn comment(&mut self, name: &[u8]) {
        let text = &mut self.entries.text;
        text.raw(b"\n# ");
        text.raw(&self.path);
        vis::encode(name, &mut text.0);
        text.raw(b"\n");
    }

    /// Returns the entries of a directory in the order in which they are written.
    fn ordered(&self, dir: InodeId) -> Vec<(u8, &'a NameBuf, InodeId)> {
        let entries = self.tree.entries(dir).into_iter().flatten();
        let mut ordered: Vec<_> = entries
            .map(|(name, &id)| {
                let pattern = self.dialect == Dialect::Bsd && is_pattern(name.as_name().as_bytes());
                (u8::from(pattern) * 2 + u8::from(self.tree.entries(id).is_some()), name, id)
            })
            .collect();
        // A longer pattern usually matches less, so it comes before a shorter one.
        ordered.sort_by_key(|(rank, name, _)| {
            (*rank, if *rank < 2 { 0 } else { usize::MAX - name.as_name().as_bytes().len() })
        });
        ordered
    }
}

/// Returns whether BSD mtree takes the name for a pattern that may match others.
fn is_pattern(name: &[u8]) -> bool {
    name.iter().any(|byte| b"*?[".contains(byte))
}

#[cfg(test)]
mod tests;
