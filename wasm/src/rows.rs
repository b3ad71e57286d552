//! The files of an image as a tree view shows them: directories that open and close, one page of rows at a
//! time.
//!
//! [`Table`] holds all paths that match a query, with the totals of each directory. [`Table::view`] lists
//! those that are visible when some directories are open; [`View::page`] returns a few rows of it. Showing
//! 100,000 files costs as much as showing ten.

mod areas;
mod gather;
mod request;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use ocicle::{
    fs::FileType,
    image::look::{FileInfo, Look, path_text},
    name::{EntryPath, NameBuf},
    tree::{InodeId, mtree::vis, provenance::ChangeKind},
};
use ocicle_report::words;
use serde::{Deserialize, Serialize};

pub(crate) use self::{areas::Area, request::RowQuery};

/// Which paths to show. The default is the merged tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Query {
    /// Only changes of this layer, zero-based.
    pub(crate) layer: Option<usize>,
    /// Only changes of these kinds. All, if empty.
    pub(crate) changes: BTreeSet<ChangeKind>,
    /// Only content that a later layer hides. Sizes are the hidden bytes then.
    pub(crate) wasted: bool,
    /// Only paths whose last name contains this text, ignoring case.
    pub(crate) search: Option<String>,
    /// Only paths that this pattern matches, ignoring case; of the merged tree and of what it hides.
    pub(crate) name: Option<String>,
}

/// The order of siblings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Sort {
    /// By name, in byte order.
    #[default]
    Name,
    /// The largest first.
    Size,
}

/// Which directories are open; the root always is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Open {
    /// The open ones, if the query matches all paths.
    pub(crate) open: BTreeSet<EntryPath>,
    /// The closed ones, if the query filters: then all others are open.
    pub(crate) closed: BTreeSet<EntryPath>,
}

/// All paths that match a query, and the directories above them.
#[derive(Debug)]
pub(crate) struct Table {
    query: Query,
    /// In the order of a tree; the first is the root.
    nodes: Vec<Node>,
    files: u64,
    bytes: u64,
}

#[derive(Debug)]
struct Node {
    name: Option<NameBuf>,
    parent: usize,
    /// The position after the last node below.
    end: usize,
    depth: usize,
    /// The `size` of its [`Row`].
    size: u64,
    /// The size that it adds to the directories above.
    sum: u64,
    hidden: u64,
    entries: usize,
    layer: usize,
    change: Option<ChangeKind>,
    /// Its type in the layer.
    file_type: FileType,
    now: Option<InodeId>,
}

/// The visible paths.
#[derive(Debug)]
pub(crate) struct View(Vec<Shown>);

#[derive(Debug, Clone, Copy)]
struct Shown {
    node: usize,
    position: usize,
    siblings: usize,
    open: bool,
}

/// Some rows of a view.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page {
    /// Rows of the view.
    pub(crate) total: usize,
    /// Files that match the query.
    pub(crate) files: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// The requested rows.
    pub(crate) rows: Vec<Row>,
}

/// A path of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    /// From the root, as in [`FileRow`](ocicle::image::look::FileRow).
    pub(crate) path: String,
    /// Its last part, escaped alike; `/` for the root.
    pub(crate) name: String,
    /// The number of directories above it.
    pub(crate) depth: usize,
    /// The file type, as the layer has it.
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    /// Bytes of a file; of a directory, of all matching files below. There, a file with several names counts
    /// once.
    pub(crate) size: u64,
    /// Bytes stored here and below that a later layer hides.
    pub(crate) hidden: u64,
    /// The layer that put it last, or the layer of the query; one-based.
    pub(crate) layer: usize,
    /// The change that the layer makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) change: Option<ChangeKind>,
    /// Its attributes in the merged tree, if it has the same type there.
    #[serde(flatten)]
    pub(crate) attrs: Option<Attrs>,
    /// Whether the merged tree has it.
    pub(crate) exists: bool,
    /// Number of names directly in it.
    pub(crate) entries: usize,
    /// Whether its entries are visible.
    pub(crate) open: bool,
    /// Its one-based position among its visible siblings.
    pub(crate) position: usize,
    /// The number of its visible siblings, itself included.
    pub(crate) siblings: usize,
}

/// The attributes of an inode of the merged tree. As in [`FileInfo`], which also has what a [`Row`] has
/// of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Attrs {
    mode: String,
    uid: u32,
    gid: u32,
    mtime: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    nlink: u32,
}

impl Table {
    /// Collects the paths that match a query.
    pub(crate) fn new(look: &Look, query: Query) -> Self {
        gather::gather(look, query)
    }

