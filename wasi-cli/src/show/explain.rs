//! The explanation of a selector.

use std::fmt;

use ocicle::{
    graph::explain::{Explanation, Narrowing},
    text::printable,
};

use super::{Column, Show, columns};

/// The number of values named in the text.
const SHOWN: usize = 8;

impl Show for Explanation {
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "#{}", self.selector)?;
        let mut last = 0;
        let rows: Vec<_> = self
            .clauses
            .iter()
            .map(|Narrowing { step, clause, before, after, values, .. }| {
                let of = match (*step == last, *step) {
                    (true, _) => "and",
                    (false, 1) => "of all places",
                    (false, _) => "somewhere below",
                };
                last = *step;
                let mut narrowed = format!("{before} → {after}");
                if after < before && !values.is_empty() {
                    let shown: Vec<_> = values.iter().take(SHOWN).map(|value| printable(value)).collect();
                    narrowed += &format!("  of {}", shown.join(", "));
                    if values.len() > SHOWN {
                        narrowed += &format!(" and {} more", values.len() - SHOWN);
                    }
                }
                [of.into(), clause.to_string(), narrowed]
            })
            .collect();
        columns(out, [Column::left(15), Column::left(0), Column::left(0)], &rows)?;
        self.found.iter().try_for_each(|found| writeln!(out, "= #{found}"))
    }

    /// Writes one line per clause: number of the step, clause, places before and after.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for Narrowing { step, clause, before, after, .. } in &self.clauses {
            writeln!(out, "{step}\t{clause}\t{before}\t{after}")?;
        }
        Ok(())
    }
}
