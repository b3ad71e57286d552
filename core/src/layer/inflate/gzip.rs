//! gzip (RFC 1952). Members are read in a loop, so that many small ones need no stack and no memory.

use std::io::Read;

use flate2::{Decompress, FlushDecompress, Status};

use super::{Failure, input::Input};

/// A reader of all members. Zeros after the last one are padding, as on tapes; other trailing data is an
/// error.
#[derive(Debug)]
pub(super) struct Gzip<R> {
    pub(super) input: Input<R>,
    decompress: Decompress,
    at: At,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Member,
    BetweenMembers,
    Padding,
}

impl<R: Read> Gzip<R> {
    pub(super) fn new(input: Input<R>) -> Self {
        Self { input, decompress: Decompress::new_gzip(15), at: At::Member }
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        loop {
            let available = self.input.fill()?;
            match (self.at, available.first()) {
                (At::Member, first) => {
                    let ended = first.is_none();
                    let (taken, given) = (self.decompress.total_in(), self.decompress.total_out());
                    let status = self
                        .decompress
                        .decompress(available, buffer, FlushDecompress::None)
                        .map_err(|error| Failure::Data(format!("invalid gzip data: {error}")))?;
                    let given = (self.decompress.total_out() - given) as usize;
                    self.input.consume((self.decompress.total_in() - taken) as usize);
                    if status == Status::StreamEnd {
                        self.decompress.reset(true);
                        self.at = At::BetweenMembers;
                    } else if given == 0 && ended {
                        return Err(Failure::Data("the gzip data is truncated".into()));
                    }
                    if given > 0 {
                        return Ok(given);
                    }
                }
                (_, None) => return Ok(0),
                (At::BetweenMembers, Some(0x1f)) => self.at = At::Member,
                (_, Some(0)) => {
                    let zeros = available.iter().take_while(|&&byte| byte == 0).count();
                    self.input.consume(zeros);
                    self.at = At::Padding;
                }
                (_, Some(_)) => {
                    return Err(Failure::Data("trailing data after the gzip data".into()));
                }
            }
        }
    }
}
