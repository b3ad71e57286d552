//! Bytes that can be read at any position, by several readers at once.

use std::{
    io::{self, Read, Seek, SeekFrom},
    sync::Arc,
};

use super::ReadSeek;
use crate::fs::File;

/// Bytes that can be read at any position, such as those of an archive.
pub trait ReadAt: Send + Sync {
    /// Reads from a position, in bytes; may read less than the buffer holds, and 0 only at the end.
    ///
    /// # Errors
    /// Errors of reading the bytes.
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize>;
    /// Returns the number of bytes.
    ///
    /// # Errors
    /// Errors of determining it.
    fn size(&self) -> io::Result<u64>;
}

impl ReadAt for Vec<u8> {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let start = usize::try_from(position).ok();
        start.and_then(|start| self.get(start..)).unwrap_or_default().read(buffer)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }
}

impl<R: ReadAt + ?Sized> ReadAt for Arc<R> {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        (**self).read_at(buffer, position)
    }

    fn size(&self) -> io::Result<u64> {
        (**self).size()
    }
}

/// A file that a directory handle opened.
#[derive(Debug)]
pub struct FileBytes<F>(pub F);

impl<F: File> ReadAt for FileBytes<F> {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.0.read_at(buffer, position)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.size)
    }
}

/// Reads from the start to the end.
///
/// # Errors
/// Those of [`ReadAt::size`].
pub fn reader(bytes: &Arc<dyn ReadAt>) -> io::Result<impl ReadSeek + use<>> {
    Part::whole(bytes)
}

/// A range of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) start: u64,
    pub(super) size: u64,
}

/// A part of the bytes as a reader of its own.
pub(super) struct Part {
    bytes: Arc<dyn ReadAt>,
    extent: Extent,
    position: u64,
}

impl Part {
    pub(super) fn new(bytes: &Arc<dyn ReadAt>, extent: Extent) -> Self {
        Self { bytes: Arc::clone(bytes), extent, position: 0 }
    }

    pub(super) fn whole(bytes: &Arc<dyn ReadAt>) -> io::Result<Self> {
        Ok(Self::new(bytes, Extent { start: 0, size: bytes.size()? }))
    }

    pub(super) fn size(&self) -> u64 {
        self.extent.size
    }
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.extent.size.saturating_sub(self.position);
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..most).filter(|buffer| !buffer.is_empty()) else { return Ok(0) };
        match self.bytes.read_at(buffer, self.extent.start + self.position)? {
            0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter while it was read")),
            got => {
                self.position += got as u64;
                Ok(got)
            }
        }
    }
}

impl Seek for Part {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.extent.size.checked_add_signed(offset),
        };
        self.position =
            position.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "seek before the start"))?;
        Ok(self.position)
    }
}
