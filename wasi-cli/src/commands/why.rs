//! `why`.

use std::{ffi::OsString, process::ExitCode};

use clap::Args;
use ocicle::image::look::PathHistory;

use crate::{args::Format, context::Context, failure::Failure, place::path_in_image};

/// List the changes of all layers to a path.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ocicle why images#v1 /usr/bin/perl")]
pub(crate) struct Why {
    /// The image.
    #[arg(value_name = "REF")]
    reference: String,
    /// The path, with symbolic links resolved.
    path: OsString,
    #[command(flatten)]
    format: Format,
}

impl Why {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let (place, image) = context.open_image(&self.reference)?;
        let path = path_in_image(&self.path, &context.limits)?;
        let look = context.list(&place, &image)?;
        context.report(&PathHistory::new(&look, &image, &path)?, &self.format)?;
        Ok(ExitCode::SUCCESS)
    }
}
