//! A directory on disk as a [`Tree`], read with the standard library: independent of the code under test.

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    os::unix::{ffi::OsStrExt, fs::FileTypeExt, fs::MetadataExt},
    path::Path,
};

use ocicle::{
    attrs::{Attrs, Time, Xattrs},
    hash::Sha256Read,
    name::Name,
    tree::{Content, InodeId, Tree},
};

/// Reads everything below `root`, extended attributes of files and directories included.
///
/// # Errors
/// Returns the facts of the system.
pub fn read(root: &Path) -> io::Result<Tree> {
    let mut tree = Tree::new();
    tree.inode_mut(Tree::ROOT).attrs = attrs(root, &fs::symlink_metadata(root)?)?;
    below(root, Tree::ROOT, &mut tree, &mut HashMap::new())?;
    Ok(tree)
}

fn below(
    path: &Path,
    dir: InodeId,
    tree: &mut Tree,
    links: &mut HashMap<(u64, u64), InodeId>,
) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        let name = Name::new(name.as_bytes()).map_err(io::Error::other)?;
        let metadata = fs::symlink_metadata(&path)?;
        let file = (metadata.dev(), metadata.ino());
        let taken = || io::Error::other("a name came twice");
        if let Some(&first) = links.get(&file) {
            tree.link(dir, name, first).ok_or_else(taken)?;
            continue;
        }
        let content = content(&path, &metadata)?;
        let id = tree.insert(dir, name, attrs(&path, &metadata)?, content).ok_or_else(taken)?;
        if metadata.is_dir() {
            below(&path, id, tree, links)?;
        } else if metadata.nlink() > 1 {
            links.insert(file, id);
        }
    }
    Ok(())
}

fn content(path: &Path, metadata: &fs::Metadata) -> io::Result<Content> {
    let kind = metadata.file_type();
    let device = || (rustix::fs::major(metadata.rdev()), rustix::fs::minor(metadata.rdev()));
    Ok(if kind.is_dir() {
        Content::Dir(BTreeMap::new())
    } else if kind.is_symlink() {
        Content::Symlink(fs::read_link(path)?.as_os_str().as_bytes().into())
    } else if kind.is_char_device() {
        Content::Char(device().0, device().1)
    } else if kind.is_block_device() {
        Content::Block(device().0, device().1)
    } else if kind.is_fifo() {
        Content::Fifo
    } else if kind.is_socket() {
        Content::Socket
    } else {
        let mut hashed = Sha256Read::new(fs::File::open(path)?);
        io::copy(&mut hashed, &mut io::sink())?;
        let (size, sha256) = hashed.finish();
        Content::File { size, sha256: Some(sha256) }
    })
}

fn attrs(path: &Path, metadata: &fs::Metadata) -> io::Result<Attrs> {
    let nanoseconds = u32::try_from(metadata.mtime_nsec()).map_err(io::Error::other)?;
    Ok(Attrs {
        mode: metadata.mode() & 0o7777,
        uid: metadata.uid(),
        gid: metadata.gid(),
        mtime: Time { seconds: metadata.mtime(), nanoseconds },
        xattrs: if metadata.is_file() || metadata.is_dir() { xattrs(path)? } else { Xattrs::new() },
    })
}

fn xattrs(path: &Path) -> io::Result<Xattrs> {
    let mut names = vec![0; 64 << 10];
    let length = match rustix::fs::llistxattr(path, &mut names[..]) {
        Ok(length) => length,
        Err(rustix::io::Errno::OPNOTSUPP) => 0,
        Err(error) => return Err(error.into()),
    };
    let mut xattrs = Xattrs::new();
    for name in names[..length].split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0; 64 << 10];
        let length = rustix::fs::lgetxattr(path, name, &mut value[..])?;
        xattrs.insert(name.into(), value[..length].into());
    }
    Ok(xattrs)
}
