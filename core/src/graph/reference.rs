//! References: a store and an object in it, in one word: `oci:images#v1`.

use std::{fmt, str::FromStr};

use super::selector::{Clause, Selector};
use crate::{
    digest::Digest,
    error::{Error, Result},
};

/// A store and an object in it: `[KIND:]PATH[#SELECTOR]`. The last `#` counts, since a selector has none (it
/// writes `%23`): `a#b.tar#` is the path `a#b.tar`. A repository of a registry is written as everywhere,
/// `docker://HOST/REPOSITORY[:TAG][@DIGEST]`, and a layout or archive on a web server as its address; what is
/// below a tag may follow without `#`.
///
/// ```
/// use ocicle::graph::reference::Reference;
///
/// let reference: Reference = "oci:images#v1//platform=linux/arm64".parse()?;
/// assert_eq!(reference.path, "images");
/// assert_eq!(reference.to_string(), "oci:images#v1//platform=linux/arm64");
/// let reference: Reference = "docker://registry.example/app:v1//platform=linux/arm64".parse()?;
/// assert_eq!(reference.path, "registry.example/app");
/// assert_eq!(reference.selector.to_string(), "v1//platform=linux/arm64");
/// # Ok::<(), ocicle::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Reference {
    /// The kind of store; `None` if the path decides.
    pub kind: Option<StoreKind>,
    /// The path of the store.
    pub path: String,
    /// The selector of an object in the store; empty for all of it, or its default image.
    pub selector: Selector,
}

/// The kinds of stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreKind {
    /// An image layout in a directory.
    Oci,
    /// An image layout in a tar file.
    OciArchive,
    /// An archive as `docker save` writes it.
    DockerArchive,
    /// A repository of a registry; the path is `HOST[:PORT]/REPOSITORY`.
    Registry,
    /// A layout or an archive on a web server; the path is its address.
    Web,
}

/// The start of references to registries.
const REGISTRY: &str = "docker://";

impl StoreKind {
    /// Those that a prefix names.
    const ALL: [Self; 3] = [Self::Oci, Self::OciArchive, Self::DockerArchive];

    fn name(self) -> &'static str {
        match self {
            Self::Oci => "oci",
            Self::OciArchive => "oci-archive",
            Self::DockerArchive => "docker-archive",
            Self::Registry => "docker",
            Self::Web => "",
        }
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Web => Ok(()),
            Self::Registry => f.write_str(REGISTRY),
            _ => write!(f, "{}:", self.name()),
        }
    }
}

impl FromStr for Reference {
    type Err = Error;

    /// # Errors
    /// [`Error::Misuse`], with a suggestion where one can be guessed.
    fn from_str(text: &str) -> Result<Self> {
        let (store, fragment) = match text.rsplit_once('#') {
            Some((store, fragment)) => (store, Some(fragment)),
            None => (text, None),
        };
        if let Some(rest) = text.strip_prefix(REGISTRY) {
            return registry(rest);
        }
        if ["https://", "http://"].iter().any(|scheme| text.starts_with(scheme)) {
            let selector = fragment.map_or_else(|| Ok(Selector::default()), str::parse)?;
            return Ok(Self { kind: Some(StoreKind::Web), path: store.into(), selector });
        }
        let kind = StoreKind::ALL
            .into_iter()
            .find(|kind| store.strip_prefix(kind.name()).is_some_and(|rest| rest.starts_with(':')));
        let path = kind.map_or(store, |kind| &store[kind.name().len() + 1..]);
        if path.is_empty() {
            return Err(Error::Misuse(format!("{text:?} has no path: expected PATH#TAG, such as images#v1")));
        }
        if kind.is_some()
            && fragment.is_none()
            && let Some((dir, tag)) = skopeo(path)
        {
            let prefix = kind.map(|kind| kind.to_string()).unwrap_or_default();
            return Err(Error::Misuse(format!(
                "{text:?} looks like a reference of skopeo: here it is {prefix}{dir}#{tag}; \
                 for a path with a colon in it, leave out {prefix}"
            )));
        }
        let selector = match fragment {
            None | Some("") => Selector::default(),
            Some(fragment) => fragment.parse()?,
        };
        Ok(Self { kind, path: path.into(), selector })
    }
}

/// Parses a reference to a registry, without `docker://`.
fn registry(text: &str) -> Result<Reference> {
    let (name, below) = match (text.split_once('#'), text.split_once("//")) {
        (Some((name, below)), _) | (None, Some((name, below))) => (name, below),
        (None, None) => (text, ""),
    };
    let (name, digest) = match name.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (name, None),
    };
    let (path, tag) = match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains(['/', ']']) => (path, Some(tag)),
        _ => (name, None),
    };
    if path.is_empty() || tag == Some("") {
        let why = "expected docker://HOST/REPOSITORY:TAG";
        return Err(Error::Misuse(format!("not a reference: {REGISTRY}{text}: {why}")));
    }
    // Whoever names both means the digest: the tag may be another image by now.
    let digest = digest.map(str::parse::<Digest>).transpose();
    let digest = digest.map_err(|error| Error::Misuse(format!("{REGISTRY}{text}: {error}")))?;
    let first = match (digest, tag) {
        (Some(digest), _) => Some(Clause::Digest(digest.to_string())),
        (None, tag) => tag.map(|tag| Clause::Tag(tag.into())),
    };
    let below: Selector = if below.is_empty() { Selector::default() } else { below.parse()? };
    let steps = first.into_iter().map(|clause| vec![clause]).chain(below.steps().iter().cloned());
    let selector = Selector::new(steps.collect()).unwrap_or_default();
    Ok(Reference { kind: Some(StoreKind::Registry), path: path.into(), selector })
}

