//! A tree as a manifest.

use std::{collections::HashMap, io::Write};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Dialect, vis};
use crate::{
    attrs::Xattrs,
    error::{Error, Result},
    fs::Dir,
    name::NameBuf,
    tree::{Content, Inode, InodeId, Tree},
};

/// Writes a manifest. The same tree gives the same bytes.
///
/// In each directory what is no directory comes first, then the directories with all below them, both in byte order, as
/// every mtree writes them.
///
/// # Errors
/// [`Error::Io`] from `out`.
pub fn write(tree: &Tree, dialect: Dialect, out: &mut dyn Write) -> Result<()> {
    Writer::new(tree, dialect, false, out).run(&mut ())
}

/// Writes the manifest of a bundle that `umoci repack` shall work on: dialect [`Dialect::Umoci`] with the size and link
/// count of each directory of the unpacked root, which umoci compares and only the file system knows.
///
/// # Errors
/// [`Error::Io`] from `out`, or if a directory of the tree cannot be opened below `root`.
pub fn write_for_umoci<D: Dir>(tree: &Tree, root: &D, out: &mut dyn Write) -> Result<()> {
    Writer::new(tree, Dialect::Umoci, true, out).run(&mut Disk { root, open: Vec::new() })
}

/// Where size and link count of directories come from.
trait DirFacts {
    /// Size and link count of the entered directory (`None` as name is the root), where they are known.
    fn enter(&mut self, name: Option<&NameBuf>) -> Result<Option<(u64, u64)>>;
    fn leave(&mut self);
}

/// Nothing is known beside the tree.
impl DirFacts for () {
    fn enter(&mut self, _name: Option<&NameBuf>) -> Result<Option<(u64, u64)>> {
        Ok(None)
    }

    fn leave(&mut self) {}
}

/// The directories on disk, opened from the root down to the current one.
struct Disk<'a, D> {
    root: &'a D,
    open: Vec<D>,
}

impl<D: Dir> DirFacts for Disk<'_, D> {
    fn enter(&mut self, name: Option<&NameBuf>) -> Result<Option<(u64, u64)>> {
        let at = self.open.last().unwrap_or(self.root);
        let metadata = match name {
            None => at.self_metadata().map_err(Error::io("stat the root directory"))?,
            Some(name) => {
                let doing = || format!("open directory {}", vis::to_text(name.as_name().as_bytes()));
                let dir = at.open_dir(name.as_name()).map_err(|error| Error::io(doing())(error))?;
                let metadata = dir.self_metadata().map_err(|error| Error::io(doing())(error))?;
                self.open.push(dir);
                metadata
            }
        };
        Ok(Some((metadata.size, metadata.nlink)))
    }

    fn leave(&mut self) {
        self.open.pop();
    }
}

struct Writer<'a> {
    tree: &'a Tree,
    dialect: Dialect,
    out: &'a mut dyn Write,
    /// Lines not written yet.
    lines: Vec<u8>,
    /// The current directory, encoded, with its slash; only where lines hold whole paths or comments do.
    path: Vec<u8>,
    /// Numbers of inodes with several names.
    numbers: HashMap<InodeId, u64>,
    /// What the last `/set` line says; only umoci's dialect has any.
    set: Set,
}

#[derive(Clone, Copy, PartialEq)]
struct Set {
    uid: u32,
    gid: u32,
    /// `nlink=1`, which would hold for directories too, so it needs their true counts beside it.
    nlink: bool,
}

/// A directory being written: what is left of it, and how long the path is without it.
struct Frame<'a> {
    rest: std::vec::IntoIter<(u8, &'a NameBuf, InodeId)>,
    outer_path: usize,
}

const BUFFER: usize = 64 << 10;
/// gomtree's `/set` always says this mode, whatever the entries have.
const SET_MODE: u32 = 0o664;

