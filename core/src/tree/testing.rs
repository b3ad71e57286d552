//! Short forms for trees in tests.

use std::fmt::Write as _;

use super::{
    Content, Tree,
    merge::{Merge, TreeSink},
};
pub(crate) use crate::layer::testing::{Item, Record, clear, dir, file, link, path, put, remove, symlink};
use crate::{error::Result, layer::ChangeSink as _, limits::Limits};

/// Applies layers to a merge.
pub(crate) fn apply<M: TreeSink>(merge: &mut Merge<M>, layers: &[&[Item]]) -> Result<()> {
    for layer in layers {
        for Item(change, content) in *layer {
            merge.put(change, &mut &content[..])?;
        }
        merge.next_layer()?;
    }
    Ok(())
}

/// Returns the tree of these layers.
pub(crate) fn tree(layers: &[&[Item]]) -> Result<Tree> {
    let mut merge = Merge::new(Tree::new(), (), &Limits::default());
    apply(&mut merge, layers)?;
    Ok(merge.finish()?.0)
}

/// Formats a tree, one path in a line, such as `/etc d755 @1`, `/etc/f f644 @1 3`, `/l -> etc`.
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
