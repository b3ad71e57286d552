//! `cat`.

use std::{ffi::OsString, process::ExitCode};

use clap::Args;
use ocicle::image::look::{LayerFiles, Look, MissingIndex, read_file, read_layer_file};

use crate::{cache::Cache, context::Context, failure::Failure, place::path_in_image};

/// Print a file of an image.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ocicle cat images#v1 /etc/os-release")]
pub(crate) struct Cat {
    /// The image.
    #[arg(value_name = "REF")]
    reference: String,
    /// The file; symbolic links are followed within the image.
    path: OsString,
    /// The file as this layer has it, counted from 1, whatever later layers do; no links are followed.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    layer: Option<u32>,
}

impl Cat {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let (place, image) = context.open_image(&self.reference)?;
        let limits = &context.limits;
        let path = path_in_image(&self.path, limits)?;
        let store = context.watched(&place.repository, "reading layers", Some(image.size()));
        if let Some(number) = self.layer {
            let layer = number as usize - 1;
            let files = LayerFiles::open(&store, &image, layer, &mut Cache::of_user())?;
            if files.has(&path) {
                context.print(|out| Ok(files.read(&place.repository, &path, out)?))?;
                return Ok(ExitCode::SUCCESS);
            }
        }
        let look = Look::indexed(&store, &image, &mut Cache::of_user(), MissingIndex::Build)?;
        context.print(|out| {
            let repository = &place.repository;
            match self.layer {
                Some(number) => {
                    read_layer_file(repository, &image, &look, number as usize - 1, &path, out)?;
                }
                None => read_file(repository, &image, &look, &path, out)?,
            }
            Ok(())
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
