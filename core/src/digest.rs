//! Digests, `algorithm:encoded`, as in the image-spec's descriptor grammar.
//!
//! Source: image-spec 1.1.1, descriptor.md, "Digests".

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A content digest. Its text follows the grammar; for registered algorithms it has the right length and is
/// lower-case hexadecimal. It is safe as a file name: it contains no `/` and is never `.` or `..`.
///
/// ```
/// use ocicle::digest::{Algorithm, Digest};
/// let digest: Digest = format!("sha256:{}", "0".repeat(64)).parse()?;
/// assert_eq!(digest.algorithm(), Some(Algorithm::Sha256));
/// assert!("sha256:ABC".parse::<Digest>().is_err());
/// # Ok::<(), ocicle::digest::InvalidDigest>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(Box<str>);

/// A digest algorithm that this library can compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum Algorithm {
    /// SHA-256, which every implementation must support.
    #[default]
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// A text that is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid digest {text:?}: {reason}")]
pub struct InvalidDigest {
    text: String,
    reason: &'static str,
}

impl Digest {
    /// Returns the algorithm, if this library can compute it.
    #[must_use]
    pub fn algorithm(&self) -> Option<Algorithm> {
        Algorithm::from_name(self.algorithm_name())
    }

    /// Returns the part before the colon.
    #[must_use]
    pub fn algorithm_name(&self) -> &str {
        self.0.split_once(':').map_or("", |(algorithm, _)| algorithm)
    }

    /// Returns the part after the colon.
    #[must_use]
    pub fn encoded(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, encoded)| encoded)
    }

    /// Returns the whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns `sha256:` and 12 digits, for display.
    #[must_use]
    pub fn short(&self) -> &str {
        let end = self.algorithm_name().len() + 1 + 12;
        self.0.get(..end).unwrap_or(&self.0)
    }

    /// Returns the digest with these raw bytes.
    #[must_use]
    pub fn from_bytes(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut text = String::with_capacity(algorithm.name().len() + 1 + bytes.len() * 2);
        text.push_str(algorithm.name());
        text.push(':');
        push_hex(&mut text, bytes);
        Self(text.into())
    }
}

/// Appends lower-case hexadecimal.
pub(crate) fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

impl Algorithm {
    /// Returns the name, as used in digests and as the directory below `blobs/`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Returns the algorithm of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Sha256, Self::Sha384, Self::Sha512].into_iter().find(|algorithm| algorithm.name() == name)
    }

    fn hex_len(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha384 => 96,
            Self::Sha512 => 128,
        }
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let invalid = |reason| InvalidDigest { text: text.chars().take(200).collect(), reason };
        let (algorithm, encoded) = text.split_once(':').ok_or_else(|| invalid("no ':'"))?;
        if let Some(known) = Algorithm::from_name(algorithm) {
            if encoded.len() != known.hex_len() {
                return Err(invalid("wrong length for its algorithm"));
            }
            if !encoded.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
                return Err(invalid("not lower-case hexadecimal"));
            }
            return Ok(Self(text.into()));
        }
        let component = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        if !algorithm.split(['+', '.', '_', '-']).all(component) {
            return Err(invalid("the algorithm is not [a-z0-9] components joined by one of + . _ -"));
        }
        if encoded.is_empty()
            || !encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"=_-".contains(&byte))
        {
            return Err(invalid("the encoded part is not [a-zA-Z0-9=_-]+"));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
