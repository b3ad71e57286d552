//! The fields of an object, in either language.

use std::{collections::BTreeMap, fmt};

/// The fields of an object.
pub(super) type Shape = BTreeMap<String, Field>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) kind: Kind,
    /// Whether the field can be missing.
    pub(super) optional: bool,
    /// Whether it can be `null`.
    pub(super) nullable: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Numbers, booleans, strings; `Date` for a time.
    Scalar(&'static str),
    List(Box<Kind>),
    Map(Box<Kind>),
    /// An object or enum, by its name in Rust or TypeScript.
    Named(String),
    /// Anything.
    Any,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (optional, nullable) =
            (if self.optional { "?" } else { "" }, if self.nullable { " | null" } else { "" });
        write!(f, "{optional}: {}{nullable}", self.kind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(name) => f.write_str(name),
            Self::List(of) => write!(f, "{of}[]"),
            Self::Map(of) => write!(f, "Record<string, {of}>"),
            Self::Named(name) => f.write_str(name),
            Self::Any => f.write_str("unknown"),
        }
    }
}
