//! Addresses of HTTP: as much of RFC 3986 as registries use.

use std::{
    fmt::{self, Write as _},
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use crate::error::{Error, Result};

/// An absolute address: `http` or `https`, without user information and fragment. [`fmt::Display`] shows no
/// query, since that of a signed address is a secret; [`Url::as_str`] has all of it.
///
/// ```
/// use ocicle::remote::Url;
///
/// let url: Url = "https://Example.com:443/a?sig=secret".parse()?;
/// assert_eq!((url.host(), url.port(), url.is_https()), ("example.com", 443, true));
/// assert_eq!(url.to_string(), "https://example.com/a?…");
/// assert_eq!(url.as_str(), "https://example.com/a?sig=secret");
/// # Ok::<(), ocicle::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    whole: String,
    https: bool,
    /// In lower case; an IPv6 address in brackets.
    host: String,
    port: u16,
    /// The first byte of the path.
    path: usize,
}

impl Url {
    /// Returns the whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.whole
    }

    /// Returns whether the connection is encrypted.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Returns the host, in lower case; an IPv6 address is in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port, also if it is the usual one.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns host and port as `Host` and configuration files have them: without the usual port.
    #[must_use]
    pub fn authority(&self) -> &str {
        let start = if self.https { "https://".len() } else { "http://".len() };
        &self.whole[start..self.path]
    }

    /// Returns the path and the query.
    #[must_use]
    pub fn path_and_query(&self) -> &str {
        &self.whole[self.path..]
    }

    /// Returns whether both addresses have the same scheme, host and port (RFC 6454).
    #[must_use]
    pub fn same_origin(&self, other: &Self) -> bool {
        (self.https, &self.host, self.port) == (other.https, &other.host, other.port)
    }

    /// Returns whether the host is this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.ip() {
            Some(ip) => canonical(ip).is_loopback(),
            None => self.host == "localhost" || self.host.ends_with(".localhost"),
        }
    }

    /// Returns whether the host is written as an address of this machine, its network, or none at all. Names
    /// are not looked up.
    pub(super) fn is_private(&self) -> bool {
        if self.is_loopback() {
            return true;
        }
        match self.ip().map(canonical) {
            Some(IpAddr::V4(ip)) => ip.is_private() || ip.is_link_local() || ip.is_unspecified(),
            Some(IpAddr::V6(ip)) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_unspecified(),
            None => false,
        }
    }

    /// Returns the host if it is an IP address.
    pub(super) fn ip(&self) -> Option<IpAddr> {
        match self.host.strip_prefix('[') {
            Some(host) => host.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            None => self.host.parse().ok(),
        }
    }

    /// Returns the address of another path of the same host. The query is dropped.
    #[must_use]
    pub fn with_path(&self, path: &str) -> Self {
        Self { whole: format!("{}{path}", &self.whole[..self.path]), ..self.clone() }
    }

    /// Returns the address with another parameter in its query.
    #[must_use]
    pub fn with_query(&self, name: &str, value: &str) -> Self {
        let sign = if self.path_and_query().contains('?') { '&' } else { '?' };
        let mut whole = format!("{}{sign}{name}=", self.whole);
        encode(value, &mut whole);
        Self { whole, ..self.clone() }
    }

    /// Returns the address that a header refers to: absolute, or relative to this one.
    ///
    /// # Errors
    /// [`Error::Misuse`] if it is neither.
    pub fn join(&self, reference: &str) -> Result<Self> {
        let reference = reference.split('#').next().unwrap_or_default();
        if reference.contains("://") && !reference.starts_with(['/', '?']) {
            return reference.parse();
        }
        if let Some(rest) = reference.strip_prefix("//") {
            let scheme = if self.https { "https" } else { "http" };
            return format!("{scheme}://{rest}").parse();
        }
        let path = self.path_and_query().split('?').next().unwrap_or_default();
        let joined = match reference.as_bytes().first() {
            Some(b'/') => reference.to_owned(),
            Some(b'?') => format!("{path}{reference}"),
            None => self.path_and_query().to_owned(),
            Some(_) => format!("{}/{reference}", path.rsplit_once('/').map_or("", |(above, _)| above)),
        };
        format!("{}{joined}", &self.whole[..self.path]).parse()
    }
}

/// Returns an IPv4 address for one that is written as IPv6.
fn canonical(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    }
}

/// Appends text, with everything encoded that means something in a query.
pub(super) fn encode(text: &str, to: &mut String) {
    for &byte in text.as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => to.push(char::from(byte)),
            _ => drop(write!(to, "%{byte:02X}")),
        }
    }
}

impl FromStr for Url {
    type Err = Error;

