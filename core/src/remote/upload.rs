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

    /// Sends a part. Where the connection breaks, the registry is asked what it has. If it has nothing any
    /// more, the first part is sent anew.
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
                Err(error) if is_broken(&error) => (error, None),
                Err(error) => return Err(error),
            };
            let again = http.wait(attempt, wait).map_err(Error::io("wait"))?;
            if !again {
                return Err(error);
            }
            if !self.ask(start, end)? {
                // Some registries forget an upload when a connection breaks. Only the first part can be
                // sent again.
                if start > 0 {
                    return Err(error);
                }
                *self = Self::start(self.client)?;
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
        // Where a connection breaks, nobody knows how much of a body arrived.
        let (body, repeat) = match rest {
            [] => (Body::Empty, Repeat::Safe),
            rest => (Body::Bytes(rest), Repeat::Refused),
        };
        let sent = self.client.send(&request, body, Access::Push, repeat);
        let unclear = match &sent {
            Ok(answer) => answer.response.status == 404,
            Err(error) => is_broken(error),
        };
        // An answer that did not arrive may have been a success, which ends the session.
        self.finished = match &sent {
            Ok(answer) if (200..=299).contains(&answer.response.status) => true,
            _ => unclear && self.client.find_blob(digest, 0)?.is_some(),
        };
        if self.finished { Ok(()) } else { Err(sent?.failure()) }
    }
}

/// Returns whether a connection broke, which may go well the next time.
fn is_broken(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if is_transient(source))
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
    /// Sends a blob, all of which is here; from the start again where that may help. `started` is an upload
    /// without a part.
    pub(super) fn put_blob(
        &self,
        started: Option<Upload<'_, T, C>>,
        bytes: &[u8],
        digest: &Digest,
    ) -> Result<()> {
        let (mut upload, mut attempt) = (started, 0);
        loop {
            attempt += 1;
            let started = match upload.take() {
                Some(upload) => upload,
                None => Upload::start(self)?,
            };
            let Err(error) = started.finish(bytes, digest) else { return Ok(()) };
            let again = match &error {
                // Some registries forget an upload, such as when a connection breaks.
                Error::Refused { status: 404, .. } => attempt == 1,
                error if is_broken(error) => self.http.wait(attempt, None).map_err(Error::io("wait"))?,
                _ => false,
            };
            if !again {
                return Err(error);
            }
        }
    }

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
