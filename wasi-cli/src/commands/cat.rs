//! `cat`.

use std::process::ExitCode;

use clap::Args;
use ocicle::image::look::{Look, read_file};

use crate::{cache::Cache, context::Context, failure::Failure, place::path_in_image};

/// Print a file of an image.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ocicle cat images#v1 /etc/os-release")]
pub(crate) struct Cat {
    /// The image.
    #[arg(value_name = "REF")]
    reference: String,
    /// The file; symbolic links are followed within the image.
    path: String,
}

impl Cat {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let (place, image) = context.open_image(&self.reference)?;
        let limits = &context.limits;
        let path = path_in_image(&self.path, limits)?;
        let store = context.watched(&place.repository, "reading layers", Some(image.size()));
        let look = Look::indexed(&store, &image, &mut Cache::of_user(), true)?;
        context.print(|out| Ok(read_file(&place.repository, &image, &look, &path, out)?))?;
        Ok(ExitCode::SUCCESS)
    }
}
