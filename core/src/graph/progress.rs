//! How far the steps of a selector come on the way to each place, followed in all ways at once.

use super::{
    clause::clause_holds,
    selector::{Clause, Selector, Step},
    walk::Places,
};
use crate::store::BlobRead;

/// For each place, what still holds below it.
pub(super) struct Progress {
    states: Vec<Vec<State>>,
    hits: Vec<bool>,
}

/// One way of matching the first steps.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    /// Steps matched.
    done: usize,
    /// Whether the last of them was matched by the place right above, as a position asks for. Without that an
    /// earlier match would do for all; a position may need a later one.
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
                // A tag stands at the top only.
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

    /// Whether the last step matches right there, after all others above.
    pub(super) fn hits(&self, place: usize) -> bool {
        self.hits[place]
    }

    /// How many steps match on the way to a place, itself included; `None` if nothing below can be meant.
    pub(super) fn reached(&self, place: usize) -> Option<usize> {
        self.states[place].iter().map(|state| state.done).max()
    }

    /// Whether a place was held against a step, by its number.
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
