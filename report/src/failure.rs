//! The kinds of errors: a word and an exit code for each.

use ocicle::{Error, error::ErrorKind, graph::resolve::ResolveError};

/// The kind of an error, by what a caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureKind {
    /// A reference matches several objects; the message has a selector for each.
    Ambiguous,
    /// The root index was changed by another program at the same time.
    Conflict,
    /// Content is damaged, invalid, or missing from the store although a document names it.
    Corrupt,
    /// The destination exists.
    Exists,
    /// A call of the operating system or the host failed.
    Io,
    /// A limit was exceeded.
    Limit,
    /// The caller's mistake.
    Misuse,
    /// The object that was asked for does not exist.
    NotFound,
    /// Valid, but not supported here.
    Unsupported,
}

/// The one table: kind, word in JSON and JavaScript, exit code of the command.
const TABLE: [(FailureKind, &str, u8); 9] = [
    (FailureKind::Ambiguous, "ambiguous", 3),
    (FailureKind::Conflict, "conflict", 1),
    (FailureKind::Corrupt, "corrupt", 4),
    (FailureKind::Exists, "exists", 1),
    (FailureKind::Io, "io", 1),
    (FailureKind::Limit, "limit", 1),
    (FailureKind::Misuse, "misuse", 2),
    (FailureKind::NotFound, "notFound", 3),
    (FailureKind::Unsupported, "unsupported", 1),
];

impl FailureKind {
    /// Returns the word for it in JSON and JavaScript, such as `notFound`.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.row().1
    }

    /// Returns the exit code of the command.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        self.row().2
    }

    fn row(self) -> (Self, &'static str, u8) {
        TABLE[self as usize]
    }
}

impl From<&Error> for FailureKind {
    fn from(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Conflict => Self::Conflict,
            ErrorKind::Corrupt => Self::Corrupt,
            ErrorKind::Exists => Self::Exists,
            ErrorKind::Limit => Self::Limit,
            ErrorKind::Misuse => Self::Misuse,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Unsupported => Self::Unsupported,
            // `Io`, and kinds that are newer than this table.
            _ => Self::Io,
        }
    }
}

impl From<&ResolveError> for FailureKind {
    fn from(error: &ResolveError) -> Self {
        match error {
            ResolveError::Other(error) => error.into(),
            ResolveError::Ambiguous { .. } => Self::Ambiguous,
            // No selector was given, and the store has several objects or none.
            ResolveError::NoDefault { there } if !there.is_empty() => Self::Ambiguous,
            _ => Self::NotFound,
        }
    }
}

#[cfg(test)]
mod tests {
    use ocicle::{Error, graph::resolve::ResolveError};

    use super::{FailureKind, TABLE};

    #[test]
    fn the_table_is_in_order() {
        for (place, (kind, ..)) in TABLE.into_iter().enumerate() {
            assert_eq!(kind as usize, place);
        }
        assert!(TABLE.is_sorted_by_key(|(_, word, _)| word));
    }

    #[test]
    fn a_missing_blob_is_a_corrupt_store() -> Result<(), ocicle::digest::InvalidDigest> {
        let digest = format!("sha256:{}", "0".repeat(64)).parse()?;
        let kind = FailureKind::from(&Error::MissingBlob(digest));
        assert_eq!((kind.word(), kind.exit_code()), ("corrupt", 4));
        Ok(())
    }

    #[test]
    fn unresolved_references_have_a_kind() {
        let unsaid = |count: usize| ResolveError::NoDefault { there: vec![String::new(); count] };
        for (error, word) in [
            (
                ResolveError::NotFound { looked_for: String::new(), there: Vec::new(), instead: None },
                "notFound",
            ),
            (ResolveError::Ambiguous { candidates: Vec::new() }, "ambiguous"),
            (unsaid(0), "notFound"),
            (unsaid(2), "ambiguous"),
            (ResolveError::Other(Error::Misuse(String::new())), "misuse"),
        ] {
            assert_eq!(FailureKind::from(&error).word(), word);
        }
    }
}
