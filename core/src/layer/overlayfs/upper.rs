//! Conversion of an upper directory to the changes it represents.

use std::{
    collections::HashSet,
    io::{self, Read},
};

use super::Namespace;
use crate::{
    error::{Error, Result},
    layer::{Change, ChangeSink, Entry, EntryKind},
    name::EntryPath,
};

/// A sink for all entries of an upper directory, parents first. It passes on the changes they represent:
/// whiteouts become [`Change::Remove`], opaque directories add a [`Change::ClearLower`], and marks of
/// overlayfs are left out.
///
/// Fails with [`Error::Unsupported`] for a directory that was moved and a file whose content is in a lower
/// layer: the upper directory does not contain what they refer to.
pub struct FromUpper<'a> {
    sink: &'a mut dyn ChangeSink,
    namespace: Namespace,
    /// The directories on the path to the last entry in which marked files are whiteouts.
    marking: Vec<EntryPath>,
    /// Whiteouts that may have more names: overlayfs uses one inode for many.
    whiteouts: HashSet<EntryPath>,
    /// Marked files. Whether one is a whiteout depends on the directory of each of its names.
    marked: HashSet<EntryPath>,
}

impl<'a> FromUpper<'a> {
    /// Passes changes on to `sink`. The upper directory is that of a mount with marks in this namespace.
    pub fn new(sink: &'a mut dyn ChangeSink, namespace: Namespace) -> Self {
        Self { sink, namespace, marking: Vec::new(), whiteouts: HashSet::new(), marked: HashSet::new() }
    }

    fn put_entry(&mut self, entry: &Entry, body: &mut dyn Read) -> Result<()> {
        let path = &entry.path;
        while self.marking.last().is_some_and(|dir| !is_below(path, dir)) {
            self.marking.pop();
        }
        self.refuse_elsewhere(entry)?;
        match &entry.kind {
            EntryKind::Char { major: 0, minor: 0 } => {
                self.whiteouts.insert(path.clone());
                return self.remove(path);
            }
            EntryKind::HardLink { to } if self.whiteouts.contains(to) => return self.remove(path),
            EntryKind::File { size: 0 } if self.mark(entry, b"whiteout").is_some() => {
                self.marked.insert(path.clone());
                if self.is_marking(path) {
                    return self.remove(path);
                }
            }
            EntryKind::HardLink { to } if self.marked.contains(to) => {
                if self.is_marking(path) {
                    return self.remove(path);
                }
                // Its first name may be that of a whiteout, which no layer has: put it as it is.
                let file = Entry { kind: EntryKind::File { size: 0 }, ..entry.clone() };
                return self.sink.put(&Change::Put(file), &mut io::empty());
            }
            _ => {}
        }
        let opaque = if entry.kind == EntryKind::Dir { self.mark(entry, b"opaque") } else { None };
        let (hides, marks) = (opaque == Some(b"y"), opaque == Some(b"x"));
        if entry.attrs.xattrs.is_empty() {
            self.sink.put(&Change::Put(entry.clone()), body)?;
        } else {
            let mut own = entry.clone();
            own.attrs.xattrs = self.namespace.unescape(&entry.attrs.xattrs);
            self.sink.put(&Change::Put(own), body)?;
        }
        if marks {
            self.marking.push(path.clone());
        }
        if hides {
            return self.sink.put(&Change::ClearLower(path.clone()), &mut io::empty());
        }
        Ok(())
    }

    fn remove(&mut self, path: &EntryPath) -> Result<()> {
        self.sink.put(&Change::Remove(path.clone()), &mut io::empty())
    }

    fn mark<'e>(&self, entry: &'e Entry, mark: &[u8]) -> Option<&'e [u8]> {
        self.namespace.mark(&entry.attrs.xattrs, mark)
    }

    /// Returns whether marked files in the directory of this path are whiteouts.
    fn is_marking(&self, path: &EntryPath) -> bool {
        path.split_last().is_some_and(|(dir, _)| self.marking.last() == Some(&dir))
    }

    fn refuse_elsewhere(&self, entry: &Entry) -> Result<()> {
        for (mark, what) in [
            (&b"redirect"[..], "its content is that of another path of a lower layer (redirect)"),
            (b"metacopy", "its content is in a lower layer (metacopy)"),
        ] {
            if self.mark(entry, mark).is_some() {
                return Err(Error::Unsupported(format!(
                    "/{} of the upper directory cannot be put into a layer: {what}; mount with \
                     redirect_dir=off,metacopy=off, and repeat the change",
                    entry.path
                )));
            }
        }
        Ok(())
    }
}

fn is_below(path: &EntryPath, dir: &EntryPath) -> bool {
    dir.is_root()
        || path.as_bytes().strip_prefix(dir.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'/'))
}

impl ChangeSink for FromUpper<'_> {
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> Result<()> {
        match change {
            Change::Put(entry) => self.put_entry(entry, body),
            other => self.sink.put(other, body),
        }
    }
}

impl std::fmt::Debug for FromUpper<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FromUpper").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
