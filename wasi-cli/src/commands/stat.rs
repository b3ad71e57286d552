//! `stat`.

use std::process::ExitCode;

use crate::{args::Format, context::Context, failure::Failure};
use clap::Args;

/// Show the config, layers and history of an image.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ocicle stat images#v1")]
pub(crate) struct Stat {
    /// The image.
    #[arg(value_name = "REF")]
    reference: String,
    #[command(flatten)]
    format: Format,
}

impl Stat {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let (_, image) = context.open_image(&self.reference)?;
        context.report(&image, &self.format)?;
        Ok(ExitCode::SUCCESS)
    }
}
