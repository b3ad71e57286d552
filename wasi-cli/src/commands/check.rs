//! `check`.

use std::process::ExitCode;

use clap::Args;
use ocicle::image::check::check;

use crate::{
    args::Format,
    context::Context,
    failure::{CORRUPT, Failure},
};

/// Verify the documents, blobs and layers of a layout.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ocicle check images")]
pub(crate) struct Check {
    /// The layout.
    #[arg(value_name = "STORE")]
    reference: String,
    #[command(flatten)]
    format: Format,
}

impl Check {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let place = context.open_whole(&self.reference)?;
        let store = context.watched(&place.store, "checking", None);
        let found = check(&store, &context.limits)?;
        context.report(&found, &self.format)?;
        Ok(if found.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(CORRUPT) })
    }
}
