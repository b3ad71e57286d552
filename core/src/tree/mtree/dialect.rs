//! The dialects of manifests.

use std::{fmt, str::FromStr};

use crate::error::Error;

/// The dialects that can be written. All escape names alike ([`super::vis`]) and write times with nine
/// digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[allow(clippy::exhaustive_enums, reason = "a new dialect is a new promise")]
pub enum Dialect {
    /// ocicle's own: exactly what a [`Tree`](super::super::Tree) holds, so that reading it yields an equal
    /// tree. Names are relative to the directory line above (`..` leaves it), which is the shortest form, and
    /// one that can be streamed without building paths. Besides the usual keywords it has `xattr.NAME=BASE64`
    /// for entries of every type, and `inode=N` for names that share an inode (numbered from 1 in order of
    /// appearance).
    #[default]
    Native,
    /// The subset that NetBSD mtree, gomtree, libarchive and umoci read alike: whole paths, every parent
    /// listed, no `/set`. Extended attributes are left out, because BSD mtree rejects files with unknown
    /// keywords. gomtree does not support `device`: use its `-k` if there are devices.
    Portable,
    /// For `mtree -f` of NetBSD and FreeBSD: relative names. Names that BSD takes for patterns (`* ? [`) come
    /// last in their directory, so that they match no sibling. Two such names that match each other cannot be
    /// told apart.
    Bsd,
    /// The dialect of `umoci unpack`: gomtree's layout and umoci's keywords, so whole seconds, no device
    /// numbers, and extended attributes of files and directories only. `umoci repack` also needs the size and
    /// link count of directories, which only the disk has.
    Umoci,
}

impl Dialect {
    /// All dialects.
    pub const ALL: [Self; 4] = [Self::Native, Self::Portable, Self::Bsd, Self::Umoci];

    /// Returns the name, as [`FromStr`] parses it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Portable => "portable",
            Self::Bsd => "bsd",
            Self::Umoci => "umoci",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Fails with [`Error::Misuse`] for any other name.
impl FromStr for Dialect {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Error::Misuse(format!("unknown mtree dialect {text:?}: it is one of {names}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_is_found_by_its_name() {
        for dialect in Dialect::ALL {
            assert_eq!(dialect.to_string().parse::<Dialect>().unwrap(), dialect);
        }
        assert_eq!(
            "BSD".parse::<Dialect>().unwrap_err().to_string(),
            r#"unknown mtree dialect "BSD": it is one of native, portable, bsd, umoci"#
        );
    }
}
