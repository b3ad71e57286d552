//! Names of repositories on registries.

use std::{fmt, str::FromStr};

use super::Url;
use crate::error::{Error, Result};

/// A registry and a repository in it: `HOST[:PORT]/REPOSITORY`. The registry is always named: short names
/// are not completed, since whoever takes the name first would decide which image they mean.
///
/// ```
/// use ocicle::remote::RemoteName;
///
/// let name: RemoteName = "localhost:5000/team/app".parse()?;
/// assert_eq!((name.host(), name.repository()), ("localhost:5000", "team/app"));
/// let name: RemoteName = "docker.io/debian".parse()?;
/// assert_eq!(name.repository(), "library/debian");
/// # Ok::<(), ocicle::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RemoteName {
    host: String,
    repository: String,
}

/// Docker Hub, as references name it.
const HUB: &str = "docker.io";
/// Docker Hub's registry.
const HUB_REGISTRY: &str = "registry-1.docker.io";
/// The longest name that registries take: host, `/` and repository (distribution-spec, "Pulling manifests").
const LONGEST: usize = 255;

impl RemoteName {
    /// Returns the host with its port, as the reference has it.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the repository.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Returns the host and port that requests go to: another one for Docker Hub.
    #[must_use]
    pub fn authority(&self) -> &str {
        if self.host == HUB { HUB_REGISTRY } else { &self.host }
    }
}

impl FromStr for RemoteName {
    type Err = Error;

    /// # Errors
    /// [`Error::Misuse`], with a suggestion where one can be guessed.
    fn from_str(text: &str) -> Result<Self> {
        let bad = |why: String| Err(Error::Misuse(format!("not a repository: {text:?}: {why}")));
        let named = |host: &str| host.contains(['.', ':']) || host == "localhost";
        let Some((host, repository)) = text.split_once('/').filter(|(host, _)| named(host)) else {
            let hint = match text.contains('/') {
                true => format!("{HUB}/{text}"),
                false => format!("{HUB}/library/{text}"),
            };
            return bad(format!("expected HOST/REPOSITORY, such as {hint}"));
        };
        let host = host.to_ascii_lowercase();
        if let Err(error) = format!("https://{host}/").parse::<Url>() {
            return bad(error.to_string());
        }
        let host = match host.as_str() {
            "index.docker.io" | HUB_REGISTRY => HUB.to_owned(),
            _ => host,
        };
        let is_hub = host == HUB && !repository.contains('/');
        let repository = if is_hub { format!("library/{repository}") } else { repository.to_owned() };
        if !repository.split('/').all(is_component) {
            return bad(
                "a repository has lower-case letters, digits, and single `.`, `_` or `-` between".into()
            );
        }
        if host.len() + 1 + repository.len() > LONGEST {
            return bad(format!("longer than {LONGEST} characters"));
        }
        Ok(Self { host, repository })
    }
}

/// Returns whether text is a component of a repository's name (distribution-spec, "Pulling manifests"):
/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
fn is_component(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let separators = text.split(|char: char| char.is_ascii() && is_word(char as u8));
    let separator =
        |text: &str| matches!(text, "" | "." | "_" | "__") || text.bytes().all(|byte| byte == b'-');
    text.bytes().next().is_some_and(is_word)
        && text.bytes().last().is_some_and(is_word)
        && separators.into_iter().all(separator)
}

/// Returns whether text is a tag (distribution-spec, "Pulling manifests").
pub(super) fn is_tag(text: &str) -> bool {
    let mut bytes = text.bytes();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= 128
        && bytes.next().is_some_and(is_word)
        && bytes.all(|byte| is_word(byte) || byte == b'.' || byte == b'-')
}

impl fmt::Display for RemoteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let parts = |text: &str| {
            let name: RemoteName = text.parse().unwrap();
            format!("{name} at {}", name.authority())
        };
        assert_eq!(parts("Reg.example/a/b__c-d.e"), "reg.example/a/b__c-d.e at reg.example");
        assert_eq!(parts("[::1]:5000/a"), "[::1]:5000/a at [::1]:5000");
        assert_eq!(parts("docker.io/debian"), "docker.io/library/debian at registry-1.docker.io");
        assert_eq!(parts("index.docker.io/u/r"), "docker.io/u/r at registry-1.docker.io");
        for text in [
            "",
            "/",
            "a.b/",
            "a.b//c",
            "a.b/C",
            "a.b/c..d",
            "a.b/-c",
            "a.b/c_",
            "a.b/..",
            "a.b/c?d",
            "u@a.b/c",
            "a:x/c",
            "a.b/c___d",
            "a.b/\u{e4}",
        ] {
            assert!(text.parse::<RemoteName>().is_err(), "{text:?}");
        }
        assert!(format!("a.b/{}", "c".repeat(252)).parse::<RemoteName>().is_err());
        let message = |text: &str| text.parse::<RemoteName>().unwrap_err().to_string();
        assert!(message("debian").contains("docker.io/library/debian"));
        assert!(message("grafana/loki").contains("docker.io/grafana/loki"));
    }

    #[test]
    fn tags() {
        for tag in ["v1", "1.2-x", "_", &"a".repeat(128)] {
            assert!(is_tag(tag), "{tag}");
        }
        for tag in ["", ".a", "-a", "a/b", "a:b", "a b", "\u{e4}", &"a".repeat(129)] {
            assert!(!is_tag(tag), "{tag}");
        }
    }
}
