//! Collects the paths that match a query, and adds up their sizes.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap, HashSet},
};

use ocicle::{
    fs::FileType,
    image::{find::FindQuery, look::Look},
    name::{EntryPath, NameBuf},
    tree::{
        Content, InodeId,
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
    file_type: FileType,
    now: Option<InodeId>,
}

pub(super) fn gather(look: &Look, query: Query) -> Table {
    let hidden = hidden(look, &query);
    let needle = query.search.as_ref().map(|text| text.to_lowercase());
    let named = FindQuery { name: query.name.clone(), ignore_case: true, ..FindQuery::default() };
    let wanted = |path: &EntryPath| {
        let last = || {
            let (_, name) = path.split_last()?;
            Some(String::from_utf8_lossy(name.as_bytes()).to_lowercase())
        };
        let has_text = |text: &String| last().is_some_and(|name| name.contains(text));
        needle.as_ref().is_none_or(has_text) && named.admits_name(path)
    };
    let places = Places::new(look, &query);
    let mut builder = Builder { places, found: BTreeMap::new(), files: 0, bytes: 0 };
    if query.wasted {
        let changes = query.layer.map(|layer| changes(look, layer));
        for (path, &bytes) in &hidden {
            let change = changes.as_ref().and_then(|changes| changes.get(path).copied());
            let kind = change.map(|change| change.kind);
            if !wanted(path) || !has_kind(&query, kind) {
                continue;
            }
            let found = match change {
                Some(change) => Found::in_layer(look, change),
                None => builder.places.at(path),
            };
            builder.add(path, Found { size: bytes, sum: bytes, ..found });
        }
    } else if let Some(layer) = query.layer {
        for (path, change) in changes(look, layer) {
            if wanted(path) && has_kind(&query, Some(change.kind)) {
                builder.add(path, Found::in_layer(look, change));
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
            builder.add(&path, Found { size, sum, ..Found::visible(look, id) });
        }
        let gone: Vec<_> = builder.places.gone.values().copied().collect();
        for change in gone.into_iter().filter(|change| wanted(&change.path)) {
            builder.add(&change.path, Found { change: None, ..Found::in_layer(look, change) });
        }
    }
    builder.finish(query, &hidden)
}

impl Found {
    /// Returns a change of a layer.
    fn in_layer(look: &Look, change: &PathChange) -> Self {
        let PathChange { layer, kind, file_type, size, .. } = *change;
        let now = look.tree.get(&change.path);
        Self { size, sum: size, layer, change: Some(kind), file_type, now }
    }

    /// Returns an inode of the merged tree, without bytes.
    fn visible(look: &Look, id: InodeId) -> Self {
        let layer = look.provenance.origin(id).layer;
        let file_type = look.tree.inode(id).content.file_type();
        Self { size: 0, sum: 0, layer, change: None, file_type, now: Some(id) }
    }
}

/// Returns the last layer's change that put each path which the merged tree does not have.
fn gone(look: &Look) -> HashMap<&EntryPath, &PathChange> {
    let puts = look.provenance.changes().iter().filter(|change| change.kind != ChangeKind::Removed);
    let mut last = HashMap::new();
    last.extend(
        puts.filter(|change| look.tree.get(&change.path).is_none()).map(|change| (&change.path, change)),
    );
    last
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

/// Finds what is at a path.
struct Places<'a> {
    look: &'a Look,
    layer: Option<usize>,
    /// Empty where the query is for a layer, or for the merged tree alone.
    gone: HashMap<&'a EntryPath, &'a PathChange>,
}

impl<'a> Places<'a> {
    fn new(look: &'a Look, query: &Query) -> Self {
        let has_gone = query.layer.is_none() && (query.wasted || query.name.is_some());
        Self { look, layer: query.layer, gone: if has_gone { gone(look) } else { HashMap::new() } }
    }

    /// Returns a path, without bytes: as it is in the merged tree, or was last. In a layer, it is a directory
    /// above its changes.
    fn at(&self, path: &EntryPath) -> Found {
        let now = self.look.tree.get(path);
        let last = self.gone.get(path).map(|change| (change.layer, change.file_type));
        match (self.layer, now) {
            (None, Some(id)) => Found::visible(self.look, id),
            (layer, now) => {
                let (last, file_type) = last.unwrap_or((0, FileType::Dir));
                Found { size: 0, sum: 0, layer: layer.unwrap_or(last), change: None, file_type, now }
            }
        }
    }
}

/// Builds the nodes of a table from paths.
struct Builder<'a> {
    places: Places<'a>,
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

impl Builder<'_> {
    fn add(&mut self, path: &EntryPath, found: Found) {
        if found.size > 0 || found.now.is_some() && found.file_type == FileType::File {
            self.files += 1;
        }
        self.bytes += found.sum;
        self.found.insert(Ordered(path.clone()), found);
    }

    fn finish(self, query: Query, hidden: &BTreeMap<EntryPath, u64>) -> Table {
        let root = self.places.at(&EntryPath::root());
        let mut nodes = Nodes { places: self.places, nodes: Vec::new(), open: Vec::new() };
        nodes.push(None, root);
        nodes.nodes[0].hidden = hidden.get(&EntryPath::root()).copied().unwrap_or(0);
        for (Ordered(path), found) in self.found {
            nodes.put(&path, found, hidden);
        }
        Table { query, nodes: nodes.close(0), files: self.files, bytes: self.bytes }
    }
}

struct Nodes<'a> {
    places: Places<'a>,
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
        // The directories above that do not match themselves.
        let mut above = EntryPath::root();
        for (at, name) in names.iter().enumerate().take(names.len().saturating_sub(1)) {
            above = above.join(*name);
            if at >= common {
                self.push(Some((*name).into()), self.places.at(&above));
            }
        }
        let (size, sum, hides) = (found.size, found.sum, hidden.get(path).copied().unwrap_or(0));
        if common < names.len() {
            self.push(names.last().map(|name| (*name).into()), found);
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

    /// Adds a node below the last one.
    fn push(&mut self, name: Option<NameBuf>, found: Found) {
        let parent = self.open.last().copied().unwrap_or(0);
        let number = self.nodes.len();
        if number > 0 {
            self.nodes[parent].entries += 1;
        }
        let Found { layer, change, file_type, now, .. } = found;
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
            file_type,
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
