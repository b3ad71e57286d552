//! The exchange of one request and one response, which a host provides.

use std::{
    fmt,
    io::{self, Read},
    sync::Arc,
    time::Duration,
};

use super::Url;

/// Sends requests. Implementations wrap a library for HTTP, or what a browser offers.
pub trait Transport: Send + Sync {
    /// Sends a request and returns the response once its head is there. Any status is a success. Redirects
    /// are not followed: who may see which header is decided above.
    ///
    /// # Errors
    /// Errors of connecting, of TLS, and of sending. Where it is certain that trying again does not help, as
    /// with a certificate that is not trusted, the kind is [`io::ErrorKind::InvalidData`] or
    /// [`io::ErrorKind::PermissionDenied`].
    fn send(&self, request: &Request<'_>, body: Body<'_>) -> io::Result<Response>;
    /// Returns the time since 1970-01-01 UTC, which tells when a token expires.
    fn now(&self) -> Duration;
    /// Waits before a request is tried again.
    ///
    /// # Errors
    /// Fails if the work is to end instead.
    fn pause(&self, time: Duration) -> io::Result<()>;
}

/// Implements the trait for pointers to transports.
macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<T: Transport + ?Sized> Transport for $pointer {
            fn send(&self, request: &Request<'_>, body: Body<'_>) -> io::Result<Response> {
                (**self).send(request, body)
            }

            fn now(&self) -> Duration {
                (**self).now()
            }

            fn pause(&self, time: Duration) -> io::Result<()> {
                (**self).pause(time)
            }
        }
    )*};
}

forward!(&'_ T, Arc<T>);

/// A method of HTTP (RFC 9110, section 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "those that registries use")]
pub enum Method {
    /// Removes.
    Delete,
    /// Reads.
    Get,
    /// Reads the head alone.
    Head,
    /// Sends a part.
    Patch,
    /// Starts an upload, or asks for a token.
    Post,
    /// Stores.
    Put,
}

impl Method {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// The head of a request.
#[derive(Clone)]
#[non_exhaustive]
pub struct Request<'a> {
    /// Method.
    pub method: Method,
    /// Address.
    pub url: &'a Url,
    /// Names, in lower case, and values. `host` and `content-length` are the transport's.
    pub headers: Vec<(&'static str, String)>,
}

impl<'a> Request<'a> {
    /// Returns a request without headers.
    #[must_use]
    pub fn new(method: Method, url: &'a Url) -> Self {
        Self { method, url, headers: Vec::new() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Shows no values of headers, which may be secret.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.headers.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("headers", &names)
            .finish()
    }
}

/// The body of a request.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::exhaustive_enums, reason = "nothing, or bytes that can be sent again")]
pub enum Body<'a> {
    /// No body, and no `content-length` unless the method wants one.
    Empty,
    /// Bytes.
    Bytes(&'a [u8]),
}

/// A response: its head, and its body as it comes in.
#[non_exhaustive]
pub struct Response {
    /// Status code, such as 404.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Box<dyn Read + Send>,
}

impl Response {
    /// Returns a response with a body.
    pub fn new(status: u16, headers: Vec<(String, String)>, body: impl Read + Send + 'static) -> Self {
        Self { status, headers, body: Box::new(body) }
    }

    /// Returns the first value of a header. `name` is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Returns all values of a header. `name` is in lower case.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let found = self.headers.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.status).finish_non_exhaustive()
    }
}
