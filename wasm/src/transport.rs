//! HTTP over the host: synchronous `XMLHttpRequest`s of a browser's worker, or `fetch` of Node's main thread.

use std::{
    io::{self, Cursor, Read},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ocicle::remote::{Body, Method, Request, Response, Transport};

use crate::host::{self, Exchange};

/// The bytes that are fetched at a time. The host returns whole bodies, and this bounds them where a server
/// supports ranges.
const WINDOW: u64 = 8 << 20;

/// Sends requests that read.
#[derive(Debug, Clone, Default)]
pub(crate) struct HostTransport {
    /// Whether any server has answered.
    answered: Arc<AtomicBool>,
}

/// A request that can be sent again.
struct Head {
    transport: HostTransport,
    method: Method,
    url: String,
    headers: Vec<(&'static str, String)>,
}

impl Transport for HostTransport {
    fn send(&self, request: &Request<'_>, body: Body<'_>) -> io::Result<Response> {
        if let Body::Bytes(_) = body {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "registries are only read"));
        }
        let mut head = Head {
            transport: self.clone(),
            method: request.method,
            url: request.url.as_str().to_owned(),
            headers: request.headers.clone(),
        };
        let range = request.headers.iter().find(|(name, _)| *name == "range").map(|(_, value)| &**value);
        match (request.method, range) {
            (Method::Get, None) => head.windows(None),
            (Method::Get, Some(range)) => match from(range) {
                Some(start) => {
                    head.headers.retain(|(name, _)| *name != "range");
                    head.windows(Some(start))
                }
                None => head.whole(Some(range)),
            },
            _ => head.whole(None),
        }
    }

    fn now(&self) -> Duration {
        host::now()
    }

    fn pause(&self, time: Duration) -> io::Result<()> {
        host::pause(time)
    }
}

impl Head {
    /// Returns the response with all of the body.
    fn whole(&self, range: Option<&str>) -> io::Result<Response> {
        let Exchange { status, headers, body } = self.exchange(range)?;
        Ok(Response::new(status, headers, Cursor::new(body)))
    }

    /// Returns the response to a request for everything from a position, with a body that is fetched in
    /// windows.
    fn windows(self, asked: Option<u64>) -> io::Result<Response> {
        let start = asked.unwrap_or(0);
        let mut found = self.exchange(Some(&window(start)))?;
        match found.status {
            206 => {}
            // Nothing has no ranges.
            416 if asked.is_none() => return self.whole(None),
            status => return Ok(Response::new(status, found.headers, Cursor::new(found.body))),
        }
        let size = size_after(&found, start)?;
        found.headers.retain(|(name, _)| name != "content-range" && name != "content-length");
        found.headers.push(("content-length".into(), (size - start).to_string()));
        if asked.is_some() {
            let range = format!("bytes {start}-{}/{size}", size.saturating_sub(1));
            found.headers.push(("content-range".into(), range));
        }
        let next = start + found.body.len() as u64;
        let status = if asked.is_some() { 206 } else { 200 };
        let body = Windows { head: self, piece: Cursor::new(found.body), next, size };
        Ok(Response::new(status, found.headers, body))
    }

    fn exchange(&self, range: Option<&str>) -> io::Result<Exchange> {
        let range = range.map(|range| ("range", range.to_owned()));
        let headers: Vec<_> =
            self.headers.iter().filter(|(name, _)| *name != "range").chain(&range).collect();
        let answered = &self.transport.answered;
        let found = host::send(self.method.as_str(), &self.url, &headers).map_err(|error| {
            // Of a server that never answered, a wrong address or missing permission is more likely than a
            // connection that works a second later.
            match answered.load(Ordering::Relaxed) {
                true => error,
                false => io::Error::new(io::ErrorKind::InvalidData, error),
            }
        })?;
        answered.store(true, Ordering::Relaxed);
        match found.status {
            206 => found.need("content-range")?,
            401 => found.need("www-authenticate")?,
            _ => {}
        }
        Ok(found)
    }
}

impl Exchange {
    fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// Checks that a header can be seen.
    fn need(&self, name: &str) -> io::Result<()> {
        self.get(name).map(drop).ok_or_else(|| {
            let status = self.status;
            invalid(format!(
                "the server answered {status} without the header {name}, or hides it from this page: it has \
                 to be in Access-Control-Expose-Headers"
            ))
        })
    }
}

/// A body that is fetched in windows.
struct Windows {
    head: Head,
    piece: Cursor<Vec<u8>>,
    /// The position after the piece.
    next: u64,
    size: u64,
}

impl Read for Windows {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.piece.read(buffer)?;
        if got > 0 || buffer.is_empty() || self.next >= self.size {
            return Ok(got);
        }
        let found = self.head.exchange(Some(&window(self.next)))?;
        // The reader asks again, with another token if that one expired.
        if found.status != 206 {
            return Err(io::Error::other(format!("the server answered {}, expected 206", found.status)));
        }
        if size_after(&found, self.next)? != self.size {
            return Err(invalid("the content changed while it was read"));
        }
        self.next += found.body.len() as u64;
        self.piece = Cursor::new(found.body);
        self.piece.read(buffer)
    }
}

/// Returns the position from which `bytes=POSITION-` asks for everything.
fn from(range: &str) -> Option<u64> {
    range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

fn window(start: u64) -> String {
    format!("bytes={start}-{}", start + WINDOW - 1)
}

/// Returns the size of the whole of which an answer has the bytes from a position (RFC 9110, section 14.4).
fn size_after(found: &Exchange, start: u64) -> io::Result<u64> {
    let parsed = found.get("content-range").and_then(|range| {
        let (range, size) = range.trim().strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?, size.parse::<u64>().ok()?))
    });
    match parsed {
        Some((first, last, size))
            if first == start
                && last < size
                && (last + 1).checked_sub(first) == Some(found.body.len() as u64) =>
        {
            Ok(size)
        }
        _ => Err(invalid("the server sent another range than it was asked for")),
    }
}

fn invalid(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}
