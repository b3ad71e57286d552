//! Reading of a native manifest as a tree.

use std::{
    collections::{BTreeMap, HashMap},
    io::BufRead,
};

use super::{Keywords, Parser, Spec};
use crate::{
    attrs::Attrs,
    digest::Algorithm,
    error::{Error, Result},
    fs::FileType,
    limits::Limits,
    name::EntryPath,
    tree::{Content, InodeId, Tree},
};

/// Reads a manifest that [`write_tree`](super::write_tree) wrote as
/// [`Dialect::Native`](super::Dialect::Native), into an equal tree. `what` names the manifest in errors.
///
/// The reader is strict, because the tree represents what is on disk: anything unknown, missing or
/// contradictory is an error, including a link count that does not match the number of names.
///
/// # Errors
/// Fails with [`Error::Document`] with the line number; [`Error::Limit`] as [`Parser`] does; [`Error::Io`].
/// [`Error::Document`] with the number of the line, [`Error::Limit`] as [`Parser`] says, [`Error::Io`].
pub fn read_tree(what: &str, input: &mut dyn BufRead, limits: &Limits) -> Result<Tree> {
    let mut parser = Parser::new(what, input, limits);
    let mut reader = Reader {
        tree: Tree::new(),
        dir: (EntryPath::root(), Tree::ROOT),
        inodes: HashMap::new(),
        promised: Vec::new(),
    };
    let mut is_first = true;
    while let Some(spec) = parser.next().transpose()? {
        if is_first && !parser.is_native() {
            break;
        }
        let line = spec.line;
        let put = if is_first { reader.root(spec) } else { reader.entry(spec) };
        put.map_err(|reason| Error::document(what, format!("line {line}: {reason}")))?;
        is_first = false;
    }
    if !parser.is_native() {
        let expected = super::NATIVE_HEADER.trim_ascii_end().escape_ascii();
        return Err(Error::document(
            what,
            format!("not a manifest of the native dialect: expected the first line '{expected}'"),
        ));
    }
    if is_first {
        return Err(Error::document(what, "no entries: expected '.' as the first one"));
    }
    reader.finish().map_err(|reason| Error::document(what, reason))
}

struct Reader {
    tree: Tree,
    /// The directory of the last entry.
    dir: (EntryPath, InodeId),
    /// Inodes by the `inode` number of their names.
    inodes: HashMap<u64, InodeId>,
    /// Link counts, checked after the last entry.
    promised: Vec<(InodeId, u64, u64)>,
}

impl Reader {
    fn root(&mut self, spec: Spec) -> Result<(), String> {
        if !spec.path.is_root() || spec.keywords.file_type != Some(FileType::Dir) {
            return Err("the first entry must be '. type=dir'".into());
        }
        let (attrs, _) = decode(spec.keywords)?;
        self.tree.inode_mut(Tree::ROOT).attrs = attrs;
        Ok(())
    }

    fn entry(&mut self, spec: Spec) -> Result<(), String> {
        let Spec { line, path, keywords } = spec;
        let (above, name) = path.split_last().ok_or("a second entry for '.'")?;
        if above != self.dir.0 {
            let id = self
                .tree
                .get(&above)
                .ok_or_else(|| format!("its parent directory {above:?} is not listed"))?;
            self.dir = (above, id);
        }
        let dir = self.dir.1;
        let (number, nlink) = (keywords.inode, keywords.nlink);
        let (attrs, content) = decode(keywords)?;
        let not_free = || format!("{path:?} is listed twice, or its parent is not a directory");
        if let Some(&first) = number.and_then(|number| self.inodes.get(&number)) {
            let inode = self.tree.inode(first);
            if inode.attrs != attrs || inode.content != content {
                return Err("differs from the first line with the same inode number".into());
            }
            return self.tree.link(dir, name, first).ok_or_else(not_free);
        }
        let is_dir = matches!(content, Content::Dir(_));
        let id = self.tree.insert(dir, name, attrs, content).ok_or_else(not_free)?;
        if !is_dir {
            self.promised.push((id, nlink.ok_or("nlink is missing")?, line));
        }
        if let Some(number) = number {
            self.inodes.insert(number, id);
        }
        Ok(())
    }

    fn finish(self) -> Result<Tree, String> {
        for (id, promised, line) in self.promised {
            let found = u64::from(self.tree.inode(id).nlink);
            if found != promised {
                return Err(format!("line {line}: nlink is {promised}, but it has {found} names"));
            }
        }
        Ok(self.tree)
    }
}

/// Returns attributes and content, if exactly the keywords that the type needs are present.
fn decode(keywords: Keywords) -> Result<(Attrs, Content), String> {
    let missing = |key: &str| format!("{key} is missing");
    if let Some(other) = keywords.others.first() {
        return Err(format!("unknown keyword '{other}'"));
    }
    if keywords.tar_time.is_some() || keywords.optional || keywords.ignore || keywords.nochange {
        return Err("tar_time, optional, ignore and nochange are not keywords of the native dialect".into());
    }
    let attrs = Attrs {
        mode: keywords.mode.ok_or_else(|| missing("mode"))?,
        uid: keywords.uid.ok_or_else(|| missing("uid"))?,
        gid: keywords.gid.ok_or_else(|| missing("gid"))?,
        mtime: keywords.time.ok_or_else(|| missing("time"))?,
        xattrs: keywords.xattrs,
    };
    let device = keywords.device.ok_or_else(|| missing("device"));
    let content = match keywords.file_type.ok_or_else(|| missing("type"))? {
        FileType::File => {
            let mut sha256 = None;
            for digest in &keywords.digests {
                if digest.algorithm() != Some(Algorithm::Sha256) {
                    return Err(format!("digest {digest}: the native dialect has only sha256"));
                }
                sha256 = Some(raw_sha256(digest.encoded()).ok_or_else(|| missing("sha256digest"))?);
            }
            Content::File { size: keywords.size.ok_or_else(|| missing("size"))?, sha256 }
        }
        FileType::Dir => Content::Dir(BTreeMap::new()),
        FileType::Symlink => Content::Symlink(keywords.link.ok_or_else(|| missing("link"))?),
        FileType::Char => device.map(|(major, minor)| Content::Char(major, minor))?,
        FileType::Block => device.map(|(major, minor)| Content::Block(major, minor))?,
        FileType::Fifo => Content::Fifo,
        FileType::Socket => Content::Socket,
    };
    Ok((attrs, content))
}

pub(super) fn raw_sha256(hex: &str) -> Option<crate::hash::Sha256> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut raw = [0; 32];
    let (pairs, _) = hex.as_bytes().as_chunks::<2>();
    if pairs.len() != raw.len() {
        return None;
    }
    for (byte, [high, low]) in raw.iter_mut().zip(pairs) {
        *byte = digit(*high)? * 16 + digit(*low)?;
    }
    Some(raw)
}

#[cfg(test)]
mod tests;
