//! Content that is read over a connection, which may break.

use std::{
    io::{self, Read, Seek, SeekFrom},
    sync::Arc,
};

use super::{
    Response,
    http::{Http, is_transient},
    transport::Transport,
};
use crate::error::{Error, Result};

/// The first bytes that are asked for after a seek; each further request for what follows asks for four times
/// as many. So a short look takes a short answer, and a long read few requests.
const FIRST_WINDOW: u64 = 64 << 10;
/// The most bytes that are read and dropped rather than asking anew.
const SKIP: u64 = 64 << 10;

/// Asks for a range of content: from a position, at most some bytes. Returns `None` if there is no such
/// content.
pub(super) type Ask<'a> = Box<dyn Fn(u64, Option<u64>) -> Result<Option<Response>> + Send + Sync + 'a>;

/// A reader that asks again where a connection broke.
pub(super) struct Remote<'a, T> {
    http: Arc<Http<T>>,
    name: String,
    size: u64,
    ask: Ask<'a>,
    position: u64,
    /// The body that is being read, from `position`, and the position of its end.
    open: Option<(Box<dyn Read + Send>, u64)>,
    /// The bytes to ask for next; `None` for all.
    window: Option<u64>,
    /// The number of failures since anything was read.
    failures: u32,
}

impl<'a, T: Transport> Remote<'a, T> {
    /// Opens content to read all of it. Returns `None` if there is no such content.
    pub(super) fn open(http: &Arc<Http<T>>, name: String, size: u64, ask: Ask<'a>) -> Result<Option<Self>> {
        let mut remote = Self::at_any_position(http, name, size, ask);
        remote.window = None;
        match (remote.ask)(0, None)? {
            Some(response) => {
                remote.open = Some((response.body, size));
                Ok(Some(remote))
            }
            None => Ok(None),
        }
    }

    /// Returns a reader that asks when it is read.
    pub(super) fn at_any_position(http: &Arc<Http<T>>, name: String, size: u64, ask: Ask<'a>) -> Self {
        Self {
            http: Arc::clone(http),
            name,
            size,
            ask,
            position: 0,
            open: None,
            window: Some(FIRST_WINDOW),
            failures: 0,
        }
    }

    /// Asks for what is at the position.
    fn reopen(&mut self) -> io::Result<()> {
        let most = self.window.map(|window| window.min(self.size - self.position));
        let response = (self.ask)(self.position, most)?.ok_or_else(|| self.error("it is gone"))?;
        self.window = self.window.and_then(|window| window.checked_mul(4));
        let (start, end) = match response.status {
            // The content is shorter than it should be: its size will be found wrong.
            416 if self.position > 0 => {
                self.size = self.position;
                return Ok(());
            }
            206 => match response.header("content-range").and_then(range) {
                Some((start, end)) if start == self.position && end < self.size => (start, end + 1),
                _ => return Err(self.error("the server sent another range than it was asked for")),
            },
            200 => (0, self.size),
            _ => return Err(self.error("the server does not have this range")),
        };
        let mut body = response.body;
        // A server need not support ranges; then it sends everything again.
        let skip = self.position - start;
        if io::copy(&mut (&mut body).take(skip), &mut io::sink())? != skip {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.open = Some((body, end));
        Ok(())
    }

    fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.open.as_ref().is_none_or(|(_, end)| self.position >= *end) {
            self.reopen()?;
        }
        if self.position >= self.size {
            return Ok(0);
        }
        let Some((body, end)) = &mut self.open else { return Ok(0) };
        let most = usize::try_from(*end - self.position).unwrap_or(usize::MAX).min(buffer.len());
        match body.read(&mut buffer[..most])? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            got => Ok(got),
        }
    }

    fn error(&self, why: &str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("{}: {why}", self.name))
    }
}

impl<T: Transport> Read for Remote<'_, T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.position >= self.size {
            return Ok(0);
        }
        loop {
            match self.try_read(buffer) {
                Ok(got) => {
                    self.position += got as u64;
                    self.failures = 0;
                    return Ok(got);
                }
                Err(error) => {
                    self.open = None;
                    self.failures += 1;
                    let refused = matches!(error.get_ref(), Some(inner) if inner.is::<Error>());
                    if refused || !is_transient(&error) || !self.http.wait(self.failures, None)? {
                        let name = &self.name;
                        return Err(Error::io(format_args!("read {name}"))(error).into());
                    }
                }
            }
        }
    }
}

impl<T: Transport> Seek for Remote<'_, T> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.size.checked_add_signed(offset),
        };
        let position =
            position.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "seek before the start"))?;
        let ahead = position.checked_sub(self.position);
        if position != self.position {
            let near = ahead.is_some_and(|ahead| ahead <= SKIP);
            let inside = self.open.as_ref().is_some_and(|(_, end)| position <= *end);
            match (&mut self.open, ahead) {
                (Some((body, _)), Some(ahead)) if near && inside => {
                    if io::copy(&mut body.take(ahead), &mut io::sink()).ok() != Some(ahead) {
                        self.open = None;
                    }
                }
                _ => {
                    self.open = None;
                    self.window = Some(FIRST_WINDOW);
                }
            }
        }
        self.position = position;
        Ok(position)
    }
}

/// Parses `bytes FIRST-LAST/SIZE` (RFC 9110, section 14.4).
fn range(header: &str) -> Option<(u64, u64)> {
    let (range, _) = header.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last).then_some((first, last))
}

/// Returns the value of `range` for some bytes from a position; `None` for all of them.
pub(super) fn range_header(position: u64, most: Option<u64>) -> Option<String> {
    match (position, most) {
        (0, None) => None,
        (position, None) => Some(format!("bytes={position}-")),
        (position, Some(most)) => Some(format!("bytes={position}-{}", position + most.max(1) - 1)),
    }
}
