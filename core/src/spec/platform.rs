//! Platforms: operating systems and architectures (image-spec, image-index.md, "platform").

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::shape::null_is_empty;

/// An operating system and a processor architecture, in Go's names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(remote = "Self")]
pub struct Platform {
    /// Architecture, such as `amd64`.
    pub architecture: String,
    /// Operating system, such as `linux`.
    pub os: String,
    /// Version of the operating system.
    #[serde(rename = "os.version", default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// Required features of the operating system.
    #[serde(
        rename = "os.features",
        default,
        deserialize_with = "null_is_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub os_features: Vec<String>,
    /// Variant of the architecture, such as `v8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// Text that is not a platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid platform {0:?}: expected os/architecture or os/architecture/variant, such as linux/arm64/v8"
)]
pub struct InvalidPlatform(String);

impl From<InvalidPlatform> for crate::Error {
    fn from(error: InvalidPlatform) -> Self {
        Self::Misuse(error.to_string())
    }
}

impl Platform {
    /// Makes a platform without version, features and variant.
    #[must_use]
    pub fn new(os: impl Into<String>, architecture: impl Into<String>) -> Self {
        Self {
            architecture: architecture.into(),
            os: os.into(),
            os_version: None,
            os_features: Vec::new(),
            variant: None,
        }
    }

    /// Returns the same platform in Go's names, so that equal platforms are equal values: lower case,
    /// `aarch64` becomes `arm64`, `x86_64` becomes `amd64`, `arm64` implies `v8`, `arm` alone means `v7`.
    /// Names and defaults are those of containerd (`github.com/containerd/platforms`, database.go); the
    /// image-spec lists only the results.
    #[must_use]
    pub fn normalized(&self) -> Self {
        let variant = self.variant.as_deref().unwrap_or_default().to_ascii_lowercase();
        let architecture = self.architecture.to_ascii_lowercase();
        let (architecture, variant) = match (architecture.as_str(), variant.as_str()) {
            ("aarch64" | "arm64", "" | "8" | "v8" | "v8.0") => ("arm64", ""),
            ("aarch64" | "arm64", "9" | "9.0" | "v9" | "v9.0") => ("arm64", "v9"),
            ("aarch64" | "arm64", other) => ("arm64", other),
            ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
            ("x86_64" | "x86-64" | "amd64", other) => ("amd64", other),
            ("i386", _) => ("386", ""),
            ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
            ("armel", _) | ("arm", "6") => ("arm", "v6"),
            ("arm", "5") => ("arm", "v5"),
            ("arm", "8") => ("arm", "v8"),
            (architecture, other) => (architecture, other),
        };
        let os = self.os.to_ascii_lowercase();
        Self {
            architecture: architecture.to_owned(),
            os: if os == "macos" { "darwin".to_owned() } else { os },
            os_version: self.os_version.clone(),
            os_features: self.os_features.clone(),
            variant: Some(variant.to_owned()).filter(|variant| !variant.is_empty()),
        }
    }

    /// Returns whether the platform is a wanted one. What `wanted` leaves open (variant, version, features)
    /// may be anything; what it names must be equal once both are [`normalized`](Self::normalized), and each
    /// feature it names must be present.
    ///
    /// ```
    /// use ocicle::spec::Platform;
    /// let entry: Platform = "linux/arm64/v8".parse()?;
    /// assert!(entry.matches(&"linux/aarch64".parse()?));
    /// assert!(!entry.matches(&"linux/arm64/v9".parse()?));
    /// # Ok::<(), ocicle::spec::InvalidPlatform>(())
    /// ```
    #[must_use]
    pub fn matches(&self, wanted: &Self) -> bool {
        let (have, want) = (self.normalized(), wanted.normalized());
        // `armhf` and `armel` name a variant by themselves.
        let names_variant = wanted.variant.as_ref().is_some_and(|variant| !variant.is_empty())
            || ["armhf", "armel"].iter().any(|name| wanted.architecture.eq_ignore_ascii_case(name));
        have.os == want.os
            && have.architecture == want.architecture
            && (!names_variant || have.variant == want.variant)
            && (want.os_version.is_none() || have.os_version == want.os_version)
            && want.os_features.iter().all(|feature| have.os_features.contains(feature))
    }
}

/// Parses `os[(version[+feature]…)]/architecture[/variant]`. Names are not normalized. Version and features
/// are written as containerd does, such as `windows(10.0.17763.1+win32k)/amd64`.
impl FromStr for Platform {
    type Err = InvalidPlatform;

    fn from_str(text: &str) -> Result<Self, InvalidPlatform> {
        parse(text).ok_or_else(|| InvalidPlatform(text.chars().take(200).collect()))
    }
}

fn parse(text: &str) -> Option<Platform> {
    let mut parts = text.split('/');
    let (os, architecture, variant) = (parts.next()?, word(parts.next()?)?, parts.next());
    if parts.next().is_some() {
        return None;
    }
    let variant = match variant {
        Some(variant) => Some(word(variant)?),
        None => None,
    };
    let (os, inside) = match os.split_once('(') {
        Some((os, inside)) => (os, Some(inside.strip_suffix(')')?)),
        None => (os, None),
    };
    let mut inside = inside.into_iter().flat_map(|inside| inside.split('+'));
    let version = inside.next();
    let os_features = inside.map(word).collect::<Option<Vec<_>>>()?;
    let os_version = match version {
        // There is a version, or features, or both.
        Some("") if !os_features.is_empty() => None,
        Some(version) => Some(word(version)?),
        None => None,
    };
    Some(Platform { architecture, os: word(os)?, os_version, os_features, variant })
}

fn word(text: &str) -> Option<String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (!text.is_empty() && text.bytes().all(fits)).then(|| text.to_owned())
}

/// Shows the platform in the form that is parsed.
impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.os)?;
        let version = self.os_version.as_deref().unwrap_or_default();
        if !version.is_empty() || !self.os_features.is_empty() {
            write!(f, "({version}")?;
            self.os_features.iter().try_for_each(|feature| write!(f, "+{feature}"))?;
            f.write_str(")")?;
        }
        write!(f, "/{}", self.architecture)?;
        match self.variant.as_deref() {
            None | Some("") => Ok(()),
            Some(variant) => write!(f, "/{variant}"),
        }
    }
}
