//! How a selector narrows what a store holds, clause by clause.

use std::{collections::BTreeSet, fmt};

use serde::Serialize;

use super::{
    progress::{Progress, clause_holds},
    resolve::{ResolveError, Want, default_selector, matches, resolution, value},
    selector::Selector,
    walk::Places,
};
use crate::{
    error::Result,
    limits::Limits,
    spec::{Index, Raw},
    store::BlobRead,
    text::{self, printable},
};

/// What `ocicle resolve --explain` shows. Schema version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Explanation {
    schema_version: u32,
    /// The selector; of a reference without one, what it stands for.
    pub selector: Selector,
    /// Its clauses, in their order.
    pub clauses: Vec<Narrowing>,
    /// The places that are left, exactly.
    pub found: Vec<Selector>,
}

/// What one clause does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Narrowing {
    /// The step it belongs to, from 1.
    pub step: usize,
    /// The clause.
    pub clause: String,
    /// Places it was held against.
    pub before: usize,
    /// Those for which it holds.
    pub after: usize,
    /// What the places have where it asks, no two alike, in the order of the places.
    pub values: Vec<String>,
}

impl Explanation {
    /// Follows a selector through a store.
    ///
    /// # Errors
    /// [`ResolveError::Unsaid`] if there is no selector and none can be assumed; [`ResolveError::Other`] for
    /// [`Error::Limit`](crate::Error::Limit).
    pub fn new<S: BlobRead + ?Sized>(
        store: &S,
        root: &Raw<Index>,
        selector: Option<&Selector>,
        want: Want,
        limits: &Limits,
    ) -> Result<Self, ResolveError> {
        let selector = match selector {
            Some(selector) => selector.clone(),
            None => default_selector(root)?,
        };
        let places = Places::walk(store, root, limits)?;
        let progress = Progress::new(&places, &selector);
        let mut clauses = Vec::new();
        for (number, step) in selector.steps().iter().enumerate() {
            let mut left: Vec<usize> =
                places.ids().filter(|&place| progress.tested(&places, place, number, step)).collect();
            for clause in step {
                let mut known = BTreeSet::new();
                let mut values =
                    left.iter().filter_map(|&place| value(&places, place, clause)).collect::<Vec<_>>();
                values.retain(|value| known.insert(value.clone()));
                let before = left.len();
                left.retain(|&place| clause_holds(&places, place, clause));
                clauses.push(Narrowing {
                    step: number + 1,
                    clause: clause.to_string(),
                    before,
                    after: left.len(),
                    values,
                });
            }
        }
        let exact = |&place: &usize| resolution(&places, place, 1).selector();
        let found: Vec<_> = matches(&places, &selector, want).iter().map(exact).collect();
        Ok(Self { schema_version: 1, selector, clauses, found })
    }
}

impl text::Report for Explanation {
    /// A line for each clause: number of the step, clause, places before and after.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for Narrowing { step, clause, before, after, .. } in &self.clauses {
            writeln!(out, "{step}\t{clause}\t{before}\t{after}")?;
        }
        Ok(())
    }
}

/// Values named in the text.
const SHOWN: usize = 8;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "#{}", self.selector)?;
        let width = self.clauses.iter().map(|narrowing| narrowing.clause.len()).max().unwrap_or(0);
        let mut last = 0;
        for Narrowing { step, clause, before, after, values } in &self.clauses {
            let of = match (*step == last, *step) {
                (true, _) => "and",
                (false, 1) => "of all places",
                (false, _) => "somewhere below",
            };
            last = *step;
            write!(f, "{of:<15}  {clause:<width$}  {before} → {after}")?;
            if after < before && !values.is_empty() {
                let shown: Vec<_> = values.iter().take(SHOWN).map(|value| printable(value)).collect();
                let more = values.len().saturating_sub(SHOWN);
                write!(f, "  of {}", shown.join(", "))?;
                if more > 0 {
                    write!(f, " and {more} more")?;
                }
            }
            writeln!(f)?;
        }
        self.found.iter().try_for_each(|found| writeln!(f, "= #{found}"))
    }
}
