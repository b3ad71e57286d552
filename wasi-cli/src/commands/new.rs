//! `new`.

use std::process::ExitCode;

use clap::Args;
use ocicle::{graph::rewrite, image::edit::blank, spec, store::RootIndexExt as _};

use crate::{args::Edit, clock, context::Context, failure::Failure, system};

/// Create an image without layers.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ocicle new images#base --platform linux/arm64")]
pub(crate) struct New {
    /// The layout and tag.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// Operating system and architecture; those of this machine by default.
    #[arg(long, value_name = "OS/ARCH")]
    pub(crate) platform: Option<String>,
    #[command(flatten)]
    pub(crate) edit: Edit,
}

impl New {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let place = context.open_to_edit(&self.reference, &self.edit)?;
        let name = place.tag("new")?;
        let platform = match &self.platform {
            Some(text) => text.parse().map_err(|error| Failure::usage(format!("--platform: {error}")))?,
            None => of_this_machine()?,
        };
        let created = clock::now()?.to_string();
        if self.edit.dry_run {
            context.print(|out| writeln!(out, "new image for {platform}, tag {name}"))?;
            return Ok(ExitCode::SUCCESS);
        }
        let descriptor = blank(&place.repository, &platform, &created)?;
        place.repository.store().update(|root| rewrite::point(root, &name, &descriptor))?;
        context.print_lines([descriptor.digest])?;
        Ok(ExitCode::SUCCESS)
    }
}

fn of_this_machine() -> Result<spec::Platform, Failure> {
    let text = system::platform().ok_or_else(|| {
        Failure::usage("cannot detect the platform in a sandbox")
            .hint("name it, as in `ocicle new --platform linux/amd64 images#v1`")
    })?;
    let platform: spec::Platform =
        text.parse().map_err(|error| Failure::failed(format!("{text}: {error}")))?;
    Ok(platform.normalized())
}
