//! Short forms for layers in tests.

use std::io::Read;

use super::{Change, ChangeSink, Entry, EntryKind};
use crate::{
    attrs::{Attrs, Time},
    error::Result,
    limits::Limits,
    name::EntryPath,
};

/// A change with its content.
#[derive(Debug, Clone)]
pub(crate) struct Item(pub(crate) Change, pub(crate) Vec<u8>);

pub(crate) fn path(text: &str) -> EntryPath {
    EntryPath::clean(text.as_bytes(), &Limits::default()).unwrap()
}

pub(crate) fn put(at: &str, kind: EntryKind) -> Item {
    let mode = if kind == EntryKind::Dir { 0o755 } else { 0o644 };
    let attrs = Attrs { mode, mtime: Time::from_seconds(1), ..Attrs::default() };
    Item(Change::Put(Entry { path: path(at), attrs, kind }), Vec::new())
}

pub(crate) fn file(at: &str, content: &str) -> Item {
    let Item(change, _) = put(at, EntryKind::File { size: content.len() as u64 });
    Item(change, content.into())
}

pub(crate) fn dir(at: &str) -> Item {
    put(at, EntryKind::Dir)
}

pub(crate) fn symlink(at: &str, target: &str) -> Item {
    put(at, EntryKind::Symlink { target: target.as_bytes().into() })
}

pub(crate) fn link(at: &str, to: &str) -> Item {
    put(at, EntryKind::HardLink { to: path(to) })
}

pub(crate) fn remove(at: &str) -> Item {
    Item(Change::Remove(path(at)), Vec::new())
}

pub(crate) fn clear(at: &str) -> Item {
    Item(Change::ClearLower(path(at)), Vec::new())
}

/// A sink that keeps the changes.
#[derive(Debug, Default)]
pub(crate) struct Record(pub(crate) Vec<Item>);

impl ChangeSink for Record {
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> Result<()> {
        let mut content = Vec::new();
        body.read_to_end(&mut content).map_err(crate::Error::io("read"))?;
        self.0.push(Item(change.clone(), content));
        Ok(())
    }
}
