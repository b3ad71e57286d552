//! The files of an image as a person walks through them: directories that open and close, a window of rows at a time.
//!
//! [`Table`] holds all paths that a query is about, with the sums of each directory. [`Table::view`] makes the list of those that show
//! when some directories are open; [`View::page`] gives a few rows of it. So 100,000 files cost as much to show as ten.

mod areas;
mod gather;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::Serialize;

pub use self::areas::Area;
use super::{Facts, Look, files::text_of, shown};
use crate::{
    name::{EntryPath, NameBuf},
    tree::{InodeId, provenance::ChangeKind},
};

/// Which paths are meant. The default is the merged file system.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(clippy::exhaustive_structs, reason = "made with struct update syntax")]
pub struct Query {
    /// Only what this layer does, from 0.
    pub layer: Option<usize>,
    /// Only these deeds of it. All, if empty.
    pub changes: BTreeSet<ChangeKind>,
    /// Only what a later layer hides. Sizes are the hidden bytes then.
    pub wasted: bool,
    /// Only what has this in its last name; upper and lower case are the same.
    pub search: Option<String>,
}

/// How siblings are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::exhaustive_enums, reason = "all there are")]
pub enum Sort {
    /// By name, in byte order.
    #[default]
    Name,
    /// The largest first.
    Size,
}

/// Which directories are open; the root always is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(clippy::exhaustive_structs, reason = "made with struct update syntax")]
pub struct Open {
    /// These are, if the query is about all paths.
    pub open: BTreeSet<EntryPath>,
    /// These are not, if the query is about some: then the others are.
    pub closed: BTreeSet<EntryPath>,
}

/// All paths that a query is about, and the way to them.
#[derive(Debug)]
pub struct Table {
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
    /// One past the last node below.
    end: usize,
    depth: usize,
    /// As in [`Row`].
    size: u64,
    /// What it adds to the directories above.
    sum: u64,
    hidden: u64,
    entries: usize,
    layer: usize,
    change: Option<ChangeKind>,
    now: Option<InodeId>,
}

/// The paths that show.
#[derive(Debug)]
pub struct View(Vec<Shown>);

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
#[non_exhaustive]
pub struct Page {
    /// Rows of the view.
    pub total: usize,
    /// Files that the query is about.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those that were asked for.
    pub rows: Vec<Row>,
}

/// One path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Row {
    /// From the root, as [`super::Files`] has it.
    pub path: String,
    /// Its last part, escaped alike; `/` for the root.
    pub name: String,
    /// How many directories are above it.
    pub depth: usize,
    /// What it is in the end.
    #[serde(rename = "type")]
    pub kind: Option<&'static str>,
    /// Bytes of a file; of a directory, of all files below that the query is about. A file with several names counts once there.
    pub size: u64,
    /// Bytes stored here and below that a later layer hides.
    pub hidden: u64,
    /// The layer it is from, or that the query is about; from 1.
    pub layer: usize,
    /// What that layer does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<ChangeKind>,
    /// Attributes.
    #[serde(flatten)]
    pub attrs: Option<Attrs>,
    /// Whether it is there in the end.
    pub exists: bool,
    /// How many names are directly in it.
    pub entries: usize,
    /// Whether what is in it shows.
    pub open: bool,
    /// Its place among those that show beside it, from 1.
    pub position: usize,
    /// How many these are.
    pub siblings: usize,
}

/// Of what is there in the end. As in [`Facts`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "see Facts")]
pub struct Attrs {
    pub mode: String,
    pub uid: u32,
    pub gid: u32,
    pub mtime: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    pub nlink: u32,
}

impl Table {
    /// Finds what a query is about.
    #[must_use]
    pub fn new(look: &Look, query: Query) -> Self {
        gather::gather(look, query)
    }

    /// What it was asked for.
    #[must_use]
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// What shows when these directories are open.
    #[must_use]
    pub fn view(&self, open: &Open, sort: Sort) -> View {
        let opened = self.numbers(if self.is_filtered() { &open.closed } else { &open.open });
        let mut shown = vec![Shown { node: 0, position: 1, siblings: 1, open: true }];
        self.show(0, sort, &opened, &mut shown);
        View(shown)
    }

    fn is_filtered(&self) -> bool {
        let Query { layer: _, changes, wasted, search } = &self.query;
        *wasted || !changes.is_empty() || search.is_some()
    }

    fn show(&self, above: usize, sort: Sort, named: &BTreeSet<usize>, shown: &mut Vec<Shown>) {
        // A stack of our own: paths of a hostile layer are deep.
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

    /// What is directly in a directory, the last first.
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

    /// The nodes of paths, as far as there are any.
    fn numbers(&self, paths: &BTreeSet<EntryPath>) -> BTreeSet<usize> {
        paths.iter().filter_map(|path| self.find(path)).collect()
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

    fn path(&self, mut node: usize) -> EntryPath {
        let mut names = Vec::new();
        while let Some(name) = &self.nodes[node].name {
            names.push(name.as_name());
            node = self.nodes[node].parent;
        }
        names.into_iter().rev().fold(EntryPath::root(), |path, name| path.join(name))
    }
}

impl View {
    /// So many rows from one on, of the table that the view is of.
    #[must_use]
    pub fn page(&self, table: &Table, look: &Look, from: usize, count: usize) -> Page {
        let shown = self.0.iter().skip(from).take(count);
        let rows = shown.map(|shown| row(table, look, *shown)).collect();
        Page { total: self.0.len(), files: table.files, bytes: table.bytes, rows }
    }

    /// The place of a path in the view, from 0, if it shows.
    #[must_use]
    pub fn position(&self, table: &Table, path: &EntryPath) -> Option<usize> {
        let node = table.find(path)?;
        self.0.iter().position(|shown| shown.node == node)
    }
}

fn row(table: &Table, look: &Look, Shown { node, position, siblings, open }: Shown) -> Row {
    let path = table.path(node);
    let Node { name, depth, size, hidden, entries, layer, change, now, .. } = &table.nodes[node];
    let facts = now.map(|id| Facts::of(&look.tree, id));
    Row {
        path: shown(&path),
        name: name.as_ref().map_or_else(|| "/".into(), |name| text_of(name.as_name().as_bytes())),
        depth: *depth,
        kind: facts.as_ref().map(|facts| facts.kind),
        size: *size,
        hidden: *hidden,
        layer: layer + 1,
        change: *change,
        exists: facts.is_some(),
        attrs: facts.map(|Facts { mode, uid, gid, mtime, target, nlink, .. }| Attrs {
            mode,
            uid,
            gid,
            mtime,
            target,
            nlink,
        }),
        entries: *entries,
        open,
        position,
        siblings,
    }
}
