//! Reading files with holes.

use std::{
    io::{self, Read},
    ops::Range,
};

use super::File;

/// A reader of a whole file that makes the zeros of holes itself, instead of reading them.
#[derive(Debug)]
pub(crate) struct SkipHoles<F> {
    file: F,
    /// The position of the next byte.
    position: u64,
    /// The size of the file when it was opened.
    size: u64,
    /// The last range of stored bytes that was found.
    data: Range<u64>,
}

impl<F: File> SkipHoles<F> {
    /// Reads the first `size` bytes of a file.
    pub(crate) fn new(file: F, size: u64) -> Self {
        Self { file, position: 0, size, data: 0..0 }
    }

    /// Finds the stored bytes at or after the position.
    fn find_data(&mut self) -> io::Result<()> {
        self.data = match self.file.next_data(self.position)? {
            Some(data) => data,
            None => self.size..u64::MAX,
        };
        Ok(())
    }
}

impl<F: File> Read for SkipHoles<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.data.end && self.position < self.size {
            self.find_data()?;
        }
        let in_hole = self.position < self.data.start;
        let end = if in_hole { self.data.start } else { self.data.end };
        let left = end.min(self.size).saturating_sub(self.position);
        let room = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let buffer = &mut buffer[..room];
        let got = match in_hole {
            // A hole at the end looks like the end of a file that was truncated since.
            true if end == self.size && self.file.metadata()?.size < self.size => 0,
            true => {
                buffer.fill(0);
                room
            }
            false => self.file.read_at(buffer, self.position)?,
        };
        self.position += got as u64;
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use std::{
        io::Seek,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::*;
    use crate::fs::{FileType, Metadata};

    /// A file whose first bytes in each thousand are stored, and the rest are holes.
    #[derive(Debug, Default)]
    struct Holey {
        size: u64,
        stored: u64,
        read: AtomicUsize,
    }

    impl Holey {
        fn byte(&self, at: u64) -> u8 {
            if at % 1000 < self.stored { (at % 251) as u8 } else { 0 }
        }
    }

    impl File for Holey {
        fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
            let left = self.size.saturating_sub(position);
            let count = buffer.len().min(usize::try_from(left).unwrap());
            for (byte, at) in buffer[..count].iter_mut().zip(position..) {
                *byte = self.byte(at);
            }
            self.read.fetch_add(count, Ordering::Relaxed);
            Ok(count)
        }

        fn metadata(&self) -> io::Result<Metadata> {
            Ok(Metadata::new(FileType::File, self.size))
        }

        fn next_data(&self, position: u64) -> io::Result<Option<Range<u64>>> {
            let start = position - position % 1000;
            let data = if position < start + self.stored {
                position..start + self.stored
            } else {
                start + 1000..start + 1000 + self.stored
            };
            Ok((data.start < self.size && self.stored > 0).then_some(data.start..data.end.min(self.size)))
        }
    }

    impl Read for Holey {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    impl Seek for Holey {
        fn seek(&mut self, _: io::SeekFrom) -> io::Result<u64> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    #[test]
    fn holes_are_zeros_that_are_not_read() {
        for (size, stored, expected) in [
            (5000, 100, 500),
            (5050, 100, 550),
            (5500, 100, 600),
            (5000, 1000, 5000),
            (5000, 0, 0),
            (0, 100, 0),
        ] {
            let file = Holey { size, stored, ..Holey::default() };
            let content: Vec<u8> = (0..size).map(|at| file.byte(at)).collect();
            let mut reader = SkipHoles::new(file, size);
            let mut found = Vec::new();
            reader.read_to_end(&mut found).unwrap();
            assert_eq!((found, reader.file.read.into_inner()), (content, expected), "{size} {stored}");
        }
    }

    #[test]
    fn a_file_that_shrank_ends_early() {
        for stored in [0, 100, 1000] {
            let file = Holey { size: 2500, stored, ..Holey::default() };
            let mut found = Vec::new();
            SkipHoles::new(file, 10_000).read_to_end(&mut found).unwrap();
            assert!(found.len() <= 3000, "{stored}: {}", found.len());
        }
    }
}
