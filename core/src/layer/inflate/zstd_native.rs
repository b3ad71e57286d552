//! zstd (RFC 8878) with its C library, which skips skippable frames.

use std::{
    fmt,
    io::{self, Read},
};

use zstd::stream::raw::{DParameter, Decoder, Operation};

use super::{Failure, input::Input};

/// A reader of all frames.
pub(super) struct Zstd<R> {
    pub(super) input: Input<R>,
    decoder: Decoder<'static>,
    /// Whether the decoder is inside a frame, where the input must not end.
    inside: bool,
}

impl<R: Read> Zstd<R> {
    pub(super) fn new(input: Input<R>, window_log: u32) -> io::Result<Self> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(window_log))?;
        Ok(Self { input, decoder, inside: false })
    }

    /// Returns whether everything read so far is whole frames.
    pub(super) fn is_between_frames(&self) -> bool {
        !self.inside
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        loop {
            let available = self.input.fill()?;
            let ended = available.is_empty();
            if ended && !self.inside {
                return Ok(0);
            }
            let status = self
                .decoder
                .run_on_buffers(available, buffer)
                .map_err(|error| Failure::Data(format!("invalid zstd data: {error}")))?;
            self.input.consume(status.bytes_read);
            self.inside = status.remaining != 0;
            if status.bytes_written > 0 {
                return Ok(status.bytes_written);
            }
            if ended && self.inside {
                return Err(Failure::Data("the zstd data is truncated".into()));
            }
        }
    }
}

impl<R> fmt::Debug for Zstd<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zstd").field("inside", &self.inside).finish_non_exhaustive()
    }
}
