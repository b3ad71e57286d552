//! A sink that applies the changes of [`super::diff`] to a tree and passes them on.

use std::io::{self, Read};

use super::{Content, Tree};
use crate::{
    error::{Error, Result},
    hash::Sha256Read,
    layer::{Change, ChangeSink, Entry, EntryKind},
    name::EntryPath,
};

/// Passes changes on, and applies them to a tree. Paths are used literally, without following links: the
/// changes are from a disk, not from a layer.
pub(crate) struct Update<'a> {
    /// The tree.
    pub(crate) tree: &'a mut Tree,
    /// The sink that receives the changes.
    pub(crate) sink: &'a mut dyn ChangeSink,
}

impl ChangeSink for Update<'_> {
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> Result<()> {
        match change {
            Change::Put(entry) if matches!(entry.kind, EntryKind::File { .. }) => {
                let mut hashed = Sha256Read::new(body);
                self.sink.put(change, &mut hashed)?;
                io::copy(&mut hashed, &mut io::sink())
                    .map_err(Error::io(format_args!("read /{}", entry.path)))?;
                let (size, sha256) = hashed.finish();
                self.set(entry, Content::File { size, sha256: Some(sha256) })
            }
            Change::Put(entry) => {
                self.sink.put(change, body)?;
                self.put_other(entry)
            }
            Change::Remove(path) => {
                self.sink.put(change, body)?;
                self.remove(path);
                Ok(())
            }
            Change::ClearLower(path) => {
                Err(Error::Misuse(format!("opaque whiteout for {path}, which a disk cannot have")))
            }
        }
    }
}

impl Update<'_> {
    fn put_other(&mut self, entry: &Entry) -> Result<()> {
        let content = match &entry.kind {
            EntryKind::Dir => {
                if let Some(id) = self.tree.get(&entry.path)
                    && self.tree.entries(id).is_some()
                {
                    self.tree.inode_mut(id).attrs = entry.attrs.clone();
                    return Ok(());
                }
                Content::Dir(Default::default())
            }
            EntryKind::HardLink { to } => {
                let target = self.tree.get(to).ok_or_else(|| impossible(&entry.path))?;
                self.remove(&entry.path);
                let (parent, name) = entry.path.split_last().ok_or_else(|| impossible(&entry.path))?;
                let parent = self.tree.get(&parent).ok_or_else(|| impossible(&entry.path))?;
                return self.tree.link(parent, name, target).ok_or_else(|| impossible(&entry.path));
            }
            EntryKind::Symlink { target } => Content::Symlink(target.clone()),
            EntryKind::Char { major, minor } => Content::Char(*major, *minor),
            EntryKind::Block { major, minor } => Content::Block(*major, *minor),
            EntryKind::Fifo => Content::Fifo,
            EntryKind::File { .. } => return Err(impossible(&entry.path)),
        };
        self.set(entry, content)
    }

    fn set(&mut self, entry: &Entry, content: Content) -> Result<()> {
        self.remove(&entry.path);
        let (parent, name) = entry.path.split_last().ok_or_else(|| impossible(&entry.path))?;
        let parent = self.tree.get(&parent).ok_or_else(|| impossible(&entry.path))?;
        let made = self.tree.insert(parent, name, entry.attrs.clone(), content);
        made.map(drop).ok_or_else(|| impossible(&entry.path))
    }

    fn remove(&mut self, path: &EntryPath) {
        if let Some((parent, name)) = path.split_last()
            && let Some(parent) = self.tree.get(&parent)
        {
            self.tree.remove(parent, name);
        }
    }
}

/// Changes come parents first, so only a wrong sender causes this.
fn impossible(path: &EntryPath) -> Error {
    Error::Misuse(format!("the change at {path} does not fit the tree"))
}

impl std::fmt::Debug for Update<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Update").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        error::ErrorKind,
        tree::testing::{Item, Record, clear, dir, file, link, put, remove, show, symlink, tree},
    };

    fn updated(base: &[Item], changes: &[Item]) -> (Result<()>, String) {
        let (mut tree, mut record) = (tree(&[base]).unwrap(), Record::default());
        let mut update = Update { tree: &mut tree, sink: &mut record };
        let result =
            changes.iter().try_for_each(|Item(change, content)| update.put(change, &mut &content[..]));
        let sent = |items: &[Item]| {
            items.iter().map(|Item(change, content)| (change.clone(), content.clone())).collect::<Vec<_>>()
        };
        if result.is_ok() {
            assert_eq!(sent(&record.0), sent(changes), "all goes on");
        }
        (result, show(&tree))
    }

    #[test]
    fn every_change_is_applied_and_passed_on() {
        let base = [dir("d"), file("d/f", "x"), link("h", "d/f"), file("gone", "x"), symlink("l", "d")];
        let changes = [
            remove("gone"),
            file("d", "now a file"),
            dir("l"),
            file("l/f", "not in d"),
            link("l/g", "l/f"),
            put("p", EntryKind::Fifo),
            put("n", EntryKind::Char { major: 1, minor: 3 }),
            Item(
                Change::Put(Entry {
                    path: EntryPath::root(),
                    attrs: crate::attrs::Attrs { mode: 0o700, ..Default::default() },
                    kind: EntryKind::Dir,
                }),
                Vec::new(),
            ),
        ];
        let (result, shown) = updated(&base, &changes);
        result.unwrap();
        assert_eq!(
            shown,
            "/ d700 @0\n/d f644 @1 10 x1\n/h f644 @1 1 x1\n/l d755 @1\n/l/f f644 @1 8 x2\n/l/g f644 @1 8 x2\n\
             /n c1,3\n/p p\n"
        );
    }

    #[test]
    fn impossible_changes_are_refused() {
        for change in [clear("d"), file("no/parent", "x"), link("a", "missing")] {
            assert_eq!(updated(&[dir("d")], &[change]).0.unwrap_err().kind(), ErrorKind::Misuse);
        }
    }
}
