//! Collects the paths that match a query, and adds up their sizes.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashSet},
};

use ocicle::{
    image::look::Look,
    name::{EntryPath, NameBuf},
    tree::{
        Content, InodeId, Tree,
        provenance::{ChangeKind, PathChange},
    },
};

use super::{Node, Query, Table};

/// A path that matches.
struct Found {
    size: u64,
    /// The size that it adds to the directories above: a file with several names does so once.
    sum: u64,
    layer: usize,
    change: Option<ChangeKind>,
    now: Option<InodeId>,
}

pub(super) fn gather(look: &Look, query: Query) -> Table {
    let hidden = hidden(look, &query);
    let needle = query.search.as_ref().map(|text| text.to_lowercase());
    let wanted = |path: &EntryPath| {
        let Some(needle) = &needle else { return true };
        let last = path.split_last().map(|(_, name)| String::from_utf8_lossy(name.as_bytes()).to_lowercase());
        last.is_some_and(|name| name.contains(needle))
    };
    let mut builder = Builder::new(look, &query);
    if query.wasted {
        let changes = query.layer.map(|layer| changes(look, layer));
        for (path, &bytes) in &hidden {
            let change = changes.as_ref().and_then(|changes| changes.get(path)).map(|change| change.kind);
            if !wanted(path) || !has_kind(&query, change) {
                continue;
            }
            let now = look.tree.get(path);
            let layer = query.layer.or(now.map(|id| look.provenance.origin(id).layer)).unwrap_or(0);
            builder.add(path, Found { size: bytes, sum: bytes, layer, change, now });
        }
    } else if let Some(layer) = query.layer {
        for (path, PathChange { kind, size, .. }) in changes(look, layer) {
            let change = Some(*kind);
            if wanted(path) && has_kind(&query, change) {
                let now = look.tree.get(path);
                builder.add(path, Found { size: *size, sum: *size, layer, change, now });
            }
        }
    } else {
        let mut counted = HashSet::new();
        for (path, id) in &look.tree {
            if path.is_root() || !wanted(&path) {
                continue;
            }
            let inode = look.tree.inode(id);
            let size = match inode.content {
                Content::File { size, .. } => size,
                _ => 0,
            };
            let sum = if inode.nlink == 1 || counted.insert(id) { size } else { 0 };
            let layer = look.provenance.origin(id).layer;
            builder.add(&path, Found { size, sum, layer, change: None, now: Some(id) });
        }
    }
    builder.finish(query, &hidden)
}

/// Returns the changes of a layer, in the order of a tree: the last one of each path.
fn changes(look: &Look, layer: usize) -> BTreeMap<&EntryPath, &PathChange> {
    let changes = look.provenance.changes();
    let first = changes.partition_point(|change| change.layer < layer);
    let of_layer = changes[first..].iter().take_while(|change| change.layer == layer);
    let mut last = BTreeMap::new();
    last.extend(of_layer.map(|change| (&change.path, change)));
    last
}

fn has_kind(query: &Query, change: Option<ChangeKind>) -> bool {
    query.changes.is_empty() || change.is_some_and(|change| query.changes.contains(&change))
}

/// Returns the hidden bytes of each path that has some. In the merged tree, those of a removed path count for
/// the directory it was in.
fn hidden(look: &Look, query: &Query) -> BTreeMap<EntryPath, u64> {
    let is_merged = *query == Query::default();
    let mut hidden = BTreeMap::new();
    for stored in look.provenance.stored() {
        let is_of_layer = query.layer.is_none_or(|layer| stored.origin.layer == layer);
        if stored.hidden.is_some() && stored.size > 0 && is_of_layer {
            let mut path = stored.path.clone();
            if is_merged {
                while let (None, Some((above, _))) = (look.tree.get(&path), path.split_last()) {
                    path = above;
                }
            }
            *hidden.entry(path).or_default() += stored.size;
        }
    }
    hidden
}

/// Builds the nodes of a table from paths.
struct Builder<'a> {
    look: &'a Look,
    layer: Option<usize>,
    found: BTreeMap<Ordered, Found>,
    files: u64,
    bytes: u64,
}

