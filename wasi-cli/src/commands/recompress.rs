//! `recompress`.

use std::process::ExitCode;

use clap::Args;
use ocicle::image::recompress::recompress;

use crate::{
    args::{Compress, Edit, Target},
    context::Context,
    dry_run::dry_run,
    failure::Failure,
};

/// Compress the layers of an image anew; its files, config and history stay.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  ocicle recompress images#v1 --compress zstd\n  \
    ocicle recompress images#v1 --compress gzip --tag v1-gzip")]
pub(crate) struct Recompress {
    /// The image.
    #[arg(value_name = "REF")]
    reference: String,
    /// Compression of all layers; those that have it are not touched.
    #[arg(long, value_enum, value_name = "HOW")]
    compress: Compress,
    #[command(flatten)]
    result: Target,
    #[command(flatten)]
    edit: Edit,
}

impl Recompress {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let (place, base) = context.open_image_to_edit(&self.reference, &self.edit)?;
        let compression = self.compress.for_layer_of(&base);
        if self.edit.dry_run {
            recompress(&dry_run(&place.repository), &base, compression)?;
            return Ok(ExitCode::SUCCESS);
        }
        let store = context.watched(&place.repository, "compressing", None);
        let to = self.result.destination();
        let done = place.edit_image(&to, |image| recompress(&store, image, compression))?;
        context.replaced(&done.resolution.target().digest, &done.referrers, &to)?;
        Ok(ExitCode::SUCCESS)
    }
}
