//! Short ways to write layers and trees in tests.

use std::{fmt::Write as _, io::Read};

use super::{
    Content, Tree,
    merge::{Merge, Mirror},
};
use crate::{
    attrs::{Attrs, Time},
    error::Result,
    layer::{Change, ChangeSink, Entry, Node},
    limits::Limits,
    name::EntryPath,
};

/// One change with its content.
#[derive(Debug, Clone)]
pub(crate) struct Item(pub(crate) Change, pub(crate) Vec<u8>);

pub(crate) fn path(text: &str) -> EntryPath {
    EntryPath::clean(text.as_bytes(), &Limits::default()).unwrap()
}

pub(crate) fn put(at: &str, node: Node) -> Item {
    let mode = if node == Node::Dir { 0o755 } else { 0o644 };
    let attrs = Attrs { mode, mtime: Time::from_seconds(1), ..Attrs::default() };
    Item(Change::Put(Entry { path: path(at), attrs, node }), Vec::new())
}

pub(crate) fn file(at: &str, content: &str) -> Item {
    let Item(change, _) = put(at, Node::File { size: content.len() as u64 });
    Item(change, content.into())
}

pub(crate) fn dir(at: &str) -> Item {
    put(at, Node::Dir)
}

pub(crate) fn symlink(at: &str, target: &str) -> Item {
    put(at, Node::Symlink { target: target.as_bytes().into() })
}

pub(crate) fn link(at: &str, to: &str) -> Item {
    put(at, Node::HardLink { to: path(to) })
}

pub(crate) fn remove(at: &str) -> Item {
    Item(Change::Remove(path(at)), Vec::new())
}

pub(crate) fn clear(at: &str) -> Item {
    Item(Change::ClearLower(path(at)), Vec::new())
}

/// Applies layers to a merge; each ends its layer.
pub(crate) fn apply<M: Mirror>(merge: &mut Merge<M>, layers: &[&[Item]]) -> Result<()> {
    for layer in layers {
        for Item(change, content) in *layer {
            merge.put(change, &mut &content[..])?;
        }
        merge.next_layer();
    }
    Ok(())
}

/// The tree that layers make.
pub(crate) fn tree(layers: &[&[Item]]) -> Result<Tree> {
    let mut merge = Merge::new(Tree::new(), (), &Limits::default());
    apply(&mut merge, layers)?;
    Ok(merge.finish()?.0)
}

/// One line for each path, such as `/etc d755 @1`, `/etc/f f644 @1 3`, `/l -> etc`.
pub(crate) fn show(tree: &Tree) -> String {
    let mut text = String::new();
    for (path, id) in tree {
        let inode = tree.inode(id);
        let (mode, time) = (inode.attrs.mode, inode.attrs.mtime.seconds);
        let _ = match &inode.content {
            Content::Dir(_) => writeln!(text, "/{path} d{mode:o} @{time}"),
            Content::File { size, .. } => writeln!(text, "/{path} f{mode:o} @{time} {size} x{}", inode.nlink),
            Content::Symlink(target) => writeln!(text, "/{path} -> {}", String::from_utf8_lossy(target)),
            Content::Char(major, minor) => writeln!(text, "/{path} c{major},{minor}"),
            Content::Block(major, minor) => writeln!(text, "/{path} b{major},{minor}"),
            Content::Fifo => writeln!(text, "/{path} p"),
            Content::Socket => writeln!(text, "/{path} s"),
        };
    }
    text
}

/// Keeps the changes it is sent.
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
