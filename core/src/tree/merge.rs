//! Layers onto a tree: the merge rules of the image-spec (layer.md, "Applying Changesets"), once for memory and disk.
//!
//! [`Merge`] decides on the [`Tree`] alone what a change means, and tells a [`TreeSink`] the plain operations that follow
//! from it. So a manifest written from the tree equals the disk by construction, and the disk is never asked.
//!
//! Whiteouts and opaque markers hide what *lower* layers have, wherever in the archive they stand: the merge remembers
//! what the current layer put, and which directories it only passed through. A lower directory that a marker hides, but
//! that the layer also writes below, becomes an implied one again.

mod sink;

use std::{collections::HashSet, io::Read};

pub(crate) use self::sink::path_of;
pub use self::sink::{PathStep, Slot, TreeSink};
use super::{Content, InodeId, Tree};
use crate::{
    attrs::Attrs,
    error::{Error, Result},
    hash::{Sha256, Sha256Read},
    layer::{Change, ChangeSink, Entry, EntryKind},
    limits::Limits,
    name::{EntryPath, Name, NameBuf},
};

/// Applies changesets, layer by layer. A [`ChangeSink`].
#[derive(Debug)]
pub struct Merge<S> {
    tree: Tree,
    /// The attributes of directories that a layer implies.
    implied: Attrs,
    sink: S,
    limits: Limits,
    keep_dirlinks: bool,
    layer: u32,
    /// Per inode: the last layer that put it or went through it.
    marks: Vec<Mark>,
    /// Names this layer gave to inodes of lower layers.
    links: HashSet<(InodeId, NameBuf)>,
    /// Symbolic links of lower layers that this layer wrote through.
    followed: HashSet<InodeId>,
    /// What is known of the content of the next file, if it is not at hand.
    known: Option<Option<Sha256>>,
    /// The way to the directory of the current entry, kept from one entry to the next.
    at: Vec<PathStep>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Mark {
    layer: u32,
    put: bool,
}

/// What a marker does to one entry of a directory.
enum Fate {
    Keep,
    /// A lower directory that this layer wrote below.
    Reset,
    Remove,
}

impl<S: TreeSink> Merge<S> {
    /// Starts from a tree (an empty one, or what is on disk already) and a mirror that shows the same.
    pub fn new(tree: Tree, sink: S, limits: &Limits) -> Self {
        Self {
            tree,
            implied: Attrs::implied_dir(),
            sink,
            limits: *limits,
            keep_dirlinks: false,
            layer: 1,
            marks: Vec::new(),
            links: HashSet::new(),
            followed: HashSet::new(),
            known: None,
            at: Vec::new(),
        }
    }

    /// Starts from what is on disk already, with these attributes of directories that a layer implies.
    pub fn over(tree: Tree, implied: Attrs, sink: S, limits: &Limits) -> Self {
        Self { implied, ..Self::new(tree, sink, limits) }
    }

    /// Starts from an empty tree, with these attributes of directories that a layer implies, and of the root.
    pub fn implying(implied: Attrs, sink: S, limits: &Limits) -> Self {
        let mut tree = Tree::new();
        tree.inode_mut(Tree::ROOT).attrs = implied.clone();
        Self::over(tree, implied, sink, limits)
    }

    /// Whether a symbolic link of a lower layer stays where a layer has a directory of its name, if it leads to a directory. That
    /// directory gets the attributes then, as with `rsync --keep-dirlinks`. The specification asks for the opposite.
    #[must_use]
    pub fn keep_dirlinks(mut self, keep: bool) -> Self {
        self.keep_dirlinks = keep;
        self
    }

    /// Ends the current layer: what it put is lower from now on.
    ///
    /// # Errors
    /// Those of [`TreeSink::end_layer`].
    pub fn next_layer(&mut self) -> Result<()> {
        self.sink.end_layer(&self.tree)?;
        self.layer += 1;
        self.links.clear();
        self.followed.clear();
        Ok(())
    }

    /// Applies a change whose content is not at hand, with its digest if that is known, as an index of the layer has it.
    ///
    /// # Errors
    /// As [`ChangeSink::put`]; [`Error::Misuse`] if the mirror needs the content.
    pub fn put_known(&mut self, change: &Change, content: Option<Sha256>) -> Result<()> {
        self.known = Some(content);
        let result = self.put(change, &mut std::io::empty());
        self.known = None;
        result
    }

    /// The tree as it is now.
    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Finishes the mirror and gives both back.
    ///
    /// # Errors
    /// Those of [`TreeSink::finish`].
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
                attrs.mode = 0o777; // what every system gives a link, whatever the archive says
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

