//! Reading of a manifest that umoci wrote for a bundle, as a tree.

use std::{
    collections::{BTreeMap, HashMap},
    io::BufRead,
};

use super::{Keywords, Parser, Spec, read::raw_sha256};
use crate::{
    attrs::{Attrs, Time, Xattrs},
    digest::Algorithm,
    error::{Error, Result},
    fs::{Dir, FileType, Metadata, is_system_xattr},
    limits::Limits,
    name::{EntryPath, NameBuf},
    tree::{Content, InodeId, Tree},
};

/// Reads a manifest in the dialect [`Umoci`](super::Dialect::Umoci), of a directory that its writer unpacked.
/// `what` names the manifest in errors.
///
/// umoci's manifests do not have hard links, device numbers, extended attributes of links, and fractions of
/// seconds. These are taken from the disk wherever it agrees with what the manifest does have: umoci sees no
/// change there either.
///
/// # Errors
/// Fails with [`Error::Document`] with the line number if an entry lacks a keyword that its type needs;
/// [`Error::Limit`] as [`Parser`] does; [`Error::Io`].
pub(crate) fn read_umoci<D: Dir>(
    what: &str,
    input: &mut dyn BufRead,
    root: &D,
    limits: &Limits,
) -> Result<Tree> {
    let mut reader = Reader { tree: Tree::new(), root, open: Vec::new(), inodes: HashMap::new() };
    let mut entries = 0_u64;
    for spec in Parser::new(what, input, limits) {
        let spec = spec?;
        let line = spec.line;
        reader.entry(spec).map_err(|reason| Error::document(what, format!("line {line}: {reason}")))?;
        entries += 1;
    }
    match entries {
        0 => Err(Error::document(what, "no entries")),
        _ => Ok(reader.tree),
    }
}

struct Reader<'a, D> {
    tree: Tree,
    root: &'a D,
    /// The directories on the path to the current entry, with handles if they still are directories on disk.
    open: Vec<(NameBuf, InodeId, Option<D>)>,
    /// Files with several names, by file system and inode number on disk.
    inodes: HashMap<(u64, u64), InodeId>,
}

impl<D: Dir> Reader<'_, D> {
    fn entry(&mut self, spec: Spec) -> Result<(), String> {
        let Spec { path, keywords, .. } = spec;
        let Some((above, name)) = path.split_last() else {
            let disk = self.root.self_metadata().ok();
            self.tree.inode_mut(Tree::ROOT).attrs = attrs(&keywords, disk.as_ref(), || None)?;
            return Ok(());
        };
        let dir = self.enter(&above)?;
        let handle = match self.open.last() {
            None => Some(self.root),
            Some((_, _, handle)) => handle.as_ref(),
        };
        let file_type = keywords.file_type.ok_or("type is missing")?;
        let disk =
            handle.and_then(|handle| handle.metadata(name).ok()).filter(|disk| disk.file_type == file_type);
        let attrs = attrs(&keywords, disk.as_ref(), || handle?.xattrs(name).ok())?;
        let content = content(&keywords, file_type, disk.as_ref())?;
        let not_free = || format!("{path:?} is listed twice, or its parent is not a directory");
        // Two files that are equal in everything cannot be told apart, but more names than before are a
        // change.
        let several = |disk: &Metadata| {
            disk.nlink > 1
                && file_type != FileType::Dir
                && keywords.nlink.is_some_and(|then| then >= disk.nlink)
        };
        let Some(disk) = disk.filter(several) else {
            return self.tree.insert(dir, name, attrs, content).map(drop).ok_or_else(not_free);
        };
        let file = (disk.dev, disk.ino);
        if let Some(&first) = self.inodes.get(&file) {
            let inode = self.tree.inode(first);
            if inode.attrs == attrs && inode.content == content {
                return self.tree.link(dir, name, first).ok_or_else(not_free);
            }
        }
        let id = self.tree.insert(dir, name, attrs, content).ok_or_else(not_free)?;
        self.inodes.insert(file, id);
        Ok(())
    }

    /// Changes to a directory of the tree, and to that on disk as far as it exists.
    fn enter(&mut self, path: &EntryPath) -> Result<InodeId, String> {
        let names: Vec<_> = path.names().collect();
        let common =
            self.open.iter().zip(&names).take_while(|((open, ..), name)| open.as_name() == **name).count();
        self.open.truncate(common);
        for name in names.into_iter().skip(common) {
            let (dir, handle) = match self.open.last() {
                None => (Tree::ROOT, Some(self.root)),
                Some((_, dir, handle)) => (*dir, handle.as_ref()),
            };
            let id = self
                .tree
                .child(dir, name)
                .ok_or_else(|| format!("its parent directory {path:?} is not listed"))?;
            let handle = handle.and_then(|handle| handle.open_dir(name).ok());
            self.open.push((name.into(), id, handle));
        }
        Ok(self.open.last().map_or(Tree::ROOT, |(_, id, _)| *id))
    }
}

fn attrs(
    keywords: &Keywords,
    disk: Option<&Metadata>,
    disk_xattrs: impl FnOnce() -> Option<Xattrs>,
) -> Result<Attrs, String> {
    let missing = |key: &str| format!("{key} is missing");
    let mtime = match (keywords.time, keywords.tar_time, disk) {
        (_, Some(seconds), Some(disk)) if disk.mtime.seconds == seconds => disk.mtime,
        (_, Some(seconds), _) => Time::from_seconds(seconds),
        (Some(time), None, _) => time,
        (None, None, _) => return Err(missing("tar_time")),
    };
    let listed = matches!(keywords.file_type, Some(FileType::File | FileType::Dir));
    let mut xattrs = if listed { keywords.xattrs.clone() } else { disk_xattrs().unwrap_or_default() };
    xattrs.retain(|name, _| !is_system_xattr(name));
    let mode = keywords.mode.ok_or_else(|| missing("mode"))?;
    Ok(Attrs {
        mode: if keywords.file_type == Some(FileType::Symlink) { 0o777 } else { mode },
        uid: keywords.uid.ok_or_else(|| missing("uid"))?,
        gid: keywords.gid.ok_or_else(|| missing("gid"))?,
        mtime,
        xattrs,
    })
}

fn content(keywords: &Keywords, file_type: FileType, disk: Option<&Metadata>) -> Result<Content, String> {
    let missing = |key: &str| format!("{key} is missing");
    let (major, minor) = keywords.device.or(disk.map(|disk| disk.rdev)).unwrap_or_default();
    Ok(match file_type {
        FileType::File => {
            let digest = keywords.digests.iter().find(|it| it.algorithm() == Some(Algorithm::Sha256));
            let digest = digest.ok_or_else(|| missing("sha256digest"))?;
            let sha256 = raw_sha256(digest.encoded()).ok_or_else(|| missing("sha256digest"))?;
            Content::File { size: keywords.size.ok_or_else(|| missing("size"))?, sha256: Some(sha256) }
        }
        FileType::Dir => Content::Dir(BTreeMap::new()),
        FileType::Symlink => Content::Symlink(keywords.link.clone().ok_or_else(|| missing("link"))?),
        FileType::Char => Content::Char(major, minor),
        FileType::Block => Content::Block(major, minor),
        FileType::Fifo => Content::Fifo,
        FileType::Socket => Content::Socket,
    })
}
