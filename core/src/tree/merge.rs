//! Merging layers into a tree by the rules of the image-spec (layer.md, "Applying Changesets"), the same in
//! memory and on disk.
//!
//! [`Merge`] decides on the [`Tree`] alone what a change means, and sends the resulting operations to a
//! [`TreeSink`]. So a manifest written from the tree equals the disk by construction, without reading the
//! disk.
//!
//! Whiteouts hide what *lower* layers have, wherever in the archive they are: the merge
//! keeps track of what the current layer put, and which directories it passed through. A lower directory that
//! is hidden, but that the layer also writes to, becomes an implied directory again.

mod sink;

use std::{
    collections::{BTreeSet, HashSet},
    io::Read,
};

pub(crate) use self::sink::path_of;
pub use self::sink::{PathStep, Slot, TreeSink};
use super::{Content, InodeId, Tree};
use crate::{
    attrs::{Attrs, SharedXattrs},
    error::{Error, Result},
    hash::{Sha256, Sha256Read},
    layer::{Change, ChangeSink, Entry, EntryKind, LostLists},
    limits::Limits,
    name::{EntryPath, Name, NameBuf},
};

/// A [`ChangeSink`] that merges changesets, layer by layer.
#[derive(Debug)]
pub struct Merge<S> {
    tree: Tree,
    /// The attributes of implied directories.
    implied: Attrs,
    sink: S,
    limits: Limits,
    keep_dirlinks: bool,
    layer: u32,
    /// Bytes of the extended attributes of all entries so far.
    shared: SharedXattrs,
    /// For each inode, the last layer that put it or passed through it.
    marks: Vec<Mark>,
    /// Names that this layer added to inodes of lower layers.
    links: HashSet<(InodeId, NameBuf)>,
    /// Symbolic links of lower layers that this layer wrote through.
    followed: HashSet<InodeId>,
    /// Whiteouts behind a link of a lower layer. Whether the link is kept is known at the end of the layer.
    deferred: BTreeSet<Whiteout>,
    /// Whether those are being applied.
    ending: bool,
    /// The digest of the next file, if its content is not available and the digest is known.
    known: Option<Option<Sha256>>,
    /// The path to the directory of the current entry, reused for the next one.
    at: Vec<PathStep>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Mark {
    layer: u32,
    put: bool,
}

/// A whiteout.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Whiteout {
    Remove(EntryPath),
    Clear(EntryPath),
}

/// The links that are followed along the path to a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// All of them; missing directories are created.
    Create,
    /// All of them.
    All,
    /// Those of lower layers, since a whiteout removes only their entries.
    Lower,
}

/// The effect of a whiteout on an entry of a directory.
enum Fate {
    Keep,
    /// A lower directory that this layer wrote to: becomes an implied one.
    Reset,
    Remove,
}

impl<S: TreeSink> Merge<S> {
    /// Starts from a tree (an empty one, or the state on disk) and a sink that has the same state.
    pub fn new(tree: Tree, sink: S, limits: &Limits) -> Self {
        Self {
            tree,
            implied: Attrs::implied_dir(),
            sink,
            limits: *limits,
            keep_dirlinks: false,
            layer: 1,
            shared: SharedXattrs::default(),
            marks: Vec::new(),
            links: HashSet::new(),
            followed: HashSet::new(),
            deferred: BTreeSet::new(),
            ending: false,
            known: None,
            at: Vec::new(),
        }
    }

    /// Starts from the state on disk, with these attributes for implied directories.
    pub fn over(tree: Tree, implied: Attrs, sink: S, limits: &Limits) -> Self {
        Self { implied, ..Self::new(tree, sink, limits) }
    }

    /// Starts from an empty tree, with these attributes for the root and implied directories.
    pub fn implying(implied: Attrs, sink: S, limits: &Limits) -> Self {
        let mut tree = Tree::new();
        tree.inode_mut(Tree::ROOT).attrs = implied.clone();
        Self::over(tree, implied, sink, limits)
    }

    /// Sets whether a symbolic link of a lower layer to a directory stays if a layer has a directory of its
    /// name. The attributes are then those of the target, as with `rsync --keep-dirlinks`. The specification
    /// requires the opposite.
    #[must_use]
    pub fn keep_dirlinks(mut self, keep: bool) -> Self {
        self.keep_dirlinks = keep;
        self
    }

