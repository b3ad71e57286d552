//! gzip that can be entered in the middle.
//!
//! Between two blocks of a deflate stream (RFC 1951), a decoder needs only the last 32 KiB of content and the
//! remaining bits of the last byte. A [`Point`] holds these. miniz_oxide can stop and start at such places;
//! the faster decoder of [`super::gzip`] cannot.

use std::{
    io::Read,
    sync::{Arc, Mutex, PoisonError},
};

use miniz_oxide::inflate::{
    TINFLStatus,
    core::{
        BlockBoundaryState, DecompressorOxide, decompress,
        inflate_flags::{TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY},
    },
};

use super::{Failure, input::Input};

/// The window of deflate in bytes.
const WINDOW: usize = 32 << 10;
/// A power of two, for a ring buffer.
const RING: usize = 128 << 10;
/// Bytes of content between two points, initially.
const SPAN: u64 = 4 << 20;
/// With more points than this, every other one is dropped.
const MOST: usize = 512;

/// A place where decoding can start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Point {
    /// Offset in the blob.
    pub(crate) blob: u64,
    /// Offset in the content.
    pub(crate) content: u64,
    /// The decoder's state; `None` at the start of a gzip member or a zstd frame.
    pub(crate) inside: Option<Inside>,
}

/// The state of a decoder between two blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inside {
    /// The number of bits of the previous byte that are still to be decoded, and these bits.
    pub(crate) bits: (u8, u8),
    /// The preceding content, at most 32 KiB.
    pub(crate) window: Box<[u8]>,
}

/// A list of points, in the order of the content.
#[derive(Debug, Clone, Default)]
pub(crate) struct Points(Arc<Mutex<Kept>>);

#[derive(Debug)]
struct Kept {
    points: Vec<Point>,
    span: u64,
}

impl Default for Kept {
    fn default() -> Self {
        Self { points: Vec::new(), span: SPAN }
    }
}

impl Points {
    /// Returns whether a point is far enough from the last one. A point that needs no window may be nearer.
    fn wants(&self, content: u64, is_start: bool) -> bool {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let span = if is_start { kept.span / 16 } else { kept.span };
        content >= kept.points.last().map_or(0, |last| last.content) + span
    }

    fn keep(&self, point: Point) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.points.push(point);
        if kept.points.len() > MOST {
            let mut number = 0;
            kept.points.retain(|_| {
                number += 1;
                number % 2 == 0
            });
            kept.span *= 2;
        }
    }

    /// Records the start of a member or frame.
    pub(crate) fn start(&self, blob: u64, content: u64) {
        if self.wants(content, true) {
            self.keep(Point { blob, content, inside: None });
        }
    }

    pub(crate) fn take(&self) -> Vec<Point> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).points)
    }
}

/// A reader of all members from a point on, which records points.
pub(super) struct PointedGzip<R> {
    pub(super) input: Input<R>,
    points: Points,
    state: DecompressorOxide,
    ring: Box<[u8]>,
    /// The position in the ring where decoded bytes go next.
    next: usize,
    /// The range of the ring that is decoded but not yet read.
    pending: std::ops::Range<usize>,
    /// Bytes of content decoded so far.
    content: u64,
    /// Bytes decoded of the current member.
    member: u64,
    at: At,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Header,
    Blocks,
    BetweenMembers,
    Padding,
}

impl<R: Read> PointedGzip<R> {
    pub(super) fn new(input: Input<R>, points: Points) -> Self {
        Self {
            input,
            points,
            state: DecompressorOxide::new(),
            ring: vec![0; RING].into(),
            next: 0,
            pending: 0..0,
            content: 0,
            member: 0,
            at: At::Header,
        }
    }