/// Splits `DIR:TAG` at the first colon, as skopeo and umoci do, since tags have colons too. The colon of a
/// drive (`C:\\`) does not count.
fn skopeo(path: &str) -> Option<(&str, &str)> {
    let is_drive = path.get(1..3).is_some_and(|colon| colon == ":/" || colon == ":\\");
    let start = if is_drive { 2 } else { 0 };
    let colon = start + path.get(start..)?.find(':')?;
    let (dir, tag) = path.split_at(colon);
    (!dir.is_empty() && tag.len() > 1).then(|| (dir, &tag[1..]))
}

impl Reference {
    /// Returns whether the kind is written before a path, where a colon would be taken for a tag.
    fn has_prefix(&self) -> bool {
        self.kind.is_some_and(|kind| StoreKind::ALL.contains(&kind))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(kind) = self.kind {
            write!(f, "{kind}")?;
        }
        f.write_str(&self.path)?;
        let is_plain = !self.path.contains('#') && (!self.has_prefix() || skopeo(&self.path).is_none());
        match self.selector.is_empty() && is_plain {
            true => Ok(()),
            false => write!(f, "#{}", self.selector),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Reference, Selector, StoreKind};

    #[test]
    fn a_kind_a_path_and_a_selector() {
        let parse = |text: &str| text.parse::<Reference>().unwrap();
        assert_eq!(
            parse("images"),
            Reference { kind: None, path: "images".into(), selector: Selector::default() }
        );
        assert_eq!(parse("./a:b").path, "./a:b");
        assert_eq!(parse("oci-archive:a.tar#v1").kind, Some(StoreKind::OciArchive));
        assert_eq!(parse("oci:C:/d").path, "C:/d");
        assert!(parse("oci:a#").selector.is_empty());
        assert_eq!(parse("oci:C/d#v1").path, "C/d");
        assert_eq!(parse("x#v1").selector.as_tag(), Some("v1"));
        for text in ["images", "oci:a#v1", "docker-archive:b.tar", "p#v1//digest=sha256:00ff,type=index"] {
            assert_eq!(parse(text).to_string(), text);
        }
    }

    #[test]
    fn a_path_may_have_the_sign_of_a_selector() {
        let parse = |text: &str| text.parse::<Reference>().unwrap();
        for text in ["a#b.tar#", "oci:a:b#", "a#b.tar#v1", "oci-archive:a#b#v1//pos=0", "./oci:a#b#"] {
            let parsed = parse(text);
            assert!(parsed.path.contains(['#', ':']) && !parsed.path.ends_with('#'), "{parsed:?}");
            assert_eq!(parsed.to_string(), text);
        }
        assert_eq!(parse("a#annotation.x=1%232").path, "a");
    }

    #[test]
    fn registries_and_web_servers() {
        let parse = |text: &str| {
            let Reference { kind, path, selector } = text.parse().unwrap();
            (kind, path, selector.to_string())
        };
        let registry = |path: &str, selector: &str| (Some(StoreKind::Registry), path.into(), selector.into());
        let digest = format!("sha256:{}", "ab".repeat(32));
        for (text, path, selector) in [
            ("docker://r.io/app", "r.io/app", ""),
            ("docker://r.io:5000/app", "r.io:5000/app", ""),
            ("docker://r.io:5000/a/b:v1", "r.io:5000/a/b", "v1"),
            ("docker://r.io/app:v1//platform=linux/arm64", "r.io/app", "v1//platform=linux/arm64"),
            ("docker://r.io/app:v1#pos=0", "r.io/app", "v1//pos=0"),
            ("docker://r.io/app#v1", "r.io/app", "v1"),
            ("docker://[::1]:5000/app", "[::1]:5000/app", ""),
            (&format!("docker://r.io/app@{digest}"), "r.io/app", &format!("digest={digest}")),
            (&format!("docker://r.io/app:v1@{digest}"), "r.io/app", &format!("digest={digest}")),
        ] {
            assert_eq!(parse(text), registry(path, selector), "{text}");
            let again = text.parse::<Reference>().unwrap().to_string();
            assert_eq!(parse(&again), registry(path, selector), "{text}: {again}");
        }
        assert_eq!(
            parse("https://a.b/c/d.tar#v1"),
            (Some(StoreKind::Web), "https://a.b/c/d.tar".into(), "v1".into())
        );
        assert_eq!("http://a:5000/x".parse::<Reference>().unwrap().to_string(), "http://a:5000/x");
        for text in
            ["docker://", "docker://:v1", "docker://a/b:", "docker://a/b@sha256:12", "docker://a/b@v1"]
        {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }

    #[test]
    fn mistakes_come_with_a_suggestion() {
        let message = |text: &str| text.parse::<Reference>().unwrap_err().to_string();
        assert!(message("oci:images:v1").contains("oci:images#v1"));
        assert!(message("oci:a/b:v1").contains("oci:a/b#v1"));
        assert!(message("oci:a:reg.io/b:1.2").contains("oci:a#reg.io/b:1.2"));
        assert!(message("oci:C:/a:v1").contains("oci:C:/a#v1"));
        assert!(message("").contains("images#v1"));
        assert!(message("oci:#v1").contains("images#v1"));
    }
}