    /// Ends the current layer. The next changes are those of the next layer.
    ///
    /// # Errors
    /// Fails if [`TreeSink::end_layer`] does, or a whiteout cannot be applied.
    pub fn next_layer(&mut self) -> Result<()> {
        self.apply_deferred()?;
        self.sink.end_layer(&self.tree)?;
        self.layer += 1;
        self.links.clear();
        self.followed.clear();
        Ok(())
    }

    /// Applies a change from an index, where the content is not available and the digest may be known.
    ///
    /// # Errors
    /// Fails as [`ChangeSink::put`] does; with [`Error::Misuse`] if the sink needs the content.
    pub fn put_without_content(&mut self, change: &Change, content: Option<Sha256>) -> Result<()> {
        self.known = Some(content);
        let result = self.put(change, &mut std::io::empty());
        self.known = None;
        result
    }

    /// Adds what the reader of a layer could not keep to the tree.
    pub(crate) fn lose(&mut self, lost: LostLists) {
        self.tree.lost.extend(lost);
    }

    /// Returns the current tree.
    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Finishes the sink, and returns the tree and the sink.
    ///
    /// # Errors
    /// Fails if [`TreeSink::finish`] does.
    pub fn finish(mut self) -> Result<(Tree, S)> {
        self.finish_sink()?;
        Ok((self.tree, self.sink))
    }

    pub(crate) fn finish_sink(&mut self) -> Result<()> {
        self.sink.finish(&self.tree)
    }

    pub(crate) fn into_sink(self) -> S {
        self.sink
    }

    fn put_entry(&mut self, entry: &Entry, body: &mut dyn Read) -> Result<()> {
        let Some((dir, name)) = entry.path.split_last() else { return self.put_root(entry) };
        let target = match &entry.kind {
            EntryKind::HardLink { to } => Some(self.link_target(&entry.path, to)?),
            _ => None,
        };
        self.enter(&dir)?;
        let parent = self.here();
        if let Some(old) = self.tree.child(parent, name) {
            if entry.kind == EntryKind::Dir && self.tree.entries(old).is_some() {
                self.tree.inode_mut(old).attrs = entry.attrs.clone();
                self.mark(old, true);
                return self.sink.reput(Slot::new(&self.at, name, old), &self.tree.inode(old).content);
            }
            if let Some((_, _, id)) = target
                && id == old
            {
                self.links.insert((parent, name.into()));
                return self.sink.reput(Slot::new(&self.at, name, id), &self.tree.inode(id).content);
            }
            if entry.kind == EntryKind::Dir && self.keep_dirlinks && self.put_behind_link(entry, &dir, old)? {
                return Ok(());
            }
            self.remove_child(name)?;
        }
        let mut attrs = entry.attrs.clone();
        let content = match &entry.kind {
            EntryKind::HardLink { .. } => {
                return target.map_or(Ok(()), |target| self.put_link(&entry.path, name, target));
            }
            EntryKind::File { size } => return self.put_file(entry, name, *size, body),
            EntryKind::Dir => {
                let id = self.insert(name, attrs, Content::Dir(Default::default()))?;
                return self.sink.dir(Slot::new(&self.at, name, id));
            }
            EntryKind::Symlink { target } => {
                attrs.mode = 0o777; // as on every system, whatever the archive says
                Content::Symlink(target.clone())
            }
            EntryKind::Char { major, minor } => Content::Char(*major, *minor),
            EntryKind::Block { major, minor } => Content::Block(*major, *minor),
            EntryKind::Fifo => Content::Fifo,
        };
        let id = self.insert(name, attrs, content)?;
        let inode = self.tree.inode(id);
        self.sink.special(Slot::new(&self.at, name, id), &inode.attrs, &inode.content)
    }

    /// Sets the attributes of the directory that a link of a lower layer points to; `false` if it does not
    /// point to one.
    fn put_behind_link(&mut self, entry: &Entry, parent: &EntryPath, link: InodeId) -> Result<bool> {
        let is_link = matches!(self.tree.inode(link).content, Content::Symlink(_));
        if !is_link || self.mark_of(link).layer == self.layer {
            return Ok(false);
        }
        match self.follow(&entry.path) {
            Ok(true) => {
                self.enter(&entry.path)?;
                let id = self.here();
                self.tree.inode_mut(id).attrs = entry.attrs.clone();
                self.mark(id, true);
                if let Some(slot) = Slot::of_dir(&self.at) {
                    self.sink.reput(slot, &self.tree.inode(id).content)?;
                }
                Ok(true)
            }
            // A dangling or circular link is replaced.
            Ok(false) | Err(Error::Limit { name: "links", .. }) => self.enter(parent).map(|()| false),
            Err(error) => Err(error),
        }
    }