    /// # Errors
    /// [`Error::Misuse`].
    fn from_str(text: &str) -> Result<Self> {
        let bad = |why: &str| {
            let shown = text.split(['?', '@']).next().unwrap_or_default();
            Error::Misuse(format!("not an address: {shown:?}: {why}"))
        };
        let (scheme, rest) = text.split_once("://").ok_or_else(|| bad("expected https://HOST/PATH"))?;
        let https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(bad("expected http or https")),
        };
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\')) {
            return Err(bad("has characters that addresses do not have"));
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(bad("has a user name"));
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
                let number = port.parse().ok().filter(|port| digits && *port != 0);
                (host, number.ok_or_else(|| bad("the port is not a number"))?)
            }
            _ => (authority, if https { 443 } else { 80 }),
        };
        let host = host.to_ascii_lowercase();
        let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let is_v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let valid = match is_v6 {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.bytes().all(named),
        };
        if !valid {
            return Err(bad("the host is not one"));
        }
        let usual = if https { 443 } else { 80 };
        let mut whole = format!("{}://{host}", if https { "https" } else { "http" });
        if port != usual {
            whole += &format!(":{port}");
        }
        let start = whole.len();
        if !path.starts_with('/') {
            whole.push('/');
        }
        whole += path;
        Ok(Self { whole, https, host, port, path: start })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.whole.split_once('?') {
            Some((before, _)) => write!(f, "{before}?…"),
            None => f.write_str(&self.whole),
        }
    }
}

/// Shows no query.
impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn parts() {
        let parts = |text: &str| {
            let url = url(text);
            (url.host().to_owned(), url.port(), url.authority().to_owned(), url.path_and_query().to_owned())
        };
        let of = |host: &str, port, authority: &str, path: &str| {
            (host.into(), port, authority.into(), path.into())
        };
        assert_eq!(parts("https://A.b"), of("a.b", 443, "a.b", "/"));
        assert_eq!(parts("http://a:5000/v2/?x=1#f"), of("a", 5000, "a:5000", "/v2/?x=1"));
        assert_eq!(parts("http://a:80?q"), of("a", 80, "a", "/?q"));
        assert_eq!(parts("https://[::1]:443/"), of("[::1]", 443, "[::1]", "/"));
        for text in [
            "",
            "a/b",
            "ftp://a/",
            "https://",
            "https://u:p@a/",
            "https://a:x/",
            "https://a:0/",
            "https://a b/",
            "https://[::g]/",
            "https://a:+1/",
            "https://a/\u{e4}",
            "https://a/\n",
        ] {
            assert!(text.parse::<Url>().is_err(), "{text:?}");
        }
        let secret = "https://u:geheim@a/?q=geheim".parse::<Url>().unwrap_err().to_string();
        assert!(!secret.contains("geheim@") && !secret.contains("q="), "{secret}");
    }

    #[test]
    fn references() {
        let base = url("https://a:5000/v2/b/blobs/uploads/?n=1");
        for (reference, whole) in [
            ("https://c/d", "https://c/d"),
            ("//c/d", "https://c/d"),
            ("/v2/x?y=https://z", "https://a:5000/v2/x?y=https://z"),
            ("?m=2", "https://a:5000/v2/b/blobs/uploads/?m=2"),
            ("e", "https://a:5000/v2/b/blobs/uploads/e"),
            ("", "https://a:5000/v2/b/blobs/uploads/?n=1"),
        ] {
            assert_eq!(base.join(reference).unwrap().as_str(), whole);
        }
        assert!(base.join("https://user@c/").is_err() && base.join("gopher://c/").is_err());
        assert_eq!(
            base.with_query("a b", "c/d").as_str(),
            "https://a:5000/v2/b/blobs/uploads/?n=1&a b=c%2Fd"
        );
        assert_eq!(base.with_path("/p").with_query("a", "é").as_str(), "https://a:5000/p?a=%C3%A9");
        assert_eq!(format!("{base} {base:?}").matches("n=1").count(), 0);
    }

    #[test]
    fn machines() {
        for text in ["http://localhost", "http://127.1.2.3", "http://[::1]:5000", "http://[::ffff:127.0.0.1]"]
        {
            assert!(url(text).is_loopback() && url(text).is_private(), "{text}");
        }
        for text in ["http://10.0.0.1", "http://169.254.169.254", "http://[fd00::1]", "http://0.0.0.0"] {
            assert!(!url(text).is_loopback() && url(text).is_private(), "{text}");
        }
        assert!(!url("http://8.8.8.8").is_private() && !url("http://example.com").is_private());
        assert!(url("http://a").same_origin(&url("http://a:80/x")));
        assert!(!url("http://a").same_origin(&url("https://a")));
    }
}
