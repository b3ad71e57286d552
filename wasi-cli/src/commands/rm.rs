//! `rm`.

use std::process::ExitCode;

use clap::Args;
use ocicle::{
    graph::rewrite,
    spec::{Index, Raw},
    store::RootIndexExt as _,
};

use crate::{args::Edit, context::Context, failure::Failure};

/// Remove a tag; blobs are kept until `gc`.
#[derive(Debug, Args)]
#[command(visible_alias = "untag", after_help = "Example:\n  ocicle rm images#v1")]
pub(crate) struct Rm {
    /// The layout and tag.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    #[command(flatten)]
    pub(crate) edit: Edit,
}

impl Rm {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let place = context.open(&self.reference)?;
        let name = place.tag("rm")?;
        let untag = |root: &Raw<Index>| rewrite::untag(root, &name);
        if self.edit.dry_run {
            untag(&place.repository.index()?)?;
            context.print(|out| writeln!(out, "remove tag {name}"))?;
        } else {
            place.repository.store().update(untag)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