/// A path in the order of a tree: a directory is followed by its entries.
#[derive(PartialEq, Eq)]
struct Ordered(EntryPath);

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.names().cmp(other.0.names())
    }
}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<'a> Builder<'a> {
    fn new(look: &'a Look, query: &Query) -> Self {
        Self { look, layer: query.layer, found: BTreeMap::new(), files: 0, bytes: 0 }
    }

    fn add(&mut self, path: &EntryPath, found: Found) {
        let content = found.now.map(|id| &self.look.tree.inode(id).content);
        if found.size > 0 || matches!(content, Some(Content::File { .. })) {
            self.files += 1;
        }
        self.bytes += found.sum;
        self.found.insert(Ordered(path.clone()), found);
    }

    fn finish(self, query: Query, hidden: &BTreeMap<EntryPath, u64>) -> Table {
        let mut nodes = Nodes { look: self.look, layer: self.layer, nodes: Vec::new(), open: Vec::new() };
        nodes.push(None, None);
        nodes.nodes[0].hidden = hidden.get(&EntryPath::root()).copied().unwrap_or(0);
        for (Ordered(path), found) in self.found {
            nodes.put(&path, found, hidden);
        }
        Table { query, nodes: nodes.close(0), files: self.files, bytes: self.bytes }
    }
}

struct Nodes<'a> {
    look: &'a Look,
    layer: Option<usize>,
    nodes: Vec<Node>,
    /// The last path: the nodes from the root to itself.
    open: Vec<usize>,
}

impl Nodes<'_> {
    fn put(&mut self, path: &EntryPath, found: Found, hidden: &BTreeMap<EntryPath, u64>) {
        let names: Vec<_> = path.names().collect();
        let is_same = |&(at, name): &(&usize, &_)| {
            self.nodes[*at].name.as_ref().is_some_and(|known| known.as_name() == *name)
        };
        let common = self.open.iter().skip(1).zip(&names).take_while(is_same).count();
        self.end(common + 1);
        let above = names.len().saturating_sub(1);
        for name in names.iter().take(above).skip(common) {
            self.push(Some((*name).into()), None);
        }
        let (size, sum, hides) = (found.size, found.sum, hidden.get(path).copied().unwrap_or(0));
        if common < names.len() {
            self.push(names.last().map(|name| (*name).into()), Some(found));
        }
        for &node in &self.open {
            self.nodes[node].size += sum;
            self.nodes[node].sum += sum;
            self.nodes[node].hidden += hides;
        }
        if let Some(node) = self.open.last().and_then(|&node| self.nodes.get_mut(node)) {
            node.size = node.size - sum + size;
        }
    }

    /// Adds a node below the last one. A directory that does not match itself is shown as in the merged tree.
    fn push(&mut self, name: Option<NameBuf>, found: Option<Found>) {
        let parent = self.open.last().copied().unwrap_or(0);
        let number = self.nodes.len();
        let found = found.unwrap_or_else(|| {
            let now = match &name {
                None => Some(Tree::ROOT),
                Some(name) => {
                    let above = self.nodes[parent].now;
                    above.and_then(|above| self.look.tree.child(above, name.as_name()))
                }
            };
            let layer = self.layer.or(now.map(|id| self.look.provenance.origin(id).layer)).unwrap_or(0);
            Found { size: 0, sum: 0, layer, change: None, now }
        });
        if number > 0 {
            self.nodes[parent].entries += 1;
        }
        let Found { layer, change, now, .. } = found;
        let depth = self.open.len();
        self.nodes.push(Node {
            name,
            parent,
            end: number,
            depth,
            size: 0,
            sum: 0,
            hidden: 0,
            entries: 0,
            layer,
            change,
            now,
        });
        self.open.push(number);
    }

    /// Closes the open nodes from `keep` on.
    fn end(&mut self, keep: usize) {
        while self.open.len() > keep {
            if let Some(node) = self.open.pop() {
                self.nodes[node].end = self.nodes.len();
            }
        }
    }

    fn close(mut self, keep: usize) -> Vec<Node> {
        self.end(keep);
        self.nodes
    }
}
