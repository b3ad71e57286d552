//! How results are shown to people and to scripts: a file for each value.

mod changes;
mod check;
mod columns;
mod conflicts;
mod diff;
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

/// A result that has a text for people and lines for scripts.
pub(crate) trait Show {
    /// Writes the text for people.
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result;

    /// Writes lines of fields with a tab between them, without a heading and without padding. Control
    /// characters are escaped, so a field holds no tab and no line break; an absent field is `-`. Sizes are
    /// bytes, digests whole.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result;
}
