//! How a selector narrows what a store holds, clause by clause.

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

/// How each clause of a selector narrows what a store holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Explanation {
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
    pub clause: Clause,
    /// Places it was held against.
    pub before: usize,
    /// Those for which it holds.
    pub after: usize,
    /// What the places have where it asks, no two alike, in the order of the places.
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
