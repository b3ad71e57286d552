//! `find`.

use std::process::ExitCode;

use clap::Args;
use ocicle::image::find::{FindQuery, find};

use crate::{
    args::{Format, size::Bytes},
    context::Context,
    failure::Failure,
};

/// Find files in all layers, including hidden ones. A file must meet all conditions.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  ocicle find images#v1 --secret\n  \
    ocicle find images#v1 --name '*.pyc' --larger 1MB")]
pub(crate) struct Find {
    /// The image.
    #[arg(value_name = "REF")]
    reference: String,
    /// A pattern for the name, such as `*.pyc`, or with a slash for the whole path, such as `etc/**/*.conf`.
    #[arg(long, value_name = "PATTERN")]
    name: Option<String>,
    /// Ignore case in the pattern.
    #[arg(long, requires = "name")]
    ignore_case: bool,
    /// Files larger than this, such as `20MB` or `16MiB`.
    #[arg(long, value_name = "SIZE")]
    larger: Option<Bytes>,
    /// Files with the set-user-ID or set-group-ID bit.
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
        let store = context.watched(&place.repository, "reading layers", Some(image.size()));
        let query = FindQuery {
            name: self.name.clone(),
            ignore_case: self.ignore_case,
            larger: self.larger.map(|Bytes(bytes)| bytes),
            setuid: self.setuid,
            secret: self.secret,
        };
        context.report(&find(&store, &image, &query)?[..], &self.format)?;
        Ok(ExitCode::SUCCESS)
    }
}
