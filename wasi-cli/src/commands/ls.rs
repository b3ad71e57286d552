//! `ls`.

use std::process::ExitCode;

use clap::Args;
use ocicle::graph::resolve::Want;

use crate::{args::Format, context::Context, failure::Failure, show::Drawn};

/// List the contents of a store, or one object in it and everything below it.
#[derive(Debug, Args)]
#[command(
    visible_alias = "list",
    after_help = "Examples:\n  ocicle ls images\n  ocicle ls --tree images#v1\n  ocicle ls --json images\n  \
    ocicle ls docker://registry.example/app --tags 'v1.*' --last 10"
)]
pub(crate) struct Ls {
    /// The store, or an object in it.
    #[arg(value_name = "REF")]
    reference: String,
    /// List only the tags of a registry that match a pattern, such as `v1.*`.
    #[arg(long, value_name = "PATTERN")]
    tags: Option<String>,
    /// List at most this many tags of a registry: the last ones, in its order.
    #[arg(long, value_name = "COUNT")]
    last: Option<usize>,
    /// Draw the tree, with the referrers of each object.
    #[arg(long)]
    tree: bool,
    #[command(flatten)]
    format: Format,
}

impl Ls {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let place = context.open(&self.reference)?;
        if self.tags.is_some() || self.last.is_some() {
            let expected = || Failure::usage("--tags and --last expect docker://HOST/REPOSITORY");
            let remote = place.repository.store().remote().filter(|remote| remote.is_registry());
            remote.ok_or_else(expected)?.choose_tags(self.tags.as_deref(), self.last)?;
        }
        let at = match place.selector.is_empty() {
            true => None,
            false => Some(place.resolve(Want::Any)?),
        };
        let listing = place.repository.list(at.as_ref())?;
        if self.tree {
            context.report(&Drawn(listing), &self.format)?;
        } else {
            context.report(&listing, &self.format)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
