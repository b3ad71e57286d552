//! The logical lines of a manifest: continued lines are joined, comments and blank lines left out.

use std::io::{BufRead, Read};

use crate::{
    error::{Error, Result},
    limits::Limits,
};

pub(super) struct Lines<'a> {
    what: &'a str,
    input: &'a mut dyn BufRead,
    max_line: u64,
    limits: Limits,
    /// Physical lines read so far.
    read: u64,
    line: Vec<u8>,
    native: bool,
}

impl<'a> Lines<'a> {
    pub(super) fn new(what: &'a str, input: &'a mut dyn BufRead, limits: &Limits) -> Self {
        // Everything that a layer can contain must be readable: an escape needs four characters for a byte.
        let max_line = 4 * limits.header + 8 * limits.path as u64 + 1024;
        Self { what, input, max_line, limits: *limits, read: 0, line: Vec::new(), native: false }
    }

    /// Returns whether the first line is that of the native dialect; known once a line was read.
    pub(super) fn is_native(&self) -> bool {
        self.native
    }

    /// Returns the next line with the number of its first physical line (from 1); `None` at the end.
    pub(super) fn next_line(&mut self) -> Result<Option<(u64, &[u8])>> {
        loop {
            self.line.clear();
            if !self.append_physical()? {
                return Ok(None);
            }
            let number = self.read;
            if number == 1 {
                self.native = self.line == super::NATIVE_HEADER.trim_ascii_end();
            }
            // A comment is not continued, even if it ends in a backslash.
            if matches!(self.line.trim_ascii_start().first(), None | Some(b'#')) {
                continue;
            }
            while ends_in_continuation(&self.line) {
                self.line.pop();
                if !self.append_physical()? {
                    break;
                }
            }
            return Ok(Some((number, &self.line)));
        }
    }

    /// Appends a physical line without its end; `false` at the end of the input.
    fn append_physical(&mut self) -> Result<bool> {
        let room = self.max_line.saturating_sub(self.line.len() as u64) + 1;
        let got = (&mut *self.input)
            .take(room)
            .read_until(b'\n', &mut self.line)
            .map_err(Error::io(format_args!("read {}", self.what)))?;
        if got == 0 {
            return Ok(false);
        }
        self.read += 1;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
            if self.line.last() == Some(&b'\r') {
                self.line.pop();
            }
        } else if got as u64 == room {
            let what = format!("{}: line {} is longer than {} bytes", self.what, self.read, self.max_line);
            return Err(Error::limit(what, "header", self.limits.header));
        }
        Ok(true)
    }
}

/// Returns whether the number of trailing backslashes is odd: an even number is escaped backslashes.
fn ends_in_continuation(line: &[u8]) -> bool {
    line.iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 1
}
