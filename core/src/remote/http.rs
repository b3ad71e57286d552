//! Requests that are tried again, and redirects.

use std::{
    io::{self, Read as _},
    time::Duration,
};

use serde_json::Value;

use super::{Body, Method, Request, Response, Transport, Url, date};
use crate::{
    error::{Error, Result},
    text::printable,
};

/// The number of times that a request is sent before its failure counts.
const ATTEMPTS: u32 = 5;
/// The first wait; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait that a server can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The number of redirects that are followed for one request.
const REDIRECTS: u32 = 10;
/// The bytes that are read of the explanation of a failure.
const EXPLANATION: u64 = 16 << 10;

/// Sends requests again where that may help, and follows redirects as far as it is safe.
#[derive(Debug)]
pub(super) struct Http<T> {
    transport: T,
}

/// A response, the address it came from, and its body if that was read.
pub(super) struct Answer<B> {
    pub(super) response: Response,
    pub(super) url: Url,
    pub(super) body: B,
}

impl Answer<()> {
    /// Returns the error that the response means.
    pub(super) fn failure(mut self) -> Error {
        let mut bytes = Vec::new();
        // What cannot be read explains nothing.
        let _ = (&mut self.response.body).take(EXPLANATION).read_to_end(&mut bytes);
        failure(&self.url, self.response.status, &bytes)
    }
}

impl Answer<Vec<u8>> {
    /// Returns the error that the response means.
    pub(super) fn failure(&self) -> Error {
        failure(&self.url, self.response.status, &self.body)
    }
}

/// Whether a request can be sent twice with the effect of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    Safe,
    /// If the server said that it did nothing, but not if the connection broke.
    Refused,
    Never,
}

impl<T: Transport> Http<T> {
    pub(super) fn new(transport: T) -> Self {
        Self { transport }
    }

    pub(super) fn now(&self) -> Duration {
        self.transport.now()
    }

    /// Waits after attempt number `attempt` (from 1) of something, unless it was the last; as long as the
    /// server asked for, if it did. Returns whether to go on.
    pub(super) fn wait(&self, attempt: u32, asked: Option<Duration>) -> io::Result<bool> {
        if attempt >= ATTEMPTS {
            return Ok(false);
        }
        let wait = asked.unwrap_or(FIRST_WAIT * 2_u32.pow(attempt - 1));
        self.transport.pause(wait.min(LONGEST_WAIT)).map(|()| true)
    }

