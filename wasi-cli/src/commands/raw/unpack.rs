//! `raw unpack`.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use ocicle::bundle::extract;

use crate::{
    args::{LayerArgs, Owners},
    context::Context,
    failure::Failure,
    place::make_private_dir,
};

/// Unpack the layers of an image into a directory, without a bundle.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ocicle raw unpack images#v1 root")]
pub(crate) struct Unpack {
    /// The image.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// The directory, created if it does not exist; existing content acts as the lowest layer.
    pub(crate) directory: PathBuf,
    #[command(flatten)]
    pub(crate) owners: Owners,
    #[command(flatten)]
    pub(crate) layers: LayerArgs,
}

impl Unpack {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let (place, image) = context.open_image(&self.reference)?;
        let options = self.layers.options(self.owners.on_disk()?, &image)?;
        let (dir, made) = make_private_dir(&self.directory)?;
        let store = context.watched(&place.repository, "unpacking", Some(image.size()));
        let lost = extract(&store, &image, dir, &options).map_err(|failed| {
            if made {
                // Only if it is empty; the first error is reported.
                let _ = std::fs::remove_dir(&self.directory);
            }
            let partial = failed.partial;
            let failure = Failure::from(failed.error);
            let hint = format!("{} contains part of the image", self.directory.display());
            if partial { failure.hint(hint) } else { failure }
        })?;
        context.warn_of_lost(&lost);
        context.detail(format_args!(
            "unpacked {} into {}",
            image.descriptor.digest,
            self.directory.display()
        ));
        Ok(ExitCode::SUCCESS)
    }
}