impl<'a> Writer<'a> {
    fn new(tree: &'a Tree, dialect: Dialect, dir_facts: bool, out: &'a mut dyn Write) -> Self {
        let root = &tree.inode(Tree::ROOT).attrs;
        Self {
            tree,
            dialect,
            out,
            lines: Vec::with_capacity(BUFFER + 4096),
            path: Vec::new(),
            numbers: HashMap::new(),
            set: Set { uid: root.uid, gid: root.gid, nlink: dir_facts },
        }
    }

    fn run(mut self, facts: &mut dyn DirFacts) -> Result<()> {
        self.lines.extend_from_slice(match self.dialect {
            Dialect::Native => super::NATIVE_HEADER,
            Dialect::Portable => b"#mtree v2.0\n",
            Dialect::Bsd => b"#mtree v1.0\n",
            Dialect::Umoci => UMOCI_HEADER,
        });
        let mut open = vec![self.enter_dir(None, Tree::ROOT, facts)?];
        while let Some(frame) = open.last_mut() {
            match frame.rest.next() {
                Some((_, name, id)) if self.tree.entries(id).is_some() => {
                    let frame = self.enter_dir(Some(name), id, facts)?;
                    open.push(frame);
                }
                Some((_, name, id)) => self.leaf(name, id),
                None => {
                    self.path.truncate(frame.outer_path);
                    facts.leave();
                    open.pop();
                    self.leave_dir(open.is_empty());
                }
            }
            if self.lines.len() >= BUFFER {
                self.flush()?;
            }
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        self.out.write_all(&self.lines).map_err(Error::io("write mtree manifest"))?;
        self.lines.clear();
        Ok(())
    }

    fn enter_dir(
        &mut self,
        name: Option<&'a NameBuf>,
        id: InodeId,
        facts: &mut dyn DirFacts,
    ) -> Result<Frame<'a>> {
        let outer_path = self.path.len();
        let known = facts.enter(name)?;
        let inode = self.tree.inode(id);
        let name = name.map(|name| name.as_name().as_bytes());
        if self.dialect == Dialect::Umoci {
            self.umoci_dir_head(name, inode);
        }
        self.name(name);
        self.keywords(id, inode, known);
        match self.dialect {
            Dialect::Portable => {
                vis::encode(name.unwrap_or(b"."), &mut self.path);
                self.path.push(b'/');
            }
            Dialect::Umoci if name.is_some() => {
                vis::encode(name.unwrap_or_default(), &mut self.path);
                self.path.push(b'/');
            }
            _ => {}
        }
        Ok(Frame { rest: self.ordered(id).into_iter(), outer_path })
    }

    fn leave_dir(&mut self, is_root: bool) {
        let ends = match self.dialect {
            Dialect::Native | Dialect::Bsd => !is_root,
            Dialect::Portable => false,
            Dialect::Umoci => true,
        };
        if ends {
            self.lines.extend_from_slice(b"..\n");
        }
    }

    fn leaf(&mut self, name: &NameBuf, id: InodeId) {
        if self.dialect == Dialect::Umoci {
            self.lines.extend_from_slice(b"    ");
        }
        self.name(Some(name.as_name().as_bytes()));
        self.keywords(id, self.tree.inode(id), None);
    }

    /// The entries in the order they are written.
    fn ordered(&self, dir: InodeId) -> Vec<(u8, &'a NameBuf, InodeId)> {
        let entries = self.tree.entries(dir).into_iter().flatten();
        let mut ordered: Vec<_> = entries
            .map(|(name, &id)| {
                let pattern = self.dialect == Dialect::Bsd && is_pattern(name.as_name().as_bytes());
                (u8::from(pattern) * 2 + u8::from(self.tree.entries(id).is_some()), name, id)
            })
            .collect();
        // A longer pattern matches less, as a rule, so it goes before a shorter one.
        ordered.sort_by_key(|(rank, name, _)| {
            (*rank, if *rank < 2 { 0 } else { usize::MAX - name.as_name().as_bytes().len() })
        });
        ordered
    }

