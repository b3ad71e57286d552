//! The archive as the parser reads it: blocks, and the content of the current entry.

use std::io::{self, BufRead, Read};

use super::{
    BLOCK,
    sparse::{Map, Segment},
};
use crate::error::{Error, Result};

/// The input, at a block boundary or inside the content of an entry. As a reader it yields that content, with
/// zeros for holes.
#[derive(Debug)]
pub(super) struct Body<R> {
    input: R,
    what: String,
    /// Bytes read from the input.
    position: u64,
    /// Stored bytes of the content that are still to be read.
    stored: u64,
    /// Padding after them.
    padding: u64,
    holes: Option<Holes>,
}

/// The position of the reader in a sparse file.
#[derive(Debug)]
struct Holes {
    segments: std::vec::IntoIter<Segment>,
    /// The current segment, or the next one.
    current: Option<Segment>,
    position: u64,
    size: u64,
}

impl<R: BufRead> Body<R> {
    pub(super) fn new(input: R, what: String) -> Self {
        Self { input, what, position: 0, stored: 0, padding: 0, holes: None }
    }

    /// Returns the name of the archive, for errors.
    pub(super) fn what(&self) -> &str {
        &self.what
    }

    /// Returns the number of bytes read from the input.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Starts the content of an entry with this many stored bytes.
    pub(super) fn start(&mut self, stored: u64) {
        self.stored = stored;
        self.padding = stored.wrapping_neg() % BLOCK as u64;
        self.holes = None;
    }

    /// Sets the map of a sparse file, before any of its content is read.
    pub(super) fn spread(&mut self, map: Map) {
        let mut segments = map.segments.into_iter();
        self.holes = Some(Holes { current: segments.next(), segments, position: 0, size: map.size });
    }

    /// Reads a block of the stored content, such as the map in front of a sparse file.
    pub(super) fn content_block(&mut self, block: &mut [u8; BLOCK]) -> Result<()> {
        let left = self.stored.checked_sub(BLOCK as u64).ok_or_else(|| self.truncated())?;
        if !self.block(block)? {
            return Err(self.truncated());
        }
        self.stored = left;
        Ok(())
    }

    /// Returns the number of stored bytes still to be read.
    pub(super) fn stored(&self) -> u64 {
        self.stored
    }

    /// Skips the rest of the content, and the padding after it. The padding may be missing at the end of the
    /// input: `umoci insert` writes such archives.
    pub(super) fn skip(&mut self) -> Result<()> {
        self.holes = None;
        while self.stored > 0 {
            self.stored -= self.take_some(self.stored, |_| ())?;
        }
        while self.padding > 0 {
            match self.take(self.padding, |_| ())? {
                0 => self.padding = 0,
                taken => self.padding -= taken,
            }
        }
        Ok(())
    }

    /// Reads a block at a block boundary; `false` at the end of the input.
    pub(super) fn block(&mut self, block: &mut [u8; BLOCK]) -> Result<bool> {
        let mut rest = &mut block[..];
        while !rest.is_empty() {
            let taken = self.take(rest.len() as u64, |bytes| rest[..bytes.len()].copy_from_slice(bytes))?;
            if taken == 0 {
                return if rest.len() == BLOCK { Ok(false) } else { Err(self.truncated()) };
            }
            rest = &mut rest[taken as usize..];
        }
        Ok(true)
    }

    /// Appends the whole stored content to a buffer. The caller has checked its size.
    pub(super) fn read_stored(&mut self, buffer: &mut Vec<u8>) -> Result<()> {
        while self.stored > 0 {
            self.stored -= self.take_some(self.stored, |bytes| buffer.extend_from_slice(bytes))?;
        }
        self.skip()
    }

    /// Reads to the end of the input, beyond the end of the archive.
    pub(super) fn drain(&mut self) -> Result<()> {
        while self.take(u64::MAX, |_| ())? > 0 {}
        Ok(())
    }

    /// Passes the next bytes of the input, at most `most`, to a function. Returns their number, 0 at the end.
    fn take(&mut self, most: u64, using: impl FnOnce(&[u8])) -> Result<u64> {
        loop {
            match self.input.fill_buf() {
                Ok(available) => {
                    let taken = usize::try_from(most).unwrap_or(usize::MAX).min(available.len());
                    using(&available[..taken]);
                    self.input.consume(taken);
                    self.position += taken as u64;
                    return Ok(taken as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io(format_args!("read {}", self.what))(error)),
            }
        }
    }

    /// Does the same as [`Self::take`] inside an entry, where the input must not end.
    fn take_some(&mut self, most: u64, using: impl FnOnce(&[u8])) -> Result<u64> {
        match self.take(most, using)? {
            0 => Err(self.truncated()),
            taken => Ok(taken),
        }
    }

    fn truncated(&self) -> Error {
        Error::layer(
            &self.what,
            format!("the archive is truncated at byte {}, inside an entry", self.position),
        )
    }

    /// Reads stored bytes, at most `most`.
    fn read_some(&mut self, buffer: &mut [u8], most: u64) -> Result<usize> {
        let most = most.min(self.stored).min(buffer.len() as u64);
        if most == 0 {
            return Ok(0);
        }
        let taken = self.take_some(most, |bytes| buffer[..bytes.len()].copy_from_slice(bytes))?;
        self.stored -= taken;
        Ok(taken as usize)
    }
}

impl<R: BufRead> Read for Body<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(holes) = &mut self.holes else { return Ok(self.read_some(buffer, u64::MAX)?) };
        while holes.current.is_some_and(|segment| holes.position >= segment.offset + segment.length) {
            holes.current = holes.segments.next();
        }
        let position = holes.position;
        let (hole, data) = match holes.current {
            Some(segment) if segment.offset <= position => (0, segment.offset + segment.length - position),
            Some(segment) => (segment.offset - position, 0),
            None => (holes.size - position, 0),
        };
        let got = if data > 0 {
            self.read_some(buffer, data)?
        } else {
            let zeros = usize::try_from(hole).unwrap_or(usize::MAX).min(buffer.len());
            buffer[..zeros].fill(0);
            zeros
        };
        if let Some(holes) = &mut self.holes {
            holes.position += got as u64;
        }
        Ok(got)
    }
}
