//! Comparison of a tree with a directory on disk, as a stream of changes. Applied to the tree, the changes
//! yield the directory.
//!
//! A file with the inode and ctime it was unpacked with is unchanged, and is not read. Where that is unknown,
//! attributes are compared first, and the content last.

use std::{
    collections::HashMap,
    io::{self, Read},
};

use super::{
    Content, Inode, InodeId, Tree,
    rootfs::Stamp,
    seen::{attrs, keep_system_xattrs, mode, own_xattrs},
};
use crate::{
    attrs::{Attrs, Time, Xattrs},
    error::{Error, Result},
    fs::{Dir, File as _, FileType, Metadata, SkipHoles},
    hash::Sha256Read,
    layer::{Change, ChangeSink, Entry, EntryKind},
    limits::Limits,
    name::{EntryPath, Name, NameBuf},
};

/// The state of a directory when its stamps were taken.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "three things that belong together")]
pub struct Baseline<'a> {
    /// The tree as it was.
    pub tree: &'a Tree,
    /// The stamp of each inode, by [`InodeId::index`]; empty if everything must be read.
    pub stamps: &'a [Stamp],
    /// Stamps with a ctime before this prove that nothing changed. A stamp as young as this does not: the
    /// clock of a file system ticks slowly, and the file may have changed again within the same tick.
    pub settled: Time,
}

impl<'a> Baseline<'a> {
    /// Returns a baseline without stamps: everything is read and compared.
    #[must_use]
    pub fn unstamped(tree: &'a Tree) -> Self {
        Self { tree, stamps: &[], settled: Time::EPOCH }
    }
}

/// Options of [`diff`].
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::exhaustive_structs, reason = "made with struct update syntax")]
pub struct DiffOptions<'a> {
    /// Paths to leave out, with everything below them.
    pub masked: &'a [EntryPath],
    /// Whether to collect [`DiffSummary::learned`].
    pub learn: bool,
    /// Limits on paths.
    pub limits: Limits,
}

/// The result of [`diff`] besides the changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct DiffSummary {
    /// Number of changes sent.
    pub changes: u64,
    /// Sockets, which are left out: layers cannot hold them.
    pub sockets: Vec<EntryPath>,
    /// Stamps of entries that had to be read, so that the next comparison need not read them again; empty
    /// unless [`DiffOptions::learn`] is set.
    pub learned: Learned,
}

/// Stamps of entries as they were before they were read: an entry that changes later has another stamp.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Learned {
    /// The new stamps of unchanged entries whose old stamp did not prove it; by inode of the old tree.
    pub unchanged: Vec<(InodeId, Stamp)>,
    /// The stamps of entries that were sent; for a file with several names, by the first.
    pub sent: Vec<(EntryPath, Stamp)>,
}

/// Sends the changes that turn `baseline` into what is in `root` now: whiteouts before their siblings,
/// parents before children, siblings in byte order.
///
/// The time of the root directory alone is not a change: it moves when anything next to it does.
///
/// # Errors
/// [`Error::Io`] naming the path; those of the sink.
pub fn diff<D: Dir>(
    baseline: Baseline<'_>,
    root: &D,
    options: &DiffOptions<'_>,
    sink: &mut dyn ChangeSink,
) -> Result<DiffSummary> {
    let mut differ = Differ::new(baseline, root, options, sink);
    differ.root_attrs()?;
    differ.dir(root, &EntryPath::root(), Some(Tree::ROOT))?;
    Ok(differ.summary)
}

/// Sends a single entry of a directory, as a change that puts it at `path`.
///
/// # Errors
/// Fails with [`Error::Unsupported`] for a socket, which layers cannot hold; [`Error::Misuse`] for a
/// directory; [`Error::Io`]; and errors of the sink.
pub fn send_entry<D: Dir>(
    dir: &D,
    name: Name<'_>,
    path: &EntryPath,
    limits: &Limits,
    sink: &mut dyn ChangeSink,
) -> Result<()> {
    let metadata = dir.metadata(name).map_err(Error::io(format_args!("stat {path}")))?;
    match metadata.file_type {
        FileType::Socket => return Err(Error::Unsupported("layers cannot hold sockets".into())),
        FileType::Dir => return Err(Error::Misuse("expected anything but a directory".into())),
        _ => {}
    }
    let nothing = Tree::new();
    let options = DiffOptions { limits: *limits, ..DiffOptions::default() };
    let mut differ = Differ::new(Baseline::unstamped(&nothing), dir, &options, sink);
    differ.put(dir, path.clone(), name, &metadata, None)
}

