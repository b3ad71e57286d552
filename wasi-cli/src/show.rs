//! Results as text for people and as lines for scripts: one file for each result.

mod changes;
mod check;
mod columns;
mod conflicts;
mod diff;
mod discovered;
mod dive;
mod explain;
mod files;
mod find;
mod gc;
mod history;
mod listing;
mod mtree;
mod resolution;
mod size;
mod stat;
#[cfg(test)]
mod testing;
mod tree;
mod waste;

use std::fmt;

use self::columns::{Column, columns};
pub(crate) use self::{conflicts::conflicts, size::human_size, tree::Drawn};

/// A result with a text for people and lines for scripts.
pub(crate) trait Show {
    /// Writes the text for people.
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result;

    /// Writes lines of tab-separated fields, without a heading or padding. Control characters are escaped, so
    /// a field contains no tab or line break; an absent field is `-`. Sizes are in bytes, digests complete.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result;
}