    /// Gives the directory that a link of a lower layer leads to the attributes of an entry; `false` if it leads to none.
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
            // A link that leads nowhere, or in a circle: as if nobody had asked.
            Ok(false) | Err(Error::Limit { name: "links", .. }) => self.enter(parent).map(|()| false),
            Err(error) => Err(error),
        }
    }

    fn put_root(&mut self, entry: &Entry) -> Result<()> {
        if entry.kind != EntryKind::Dir {
            return Err(Error::layer("entry for the root", "is no directory: the root can be nothing else"));
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
            let reason = format!("content has {read} bytes where {size} were announced");
            return Err(Error::layer(entry.path.to_string(), reason));
        }
        self.tree.inode_mut(id).content = Content::File { size, sha256: Some(digest) };
        Ok(())
    }

    /// Finds the inode a hard link means: parents resolved like any path, the last name not followed.
    fn link_target(&mut self, path: &EntryPath, to: &EntryPath) -> Result<(Vec<PathStep>, NameBuf, InodeId)> {
        let refuse = |reason: &str| Err(Error::layer(format!("{path} (hard link to {to})"), reason));
        if path == to {
            return refuse("the link names itself");
        }
        let Some((dir, name)) = to.split_last() else { return refuse("the target is the root directory") };
        if !self.follow(&dir)? {
            return refuse("the target is not there: neither a lower layer nor this one, up to here, has it");
        }
        let Some(id) = self.tree.child(self.here(), name) else {
            return refuse("the target is not there: neither a lower layer nor this one, up to here, has it");
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
        // Making room for the link may have removed its target: it lay below what the link replaces.
        let parent = from.last().map_or(Tree::ROOT, |(id, _)| *id);
        let way = from.iter().try_fold(Tree::ROOT, |dir, (id, name)| {
            (self.tree.child(dir, name.as_name()) == Some(*id)).then_some(*id)
        });
        let there = way.is_some() && self.tree.child(parent, from_name.as_name()) == Some(id);
        // The number of an inode that went may be that of a directory made on the way to the link.
        if !there || self.tree.entries(id).is_some() {
            return Err(Error::layer(
                path.to_string(),
                "the hard link replaces its target, or the directory that is in",
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
            return Err(Error::layer("whiteout", "names the root directory"));
        };
        if !self.follow(&dir)? {
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
        if self.follow(path)? { self.clear_here() } else { Ok(()) }
    }

    /// Removes from the current directory what only lower layers have, and below it likewise.
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

    /// Removes an entry of the current directory, in tree and mirror.
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

    /// An archive that writes through a lower link and hides that link afterwards would mean something else in another
    /// order. No tool makes such a layer; guessing would let one image be two.
    fn refuse_if_followed(&self, id: InodeId, name: Name<'_>) -> Result<()> {
        let mut pending = vec![id];
        while let Some(id) = pending.pop() {
            if self.followed.contains(&id) && self.mark_of(id).layer != self.layer {
                let reason =
                    "a symbolic link of a lower layer is removed after entries were written through it";
                return Err(Error::layer(self.at_path(name), reason));
            }
            pending.extend(self.tree.entries(id).into_iter().flat_map(|entries| entries.values().copied()));
        }
        Ok(())
    }

    /// Goes to a directory, following links inside the root and making what is missing.
    fn enter(&mut self, dir: &EntryPath) -> Result<()> {
        self.go(dir, true).map(drop)?;
        for index in 0..self.at.len() {
            let id = self.at[index].0;
            if self.mark_of(id).layer != self.layer {
                self.mark(id, false);
            }
        }
        Ok(())
    }

    /// Goes to a directory, following links inside the root; `false` if it is not there.
    fn follow(&mut self, dir: &EntryPath) -> Result<bool> {
        self.go(dir, false)
    }

    /// `at` becomes the way to `dir`. What it holds already is taken over as far as it fits.
    fn go(&mut self, dir: &EntryPath, create: bool) -> Result<bool> {
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
                    links += 1;
                    if links > self.limits.links {
                        let what = format!("{dir}: symbolic links followed");
                        return Err(Error::limit(what, "links", self.limits.links as u64));
                    }
                    if target.first() == Some(&b'/') {
                        depth = 0;
                    }
                    pending.extend(target.rsplit(|&byte| byte == b'/').map(Into::into));
                    if create && self.mark_of(id).layer != self.layer {
                        self.followed.insert(id);
                    }
                    continue;
                }
                _ if !create => return Ok(false),
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
            // Through links a tree can grow deeper than any one path is long; what walks it must not overflow.
            if depth > self.limits.path / 2 {
                let what = format!("{dir}: path with its links followed");
                return Err(Error::limit(what, "path", self.limits.path as u64));
            }
        }
        self.at.truncate(depth);
        Ok(true)
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
            Change::Put(entry) => self.put_entry(entry, body),
            Change::Remove(path) => self.remove_path(path),
            Change::ClearLower(path) => self.clear_lower(path),
        }
    }
}

#[cfg(test)]
mod tests;