    /// Resumes at a point; `input` starts there.
    pub(super) fn resume(input: Input<R>, point: &Point) -> Self {
        let mut resumed = Self { content: point.content, ..Self::new(input, Points::default()) };
        if let Some(Inside { bits: (num_bits, bit_buf), window }) = &point.inside {
            let state = BlockBoundaryState { num_bits: *num_bits, bit_buf: *bit_buf, ..Default::default() };
            resumed.state = DecompressorOxide::from_block_boundary_state(&state);
            let length = window.len().min(WINDOW);
            if let (Some(to), Some(from)) = (resumed.ring.get_mut(..length), window.get(..length)) {
                to.copy_from_slice(from);
            }
            resumed.next = length;
            resumed.member = length as u64;
            resumed.at = At::Blocks;
        }
        resumed
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        loop {
            if let Some(ready) = self.ring.get(self.pending.clone()).filter(|ready| !ready.is_empty()) {
                let count = ready.len().min(buffer.len());
                if let (Some(to), Some(from)) = (buffer.get_mut(..count), ready.get(..count)) {
                    to.copy_from_slice(from);
                }
                self.pending.start += count;
                return Ok(count);
            }
            match self.at {
                At::Header => {
                    self.header()?;
                    self.at = At::Blocks;
                }
                At::Blocks => self.blocks()?,
                At::BetweenMembers | At::Padding => {
                    let Some(&first) = self.input.fill()?.first() else { return Ok(0) };
                    match (self.at, first) {
                        (At::BetweenMembers, 0x1f) => {
                            self.points.start(self.input.taken(), self.content);
                            self.at = At::Header;
                        }
                        (_, 0) => {
                            self.input.consume(1);
                            self.at = At::Padding;
                        }
                        _ => return Err(Failure::Data("trailing data after the gzip data".into())),
                    }
                }
            }
        }
    }

    fn byte(&mut self) -> Result<u8, Failure> {
        let byte = self.input.fill()?.first().copied();
        let byte = byte.ok_or_else(|| Failure::Data("the gzip data is truncated".into()))?;
        self.input.consume(1);
        Ok(byte)
    }

    fn skip(&mut self, count: usize) -> Result<(), Failure> {
        (0..count).try_for_each(|_| self.byte().map(drop))
    }

    /// RFC 1952, 2.3.
    fn header(&mut self) -> Result<(), Failure> {
        if [self.byte()?, self.byte()?, self.byte()?] != [0x1f, 0x8b, 8] {
            return Err(Failure::Data("invalid gzip header".into()));
        }
        let flags = self.byte()?;
        self.skip(6)?;
        if flags & 4 != 0 {
            let length = u16::from_le_bytes([self.byte()?, self.byte()?]);
            self.skip(usize::from(length))?;
        }
        for text in [8, 16] {
            if flags & text != 0 {
                while self.byte()? != 0 {}
            }
        }
        if flags & 2 != 0 {
            self.skip(2)?;
        }
        self.state = DecompressorOxide::new();
        self.member = 0;
        Ok(())
    }

    fn blocks(&mut self) -> Result<(), Failure> {
        if self.next == RING {
            self.next = 0;
        }
        let available = self.input.fill()?;
        let ended = available.is_empty();
        let more = if ended { 0 } else { TINFL_FLAG_HAS_MORE_INPUT };
        let flags = more | TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY;
        let (status, taken, given) = decompress(&mut self.state, available, &mut self.ring, self.next, flags);
        self.input.consume(taken);
        self.pending = self.next..self.next + given;
        self.next += given;
        self.content += given as u64;
        self.member += given as u64;
        match status {
            TINFLStatus::Done => {
                // The checksum and length are skipped: the digest of the blob proves more.
                self.skip(8)?;
                self.at = At::BetweenMembers;
            }
            TINFLStatus::BlockBoundary if self.points.wants(self.content, false) => self.note(),
            TINFLStatus::BlockBoundary | TINFLStatus::HasMoreOutput => {}
            TINFLStatus::NeedsMoreInput if !ended => {}
            TINFLStatus::NeedsMoreInput | TINFLStatus::FailedCannotMakeProgress => {
                return Err(Failure::Data("the gzip data is truncated".into()));
            }
            _ => return Err(Failure::Data("invalid gzip data".into())),
        }
        Ok(())
    }

    fn note(&mut self) {
        let Some(state) = self.state.block_boundary_state() else { return };
        let length = usize::try_from(self.member).unwrap_or(WINDOW).min(WINDOW);
        let window = (0..length)
            .filter_map(|back| self.ring.get((self.next + RING - length + back) % RING).copied())
            .collect();
        let inside = Some(Inside { bits: (state.num_bits, state.bit_buf), window });
        self.points.keep(Point { blob: self.input.taken(), content: self.content, inside });
    }
}

impl<R> std::fmt::Debug for PointedGzip<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PointedGzip")
            .field("content", &self.content)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
