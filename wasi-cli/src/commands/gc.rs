//! `gc`.

use std::process::ExitCode;

use clap::Args;
use ocicle::graph::gc::GcMode;

use crate::{
    args::{Edit, Format},
    context::Context,
    failure::Failure,
};

/// Remove unreachable blobs.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ocicle gc --dry-run images\n\n\
    Waits until running edits by ocicle are finished. No other program must write to the layout meanwhile.")]
pub(crate) struct Gc {
    /// The layout.
    #[arg(value_name = "STORE")]
    pub(crate) reference: String,
    #[command(flatten)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) edit: Edit,
}

impl Gc {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let place = context.open_whole(&self.reference)?;
        let mode = if self.edit.dry_run { GcMode::DryRun } else { GcMode::Remove };
        context.report(&place.repository.gc(mode)?, &self.format)?;
        Ok(ExitCode::SUCCESS)
    }
}
