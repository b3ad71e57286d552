//! The differences that `mtree check` finds.

use std::fmt;

use ocicle::{
    name::EntryPath,
    tree::mtree::{Difference, vis},
};

use super::Show;

impl Show for [Difference] {
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.iter().try_for_each(|difference| writeln!(out, "{difference}"))
    }

    /// Writes path, keyword, expected, found; `missing` or `extra` instead of a keyword.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.iter().try_for_each(|difference| match difference {
            Difference::Missing { path } => writeln!(out, "{}\tmissing\t-\t-", shown(path)),
            Difference::Extra { path } => writeln!(out, "{}\textra\t-\t-", shown(path)),
            Difference::Changed { path, keyword, expected, found, .. } => {
                writeln!(out, "{}\t{keyword}\t{expected}\t{found}", shown(path))
            }
            Difference::Unchecked { keyword } => writeln!(out, "-\t{keyword}\t-\t-"),
        })
    }
}

/// Returns the path in the syntax of manifests; the root is `.`.
fn shown(path: &EntryPath) -> String {
    if path.is_root() { ".".into() } else { vis::to_text(path.as_bytes()) }
}