    fn put_root(&mut self, entry: &Entry) -> Result<()> {
        if entry.kind != EntryKind::Dir {
            return Err(Error::layer("entry for the root", "is not a directory"));
        }
        self.tree.inode_mut(Tree::ROOT).attrs = entry.attrs.clone();
        self.mark(Tree::ROOT, true);
        Ok(())
    }

    fn put_file(&mut self, entry: &Entry, name: Name<'_>, size: u64, body: &mut dyn Read) -> Result<()> {
        let known = self.known.take();
        let sha256 = known.flatten();
        let id = self.insert(name, entry.attrs.clone(), Content::File { size, sha256 })?;
        if known.is_some() {
            return self.sink.file_without_content(Slot::new(&self.at, name, id), size);
        }
        let mut hashed = Sha256Read::new(body);
        self.sink.file(Slot::new(&self.at, name, id), &entry.attrs, &mut hashed)?;
        let (read, digest) = hashed.finish();
        if read != size {
            let reason = format!("the content has {read} bytes instead of {size}");
            return Err(Error::layer(entry.path.to_string(), reason));
        }
        self.tree.inode_mut(id).content = Content::File { size, sha256: Some(digest) };
        Ok(())
    }

    /// Finds the inode of a hard link's target. Links in its directories are followed, but not the last name.
    fn link_target(&mut self, path: &EntryPath, to: &EntryPath) -> Result<(Vec<PathStep>, NameBuf, InodeId)> {
        let refuse = |reason: &str| Err(Error::layer(format!("{path} (hard link to {to})"), reason));
        if path == to {
            return refuse("the link points to itself");
        }
        let Some((dir, name)) = to.split_last() else { return refuse("the target is the root directory") };
        if !self.follow(&dir)? {
            return refuse("target not found in lower layers or earlier in this layer");
        }
        let Some(id) = self.tree.child(self.here(), name) else {
            return refuse("target not found in lower layers or earlier in this layer");
        };
        if self.tree.entries(id).is_some() {
            return refuse("the target is a directory");
        }
        Ok((self.at.clone(), name.into(), id))
    }

    fn put_link(
        &mut self,
        path: &EntryPath,
        name: Name<'_>,
        (from, from_name, id): (Vec<PathStep>, NameBuf, InodeId),
    ) -> Result<()> {
        // Making room for the link may have removed its target, if that was below the replaced entry.
        let parent = from.last().map_or(Tree::ROOT, |(id, _)| *id);
        let resolved = from.iter().try_fold(Tree::ROOT, |dir, (id, name)| {
            (self.tree.child(dir, name.as_name()) == Some(*id)).then_some(*id)
        });
        let there = resolved.is_some() && self.tree.child(parent, from_name.as_name()) == Some(id);
        // The id of a removed inode may be reused by a directory on the path to the link.
        if !there || self.tree.entries(id).is_some() {
            return Err(Error::layer(
                path.to_string(),
                "the hard link replaces its target, or a directory above it",
            ));
        }
        self.sink.link(Slot::new(&self.at, name, id), Slot::new(&from, from_name.as_name(), id))?;
        let here = self.here();
        self.tree.link(here, name, id);
        if self.mark_of(id).layer != self.layer {
            self.links.insert((here, name.into()));
        }
        Ok(())
    }

    fn remove_path(&mut self, path: &EntryPath) -> Result<()> {
        let Some((dir, name)) = path.split_last() else {
            return Err(Error::layer("whiteout", "cannot remove the root directory"));
        };
        if !self.go_lower(&dir, || Whiteout::Remove(path.clone()))? {
            return Ok(());
        }
        let Some(id) = self.tree.child(self.here(), name) else { return Ok(()) };
        match self.fate(self.here(), name, id) {
            Fate::Keep => self.clear_below(id, name),
            Fate::Reset => self.reset(id, name),
            Fate::Remove => self.remove_child(name),
        }
    }

    fn clear_lower(&mut self, path: &EntryPath) -> Result<()> {
        match self.go_lower(path, || Whiteout::Clear(path.clone()))? {
            true => self.clear_here(),
            false => Ok(()),
        }
    }

    /// Changes to the directory of a whiteout; `false` if it does not exist, or if the whiteout was deferred.
    fn go_lower(&mut self, dir: &EntryPath, whiteout: impl FnOnce() -> Whiteout) -> Result<bool> {
        let links = self.go(dir, Way::Lower)?;
        match links {
            Some(1..) if !self.ending => {
                self.deferred.insert(whiteout());
                Ok(false)
            }
            found => Ok(found.is_some()),
        }
    }

