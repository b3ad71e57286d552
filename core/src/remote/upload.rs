//! Sending blobs (distribution-spec, "Pushing blobs").

use super::{
    Body, Client, Credentials, Method, Request, Transport, Url,
    access::Access,
    http::{Repeat, follow, is_transient, refused},
};
use crate::{
    digest::Digest,
    error::{Error, Result},
};

/// A blob on its way to the registry, of which the registry has a part.
pub(super) struct Upload<'a, T: Transport, C: Credentials> {
    client: &'a Client<T, C>,
    /// Where to send the next part: another address after each.
    session: Url,
    sent: u64,
    /// The bytes that a part must have, except for the last.
    shortest: usize,
    finished: bool,
}

impl<'a, T: Transport, C: Credentials> Upload<'a, T, C> {
    pub(super) fn start(client: &'a Client<T, C>) -> Result<Self> {
        let url = client.url("blobs/uploads/")?;
        let answer = client.write(&Request::new(Method::Post, &url), Body::Empty, Access::Push)?;
        if !matches!(answer.response.status, 202 | 201) {
            return Err(answer.failure());
        }
        let shortest =
            answer.response.header("oci-chunk-min-length").and_then(|bytes| bytes.trim().parse().ok());
        let session = location(&url, answer.response.header("location"))?;
        Ok(Self { client, session, sent: 0, shortest: shortest.unwrap_or(0), finished: false })
    }

    /// Returns the bytes that a part must have, except for the last.
    pub(super) fn shortest(&self) -> usize {
        self.shortest
    }

    /// Sends a part. Where the connection breaks, the registry is asked what it has.
    pub(super) fn send(&mut self, part: &[u8]) -> Result<()> {
        let (start, end) = (self.sent, self.sent + part.len() as u64);
        let mut attempt = 0;
        while self.sent < end {
            attempt += 1;
            let rest = &part[usize::try_from(self.sent - start).unwrap_or(part.len())..];
            let request = Request::new(Method::Patch, &self.session)
                .header("content-type", "application/octet-stream")
                .header("content-range", format!("{}-{}", self.sent, end - 1));
            let http = &self.client.http;
            let (error, wait) = match self.client.write(&request, Body::Bytes(rest), Access::Push) {
                Ok(answer) if (200..=299).contains(&answer.response.status) => {
                    self.session = location(&self.session, answer.response.header("location"))?;
                    self.sent = end;
                    return Ok(());
                }
                Ok(answer) if !matches!(answer.response.status, 408 | 416 | 429 | 500..=599) => {
                    return Err(answer.failure());
                }
                Ok(answer) => {
                    let wait = http.asked_to_wait(&answer.response);
                    (answer.failure(), wait)
                }
                Err(Error::Io { doing, source }) if is_transient(&source) => {
                    (Error::Io { doing, source }, None)
                }
                Err(error) => return Err(error),
            };
            let again = http.wait(attempt, wait).map_err(Error::io("wait"))?;
            if !again || !self.ask(start, end)? {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Asks how much the registry has. Returns whether the rest can be sent: it is in the part from `start`.
    fn ask(&mut self, start: u64, end: u64) -> Result<bool> {
        let request = Request::new(Method::Get, &self.session);
        let answer = self.client.read(&request, Access::Push)?;
        if answer.response.status != 204 {
            return Ok(false);
        }
        let range = answer.response.header("range").and_then(|range| range.trim().rsplit_once('-'));
        let has = match range.and_then(|(_, last)| last.parse::<u64>().ok()) {
            // `0-0` means nothing as well as one byte.
            Some(0) | None => 0,
            Some(last) => last + 1,
        };
        if let Ok(session) = location(&self.session, answer.response.header("location")) {
            self.session = session;
        }
        self.sent = has;
        Ok((start..=end).contains(&has))
    }

    /// Returns whether the registry has nothing of the blob yet.
    pub(super) fn is_fresh(&self) -> bool {
        self.sent == 0
    }

    /// Sends the last part, and gives the blob its digest.
    pub(super) fn finish(mut self, rest: &[u8], digest: &Digest) -> Result<()> {
        if self.sent > 0 && !rest.is_empty() {
            self.send(rest)?;
        }
        let rest = if self.sent > 0 { &[] } else { rest };
        let url = self.session.with_query("digest", digest.as_str());
        let request = Request::new(Method::Put, &url).header("content-type", "application/octet-stream");
        let body = if rest.is_empty() { Body::Empty } else { Body::Bytes(rest) };
        let answer = self.client.write(&request, body, Access::Push)?;
        self.finished = match answer.response.status {
            200..=299 => true,
            // An answer that did not arrive may have been a success, which ends the session.
            404 => self.client.find_blob(digest, 0)?.is_some(),
            _ => false,
        };
        if self.finished { Ok(()) } else { Err(answer.failure()) }
    }
}

/// Lets the registry forget the part that it has.
impl<T: Transport, C: Credentials> Drop for Upload<'_, T, C> {
    fn drop(&mut self) {
        if !self.finished {
            // Once: a server that is gone forgets it by itself.
            let request = Request::new(Method::Delete, &self.session);
            drop(self.client.send(&request, Body::Empty, Access::Push, Repeat::Never));
        }
    }
}

/// Returns the address where an upload goes on.
fn location(asked: &Url, header: Option<&str>) -> Result<Url> {
    let header = header.ok_or_else(|| refused(asked, 202, "does not say where to send the blob"))?;
    let url = follow(asked, 202, header)?;
    let safe = (url.is_https() || !asked.is_https()) && (asked.is_private() || !url.is_private());
    match safe {
        true => Ok(url),
        false => Err(refused(asked, 202, format!("will not send the blob to {url}"))),
    }
}

impl<T: Transport, C: Credentials> Client<T, C> {
    /// Makes a blob of another repository of the same registry one of this repository, without sending it.
    /// Returns whether that was done.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Io`].
    pub fn mount(&self, digest: &Digest, from: &str) -> Result<bool> {
        let url = self.url("blobs/uploads/")?.with_query("mount", digest.as_str()).with_query("from", from);
        let request = Request::new(Method::Post, &url);
        let answer = self.write(&request, Body::Empty, Access::Mount(from))?;
        match answer.response.status {
            201 => Ok(true),
            202 => {
                // An upload was started instead.
                let session = location(&url, answer.response.header("location"))?;
                drop(Upload { client: self, session, sent: 0, shortest: 0, finished: false });
                Ok(false)
            }
            // It may be forbidden, or not be supported.
            _ => Ok(false),
        }
    }
}
