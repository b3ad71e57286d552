//! `layers reorder`.

use std::process::ExitCode;

use clap::Args;
use ocicle::image::rebase;

use super::change::Change;
use crate::{
    args::{Edit, HistoryArgs, Target},
    context::Context,
    dry_run::dry_run,
    failure::Failure,
};

/// Reorder layers, if that does not change the files.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ocicle layers reorder images#v1 2 1 3")]
pub(super) struct Reorder {
    /// The image.
    #[arg(value_name = "REF")]
    reference: String,
    /// The numbers of all layers, from 1, the new lowest layer first.
    #[arg(required = true, value_name = "NUMBER")]
    order: Vec<usize>,
    #[command(flatten)]
    result: Target,
    #[command(flatten)]
    history: HistoryArgs,
    #[command(flatten)]
    edit: Edit,
}

impl Reorder {
    pub(super) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let (place, image) = context.open_image_to_edit(&self.reference, &self.edit)?;
        let order: Vec<usize> = self.order.iter().map(|number| number.wrapping_sub(1)).collect();
        let _limits = &context.limits;
        let change = Change { place: &place, result: &self.result, history: &self.history, edit: &self.edit };
        change.make(context, &image, "layers reorder", |repository, image, history| match repository {
            Some(repository) => rebase::reorder(repository, image, &order, history),
            None => rebase::reorder(&dry_run(&place.repository), image, &order, history),
        })
    }
}
