//! `files`.

use std::{ffi::OsString, process::ExitCode};

use clap::Args;
use ocicle::image::look::{LayerFiles, list_files};

use crate::{args::Format, cache::Cache, context::Context, failure::Failure, place::path_in_image};

/// List the files of an image, with the layer of each.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  ocicle files images#v1 /etc\n  ocicle files --layer 3 images#v1")]
pub(crate) struct Files {
    /// The image.
    #[arg(value_name = "REF")]
    reference: String,
    /// List only this path and everything below it.
    #[arg(default_value = "/")]
    path: OsString,
    /// List the changes of this layer instead, whatever later layers do; the lowest is 1.
    #[arg(long, value_name = "NUMBER")]
    layer: Option<usize>,
    #[command(flatten)]
    format: Format,
}

impl Files {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let (place, image) = context.open_image(&self.reference)?;
        let path = path_in_image(&self.path, &context.limits)?;
        let count = image.layers().len();
        let look = context.list(&place, &image)?;
        let found = match self.layer {
            None => list_files(&look, &path)?,
            Some(number @ 1..) if number <= count => {
                let store = context.watched(&place.repository, "reading layers", None);
                let layer = LayerFiles::of_look(&look, &image, number - 1)
                    .map_or_else(|| LayerFiles::open(&store, &image, number - 1, &mut Cache::of_user()), Ok);
                layer?.list(&look, &path)
            }
            Some(_) => return Err(Failure::usage(format!("--layer: the image has layers 1 to {count}"))),
        };
        context.report(&found[..], &self.format)?;
        Ok(ExitCode::SUCCESS)
    }
}