struct Differ<'a, D> {
    baseline: Baseline<'a>,
    root: &'a D,
    options: &'a DiffOptions<'a>,
    sink: &'a mut dyn ChangeSink,
    summary: DiffSummary,
    /// A new time of the root, sent only together with other changes.
    pending_root: Option<Change>,
    /// The decision about each file with several names, made at its first name.
    groups: HashMap<(u64, u64), Group>,
    /// The file on disk that each old inode with several names corresponds to.
    claims: HashMap<InodeId, (u64, u64)>,
    /// All names of all files with several, collected when first needed.
    names: Option<HashMap<(u64, u64), Vec<EntryPath>>>,
}

#[derive(Clone)]
enum Group {
    Unchanged,
    /// Sent under its first name; other names are hard links to it.
    Sent(EntryPath),
}

/// The knowledge about an entry from its stamp.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Same,
    Unsure,
}

impl<'a, D: Dir> Differ<'a, D> {
    fn new(
        baseline: Baseline<'a>,
        root: &'a D,
        options: &'a DiffOptions<'a>,
        sink: &'a mut dyn ChangeSink,
    ) -> Self {
        Self {
            baseline,
            root,
            options,
            sink,
            summary: DiffSummary::default(),
            pending_root: None,
            groups: HashMap::new(),
            claims: HashMap::new(),
            names: None,
        }
    }

    fn learn_unchanged(&mut self, id: InodeId, metadata: &Metadata) {
        if self.options.learn {
            self.summary.learned.unchanged.push((id, Stamp::from(metadata)));
        }
    }

    fn learn_sent(&mut self, path: &EntryPath, metadata: &Metadata) {
        if self.options.learn {
            self.summary.learned.sent.push((path.clone(), Stamp::from(metadata)));
        }
    }

    fn root_attrs(&mut self) -> Result<()> {
        let metadata = self.root.self_metadata().map_err(Error::io("stat the root"))?;
        if self.known(Tree::ROOT, &metadata) == Known::Same {
            return Ok(());
        }
        let mut xattrs = own_xattrs(self.root.self_xattrs().map_err(Error::io("read xattrs of the root"))?);
        let old = self.baseline.tree.inode(Tree::ROOT);
        keep_system_xattrs(&mut xattrs, Some(old), FileType::Dir);
        let old = &old.attrs;
        let attrs = attrs(&metadata, xattrs);
        let but_time = Attrs { mtime: old.mtime, ..attrs.clone() };
        if *old == attrs {
            self.learn_unchanged(Tree::ROOT, &metadata);
            return Ok(());
        }
        let only_time = *old == but_time;
        let change = Change::Put(Entry { path: EntryPath::root(), attrs, kind: EntryKind::Dir });
        if only_time {
            self.pending_root = Some(change);
            return Ok(());
        }
        self.learn_sent(&EntryPath::root(), &metadata);
        self.send(&change, &mut io::empty())
    }

    fn dir(&mut self, dir: &D, path: &EntryPath, old: Option<InodeId>) -> Result<()> {
        let names = dir.names().map_err(Error::io(format_args!("read directory /{path}")))?;
        // Both are in byte order, so one pass finds what stayed and what is gone.
        let mut entries = old.and_then(|id| self.baseline.tree.entries(id)).into_iter().flatten().peekable();
        let mut gone = Vec::new();
        let mut stayed = Vec::with_capacity(names.len());
        for name in &names {
            while let Some((old, _)) = entries.next_if(|(old, _)| *old < name) {
                gone.push(old);
            }
            stayed.push(entries.next_if(|(old, _)| *old == name).map(|(_, id)| *id));
        }
        gone.extend(entries.map(|(old, _)| old));
        for name in gone {
            let path = path.join(name.as_name());
            if !self.options.masked.contains(&path) {
                self.send(&Change::Remove(path), &mut io::empty())?;
            }
        }
        for (name, old) in names.iter().zip(stayed) {
            self.entry(dir, path, name.as_name(), old)?;
        }
        Ok(())
    }

