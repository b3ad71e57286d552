//! Ref names, which most programs call tags (image-spec, annotations.md).

use std::{fmt, str::FromStr};

use crate::error::{Error, Result};

/// A valid value of `org.opencontainers.image.ref.name`: components of letters, digits and `-._:@+--`, joined
/// by `/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefName(Box<str>);

impl RefName {
    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RefName {
    type Err = Error;

    /// Checks a name against the grammar of the specification:
    ///
    /// ```text
    /// ref       ::= component ("/" component)*
    /// component ::= alphanum (separator alphanum)*
    /// alphanum  ::= [A-Za-z0-9]+
    /// separator ::= [-._:@+] | "--"
    /// ```
    fn from_str(text: &str) -> Result<Self> {
        if text.split('/').all(is_component) {
            return Ok(Self(text.into()));
        }
        Err(Error::Misuse(format!(
            "{text:?} is not a tag: expected letters and digits, with one of - . _ : @ + / between them"
        )))
    }
}

fn is_component(text: &str) -> bool {
    let mut rest = text.as_bytes();
    loop {
        let word = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        if word == 0 {
            return false;
        }
        rest = match &rest[word..] {
            [] => return true,
            [b'-', b'-', after @ ..] => after,
            [byte, after @ ..] if b"-._:@+".contains(byte) => after,
            _ => return false,
        };
    }
}

impl fmt::Display for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::RefName;

    #[test]
    fn the_grammar_of_the_specification() {
        for good in ["v1", "1.0", "a/b", "a--b", "a-b_c.d:e@f+g", "A", "ghcr.io/o/n:1"] {
            assert_eq!(good.parse::<RefName>().unwrap().as_str(), good);
        }
        for bad in ["", "/", "a/", "/a", "-a", "a-", "a---b", "a..b", "a b", "a=b", "a,b", "a//b", "ä", "a#b"]
        {
            assert!(bad.parse::<RefName>().is_err(), "{bad}");
        }
    }
}
