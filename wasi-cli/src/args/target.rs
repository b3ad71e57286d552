//! The destination of an edit, and the referrers of the edited object.

use clap::{Args as ClapArgs, ValueEnum};
use ocicle::graph::{
    RefName,
    rewrite::{self, Destination},
};

/// The destination of an edit.
#[derive(Debug, Clone, Default, ClapArgs)]
#[command(next_help_heading = "Result")]
pub(crate) struct Target {
    /// Write the result to this tag, instead of changing the image in place.
    #[arg(long, value_name = "NAME")]
    pub(crate) tag: Option<RefName>,
    /// Point the new tag at the result alone, not at a copy of the tree that contains it.
    #[arg(long, requires = "tag")]
    pub(crate) only: bool,
    #[command(flatten)]
    pub(crate) follow: Follow,
}

/// The places and referrers of a replaced object.
#[derive(Debug, Clone, Default, ClapArgs)]
#[command(next_help_heading = "Result")]
pub(crate) struct Follow {
    /// The places to change, if the object is at several.
    #[arg(long, value_enum, default_value_t, value_name = "WHICH")]
    pub(crate) scope: Scope,
    /// The handling of the referrers of the object, such as signatures, SBOMs and attestations.
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    pub(crate) referrers: Referrers,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum Scope {
    /// The one that the reference selects.
    #[default]
    Place,
    /// All under the same tag.
    Tag,
    /// All in the store.
    All,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum Referrers {
    /// Keep them; they refer to the old object.
    #[default]
    Keep,
    /// Copy each, and let the copy refer to the new object.
    Copy,
    /// Remove them.
    Drop,
}

impl Target {
    pub(crate) fn destination(&self) -> Destination {
        Destination { tag: self.tag.clone(), only: self.only, ..self.follow.with(Destination::in_place()) }
    }
}

impl Follow {
    pub(crate) fn with(&self, to: Destination) -> Destination {
        let scope = match self.scope {
            Scope::Place => rewrite::Scope::Place,
            Scope::Tag => rewrite::Scope::Tag,
            Scope::All => rewrite::Scope::All,
        };
        let referrers = match self.referrers {
            Referrers::Keep => rewrite::Referrers::Keep,
            Referrers::Copy => rewrite::Referrers::Copy,
            Referrers::Drop => rewrite::Referrers::Drop,
        };
        Destination { scope, referrers, ..to }
    }
}
