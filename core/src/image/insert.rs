//! The files of a directory as changes at a path of an image: the layer of `insert`.

use std::io::{self, Read};

use crate::{
    error::Result,
    fs::Dir,
    layer::{Change, ChangeSink, Entry, EntryKind},
    limits::Limits,
    name::EntryPath,
    tree::{
        Tree,
        diff::{Baseline, DiffOptions, DiffSummary, diff},
        seen::attrs_of,
    },
};

/// The treatment of what lower layers have in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "one thing or the other")]
pub enum LowerContent {
    /// It stays.
    Keep,
    /// It is hidden.
    Hide,
}

/// Sends a directory and everything in it, as changes that put it at `target`. Hard links within the
/// directory are kept. Parents of the target are not sent.
///
/// # Errors
/// Those of [`diff`].
pub fn send_directory<D: Dir>(
    dir: &D,
    target: &EntryPath,
    lower: LowerContent,
    limits: &Limits,
    sink: &mut dyn ChangeSink,
) -> Result<DiffSummary> {
    let entry = Entry { path: target.clone(), attrs: attrs_of(dir)?, kind: EntryKind::Dir };
    sink.put(&Change::Put(entry), &mut io::empty())?;
    if lower == LowerContent::Hide {
        sink.put(&Change::ClearLower(target.clone()), &mut io::empty())?;
    }
    // Compared with an empty tree, everything in it is new.
    let options = DiffOptions { limits: *limits, ..DiffOptions::default() };
    diff(Baseline::unstamped(&Tree::new()), dir, &options, &mut Below { target, sink })
}

/// Moves changes below a path.
struct Below<'a> {
    target: &'a EntryPath,
    sink: &'a mut dyn ChangeSink,
}

impl Below<'_> {
    fn below(&self, path: &EntryPath) -> EntryPath {
        path.names().fold(self.target.clone(), |above, name| above.join(name))
    }
}

impl ChangeSink for Below<'_> {
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> Result<()> {
        let change = match change {
            Change::Put(entry) if entry.path.is_root() => return Ok(()), // the target, which was sent already
            Change::Put(entry) => Change::Put(Entry {
                path: self.below(&entry.path),
                attrs: entry.attrs.clone(),
                kind: match &entry.kind {
                    EntryKind::HardLink { to } => EntryKind::HardLink { to: self.below(to) },
                    other => other.clone(),
                },
            }),
            Change::Remove(path) => Change::Remove(self.below(path)),
            Change::ClearLower(path) => Change::ClearLower(self.below(path)),
        };
        self.sink.put(&change, body)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        fs::mem::MemDir,
        limits::Limits,
        tree::{
            Tree,
            merge::Merge,
            rootfs::RootfsSink,
            testing::{Item, Record, apply, dir, file, link, path, show, symlink},
        },
    };

    fn source(items: &[Item]) -> MemDir {
        let root = MemDir::new();
        let mut merge = Merge::new(Tree::new(), RootfsSink::new(root.clone()), &Limits::default());
        apply(&mut merge, &[items]).unwrap();
        merge.finish().unwrap();
        root
    }

    fn inserted(base: &[Item], items: &[Item], lower: super::LowerContent) -> String {
        let mut record = Record::default();
        super::send_directory(&source(items), &path("opt/x"), lower, &Limits::default(), &mut record)
            .unwrap();
        show(&crate::tree::testing::tree(&[base, &record.0]).unwrap())
    }

    #[test]
    fn a_directory_goes_below_its_target_with_its_links() {
        let items = [dir("d"), file("d/f", "abc"), link("g", "d/f"), symlink("l", "d")];
        assert_eq!(
            inserted(&[file("opt/x/old", "o")], &items, super::LowerContent::Keep),
            "/ d755 @0\n/opt d755 @0\n/opt/x d755 @0\n/opt/x/d d755 @1\n/opt/x/d/f f644 @1 3 x2\n/opt/x/g f644 @1 3 x2\n\
             /opt/x/l -> d\n/opt/x/old f644 @1 1 x1\n"
        );
    }

    #[test]
    fn opaque_hides_lower_content_and_empty_directories_are_sent() {
        assert_eq!(
            inserted(&[file("opt/x/old", "o")], &[], super::LowerContent::Hide),
            "/ d755 @0\n/opt d755 @0\n/opt/x d755 @0\n"
        );
    }
}
