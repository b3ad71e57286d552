//! The number of steps of a selector that match along the path to each place, by every way of matching them.

use super::{
    clause::clause_holds,
    selector::{Clause, Selector, Step},
    walk::Places,
};
use crate::store::BlobRead;

/// For each place, the states that hold below it.
pub(super) struct Progress {
    states: Vec<Vec<State>>,
    hits: Vec<bool>,
}

/// One way of matching the first steps.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    /// The number of steps matched.
    done: usize,
    /// Whether the last of them was matched by the place directly above, which a position requires. Otherwise
    /// an earlier match would do; a position may need a later one.
    adjacent: bool,
}

const START: &[State] = &[State { done: 0, adjacent: true }];

impl Progress {
    pub(super) fn new<S: BlobRead>(places: &Places<'_, S>, selector: &Selector) -> Self {
        let steps = selector.steps();
        let mut progress = Self { states: Vec::new(), hits: Vec::new() };
        for place in places.ids() {
            let mut below: Vec<State> = Vec::new();
            let mut hit = false;
            for state in progress.above(places, place) {
                let Some(step) = steps.get(state.done) else {
                    below.push(*state);
                    continue;
                };
                let mut next = Vec::with_capacity(2);
                if state.fits(step) && holds(places, place, step) {
                    hit |= state.done + 1 == steps.len();
                    next.push(State { done: state.done + 1, adjacent: true });
                }
                let later = State { adjacent: false, ..*state };
                // Only entries of `index.json` have tags.
                if later.fits(step) && !step.iter().any(|clause| matches!(clause, Clause::Tag(_))) {
                    next.push(later);
                }
                next.retain(|state| !below.contains(state));
                below.extend(next);
            }
            progress.states.push(below);
            progress.hits.push(hit);
        }
        progress
    }

    /// Returns whether the last step matches at the place itself, after all others above it.
    pub(super) fn hits(&self, place: usize) -> bool {
        self.hits[place]
    }

    /// Returns the number of steps that match along the path to a place, itself included; `None` if nothing
    /// below it can match.
    pub(super) fn reached(&self, place: usize) -> Option<usize> {
        self.states[place].iter().map(|state| state.done).max()
    }

    /// Returns whether a place was tested against a step, by the step's number.
    pub(super) fn tested<S: BlobRead>(
        &self,
        places: &Places<'_, S>,
        place: usize,
        number: usize,
        step: &Step,
    ) -> bool {
        self.above(places, place).iter().any(|state| state.done == number && state.fits(step))
    }

    fn above<S: BlobRead>(&self, places: &Places<'_, S>, place: usize) -> &[State] {
        places.get(place).parent.map_or(START, |parent| &self.states[parent])
    }
}

impl State {
    fn fits(self, step: &Step) -> bool {
        self.adjacent || !step.iter().any(|clause| matches!(clause, Clause::Position(_)))
    }
}

fn holds<S: BlobRead>(places: &Places<'_, S>, place: usize, step: &Step) -> bool {
    // These may have to be read from the object: last.
    let is_inside = |clause: &&Clause| matches!(clause, Clause::Platform(_) | Clause::Artifact(_));
    let outside = step.iter().filter(|clause| !is_inside(clause));
    outside.chain(step.iter().filter(is_inside)).all(|clause| clause_holds(places, place, clause))
}