    fn entry(&mut self, dir: &D, parent: &EntryPath, name: Name<'_>, old: Option<InodeId>) -> Result<()> {
        let metadata = dir
            .metadata(name)
            .map_err(|error| Error::io(format_args!("stat /{}", parent.join(name)))(error))?;
        let is_leaf = !matches!(metadata.file_type, FileType::Dir | FileType::Socket);
        if let Some(id) = old
            && is_leaf
            && metadata.nlink == 1
            && self.baseline.tree.inode(id).nlink == 1
            && self.known(id, &metadata) == Known::Same
        {
            return Ok(()); // most entries of most directories: not even a path is made for them
        }
        let path = parent.join(name);
        if self.options.masked.contains(&path) {
            return Ok(());
        }
        if path.as_bytes().len() > self.options.limits.path {
            return Err(Error::limit(format!("/{path}"), "path", self.options.limits.path as u64));
        }
        match metadata.file_type {
            FileType::Socket => {
                self.summary.sockets.push(path);
                Ok(())
            }
            FileType::Dir => {
                let old = old.filter(|&id| self.baseline.tree.entries(id).is_some());
                let known = old.map_or(Known::Unsure, |id| self.known(id, &metadata));
                let opened = dir.open_dir(name).map_err(Error::io(format_args!("open directory /{path}")))?;
                if known == Known::Unsure {
                    let attrs = self.attrs(dir, &path, name, &metadata, old)?;
                    match old {
                        Some(id) if self.same_dir(&opened, &path, id, &attrs)? => {
                            self.learn_unchanged(id, &metadata);
                        }
                        _ => {
                            self.learn_sent(&path, &metadata);
                            let entry = Entry { path: path.clone(), attrs, kind: EntryKind::Dir };
                            self.send(&Change::Put(entry), &mut io::empty())?;
                        }
                    }
                }
                self.dir(&opened, &path, old)
            }
            _ => {
                let several =
                    metadata.nlink > 1 || old.is_some_and(|id| self.baseline.tree.inode(id).nlink > 1);
                if several {
                    return self.linked(dir, path, name, &metadata, old);
                }
                if let Some(id) = old
                    && self.unchanged(dir, &path, name, &metadata, old)?
                {
                    self.learn_unchanged(id, &metadata);
                    return Ok(());
                }
                self.put(dir, path, name, &metadata, old)
            }
        }
    }

    /// Returns whether the attributes of a directory are the old ones, but for a time that moved because
    /// something masked came or went.
    fn same_dir(&self, dir: &D, path: &EntryPath, old: InodeId, attrs: &Attrs) -> Result<bool> {
        let old_attrs = &self.baseline.tree.inode(old).attrs;
        if old_attrs == attrs {
            return Ok(true);
        }
        let masked = self.options.masked.iter().filter_map(EntryPath::split_last);
        let masked: Vec<_> = masked.filter(|(parent, _)| parent == path).map(|(_, name)| name).collect();
        if masked.is_empty() || *old_attrs != (Attrs { mtime: old_attrs.mtime, ..attrs.clone() }) {
            return Ok(false);
        }
        let names = dir.names().map_err(Error::io(format_args!("read directory /{path}")))?;
        let old_names = || self.baseline.tree.entries(old).into_iter().flatten().map(|(name, _)| name);
        let is_kept = |name: &&NameBuf| !masked.contains(&name.as_name());
        Ok(!names.iter().eq(old_names()) && names.iter().filter(is_kept).eq(old_names().filter(is_kept)))
    }

    /// Compares a file that has or had several names. It is unchanged if its content and attributes are, and
    /// all its names were names of the same old inode. Otherwise all its names are sent: not every reader of
    /// images supports a hard link to a file of a lower layer.
    fn linked(
        &mut self,
        dir: &D,
        path: EntryPath,
        name: Name<'_>,
        metadata: &Metadata,
        old: Option<InodeId>,
    ) -> Result<()> {
        let file = (metadata.dev, metadata.ino);
        match self.groups.get(&file).cloned() {
            Some(Group::Unchanged) => return Ok(()),
            Some(Group::Sent(first)) => {
                let attrs = attrs(metadata, Xattrs::new());
                let entry = Entry { path, attrs, kind: EntryKind::HardLink { to: first } };
                return self.send(&Change::Put(entry), &mut io::empty());
            }
            None => {}
        }
        if let Some(id) = old
            && self.unchanged(dir, &path, name, metadata, old)?
            && self.same_names(&path, metadata, id)?
            && *self.claims.entry(id).or_insert(file) == file
        {
            self.groups.insert(file, Group::Unchanged);
            self.learn_unchanged(id, metadata);
            return Ok(());
        }
        self.groups.insert(file, Group::Sent(path.clone()));
        self.put(dir, path, name, metadata, old)
    }

    /// Returns whether every name of the file now was a name of the old inode.
    fn same_names(&mut self, path: &EntryPath, metadata: &Metadata, old: InodeId) -> Result<bool> {
        if metadata.nlink == 1 || self.known(old, metadata) == Known::Same {
            return Ok(true);
        }
        if self.names.is_none() {
            let mut names = HashMap::new();
            collect_names(self.root, &EntryPath::root(), &mut names)?;
            self.names = Some(names);
        }
        let names = self.names.as_ref().and_then(|names| names.get(&(metadata.dev, metadata.ino)));
        let tree = self.baseline.tree;
        Ok(names.map_or(&[path.clone()][..], Vec::as_slice).iter().all(|name| tree.get(name) == Some(old)))
    }

    fn known(&self, id: InodeId, metadata: &Metadata) -> Known {
        match self.baseline.stamps.get(id.index()) {
            Some(stamp) if *stamp == Stamp::from(metadata) && stamp.ctime < self.baseline.settled => {
                Known::Same
            }
            _ => Known::Unsure,
        }
    }

