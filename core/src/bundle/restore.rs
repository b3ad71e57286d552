//! Restoring what a disk could not hold, on one that can: the bundle becomes what an unpack would have made
//! there.

use std::collections::HashMap;

use super::{files::Staging, layers::check_support, open::Bundle, options::Format, replace::Replacement};
use crate::{
    attrs::{Attrs, Time},
    error::{Error, Result},
    fs::{AttrChange, Dir as _, DirPosix, FileType, Metadata, Special, Support},
    hash::Sha256Read,
    layer::{Entry, EntryKind, on_disk::OnDisk},
    name::{EntryPath, Name, NameBuf},
    tree::{Content, Tree, emulated::Emulated, seen},
};

/// The directory for replacements that are not in place yet.
const STAGING: &str = ".ocicle-restore";

impl<D: DirPosix> Bundle<'_, D> {
    /// Restores what the disk could not hold when the bundle was unpacked: owners, modes, attributes,
    /// devices, fifos, absolute links. What has changed since keeps its content and time; new files get the
    /// defaults. `on_disk` is how entries are stored on this disk. Returns the number of entries; 0 if there
    /// was nothing to restore.
    ///
    /// After an interruption it can be repeated, which costs no more than the times of directories in which
    /// something was replaced.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if this disk cannot hold everything either, or an owner is not in an id map;
    /// [`Error::Io`].
    pub fn restore(&self, on_disk: &OnDisk) -> Result<u64> {
        let (dir, record) = (self.inner.dir, self.record());
        if record.held == Support::ALL || self.format != Format::Native {
            return Ok(0);
        }
        check_support(&dir.support(), on_disk.privilege)?;
        let replacement = Replacement::begin(dir)?;
        let staging = Staging::claim(dir, STAGING, |_| Ok(()))?;
        let from = &record.on_disk;
        let mut restore =
            Restore { from, to: on_disk, staging: &staging.dir, made: HashMap::new(), count: 0 };
        let root = self.root()?;
        let entry = restore.wanted(&root, None, &EntryPath::root())?;
        restore.dir(&root, &EntryPath::root())?;
        restore.root(&entry, root.disk())?;
        let count = restore.count;
        staging.remove()?;
        let mut new = record.clone();
        new.tree = stored(&record.tree, from, on_disk)?;
        new.tree.map_times(|time| dir.support().nearest(time));
        (new.held, new.on_disk) = (Support::ALL, on_disk.clone());
        // Which files have not changed since the unpack is not known, so a repack has to read them.
        (new.stamps, new.settled) = (Vec::new(), Some(Time::EPOCH));
        self.format.replace_record(replacement, &new, dir, self.image())?;
        Ok(count)
    }
}

struct Restore<'a, D> {
    /// The representation of entries according to the record.
    from: &'a OnDisk,
    /// The representation of entries to be made.
    to: &'a OnDisk,
    staging: &'a D,
    /// The first name made of each file with several names.
    made: HashMap<(u64, u64), NameBuf>,
    count: u64,
}

