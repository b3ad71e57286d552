//! The JSON of values whose fields are written as they are.

use ocicle::{
    graph::{ResolvedObject, discover::Discovered, explain::Explanation, gc::GcReport, list::Listing},
    image::{check::CheckReport, waste::dive::DiveNumbers},
    tree::mtree::Difference,
};
use serde::Serialize;

use crate::{Report, Versioned};

macro_rules! first_version {
    ($($value:ty),* $(,)?) => {
        $(impl Report for $value {
            fn shape(&self) -> impl Serialize {
                Versioned::first(self)
            }
        })*
    };
}

first_version![CheckReport, Discovered, DiveNumbers, Explanation, GcReport, Listing, ResolvedObject<'_>,];

/// The objects that a reference was resolved to.
impl Report for [ResolvedObject<'_>] {
    fn shape(&self) -> impl Serialize {
        #[derive(Serialize)]
        struct All<T> {
            found: Vec<T>,
        }
        Versioned::first(All { found: self.iter().map(Report::shape).collect() })
    }
}

/// The report of `mtree check`.
impl Report for [Difference] {
    fn shape(&self) -> impl Serialize {
        #[derive(Serialize)]
        struct Differences<'a> {
            differences: &'a [Difference],
        }
        Versioned::first(Differences { differences: self })
    }
}
