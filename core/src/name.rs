//! Names, which are single components of paths, and clean relative paths. Both are bytes, as in file systems.
//!
//! [`Name`] is what confines the library to a directory: directory handles accept nothing else, so no path of
//! an image ever reaches the operating system.

use std::{borrow::Borrow, fmt};

use crate::limits::Limits;

/// A component of a path: not empty, not `.` or `..`, without `/` and NUL, at most 255 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name<'a>(&'a [u8]);

/// The length of the longest name that every supported file system can hold, in bytes.
pub const NAME_MAX: usize = 255;

/// A name or path that cannot be used inside a root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid path {path:?}: {reason}")]
pub struct InvalidPath {
    path: String,
    reason: String,
}

impl From<InvalidPath> for crate::Error {
    fn from(error: InvalidPath) -> Self {
        Self::Misuse(error.to_string())
    }
}

impl InvalidPath {
    fn new(path: &[u8], reason: impl Into<String>) -> Self {
        let shown = &path[..path.len().min(300)];
        Self { path: String::from_utf8_lossy(shown).into_owned(), reason: reason.into() }
    }
}

impl<'a> Name<'a> {
    /// Checks a component.
    ///
    /// # Errors
    /// Fails with [`InvalidPath`] unless it is exactly one ordinary component.
    pub fn new(bytes: &'a [u8]) -> Result<Self, InvalidPath> {
        let reason = match bytes {
            b"" => "empty name".into(),
            b"." | b".." => "'.' and '..' are not names".into(),
            _ if bytes.contains(&b'/') => "name contains '/'".into(),
            _ if bytes.contains(&0) => "NUL in name".into(),
            _ if bytes.len() > NAME_MAX => format!("name longer than {NAME_MAX} bytes"),
            _ => return Ok(Self(bytes)),
        };
        Err(InvalidPath::new(bytes, reason))
    }

    /// Returns a name known at compile time.
    ///
    /// # Panics
    /// Panics if it is not a valid name; for literals only.
    #[must_use]
    pub fn literal(text: &'static str) -> Self {
        match Self::new(text.as_bytes()) {
            Ok(name) => name,
            Err(error) => panic!("{error}"),
        }
    }

    /// Returns the bytes.
    #[must_use]
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(self.0), f)
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&String::from_utf8_lossy(self.0), f)
    }
}

/// An owned [`Name`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameBuf(Box<[u8]>);

impl NameBuf {
    /// Borrows the name.
    #[must_use]
    pub fn as_name(&self) -> Name<'_> {
        Name(&self.0)
    }
}

impl From<Name<'_>> for NameBuf {
    fn from(name: Name<'_>) -> Self {
        Self(name.0.into())
    }
}

/// Lets a map keyed by `NameBuf` be queried with bytes.
impl Borrow<[u8]> for NameBuf {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for NameBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_name(), f)
    }
}

/// A clean path relative to a root: names joined by `/`; empty for the root itself. It has no `.` or `..`,
/// and no leading or trailing `/`. It says nothing about symbolic links, which [`crate::tree`] and
/// [`crate::fs`] resolve.
///
/// ```
/// use ocicle::{limits::Limits, name::EntryPath};
/// let limits = Limits::default();
/// let clean = |text: &str| EntryPath::clean(text.as_bytes(), &limits).map(|path| path.to_string());
/// assert_eq!(clean("./usr//bin/../lib/")?, "usr/lib");
/// assert_eq!(clean("/../../etc/passwd")?, "etc/passwd");
/// assert_eq!(clean("/.")?, "");
/// # Ok::<(), ocicle::name::InvalidPath>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EntryPath(Box<[u8]>);

impl EntryPath {
    /// Returns the path of the root.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// Cleans a path from an archive, lexically; `..` stops at the root.
    ///
    /// # Errors
    /// Fails with [`InvalidPath`] for NUL, a name over 255 bytes, or a path over [`Limits::path`].
    pub fn clean(raw: &[u8], limits: &Limits) -> Result<Self, InvalidPath> {
        if raw.len() > limits.path {
            return Err(InvalidPath::new(
                raw,
                format!("path longer than the limit of {} bytes", limits.path),
            ));
        }
        let mut clean: Vec<u8> = Vec::with_capacity(raw.len());
        for part in raw.split(|&byte| byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => clean.truncate(clean.iter().rposition(|&byte| byte == b'/').unwrap_or(0)),
                _ => {
                    let name = Name::new(part).map_err(|error| InvalidPath::new(raw, error.reason))?;
                    if !clean.is_empty() {
                        clean.push(b'/');
                    }
                    clean.extend_from_slice(name.as_bytes());
                }
            }
        }
        Ok(Self(clean.into()))
    }

    /// Returns the path of `name` in this directory.
    #[must_use]
    pub fn join(&self, name: Name<'_>) -> Self {
        let mut path = Vec::with_capacity(self.0.len() + 1 + name.0.len());
        path.extend_from_slice(&self.0);
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name.0);
        Self(path.into())
    }

    /// Returns the path of these names, from the root down.
    pub(crate) fn from_names<'a>(names: impl Iterator<Item = Name<'a>> + Clone) -> Self {
        let mut path = Vec::with_capacity(names.clone().map(|name| name.0.len() + 1).sum());
        for name in names {
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(name.0);
        }
        Self(path.into())
    }

    /// Returns whether this is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the parent directory and the last name; `None` for the root.
    #[must_use]
    pub fn split_last(&self) -> Option<(Self, Name<'_>)> {
        let (dir, last) = match self.0.iter().rposition(|&byte| byte == b'/') {
            Some(slash) => (&self.0[..slash], &self.0[slash + 1..]),
            None if self.0.is_empty() => return None,
            None => (&[][..], &self.0[..]),
        };
        Some((Self(dir.into()), Name(last)))
    }

    /// Returns the names, from the root down.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = Name<'_>> + Clone {
        self.0.split(|&byte| byte == b'/').filter(|part| !part.is_empty()).map(Name)
    }

    /// Returns the bytes, without a leading `/`.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for EntryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&String::from_utf8_lossy(&self.0), f)
    }
}

impl fmt::Debug for EntryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(&self.0), f)
    }
}
