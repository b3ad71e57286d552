//! `rm`.

use std::process::ExitCode;

use clap::Args;
use ocicle::{
    graph::{
        resolve::ResolveError,
        rewrite::{Untagged, untag},
    },
    spec::{Index, Raw},
    store::RootIndexExt as _,
    text::printable,
};

use crate::{args::Edit, context::Context, failure::Failure};

/// Remove a tag, or an entry of index.json without one; blobs are kept until `gc`.
#[derive(Debug, Args)]
#[command(visible_alias = "untag", after_help = "Examples:\n  ocicle rm images#v1\n  ocicle rm images#pos=2")]
pub(crate) struct Rm {
    /// The store, and the tag or another selector of one entry.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    #[command(flatten)]
    pub(crate) edit: Edit,
}

impl Rm {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let place = context.open_itself(&self.reference)?;
        if place.selector.is_empty() {
            return Err(Failure::usage("expected a tag: rm STORE#TAG"));
        }
        let without = |root: &Raw<Index>| untag(&place.repository, root, &place.selector);
        if self.edit.dry_run {
            let Untagged { entry, .. } = without(&place.repository.index()?)?;
            context.print(|out| match entry.tag() {
                Some(tag) => writeln!(out, "remove tag {}", printable(tag)),
                None => writeln!(out, "remove #{}", place.selector),
            })?;
        } else {
            let update = |root: &Raw<Index>| Ok::<_, ResolveError>(without(root)?.root);
            place.repository.store().update(update)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
