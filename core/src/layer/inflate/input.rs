//! A buffer for compressed input that counts the bytes used.

use std::io::{self, Read};

/// Large, since each read is a system call and a call of the hash.
const BUFFER: usize = 128 << 10;

/// A reader with a buffer.
#[derive(Debug)]
pub(super) struct Input<R> {
    inner: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    taken: u64,
}

impl<R: Read> Input<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, buffer: vec![0; BUFFER].into(), start: 0, end: 0, taken: 0 }
    }

    /// Bytes that were read from the inner reader and used.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Returns the next bytes; none at the end. Fills an empty buffer as far as the inner reader allows.
    pub(super) fn fill(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            while self.end < self.buffer.len() {
                match self.inner.read(&mut self.buffer[self.end..]) {
                    Ok(0) => break,
                    Ok(got) => self.end += got,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// Marks as used this many of the bytes that [`Self::fill`] returned.
    pub(super) fn consume(&mut self, amount: usize) {
        self.start = (self.start + amount).min(self.end);
        self.taken += amount as u64;
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill()?;
        let taken = available.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&available[..taken]);
        self.consume(taken);
        Ok(taken)
    }
}
