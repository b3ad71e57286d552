//! Selectors: which object of a store to use.
//!
//! ```text
//! selector = ( tag / step ) *( "//" step )      step = clause *( "," clause )      clause = key "=" value
//! key      = tag / platform / digest / pos / type / artifact / annotation.NAME
//! ```
//!
//! `//` reads "somewhere below", `,` reads "and". A first segment without `=` is a ref name as a whole.
//! Characters in a value that have a meaning here or in a shell are written `%XX`: all but letters, digits,
//! `.`, `_`, `-`, `+`, `:`, `@` and single `/`. So a printed selector needs no quotes, and a ref name needs
//! no escape.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Serialize, Serializer};

use super::ref_name::RefName;
use crate::{
    error::{Error, Result},
    spec::{MediaType, Platform},
};

/// The steps from `index.json` downwards. Without steps, as [`Selector::default`] is, it selects the only
/// entry of `index.json`, or else the one tagged `latest`.
///
/// ```
/// use ocicle::graph::selector::Selector;
/// let selector: Selector = "v1//platform=linux/arm64".parse()?;
/// assert_eq!(selector.steps().len(), 2);
/// # Ok::<(), ocicle::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Selector(Vec<Step>);

/// Clauses that all hold for one object; at least one.
pub type Step = Vec<Clause>;

/// A condition on an object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Clause {
    /// The object is an entry of `index.json` with this ref name.
    Tag(String),
    /// The object runs on this platform.
    Platform(Platform),
    /// The digest is this one, or begins with it.
    Digest(String),
    /// The object is at this position of its index, from 0.
    Position(usize),
    /// The object has this kind or media type.
    Type(String),
    /// The entry or the object has this artifact type.
    Artifact(MediaType),
    /// The entry has this annotation with this value.
    Annotation(String, String),
}

impl Selector {
    /// Returns a selector with these steps; `None` if there are none, or if a step has no clause.
    #[must_use]
    pub fn new(steps: Vec<Step>) -> Option<Self> {
        (!steps.is_empty() && steps.iter().all(|step| !step.is_empty())).then_some(Self(steps))
    }

    /// Returns a selector with one clause.
    #[must_use]
    pub fn of(clause: Clause) -> Self {
        Self(vec![vec![clause]])
    }

    /// Returns the selector of what is below, at any depth, and for which this clause holds.
    #[must_use]
    pub fn below(&self, clause: Clause) -> Self {
        Self(self.0.iter().cloned().chain([vec![clause]]).collect())
    }