    /// gomtree's comment, and a `/set` line where the owner changes.
    fn umoci_dir_head(&mut self, name: Option<&[u8]>, inode: &Inode) {
        self.lines.extend_from_slice(b"\n# ");
        self.lines.extend_from_slice(&self.path);
        vis::encode(name.unwrap_or(b"."), &mut self.lines);
        self.lines.push(b'\n');
        let owner = (inode.attrs.uid, inode.attrs.gid);
        if name.is_none() || owner != (self.set.uid, self.set.gid) {
            (self.set.uid, self.set.gid) = owner;
            self.lines.extend_from_slice(b"/set type=file");
            if self.set.nlink {
                self.key(b"nlink");
                self.decimal(1);
            }
            self.key(b"mode");
            self.octal(SET_MODE);
            self.key(b"uid");
            self.decimal(owner.0.into());
            self.key(b"gid");
            self.decimal(owner.1.into());
            self.lines.push(b'\n');
        }
    }

    fn name(&mut self, name: Option<&[u8]>) {
        if self.dialect == Dialect::Portable {
            self.lines.extend_from_slice(&self.path);
        }
        match name {
            Some(name) => vis::encode(name, &mut self.lines),
            None => self.lines.push(b'.'),
        }
    }

    fn keywords(&mut self, id: InodeId, inode: &Inode, dir_facts: Option<(u64, u64)>) {
        if self.dialect == Dialect::Umoci {
            self.umoci_keywords(inode, dir_facts);
        } else {
            self.plain_keywords(id, inode);
        }
        self.lines.push(b'\n');
    }

    fn plain_keywords(&mut self, id: InodeId, inode: &Inode) {
        let is_dir = matches!(inode.content, Content::Dir(_));
        self.key(b"type");
        self.lines.extend_from_slice(type_name(&inode.content));
        self.key(b"mode");
        self.octal(inode.attrs.mode);
        self.key(b"uid");
        self.decimal(inode.attrs.uid.into());
        self.key(b"gid");
        self.decimal(inode.attrs.gid.into());
        if !is_dir {
            self.key(b"nlink");
            self.decimal(inode.nlink.into());
            if self.dialect != Dialect::Bsd || matches!(inode.content, Content::File { .. }) {
                self.key(b"size");
                self.decimal(size(&inode.content));
            }
        }
        // Not at the end of the line: a link target may end in a backslash, and gomtree then reads on in the next line.
        self.content(&inode.content);
        self.key(b"time");
        self.time(inode.attrs.mtime.seconds, inode.attrs.mtime.nanoseconds);
        if self.dialect == Dialect::Native {
            self.xattrs(&inode.attrs.xattrs);
            if !is_dir && inode.nlink > 1 {
                let next = self.numbers.len() as u64 + 1;
                let number = *self.numbers.entry(id).or_insert(next);
                self.key(b"inode");
                self.decimal(number);
            }
        }
    }

    /// umoci's keywords in umoci's order, less what `/set` says already.
    fn umoci_keywords(&mut self, inode: &Inode, dir_facts: Option<(u64, u64)>) {
        let is_dir = matches!(inode.content, Content::Dir(_));
        let is_file = matches!(inode.content, Content::File { .. });
        let size = if is_dir { dir_facts.map(|(size, _)| size) } else { Some(size(&inode.content)) };
        let nlink = if is_dir { dir_facts.map(|(_, nlink)| nlink) } else { Some(inode.nlink.into()) };
        if let Some(size) = size {
            self.key(b"size");
            self.decimal(size);
        }
        if !is_file {
            self.key(b"type");
            self.lines.extend_from_slice(type_name(&inode.content));
        }
        if inode.attrs.uid != self.set.uid {
            self.key(b"uid");
            self.decimal(inode.attrs.uid.into());
        }
        if inode.attrs.gid != self.set.gid {
            self.key(b"gid");
            self.decimal(inode.attrs.gid.into());
        }
        if inode.attrs.mode != SET_MODE {
            self.key(b"mode");
            self.octal(inode.attrs.mode);
        }
        if let Content::Symlink(target) = &inode.content {
            self.key(b"link");
            vis::encode(target, &mut self.lines);
        }
        if let Some(nlink) = nlink
            && !(self.set.nlink && nlink == 1)
        {
            self.key(b"nlink");
            self.decimal(nlink);
        }
        self.key(b"tar_time");
        self.time(inode.attrs.mtime.seconds, 0);
        if is_file {
            self.content(&inode.content);
        }
        if is_file || is_dir {
            self.xattrs(&inode.attrs.xattrs);
        }
    }

