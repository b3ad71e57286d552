//! Open files in memory.

use std::{
    fmt,
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    sync::Arc,
};

use super::{
    handle::Handle,
    table::{Body, Table},
};
use crate::fs::{AttrChange, File, FilePosix, FileWrite, Metadata};

/// An open file of a [`super::MemDir`]. A file opened for reading is a snapshot of the content, made without
/// a copy; a new file can be written and read.
pub struct MemFile {
    handle: Handle,
    position: u64,
    /// The content of a file opened for reading; `None` for one that can be written.
    snapshot: Option<Arc<Vec<u8>>>,
}

impl MemFile {
    pub(super) fn reader(handle: Handle, content: Arc<Vec<u8>>) -> Self {
        Self { handle, position: 0, snapshot: Some(content) }
    }

    pub(super) fn writer(handle: Handle) -> Self {
        Self { handle, position: 0, snapshot: None }
    }

    fn len(&self) -> io::Result<u64> {
        match &self.snapshot {
            Some(content) => Ok(content.len() as u64),
            None => Ok(content_of(&self.handle.lock(), self.handle.ino())?.len() as u64),
        }
    }
}

fn content_of(table: &Table, ino: u64) -> io::Result<&[u8]> {
    match &table.inode(ino)?.body {
        Body::File(content) => Ok(content),
        _ => Err(ErrorKind::InvalidInput.into()),
    }
}

impl Read for MemFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

/// Copies the content from `position` on, and returns the number of bytes.
fn copy_from(content: &[u8], position: u64, buffer: &mut [u8]) -> usize {
    let rest = usize::try_from(position).ok().and_then(|start| content.get(start..)).unwrap_or_default();
    let count = rest.len().min(buffer.len());
    if let (Some(from), Some(to)) = (rest.get(..count), buffer.get_mut(..count)) {
        to.copy_from_slice(from);
    }
    count
}

impl Write for MemFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.snapshot.is_some() {
            return Err(io::Error::new(ErrorKind::PermissionDenied, "the file is open for reading only"));
        }
        let position = usize::try_from(self.position).map_err(|_| ErrorKind::FileTooLarge)?;
        self.handle.lock().edit(self.handle.ino(), |content| write_at(content, position, bytes))?;
        self.position += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Overwrites from `position` on, and appends the rest; a gap before it is filled with zeros.
fn write_at(content: &mut Vec<u8>, position: usize, bytes: &[u8]) -> io::Result<()> {
    let end = position.checked_add(bytes.len()).ok_or(ErrorKind::FileTooLarge)?;
    // A position far past the end must be an error, not an abort.
    content.try_reserve(end.saturating_sub(content.len())).map_err(|_| ErrorKind::StorageFull)?;
    if content.len() < position {
        content.resize(position, 0);
    }
    let overwritten = bytes.len().min(content.len() - position);
    let (over, beyond) = bytes.split_at(overwritten);
    if let Some(old) = content.get_mut(position..position + overwritten) {
        old.copy_from_slice(over);
    }
    content.extend_from_slice(beyond);
    Ok(())
}

impl Seek for MemFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.len()?.checked_add_signed(offset),
        };
        self.position =
            position.ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "seek before the start"))?;
        Ok(self.position)
    }
}

impl File for MemFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        match &self.snapshot {
            Some(content) => Ok(copy_from(content, position, buffer)),
            None => Ok(copy_from(content_of(&self.handle.lock(), self.handle.ino())?, position, buffer)),
        }
    }

    fn metadata(&self) -> io::Result<Metadata> {
        self.handle.lock().metadata(self.handle.ino())
    }
}

impl FileWrite for MemFile {
    /// Succeeds: memory has nothing to make durable.
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

impl FilePosix for MemFile {
    fn set_attrs(&self, change: &AttrChange<'_>) -> io::Result<()> {
        self.handle.lock().set_attrs(self.handle.ino(), change)
    }
}

impl fmt::Debug for MemFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemFile")
            .field("ino", &self.handle.ino())
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}