    /// Returns whether there are no steps, so that the default object is selected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the steps.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Returns the tag, if the selector is only a tag.
    #[must_use]
    pub fn as_tag(&self) -> Option<&str> {
        match &self.0[..] {
            [step] => match &step[..] {
                [Clause::Tag(tag)] => Some(tag),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Clause {
    fn parse(text: &str) -> Result<Self> {
        let wrong = |reason: String| Error::Misuse(format!("{text:?} in a reference: {reason}"));
        let Some((key, value)) = text.split_once('=') else {
            return Err(wrong("expected KEY=VALUE".into()));
        };
        let value =
            decode(value).ok_or_else(|| wrong("% must be followed by two hexadecimal digits".into()))?;
        if value.is_empty() && !key.starts_with("annotation.") {
            return Err(wrong("the value is empty".into()));
        }
        Ok(match key {
            "tag" => Self::Tag(value),
            "platform" => Self::Platform(value.parse().map_err(|error| wrong(format!("{error}")))?),
            "digest" => Self::Digest(digest_prefix(&value).ok_or_else(|| {
                wrong("expected a digest, such as sha256:1f2e3d4c…, or the beginning of one".into())
            })?),
            "pos" => Self::Position(value.parse().map_err(|_| wrong("expected a number from 0 on".into()))?),
            "type" => Self::Type(value),
            "artifact" => Self::Artifact(value.parse().map_err(|error| wrong(format!("{error}")))?),
            _ => match key.strip_prefix("annotation.").and_then(decode) {
                Some(name) if !name.is_empty() => Self::Annotation(name, value),
                _ => {
                    return Err(wrong(
                        "the key is none of tag, platform, digest, pos, type, artifact, annotation.NAME"
                            .into(),
                    ));
                }
            },
        })
    }
}

/// Returns the kind of an object, as `type=` takes it: `index`, `manifest`, `config`, or else its media type.
#[must_use]
pub fn kind_of(media_type: &MediaType) -> &str {
    match media_type {
        kind if kind.is_index() => "index",
        kind if kind.is_manifest() => "manifest",
        kind if kind.is_config() => "config",
        other => other.as_str(),
    }
}

fn digest_prefix(text: &str) -> Option<String> {
    let (algorithm, encoded) = text.split_once(':').unwrap_or(("sha256", text));
    let grammar = |text: &str, more: &[u8]| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    (grammar(algorithm, b"+._-") && grammar(encoded, b"=_-")).then(|| format!("{algorithm}:{encoded}"))
}

impl FromStr for Selector {
    type Err = Error;

    /// # Errors
    /// [`Error::Misuse`] naming the clause.
    fn from_str(text: &str) -> Result<Self> {
        let mut steps = Vec::new();
        for (number, segment) in text.split("//").enumerate() {
            if number == 0 && !segment.contains('=') {
                let tag = decode(segment).unwrap_or_else(|| segment.into());
                let tag: RefName = tag.parse()?;
                steps.push(vec![Clause::Tag(tag.as_str().into())]);
                continue;
            }
            steps.push(segment.split(',').map(Clause::parse).collect::<Result<_>>()?);
        }
        Ok(Self(steps))
    }
}

impl TryFrom<String> for Selector {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Selector> for String {
    fn from(selector: Selector) -> Self {
        selector.to_string()
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("//")?;
            }
            match &step[..] {
                [Clause::Tag(tag)] if number == 0 && tag.parse::<RefName>().is_ok() => f.write_str(tag)?,
                clauses => {
                    for (number, clause) in clauses.iter().enumerate() {
                        if number > 0 {
                            f.write_str(",")?;
                        }
                        write!(f, "{clause}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Serialize for Clause {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => write!(f, "tag={}", encode(tag)),
            Self::Platform(platform) => write!(f, "platform={}", encode(&platform.to_string())),
            Self::Digest(prefix) => write!(f, "digest={}", encode(prefix)),
            Self::Position(position) => write!(f, "pos={position}"),
            Self::Type(kind) => write!(f, "type={}", encode(kind)),
            Self::Artifact(kind) => write!(f, "artifact={}", encode(kind.as_str())),
            Self::Annotation(key, value) => write!(f, "annotation.{}={}", encode(key), encode(value)),
        }
    }
}

fn encode(text: &str) -> Cow<'_, str> {
    let escaped = |index: usize, byte: u8| {
        !(byte.is_ascii_alphanumeric() || b"._-+:@/".contains(&byte))
            || text[index..].starts_with("//")
            || (byte == b'/' && (index == 0 || index + 1 == text.len() || text.as_bytes()[index - 1] == b'/'))
    };
    if !text.bytes().enumerate().any(|(index, byte)| escaped(index, byte)) {
        return Cow::Borrowed(text);
    }
    let mut encoded = String::with_capacity(text.len() + 8);
    for (index, byte) in text.bytes().enumerate() {
        if escaped(index, byte) {
            encoded.push_str(&format!("%{byte:02X}"));
        } else {
            encoded.push(char::from(byte));
        }
    }
    Cow::Owned(encoded)
}

fn decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        decoded.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Clause, Selector};

    #[test]
    fn steps_and_clauses() {
        let selector: Selector =
            "v1//platform=linux/arm64/v8,type=manifest//pos=0,digest=1f2e".parse().unwrap();
        assert_eq!(selector.steps()[0], [Clause::Tag("v1".into())]);
        assert_eq!(selector.steps()[2], [Clause::Position(0), Clause::Digest("sha256:1f2e".into())]);
        assert_eq!(
            selector.to_string(),
            "v1//platform=linux/arm64/v8,type=manifest//pos=0,digest=sha256:1f2e"
        );
        let annotation: Selector = "annotation.org.example=a%2Cb%3D%23".parse().unwrap();
        assert_eq!(annotation.steps()[0], [Clause::Annotation("org.example".into(), "a,b=#".into())]);
    }

    #[test]
    fn mistakes_name_the_clause() {
        for (text, part) in [
            ("", "is not a tag"),
            ("a b", "is not a tag"),
            ("v1//arm64", "\"arm64\" in a reference: expected KEY=VALUE"),
            ("colour=red", "\"colour=red\" in a reference: the key is none of"),
            ("pos=-1", "expected a number from 0 on"),
            ("digest=sha256:", "expected a digest"),
            ("platform=linux", "\"platform=linux\" in a reference"),
            ("tag=", "the value is empty"),
            ("tag=%zz", "two hexadecimal digits"),
            ("pos=0//", "expected KEY=VALUE"),
        ] {
            let message = text.parse::<Selector>().unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    fn clause() -> impl Strategy<Value = Clause> {
        let any_text = "[ -~äé%#,=/\\n]{1,12}";
        prop_oneof![
            any_text.prop_map(Clause::Tag),
            any_text.prop_map(Clause::Type),
            ("[a-z.%,=/#]{1,8}", "[ -~é]{0,8}").prop_map(|(key, value)| Clause::Annotation(key, value)),
            any::<u16>().prop_map(|position| Clause::Position(position.into())),
            "[0-9a-f]{1,64}".prop_map(|hex| Clause::Digest(format!("sha256:{hex}"))),
            Just(Clause::Platform("linux/arm64".parse().unwrap())),
            Just(Clause::Platform("windows(10.0.17763.1+win32k)/amd64".parse().unwrap())),
            Just(Clause::Artifact("application/vnd.a!b#c$d&e^f_g.h+i".parse().unwrap())),
        ]
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(
            steps in prop::collection::vec(prop::collection::vec(clause(), 1..4), 1..4),
        ) {
            let selector = Selector::new(steps).unwrap();
            let shown = selector.to_string();
            prop_assert_eq!(shown.parse::<Selector>().unwrap(), selector, "{}", shown);
            // POSIX, Shell Command Language, 2.2: nothing in it needs quotes, and no word begins with it.
            let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"%+,-./:=@_".contains(&byte);
            prop_assert!(shown.bytes().all(safe), "{}", shown);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(v1|tag=|pos=|digest=|annotation\\.a=|//|,|%[0-9a-fA-F]{2}|[ -~äé]{0,3}){0,6}") {
            if let Ok(selector) = text.parse::<Selector>() {
                prop_assert_eq!(selector.to_string().parse::<Selector>().unwrap(), selector, "{}", text);
            }
        }
    }
}
