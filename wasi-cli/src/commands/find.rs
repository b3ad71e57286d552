//! `find`.

use std::process::ExitCode;

use clap::Args;
use ocicle::image::find::{Finds, Query};

use crate::{
    args::{Format, size::Bytes},
    context::Context,
    failure::Failure,
};

/// Find files in all layers, also those that a later layer hides. All that is asked must hold.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  ocicle find images#v1 --secret\n  ocicle find images#v1 --name '*.pyc' --larger 1MB"
)]
pub(crate) struct Find {
    /// The image.
    #[arg(value_name = "REF")]
    reference: String,
    /// A pattern such as `*.pyc` for the name, or, with a slash in it, such as `etc/**/*.conf`, for the whole path.
    #[arg(long, value_name = "PATTERN")]
    name: Option<String>,
    /// Files with more bytes than this, such as `20MB` or `16MiB`.
    #[arg(long, value_name = "SIZE")]
    larger: Option<Bytes>,
    /// Files that run with the rights of their owner or group.
    #[arg(long)]
    setuid: bool,
    /// Files that look like keys, passwords or tokens.
    #[arg(long)]
    secret: bool,
    #[command(flatten)]
    format: Format,
}

impl Find {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let (place, image) = context.open_image(&self.reference)?;
        let store = context.watched(&place.store, "reading layers", Some(image.size()));
        let query = Query {
            name: self.name.clone(),
            larger: self.larger.map(|Bytes(bytes)| bytes),
            setuid: self.setuid,
            secret: self.secret,
        };
        context.report(&Finds::new(&store, &image, &query, &context.limits)?, &self.format)?;
        Ok(ExitCode::SUCCESS)
    }
}
