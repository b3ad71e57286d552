//! `squash`.

use std::process::ExitCode;

use clap::Args;
use ocicle::{
    image::{Image, layers::find_layer, squash::squash},
    layer::LostLists,
};

use crate::{
    args::{Compress, Edit, HistoryArgs, Target},
    context::Context,
    dry_run::dry_run,
    failure::Failure,
};

/// Merge layers into one.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  ocicle squash images#v1 --tag v1-flat\n  \
    ocicle squash images#v1 --from sha256:1f2e3d4c")]
pub(crate) struct Squash {
    /// The image.
    #[arg(value_name = "REF")]
    reference: String,
    /// The lowest layer to merge, by a prefix of its digest; layers below it are kept. All layers by default.
    #[arg(long, value_name = "DIGEST")]
    from: Option<String>,
    /// Compression of the new layer.
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    compress: Compress,
    #[command(flatten)]
    result: Target,
    #[command(flatten)]
    history: HistoryArgs,
    #[command(flatten)]
    edit: Edit,
}

impl Squash {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let (place, base) = context.open_image_to_edit(&self.reference, &self.edit)?;
        let history = self.history.entry("squash")?;
        let compression = self.compress.for_layer_of(&base);
        let from = |image: &Image| match &self.from {
            Some(layer) => find_layer(image, layer).map(|(position, _)| position),
            None => Ok(0),
        };
        let store = context.watched(&place.repository, "squashing", None);
        if self.edit.dry_run {
            let scratch = dry_run(&place.repository);
            let (_, lost) = squash(&scratch, &base, from(&base)?, compression, history.as_ref())?;
            context.warn_of_lost(&lost);
            return Ok(ExitCode::SUCCESS);
        }
        let to = self.result.destination();
        let mut lost = LostLists::default();
        let done = place.edit_image(&to, |image| {
            let squashed = squash(&store, image, from(image)?, compression, history.as_ref())?;
            lost = squashed.1;
            Ok(squashed.0)
        })?;
        context.warn_of_lost(&lost);
        context.replaced(&done.resolution.target().digest, &done.referrers, &to)?;
        Ok(ExitCode::SUCCESS)
    }
}
