//! `ls`.

use std::process::ExitCode;

use clap::Args;
use ocicle::{
    graph::{
        list::{list, list_below},
        resolve::Want,
    },
    store::RootIndex as _,
};

use crate::{args::Format, context::Context, failure::Failure, show::Drawn};

/// List the contents of a store, or one object in it and everything below it.
#[derive(Debug, Args)]
#[command(
    visible_alias = "list",
    after_help = "Examples:\n  ocicle ls images\n  ocicle ls --tree images#v1\n  ocicle ls --json images"
)]
pub(crate) struct Ls {
    /// The layout or archive, or an object in it.
    #[arg(value_name = "REF")]
    reference: String,
    /// Draw the tree, with the referrers of each object.
    #[arg(long)]
    tree: bool,
    #[command(flatten)]
    format: Format,
}

impl Ls {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let place = context.open(&self.reference)?;
        let root = place.store.load()?;
        let listing = match place.selector {
            None => list(&place.store, &root, &context.limits)?,
            Some(_) => {
                list_below(&place.store, &root, &place.resolve_in(&root, Want::Any)?, &context.limits)?
            }
        };
        if self.tree {
            context.report(&Drawn(listing), &self.format)?;
        } else {
            context.report(&listing, &self.format)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
