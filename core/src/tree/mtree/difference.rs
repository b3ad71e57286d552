//! The differences that a comparison finds.

use std::fmt;

use serde::{Serialize, Serializer};

use super::vis;
use crate::name::EntryPath;

/// A difference between a directory and its manifest. It is displayed as one line, with the path escaped like
/// a name in a manifest ([`vis`]):
///
/// ```
/// use ocicle::{limits::Limits, name::EntryPath, tree::mtree::Difference};
/// let path = EntryPath::clean(b"etc/pass wd", &Limits::default())?;
/// let keyword = Difference::Changed {
///     path: path.clone(),
///     keyword: "mode".into(),
///     expected: "0644".into(),
///     found: "0600".into(),
/// };
/// assert_eq!(keyword.to_string(), r"etc/pass\040wd: mode expected 0644, found 0600");
/// assert_eq!(Difference::Missing { path }.to_string(), r"etc/pass\040wd: missing");
/// # Ok::<(), ocicle::name::InvalidPath>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "difference", rename_all = "lowercase")]
#[allow(clippy::exhaustive_enums, reason = "callers count them by kind")]
pub enum Difference {
    /// The path is in the manifest, but not in the directory.
    Missing {
        /// The path below the root.
        #[serde(serialize_with = "escaped")]
        path: EntryPath,
    },
    /// The path is in the directory, but not in the manifest. Entries below it are not reported.
    Extra {
        /// The path below the root.
        #[serde(serialize_with = "escaped")]
        path: EntryPath,
    },
    /// A value differs.
    Changed {
        /// The path below the root.
        #[serde(serialize_with = "escaped")]
        path: EntryPath,
        /// The keyword, as in the manifest; for an extended attribute `xattr.` and its escaped name.
        keyword: String,
        /// The value in the manifest, as [`Dialect::Native`](super::Dialect::Native) writes it; `none` if
        /// there is none.
        expected: String,
        /// The value on disk, in the same form.
        found: String,
    },
    /// A keyword of the manifest that cannot be checked. Reported once for each keyword, at the end, and not
    /// counted as a difference.
    Unchecked {
        /// The keyword.
        keyword: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path } => write!(f, "{}: missing", shown(path)),
            Self::Extra { path } => write!(f, "{}: extra", shown(path)),
            Self::Changed { path, keyword, expected, found } => {
                write!(f, "{}: {keyword} expected {expected}, found {found}", shown(path))
            }
            Self::Unchecked { keyword } => write!(f, "{keyword}: not checked"),
        }
    }
}

/// Shows the path; the root is `.`.
fn shown(path: &EntryPath) -> String {
    if path.is_root() { ".".into() } else { vis::to_text(path.as_bytes()) }
}

fn escaped<S: Serializer>(path: &EntryPath, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&shown(path))
}
