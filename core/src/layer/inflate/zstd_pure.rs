//! zstd (RFC 8878) in pure Rust, for builds without a C compiler.

use std::{
    fmt,
    io::{self, Read},
};

use ruzstd::decoding::{
    BlockDecodingStrategy, FrameDecoder,
    errors::{FrameDecoderError, ReadFrameHeaderError},
};

use super::{Failure, input::Input};

/// A reader of all frames.
pub(super) struct Zstd<R> {
    pub(super) input: Input<R>,
    decoder: FrameDecoder,
    inside: bool,
}

impl<R: Read> Zstd<R> {
    #[allow(clippy::unnecessary_wraps, reason = "the signature of the native one")]
    pub(super) fn new(input: Input<R>, window_log: u32) -> io::Result<Self> {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(1 << window_log);
        Ok(Self { input, decoder, inside: false })
    }

    /// Returns whether everything read so far is whole frames.
    #[cfg_attr(feature = "zstd-native", expect(dead_code, reason = "tests have both, and use the other"))]
    pub(super) fn is_between_frames(&self) -> bool {
        !self.inside
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        loop {
            if !self.inside {
                if self.input.fill()?.is_empty() {
                    return Ok(0);
                }
                self.start_frame()?;
                continue;
            }
            if self.decoder.can_collect() > 0 {
                let got = self.decoder.read(buffer)?;
                if self.decoder.can_collect() == 0 && self.decoder.is_finished() {
                    self.check_frame()?;
                    self.inside = false;
                }
                return Ok(got);
            }
            if self.decoder.is_finished() {
                self.check_frame()?;
                self.inside = false;
                continue;
            }
            self.decoder
                .decode_blocks(&mut self.input, BlockDecodingStrategy::UptoBlocks(1))
                .map_err(|error| Failure::Data(format!("invalid zstd data: {error}")))?;
        }
    }

    fn start_frame(&mut self) -> Result<(), Failure> {
        match self.decoder.init(&mut self.input) {
            Ok(()) => {
                self.inside = true;
                Ok(())
            }
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length, ..
            })) => self.skip(u64::from(length)),
            Err(error) => Err(Failure::Data(format!("invalid zstd data: {error}"))),
        }
    }

    fn skip(&mut self, length: u64) -> Result<(), Failure> {
        match io::copy(&mut Read::by_ref(&mut self.input).take(length), &mut io::sink())? {
            skipped if skipped == length => Ok(()),
            _ => Err(Failure::Data("the zstd data is truncated".into())),
        }
    }

    fn check_frame(&self) -> Result<(), Failure> {
        match self.decoder.get_checksum_from_data() {
            Some(stored) if self.decoder.get_calculated_checksum() != Some(stored) => {
                Err(Failure::Data("invalid zstd data: the checksum of a frame does not match".into()))
            }
            _ => Ok(()),
        }
    }
}

impl<R> fmt::Debug for Zstd<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zstd").field("inside", &self.inside).finish_non_exhaustive()
    }
}
