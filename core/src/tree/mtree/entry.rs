//! The keywords of an entry, in each dialect.

use std::collections::HashMap;

use super::{Dialect, text::Text, vis};
use crate::{
    fs::is_system_xattr,
    tree::{Content, Inode, InodeId},
};

/// A writer of keywords, with the state that later lines depend on.
pub(super) struct Entries {
    pub(super) text: Text,
    dialect: Dialect,
    /// Numbers of inodes with several names, from 1.
    numbers: HashMap<InodeId, u64>,
    /// The owner in the last `/set` line; only umoci's dialect has one.
    set_owner: Option<(u32, u32)>,
    /// Whether `/set` says `nlink=1`. It applies to directories as well, so it is used only if their link
    /// counts are known.
    set_nlink: bool,
}

/// gomtree's `/set` always has this mode, whatever the modes of the entries.
const SET_MODE: u32 = 0o664;

impl Entries {
    pub(super) fn new(dialect: Dialect, dir_facts: bool) -> Self {
        Self {
            text: Text::default(),
            dialect,
            numbers: HashMap::new(),
            set_owner: None,
            set_nlink: dir_facts,
        }
    }

    /// Writes a `/set` line if the owner of a directory differs from the last one.
    pub(super) fn set_owner(&mut self, dir: &Inode) {
        let owner = (dir.attrs.uid, dir.attrs.gid);
        if self.set_owner == Some(owner) {
            return;
        }
        self.set_owner = Some(owner);
        let text = &mut self.text;
        text.raw(b"/set type=file");
        if self.set_nlink {
            text.decimal(b"nlink", 1_u32);
        }
        text.octal(b"mode", SET_MODE);
        text.decimal(b"uid", owner.0);
        text.decimal(b"gid", owner.1);
        text.raw(b"\n");
    }

    /// Writes the rest of a line, after the name. `dir_facts` are size and link count of a directory, if they
    /// are known.
    pub(super) fn keywords(&mut self, id: InodeId, inode: &Inode, dir_facts: Option<(u64, u64)>) {
        if self.dialect == Dialect::Umoci {
            self.umoci(inode, dir_facts);
        } else {
            self.plain(inode);
        }
        if self.dialect == Dialect::Native {
            self.native(id, inode);
        }
        self.text.raw(b"\n");
    }

    fn plain(&mut self, inode: &Inode) {
        let Inode { attrs, content, nlink } = inode;
        let text = &mut self.text;
        text.word(b"type", type_name(content));
        text.octal(b"mode", attrs.mode);
        text.decimal(b"uid", attrs.uid);
        text.decimal(b"gid", attrs.gid);
        if !matches!(content, Content::Dir(_)) {
            text.decimal(b"nlink", *nlink);
            // umoci requires sizes of all entries, BSD only of files.
            if self.dialect != Dialect::Bsd || matches!(content, Content::File { .. }) {
                text.decimal(b"size", size(content));
            }
        }
        // Not at the end of the line: a link target may end in a backslash, which gomtree takes for a
        // continued line.
        match content {
            Content::File { sha256: Some(sha256), .. } => text.hex(b"sha256digest", sha256),
            Content::Symlink(target) => text.escaped(b"link", target),
            Content::Char(major, minor) | Content::Block(major, minor) => text.device(*major, *minor),
            Content::File { sha256: None, .. } | Content::Dir(_) | Content::Fifo | Content::Socket => {}
        }
        text.time(b"time", attrs.mtime.seconds, attrs.mtime.nanoseconds);
    }

    fn native(&mut self, id: InodeId, inode: &Inode) {
        for (name, value) in &inode.attrs.xattrs {
            self.text.xattr(|word| vis::encode_key(name, word), value);
        }
        if inode.nlink > 1 {
            let next = self.numbers.len() as u64 + 1;
            let number = *self.numbers.entry(id).or_insert(next);
            self.text.decimal(b"inode", number);
        }
    }

    /// Writes umoci's keywords in umoci's order, except those that `/set` covers.
    fn umoci(&mut self, inode: &Inode, dir_facts: Option<(u64, u64)>) {
        let Inode { attrs, content, nlink } = inode;
        let text = &mut self.text;
        let is_file = matches!(content, Content::File { .. });
        let is_dir = matches!(content, Content::Dir(_));
        let (set_uid, set_gid) = self.set_owner.unwrap_or_default();
        let (size, nlink) = match dir_facts {
            _ if !is_dir => (Some(size(content)), Some((*nlink).into())),
            Some((size, nlink)) => (Some(size), Some(nlink)),
            None => (None, None),
        };
        if let Some(size) = size {
            text.decimal(b"size", size);
        }
        if !is_file {
            text.word(b"type", type_name(content));
        }
        if attrs.uid != set_uid {
            text.decimal(b"uid", attrs.uid);
        }
        if attrs.gid != set_gid {
            text.decimal(b"gid", attrs.gid);
        }
        if attrs.mode != SET_MODE {
            text.octal(b"mode", attrs.mode);
        }
        if let Content::Symlink(target) = content {
            text.escaped(b"link", target);
        }
        if let Some(nlink) = nlink.filter(|nlink| !(self.set_nlink && *nlink == 1)) {
            text.decimal(b"nlink", nlink);
        }
        text.time(b"tar_time", attrs.mtime.seconds, 0);
        if let Content::File { sha256: Some(sha256), .. } = content {
            text.hex(b"sha256digest", sha256);
        }
        if is_file || is_dir {
            // umoci compares all that are listed, and does not set those of the system.
            for (name, value) in attrs.xattrs.iter().filter(|(name, _)| !is_system_xattr(name)) {
                // gomtree does not escape '=', and finds the keyword only if it is not escaped.
                text.xattr(|word| vis::encode(name, word), value);
            }
        }
    }
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