    /// Applies the whiteouts behind links of lower layers, in an order that does not depend on the archive.
    fn apply_deferred(&mut self) -> Result<()> {
        self.ending = true;
        let result = std::mem::take(&mut self.deferred).iter().try_for_each(|whiteout| match whiteout {
            Whiteout::Remove(path) => self.remove_path(path),
            Whiteout::Clear(path) => self.clear_lower(path),
        });
        self.ending = false;
        result
    }

    /// Removes from the current directory, and everything below it, what only lower layers have.
    fn clear_here(&mut self) -> Result<()> {
        self.sink.clear(&self.at)?;
        let here = self.here();
        let Some(entries) = self.tree.entries(here) else { return Ok(()) };
        let entries: Vec<(NameBuf, InodeId)> = entries.iter().map(|(name, id)| (name.clone(), *id)).collect();
        for (name, id) in entries {
            match self.fate(here, name.as_name(), id) {
                Fate::Keep => self.clear_below(id, name.as_name())?,
                Fate::Reset => self.reset(id, name.as_name())?,
                Fate::Remove => self.remove_child(name.as_name())?,
            }
        }
        Ok(())
    }

    fn clear_below(&mut self, id: InodeId, name: Name<'_>) -> Result<()> {
        if self.tree.entries(id).is_none() {
            return Ok(());
        }
        self.at.push((id, name.into()));
        let result = self.clear_here();
        self.at.pop();
        result
    }

    fn reset(&mut self, id: InodeId, name: Name<'_>) -> Result<()> {
        self.tree.inode_mut(id).attrs = self.implied.clone();
        self.clear_below(id, name)
    }

    fn fate(&self, dir: InodeId, name: Name<'_>, id: InodeId) -> Fate {
        let mark = self.mark_of(id);
        if mark.layer == self.layer && mark.put {
            Fate::Keep
        } else if mark.layer == self.layer {
            Fate::Reset
        } else if !self.links.is_empty() && self.links.contains(&(dir, name.into())) {
            Fate::Keep
        } else {
            Fate::Remove
        }
    }

    /// Removes an entry of the current directory from the tree and the sink.
    fn remove_child(&mut self, name: Name<'_>) -> Result<()> {
        let here = self.here();
        let Some(id) = self.tree.child(here, name) else { return Ok(()) };
        if !self.followed.is_empty() {
            self.refuse_if_followed(id, name)?;
        }
        self.sink.remove(Slot::new(&self.at, name, id), &self.tree.inode(id).content)?;
        self.tree.remove(here, name);
        Ok(())
    }

    /// Refuses a layer that writes through a link of a lower layer and hides that link afterwards: its
    /// meaning would depend on the order of its entries. No tool makes such a layer, and guessing would let
    /// readers see different file systems.
    fn refuse_if_followed(&self, id: InodeId, name: Name<'_>) -> Result<()> {
        let mut pending = vec![id];
        while let Some(id) = pending.pop() {
            if self.followed.contains(&id) && self.mark_of(id).layer != self.layer {
                let reason = "removes a symbolic link of a lower layer after writing through it";
                return Err(Error::layer(self.at_path(name), reason));
            }
            pending.extend(self.tree.entries(id).into_iter().flat_map(|entries| entries.values().copied()));
        }
        Ok(())
    }

    /// Changes to a directory, following links inside the root and creating missing directories.
    fn enter(&mut self, dir: &EntryPath) -> Result<()> {
        self.go(dir, Way::Create)?;
        for index in 0..self.at.len() {
            let id = self.at[index].0;
            if self.mark_of(id).layer != self.layer {
                self.mark(id, false);
            }
        }
        Ok(())
    }

    /// Changes to a directory, following links inside the root; `false` if it does not exist.
    fn follow(&mut self, dir: &EntryPath) -> Result<bool> {
        Ok(self.go(dir, Way::All)?.is_some())
    }