    fn unchanged(
        &self,
        dir: &D,
        path: &EntryPath,
        name: Name<'_>,
        metadata: &Metadata,
        old: Option<InodeId>,
    ) -> Result<bool> {
        let Some(id) = old else { return Ok(false) };
        if self.known(id, metadata) == Known::Same {
            return Ok(true);
        }
        let Inode { attrs, content, .. } = self.baseline.tree.inode(id);
        let cheap_same = attrs.mode == mode(metadata)
            && (attrs.uid, attrs.gid) == (metadata.uid, metadata.gid)
            && attrs.mtime == metadata.mtime;
        Ok(cheap_same
            && match (content, metadata.file_type) {
                (Content::File { size, .. }, FileType::File) => *size == metadata.size,
                (Content::Symlink(target), FileType::Symlink) => {
                    **target == *dir.read_link(name).map_err(Error::io(format_args!("read link /{path}")))?
                }
                (Content::Char(major, minor), FileType::Char)
                | (Content::Block(major, minor), FileType::Block) => (*major, *minor) == metadata.rdev,
                (Content::Fifo, FileType::Fifo) => true,
                _ => false,
            }
            && self.attrs(dir, path, name, metadata, old)?.xattrs == attrs.xattrs
            && match content {
                Content::File { sha256, .. } => *sha256 == Some(hash_file(dir, path, name)?),
                _ => true,
            })
    }

    fn put(
        &mut self,
        dir: &D,
        path: EntryPath,
        name: Name<'_>,
        metadata: &Metadata,
        old: Option<InodeId>,
    ) -> Result<()> {
        self.learn_sent(&path, metadata);
        let attrs = self.attrs(dir, &path, name, metadata, old)?;
        let (major, minor) = metadata.rdev;
        let kind = match metadata.file_type {
            FileType::Symlink => EntryKind::Symlink {
                target: dir.read_link(name).map_err(Error::io(format_args!("read link /{path}")))?.into(),
            },
            FileType::Char => EntryKind::Char { major, minor },
            FileType::Block => EntryKind::Block { major, minor },
            FileType::Fifo => EntryKind::Fifo,
            _ => {
                let file = dir.open_file(name).map_err(Error::io(format_args!("open /{path}")))?;
                let size = file.metadata().map_err(Error::io(format_args!("stat /{path}")))?.size;
                let entry = Entry { path, attrs, kind: EntryKind::File { size } };
                return self.send(&Change::Put(entry), &mut SkipHoles::new(file, size));
            }
        };
        self.send(&Change::Put(Entry { path, attrs, kind }), &mut io::empty())
    }

    fn attrs(
        &self,
        dir: &D,
        path: &EntryPath,
        name: Name<'_>,
        metadata: &Metadata,
        old: Option<InodeId>,
    ) -> Result<Attrs> {
        let xattrs = dir.xattrs(name).map_err(Error::io(format_args!("read xattrs of /{path}")))?;
        let mut xattrs = own_xattrs(xattrs);
        keep_system_xattrs(&mut xattrs, old.map(|id| self.baseline.tree.inode(id)), metadata.file_type);
        Ok(attrs(metadata, xattrs))
    }

    fn send(&mut self, change: &Change, body: &mut dyn Read) -> Result<()> {
        if let Some(root) = self.pending_root.take() {
            self.summary.changes += 1;
            self.sink.put(&root, &mut io::empty())?;
        }
        self.summary.changes += 1;
        self.sink.put(change, body)
    }
}

fn hash_file<D: Dir>(dir: &D, path: &EntryPath, name: Name<'_>) -> Result<crate::hash::Sha256> {
    let file = dir.open_file(name).map_err(Error::io(format_args!("open /{path}")))?;
    let size = file.metadata().map_err(Error::io(format_args!("stat /{path}")))?.size;
    let mut hashed = Sha256Read::new(io::BufReader::with_capacity(128 << 10, SkipHoles::new(file, size)));
    io::copy(&mut hashed, &mut io::sink()).map_err(Error::io(format_args!("read /{path}")))?;
    Ok(hashed.finish().1)
}

fn collect_names<D: Dir>(
    dir: &D,
    path: &EntryPath,
    found: &mut HashMap<(u64, u64), Vec<EntryPath>>,
) -> Result<()> {
    let names: Vec<NameBuf> = dir.names().map_err(Error::io(format_args!("read directory /{path}")))?;
    for name in &names {
        let name = name.as_name();
        let path = path.join(name);
        let metadata = dir.metadata(name).map_err(Error::io(format_args!("stat /{path}")))?;
        if metadata.file_type == FileType::Dir {
            let opened = dir.open_dir(name).map_err(Error::io(format_args!("open directory /{path}")))?;
            collect_names(&opened, &path, found)?;
        } else if metadata.nlink > 1 {
            found.entry((metadata.dev, metadata.ino)).or_default().push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