    /// Sends a request, again if it fails for a reason that may pass. Redirects are returned.
    pub(super) fn send(&self, request: &Request<'_>, body: Body<'_>, repeat: Repeat) -> io::Result<Response> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let sent = self.transport.send(request, body);
            let wait = match &sent {
                _ if repeat == Repeat::Never => return sent,
                Ok(response) if !may_pass(response.status) => return sent,
                Err(error) if !is_transient(error) || repeat == Repeat::Refused => return sent,
                Ok(response) => self.asked_to_wait(response),
                Err(_) => None,
            };
            if !self.wait(attempt, wait)? {
                return sent;
            }
        }
    }

    /// Sends a request to read something, and follows redirects: the header `authorization` goes to no other
    /// origin.
    pub(super) fn read(&self, request: &Request<'_>) -> Result<Answer<()>> {
        let mut url = request.url.clone();
        let mut headers = request.headers.clone();
        for _ in 0..=REDIRECTS {
            let at = Request { headers: headers.clone(), ..Request::new(request.method, &url) };
            let response =
                self.send(&at, Body::Empty, Repeat::Safe).map_err(Error::io(format_args!("read {url}")))?;
            let location = match response.status {
                301 | 302 | 303 | 307 | 308 => response.header("location"),
                _ => None,
            };
            let Some(location) = location else { return Ok(Answer { response, url, body: () }) };
            let next = follow(&url, response.status, location)?;
            check_redirect(&url, &next)?;
            if !next.same_origin(&url) {
                headers.retain(|(name, _)| *name != "authorization");
            }
            url = next;
        }
        Err(refused(request.url, 0, format!("more than {REDIRECTS} redirects")))
    }

    /// Reads a whole body, again from the start if it breaks off. `most` is the limit of documents.
    pub(super) fn read_all(&self, request: &Request<'_>, most: u64) -> Result<Answer<Vec<u8>>> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let Answer { mut response, url, .. } = self.read(request)?;
            let length = response.header("content-length").and_then(|length| length.parse::<u64>().ok());
            let mut bytes = Vec::new();
            let read = (&mut response.body).take(most + 1).read_to_end(&mut bytes).and_then(|read| {
                let whole =
                    request.method == Method::Head || length.is_none_or(|length| read as u64 >= length);
                match whole || read as u64 > most {
                    true => Ok(()),
                    false => Err(io::ErrorKind::UnexpectedEof.into()),
                }
            });
            match read {
                Ok(()) if bytes.len() as u64 > most => {
                    return Err(Error::limit(url.to_string(), "document", most));
                }
                Ok(()) => return Ok(Answer { response, url, body: bytes }),
                Err(error)
                    if !is_transient(&error) || !self.wait(attempt, None).map_err(Error::io("wait"))? =>
                {
                    return Err(Error::io(format_args!("read {url}"))(error));
                }
                Err(_) => {}
            }
        }
    }

    /// Returns how long the server asked to wait (RFC 9110, section 10.2.3).
    pub(super) fn asked_to_wait(&self, response: &Response) -> Option<Duration> {
        let value = response.header("retry-after")?.trim();
        match value.parse() {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            Err(_) => Some(date::parse(value)?.saturating_sub(self.now())),
        }
    }
}

/// Returns whether a status may be another one a moment later.
pub(super) fn may_pass(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// Returns whether an error may be gone a moment later.
pub(super) fn is_transient(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    !matches!(
        error.kind(),
        Kind::InvalidData | Kind::InvalidInput | Kind::PermissionDenied | Kind::Unsupported | Kind::NotFound
    )
}

/// Refuses redirects to where no public server should send us.
fn check_redirect(from: &Url, to: &Url) -> Result<()> {
    let why = if from.is_https() && !to.is_https() {
        "to a connection that is not encrypted"
    } else if !from.is_private() && to.is_private() {
        "from a public address into a private network"
    } else {
        return Ok(());
    };
    Err(refused(from, 0, format!("redirect {why}: {to}")))
}

/// Returns the address in an answer. One that is none is the server's fault, not the caller's.
pub(super) fn follow(asked: &Url, status: u16, reference: &str) -> Result<Url> {
    asked.join(reference).map_err(|error| refused(asked, status, error.to_string()))
}

/// Returns the error for an answer that is none.
pub(super) fn refused(url: &Url, status: u16, reason: impl Into<String>) -> Error {
    Error::Refused { what: url.to_string(), status, reason: reason.into() }
}

/// Returns the error for a response, with the explanation of the server (distribution-spec, "Error codes").
fn failure(url: &Url, status: u16, body: &[u8]) -> Error {
    refused(url, status, explanation(body).unwrap_or_else(|| reason(status).into()))
}

fn explanation(bytes: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(bytes).ok()?;
    let text =
        |error: &Value, name: &str| printable(error.get(name).and_then(Value::as_str).unwrap_or_default());
    let errors = answer.get("errors")?.as_array()?.iter().take(3);
    let texts: Vec<_> = errors
        .map(|error| match (text(error, "message"), text(error, "code")) {
            (message, code) if message.is_empty() => code,
            (message, code) => format!("{message} ({code})"),
        })
        .collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

fn reason(status: u16) -> &'static str {
    match status {
        400 => "bad request",
        401 => "credentials are required",
        403 => "access is denied",
        404 => "not found",
        405 => "the server does not support this",
        413 => "too large for the server",
        416 => "the server does not have this range",
        429 => "too many requests",
        500..=599 => "the server failed",
        _ => "unexpected answer",
    }
}
