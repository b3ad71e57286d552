//! The archive of one layer, written while it is made.

use std::io::{self, Read, Write};

use tar::{Builder, EntryType, Header};

/// Default modification time: seconds since 1970.
const TIME: u64 = 1_600_000_000;

/// An archive in the making. Names and targets may be long; nothing is checked.
pub(super) struct Layer<'a> {
    archive: Builder<&'a mut dyn Write>,
    time: u64,
}

impl<'a> Layer<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { archive: Builder::new(out), time: TIME }
    }

    /// Seconds added to the modification times of this layer.
    pub(super) fn at(&mut self, later: u64) {
        self.time = TIME + later;
    }

    pub(super) fn dir(&mut self, name: &str) {
        self.dir_of(name, 0o755, 0);
    }

    pub(super) fn dir_of(&mut self, name: &str, mode: u32, owner: u64) {
        let mut header = self.header(EntryType::Directory, 0, mode, owner);
        self.archive.append_data(&mut header, format!("{name}/"), io::empty()).unwrap();
    }

    pub(super) fn file(&mut self, name: &str, size: u64, content: impl Read) {
        self.file_of(name, size, content, 0o644, 0);
    }

    pub(super) fn file_of(&mut self, name: &str, size: u64, content: impl Read, mode: u32, owner: u64) {
        let mut header = self.header(EntryType::Regular, size, mode, owner);
        self.archive.append_data(&mut header, name, content.take(size)).unwrap();
    }

    pub(super) fn hard_link(&mut self, name: &str, target: &str) {
        let mut header = self.header(EntryType::Link, 0, 0o644, 0);
        self.archive.append_link(&mut header, name, target).unwrap();
    }

    pub(super) fn symlink(&mut self, name: &str, target: &str) {
        let mut header = self.header(EntryType::Symlink, 0, 0o777, 0);
        self.archive.append_link(&mut header, name, target).unwrap();
    }

    /// Adds a whiteout.
    pub(super) fn marker(&mut self, name: &str) {
        self.file(name, 0, io::empty());
    }

    pub(super) fn finish(mut self) {
        self.archive.finish().unwrap();
    }

    fn header(&self, kind: EntryType, size: u64, mode: u32, owner: u64) -> Header {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(mode);
        header.set_uid(owner);
        header.set_gid(owner);
        header.set_mtime(self.time);
        header
    }
}
