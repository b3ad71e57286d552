//! Where the result of an edit goes, and what follows it.

use clap::{Args as ClapArgs, ValueEnum};
use ocicle::graph::{
    RefName,
    rewrite::{self, Destination},
};

/// Where the result goes.
#[derive(Debug, Clone, Default, ClapArgs)]
#[command(next_help_heading = "Result")]
pub(crate) struct Target {
    /// Put the result under this tag, instead of changing the image in place.
    #[arg(long, value_name = "NAME")]
    pub(crate) tag: Option<RefName>,
    /// Give the new tag the result alone, and not a copy of the tree it stands in.
    #[arg(long, requires = "tag")]
    pub(crate) only: bool,
    #[command(flatten)]
    pub(crate) follow: Follow,
}

/// What follows a replaced object.
#[derive(Debug, Clone, Default, ClapArgs)]
#[command(next_help_heading = "Result")]
pub(crate) struct Follow {
    /// Which places of the object are changed, if it is at several.
    #[arg(long, value_enum, default_value_t, value_name = "WHICH")]
    pub(crate) scope: Scope,
    /// What happens to signatures, SBOMs and attestations of the object.
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    pub(crate) referrers: Referrers,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum Scope {
    /// The one the reference means.
    #[default]
    Place,
    /// All under the same tag.
    Tag,
    /// All in the store.
    All,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum Referrers {
    /// They stay, and are about the old object.
    #[default]
    Keep,
    /// Each gets a copy that is about the new object.
    Copy,
    /// They are removed.
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