    /// Sets `at` to the steps to `dir`, reusing the steps they have in common. Returns how many links were
    /// followed; `None` if it does not exist.
    fn go(&mut self, dir: &EntryPath, way: Way) -> Result<Option<usize>> {
        let mut names = dir.names();
        let mut pending: Vec<Box<[u8]>> = Vec::new();
        let mut depth = 0_usize;
        let mut links = 0;
        loop {
            let of_link = pending.pop();
            let part = match (&of_link, of_link.is_none().then(|| names.next()).flatten()) {
                (Some(part), _) => part,
                (None, Some(name)) => name.as_bytes(),
                (None, None) => break,
            };
            match part {
                b"" | b"." => continue,
                b".." => {
                    depth = depth.saturating_sub(1);
                    continue;
                }
                _ => {}
            }
            let name = Name::new(part).map_err(|error| Error::layer(dir.to_string(), error.to_string()))?;
            let here = if depth == 0 { Tree::ROOT } else { self.at[depth - 1].0 };
            let child = self.tree.child(here, name);
            let content = child.map(|id| &self.tree.inode(id).content);
            let id = match (child, content) {
                (Some(id), Some(Content::Dir(_))) => id,
                (Some(id), Some(Content::Symlink(target))) => {
                    if way == Way::Lower && self.is_of_layer(here, name, id) {
                        return Ok(None);
                    }
                    links += 1;
                    if links > self.limits.links {
                        let what = format!("{dir}: symbolic links followed");
                        return Err(Error::limit(what, "links", self.limits.links as u64));
                    }
                    if target.first() == Some(&b'/') {
                        depth = 0;
                    }
                    pending.extend(target.rsplit(|&byte| byte == b'/').map(Into::into));
                    if way == Way::Create && self.mark_of(id).layer != self.layer {
                        self.followed.insert(id);
                    }
                    continue;
                }
                _ if way != Way::Create => return Ok(None),
                (in_the_way, _) => {
                    self.at.truncate(depth);
                    if in_the_way.is_some() {
                        self.remove_child(name)?;
                    }
                    let id = self.insert(name, self.implied.clone(), Content::Dir(Default::default()))?;
                    self.mark(id, false);
                    self.sink.dir(Slot::new(&self.at, name, id))?;
                    id
                }
            };
            if self
                .at
                .get(depth)
                .is_none_or(|(known, known_name)| *known != id || known_name.as_name() != name)
            {
                self.at.truncate(depth);
                self.at.push((id, name.into()));
            }
            depth += 1;
            // Through links, a tree can become deeper than any single path; recursion over it must not
            // overflow the stack.
            if depth > self.limits.path / 2 {
                let what = format!("{dir}: path with its links followed");
                return Err(Error::limit(what, "path", self.limits.path as u64));
            }
        }
        self.at.truncate(depth);
        Ok(Some(links))
    }

    /// Returns whether the current layer put an entry, or gave it this name.
    fn is_of_layer(&self, dir: InodeId, name: Name<'_>, id: InodeId) -> bool {
        let mark = self.mark_of(id);
        mark.layer == self.layer && mark.put || self.links.contains(&(dir, name.into()))
    }

    fn insert(&mut self, name: Name<'_>, attrs: Attrs, content: Content) -> Result<InodeId> {
        let id = self
            .tree
            .insert(self.here(), name, attrs, content)
            .ok_or_else(|| Error::limit(self.at_path(name), "entries", u64::from(u32::MAX)))?;
        self.mark(id, true);
        Ok(id)
    }

    fn here(&self) -> InodeId {
        self.at.last().map_or(Tree::ROOT, |(id, _)| *id)
    }

    fn at_path(&self, name: Name<'_>) -> String {
        path_of(&self.at).join(name).to_string()
    }

    fn mark_of(&self, id: InodeId) -> Mark {
        self.marks.get(id.index()).copied().unwrap_or_default()
    }

    fn mark(&mut self, id: InodeId, put: bool) {
        if self.marks.len() <= id.index() {
            self.marks.resize(id.index() + 1, Mark::default());
        }
        self.marks[id.index()] = Mark { layer: self.layer, put };
    }
}

impl<S: TreeSink> ChangeSink for Merge<S> {
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> Result<()> {
        match change {
            Change::Put(entry) if entry.attrs.xattrs.is_empty() => self.put_entry(entry, body),
            Change::Put(entry) => {
                let mut entry = entry.clone();
                if self.shared.share(&mut entry.attrs.xattrs) > self.limits.xattrs {
                    let what = format!("layer {}: extended attributes", self.layer);
                    return Err(Error::limit(what, "xattrs", self.limits.xattrs));
                }
                self.put_entry(&entry, body)
            }
            Change::Remove(path) => self.remove_path(path),
            Change::ClearLower(path) => self.clear_lower(path),
        }
    }
}

#[cfg(test)]
mod tests;