    /// What only some types have.
    fn content(&mut self, content: &Content) {
        match content {
            Content::File { sha256: Some(sha256), .. } => {
                self.key(b"sha256digest");
                for byte in sha256 {
                    const DIGITS: [u8; 16] = *b"0123456789abcdef";
                    let digit = |value: u8| DIGITS.get(usize::from(value)).copied();
                    self.lines.extend(digit(byte >> 4));
                    self.lines.extend(digit(byte & 15));
                }
            }
            Content::Symlink(target) => {
                self.key(b"link");
                vis::encode(target, &mut self.lines);
            }
            Content::Char(major, minor) | Content::Block(major, minor) => {
                // `native`: every reader packs `linux` into 8 bits each, and fails on larger numbers.
                self.key(b"device");
                self.lines.extend_from_slice(b"native,");
                self.decimal((*major).into());
                self.lines.push(b',');
                self.decimal((*minor).into());
            }
            Content::File { sha256: None, .. } | Content::Dir(_) | Content::Fifo | Content::Socket => {}
        }
    }

    fn xattrs(&mut self, xattrs: &Xattrs) {
        for (name, value) in xattrs {
            self.lines.extend_from_slice(b" xattr.");
            match self.dialect {
                // gomtree splits at the first '=' and does not escape it: so must we, to be compared as equal.
                Dialect::Umoci => vis::encode(name, &mut self.lines),
                _ => vis::encode_key(name, &mut self.lines),
            }
            self.lines.push(b'=');
            self.lines.extend_from_slice(STANDARD.encode(value).as_bytes());
        }
    }

    fn key(&mut self, key: &[u8]) {
        self.lines.push(b' ');
        self.lines.extend_from_slice(key);
        self.lines.push(b'=');
    }

    /// Seconds rounded down and nanoseconds as a count, always nine digits: readers take them for a number.
    fn time(&mut self, seconds: i64, nanoseconds: u32) {
        if seconds < 0 {
            self.lines.push(b'-');
        }
        self.decimal(seconds.unsigned_abs());
        self.lines.push(b'.');
        self.number(nanoseconds.into(), 10, 9);
    }

    /// With a leading zero, as gomtree compares modes as text; 0 is `0`.
    fn octal(&mut self, value: u32) {
        if value != 0 {
            self.lines.push(b'0');
        }
        self.number(value.into(), 8, 1);
    }

    fn decimal(&mut self, value: u64) {
        self.number(value, 10, 1);
    }

    fn number(&mut self, mut value: u64, base: u64, least_digits: usize) {
        let start = self.lines.len();
        while value != 0 || self.lines.len() < start + least_digits {
            // Less than the base, so one digit.
            self.lines.push(b'0' + (value % base) as u8);
            value /= base;
        }
        if let Some(digits) = self.lines.get_mut(start..) {
            digits.reverse();
        }
    }
}

const UMOCI_HEADER: &[u8] =
    b"#      keywords: size,type,uid,gid,mode,link,nlink,tar_time,sha256digest,xattr\n";

/// Whether BSD mtree takes the name for a pattern that may match others.
fn is_pattern(name: &[u8]) -> bool {
    name.iter().any(|byte| b"*?[".contains(byte))
}

fn type_name(content: &Content) -> &'static [u8] {
    match content {
        Content::File { .. } => b"file",
        Content::Dir(_) => b"dir",
        Content::Symlink(_) => b"link",
        Content::Char(..) => b"char",
        Content::Block(..) => b"block",
        Content::Fifo => b"fifo",
        Content::Socket => b"socket",
    }
}

fn size(content: &Content) -> u64 {
    match content {
        Content::File { size, .. } => *size,
        Content::Symlink(target) => target.len() as u64,
        _ => 0,
    }
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