    /// Returns the query.
    pub(crate) fn query(&self) -> &Query {
        &self.query
    }

    /// Lists the paths that are visible when these directories are open.
    pub(crate) fn view(&self, open: &Open, sort: Sort) -> View {
        let opened = self.numbers(if self.is_filtered() { &open.closed } else { &open.open });
        let mut shown = vec![Shown { node: 0, position: 1, siblings: 1, open: true }];
        self.show(0, sort, &opened, &mut shown);
        View(shown)
    }

    fn is_filtered(&self) -> bool {
        let Query { layer: _, changes, wasted, search, name } = &self.query;
        *wasted || !changes.is_empty() || search.is_some() || name.is_some()
    }

    fn show(&self, above: usize, sort: Sort, named: &BTreeSet<usize>, shown: &mut Vec<Shown>) {
        // Not recursive: paths of a hostile layer are deep.
        let mut pending = self.children(above, sort);
        while let Some(mut row) = pending.pop() {
            let node = &self.nodes[row.node];
            row.open = node.entries > 0 && (self.is_filtered() != named.contains(&row.node));
            shown.push(row);
            if row.open {
                pending.extend(self.children(row.node, sort));
            }
        }
    }

    /// Returns the entries of a directory, the last first.
    fn children(&self, above: usize, sort: Sort) -> Vec<Shown> {
        let mut found = Vec::new();
        let mut next = above + 1;
        while next < self.nodes[above].end {
            found.push(next);
            next = self.nodes[next].end;
        }
        if sort == Sort::Size {
            found.sort_by_key(|&node| std::cmp::Reverse(self.nodes[node].size)); // stable: then by name
        }
        let siblings = found.len();
        let of = |(position, node)| Shown { node, position: position + 1, siblings, open: false };
        found.into_iter().enumerate().map(of).rev().collect()
    }

    /// Returns the nodes of those paths that have one.
    fn numbers(&self, paths: &BTreeSet<EntryPath>) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        found.extend(paths.iter().filter_map(|path| self.find(path)));
        found
    }

    fn find(&self, path: &EntryPath) -> Option<usize> {
        path.names().try_fold(0, |above, name| {
            let mut next = above + 1;
            while next < self.nodes[above].end {
                let node = &self.nodes[next];
                if node.name.as_ref().is_some_and(|found| found.as_name() == name) {
                    return Some(next);
                }
                next = node.end;
            }
            None
        })
    }

    /// Returns the path of a node, from the root, as text.
    fn path(&self, mut node: usize) -> String {
        let mut names = Vec::new();
        while let Some(name) = &self.nodes[node].name {
            names.push(name.as_name());
            node = self.nodes[node].parent;
        }
        let path = names.into_iter().rev().fold(EntryPath::root(), |path, name| path.join(name));
        path_text(&path)
    }
}

impl Node {
    /// Returns the last part of its path as text; `/` for the root.
    fn name(&self) -> String {
        let name = self.name.as_ref();
        name.map_or_else(|| "/".into(), |name| vis::readable(name.as_name().as_bytes()))
    }
}

impl View {
    /// Returns `count` rows, beginning with row `from`. `table` is the one that the view was made of.
    pub(crate) fn page(&self, table: &Table, look: &Look, from: usize, count: usize) -> Page {
        let shown = self.0.iter().skip(from).take(count);
        let rows = shown.map(|shown| row(table, look, *shown)).collect();
        Page { total: self.0.len(), files: table.files, bytes: table.bytes, rows }
    }

    /// Returns the zero-based position of a path in the view, if it is visible.
    pub(crate) fn position(&self, table: &Table, path: &EntryPath) -> Option<usize> {
        let node = table.find(path)?;
        self.0.iter().position(|shown| shown.node == node)
    }
}

fn row(table: &Table, look: &Look, Shown { node: number, position, siblings, open }: Shown) -> Row {
    let node = &table.nodes[number];
    let info = node.now.map(|id| FileInfo::of(&look.tree, id));
    let exists = info.is_some();
    let same = info.filter(|info| info.file_type == node.file_type);
    Row {
        path: table.path(number),
        name: node.name(),
        depth: node.depth,
        kind: words::file_type(node.file_type),
        size: node.size,
        hidden: node.hidden,
        layer: node.layer + 1,
        change: node.change,
        exists,
        attrs: same.map(|FileInfo { mode, uid, gid, mtime, target, nlink, .. }| Attrs {
            mode: words::mode(mode),
            uid,
            gid,
            mtime: mtime.to_string(),
            target: target.as_deref().map(vis::to_text),
            nlink,
        }),
        entries: node.entries,
        open,
        position,
        siblings,
    }
}