impl<D: DirPosix> Restore<'_, D> {
    fn dir(&mut self, dir: &Emulated<'_, D>, path: &EntryPath) -> Result<()> {
        for name in dir.names().map_err(Error::io(format_args!("read directory /{path}")))? {
            let name = name.as_name();
            let path = path.join(name);
            let found = dir.on_disk(name, |name| dir.disk().metadata(name));
            let found = found.map_err(Error::io(format_args!("stat /{path}")))?;
            if found.file_type == FileType::Socket {
                continue;
            }
            // Before changes below it change its time.
            let entry = self.wanted(dir, Some(name), &path)?;
            if found.file_type == FileType::Dir {
                let below = dir.open_dir(name).map_err(Error::io(format_args!("open directory /{path}")))?;
                self.dir(&below, &path)?;
            }
            self.entry(dir, name, &entry, &found)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        dir: &Emulated<'_, D>,
        name: Name<'_>,
        entry: &Entry,
        found: &Metadata,
    ) -> Result<()> {
        self.count += 1;
        let path = &entry.path;
        let in_place = match &entry.kind {
            EntryKind::Char { .. } => found.file_type == FileType::Char,
            EntryKind::Block { .. } => found.file_type == FileType::Block,
            EntryKind::Fifo => found.file_type == FileType::Fifo,
            EntryKind::Symlink { .. } if found.file_type != FileType::Symlink => false,
            EntryKind::Symlink { target } => {
                let there = dir.on_disk(name, |name| dir.disk().read_link(name));
                there.map_err(Error::io(format_args!("read link /{path}")))? == **target
            }
            _ => true,
        };
        let restored = dir.on_disk(name, |there| {
            if !in_place {
                return self.replace(dir.disk(), there, name, entry, found);
            }
            set(dir.disk(), there, entry)?;
            if there == name { Ok(()) } else { dir.disk().rename(there, dir.disk(), name) }
        });
        restored.map_err(Error::io(format_args!("restore /{path}")))
    }

    /// Creates the entry as it should be, and replaces the entry that is `there` with it.
    fn replace(
        &mut self,
        dir: &D,
        there: Name<'_>,
        name: Name<'_>,
        entry: &Entry,
        found: &Metadata,
    ) -> std::io::Result<()> {
        let staging = self.staging;
        let file = (found.dev, found.ino);
        let first = match self.made.get(&file) {
            Some(first) => first.clone(),
            None => {
                let first: NameBuf = number(self.made.len() * 2)?;
                make(staging, first.as_name(), &entry.kind)?;
                set(staging, first.as_name(), entry)?;
                self.made.insert(file, first.clone());
                first
            }
        };
        // The first is kept, for other names of the same file.
        let next: NameBuf = number(self.made.len() * 2 + 1)?;
        staging.hard_link(next.as_name(), staging, first.as_name())?;
        staging.rename(next.as_name(), dir, there)?;
        if there == name { Ok(()) } else { dir.rename(there, dir, name) }
    }

    /// Sets what the root directory itself could not hold.
    fn root(&mut self, entry: &Entry, dir: &D) -> Result<()> {
        self.count += 1;
        dir.set_self_attrs(&change(&entry.attrs, false)).map_err(Error::io("restore the attributes of /"))
    }

    /// Returns the entry as it should be stored here; without a name, the directory itself.
    fn wanted(&self, dir: &Emulated<'_, D>, name: Option<Name<'_>>, path: &EntryPath) -> Result<Entry> {
        let failed = || Error::io(format!("stat /{path}"));
        let metadata = match name {
            Some(name) => dir.metadata(name),
            None => dir.self_metadata(),
        };
        let xattrs = match name {
            Some(name) => dir.xattrs(name),
            None => dir.self_xattrs(),
        };
        let (metadata, xattrs) = (metadata.map_err(failed())?, xattrs.map_err(failed())?);
        let (major, minor) = metadata.rdev;
        let kind = match (metadata.file_type, name) {
            (FileType::Symlink, Some(name)) => {
                EntryKind::Symlink { target: dir.read_link(name).map_err(failed())?.into() }
            }
            (FileType::Dir, _) | (_, None) => EntryKind::Dir,
            (FileType::Char, _) => EntryKind::Char { major, minor },
            (FileType::Block, _) => EntryKind::Block { major, minor },
            (FileType::Fifo, _) => EntryKind::Fifo,
            _ => EntryKind::File { size: metadata.size },
        };
        let entry = Entry { path: path.clone(), attrs: seen::attrs(&metadata, xattrs), kind };
        Ok(self.to.to_disk(&*self.from.from_disk(&entry)?)?.into_owned())
    }
}

fn set<D: DirPosix>(dir: &D, name: Name<'_>, entry: &Entry) -> std::io::Result<()> {
    dir.set_attrs(name, &change(&entry.attrs, matches!(entry.kind, EntryKind::Symlink { .. })))
}

fn change(attrs: &Attrs, is_link: bool) -> AttrChange<'_> {
    AttrChange {
        owner: Some((attrs.uid, attrs.gid)),
        mode: (!is_link).then_some(attrs.mode),
        xattrs: Some(&attrs.xattrs).filter(|xattrs| !is_link || !xattrs.is_empty()),
        mtime: Some(attrs.mtime),
    }
}

fn make<D: DirPosix>(dir: &D, name: Name<'_>, kind: &EntryKind) -> std::io::Result<()> {
    match kind {
        EntryKind::Symlink { target } => dir.symlink(name, target),
        EntryKind::Char { major, minor } => dir.create_node(name, Special::Char(*major, *minor)),
        EntryKind::Block { major, minor } => dir.create_node(name, Special::Block(*major, *minor)),
        _ => dir.create_node(name, Special::Fifo),
    }
}

fn number(number: usize) -> std::io::Result<NameBuf> {
    let text = number.to_string();
    Name::new(text.as_bytes()).map(NameBuf::from).map_err(std::io::Error::other)
}

/// Converts a tree of entries from one way of storing them to another.
fn stored(tree: &Tree, from: &OnDisk, to: &OnDisk) -> Result<Tree> {
    let mut new = tree.clone();
    if from == to {
        return Ok(new);
    }
    for (path, id) in tree {
        let inode = tree.inode(id);
        let kind = match &inode.content {
            Content::File { size, .. } => EntryKind::File { size: *size },
            Content::Dir(_) => EntryKind::Dir,
            Content::Symlink(target) => EntryKind::Symlink { target: target.clone() },
            Content::Char(major, minor) => EntryKind::Char { major: *major, minor: *minor },
            Content::Block(major, minor) => EntryKind::Block { major: *major, minor: *minor },
            Content::Fifo | Content::Socket => EntryKind::Fifo,
        };
        let was_file = matches!(kind, EntryKind::File { .. });
        let entry = Entry { path, attrs: inode.attrs.clone(), kind };
        let entry = to.to_disk(&*from.from_disk(&entry)?)?.into_owned();
        let inode = new.inode_mut(id);
        inode.attrs = entry.attrs;
        match entry.kind {
            // A device that cannot be made here.
            EntryKind::File { .. } if !was_file => {
                inode.content =
                    Content::File { size: 0, sha256: Some(Sha256Read::new(std::io::empty()).finish().1) }
            }
            EntryKind::Char { major, minor } => inode.content = Content::Char(major, minor),
            EntryKind::Block { major, minor } => inode.content = Content::Block(major, minor),
            _ => {}
        }
    }
    Ok(new)
}
