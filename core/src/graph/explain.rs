//! Explaining a selector: what each clause leaves of the contents of a store.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    clause::{clause_holds, value},
    progress::Progress,
    resolve::{ResolveError, Want, matches, or_default, resolution},
    selector::{Clause, Selector},
    walk::Places,
};
use crate::{
    error::Result,
    store::{BlobRead, Repository, RootIndex},
};

/// The clauses of a selector, and what each leaves of the places in a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Explanation {
    /// The selector; for a reference without one, the default.
    pub selector: Selector,
    /// Its clauses, in their order.
    pub clauses: Vec<Narrowing>,
    /// The places that are left, as exact selectors.
    pub found: Vec<Selector>,
}

/// One clause, and what it leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Narrowing {
    /// The step it belongs to, counted from 1.
    pub step: usize,
    /// The clause.
    pub clause: Clause,
    /// The number of places that were tested.
    pub before: usize,
    /// The number of places for which it holds.
    pub after: usize,
    /// The distinct values of the places for its key, in the order of the places.
    pub values: Vec<String>,
}

impl<S: BlobRead + RootIndex> Repository<S> {
    /// Follows a selector through the store, clause by clause.
    ///
    /// # Errors
    /// [`ResolveError::NoDefault`] if the selector is empty and there is no default; [`ResolveError::Other`]
    /// for errors of reading the store.
    pub fn explain(&self, selector: &Selector, want: Want) -> Result<Explanation, ResolveError> {
        let root = self.index()?;
        let selector = or_default(selector, &root)?;
        let places = Places::walk(self, &root)?;
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
                    clause: clause.clone(),
                    before,
                    after: left.len(),
                    values,
                });
            }
        }
        let exact = |&place: &usize| resolution(&places, place, 1).selector();
        let found: Vec<_> = matches(&places, &selector, want).iter().map(exact).collect();
        Ok(Explanation { selector, clauses, found })
    }
}
