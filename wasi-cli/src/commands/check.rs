//! `check`.

use std::process::ExitCode;

use clap::Args;

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
        let store = context.watched(&place.repository, "checking", None);
        let found = store.check()?;
        context.report(&found, &self.format)?;
        Ok(if found.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(CORRUPT) })
    }
}
