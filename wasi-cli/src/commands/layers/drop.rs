//! `layers drop`.

use std::process::ExitCode;

use clap::Args;
use ocicle::{
    Error,
    image::{Image, layers::find_layer, rebase},
};

use super::change::{Change, refused};
use crate::{
    args::{ConflictArgs, Edit, HistoryArgs, Target},
    context::Context,
    dry_run::dry_run,
    failure::{Failure, unless_different},
};

/// Drop a layer.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ocicle layers drop images#v1 2")]
pub(super) struct Drop {
    /// The image.
    #[arg(value_name = "REF")]
    reference: String,
    /// The number of the layer, from 1, or a prefix of its digest.
    layer: String,
    #[command(flatten)]
    conflicts: ConflictArgs,
    #[command(flatten)]
    result: Target,
    #[command(flatten)]
    history: HistoryArgs,
    #[command(flatten)]
    edit: Edit,
}

impl Drop {
    pub(super) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let (place, image) = context.open_image_to_edit(&self.reference, &self.edit)?;
        let number = number_of(&image, &self.layer)?;
        let store = context.watched(&place.repository, "reading layers", None);
        let found = rebase::conflicts_without(&store, &image, number)?;
        if refused(context, &found, self.conflicts.on_conflict)? {
            return Ok(unless_different(true));
        }
        let change = Change { place: &place, result: &self.result, history: &self.history, edit: &self.edit };
        change.make(context, &image, "layers drop", |repository, image, history| {
            let number = number_of(image, &self.layer)?;
            match repository {
                Some(repository) => rebase::without_layer(repository, image, number, history),
                None => rebase::without_layer(&dry_run(&place.repository), image, number, history),
            }
        })
    }
}

/// Returns the position of a layer, from 0, by its number, from 1, or a prefix of its digest.
fn number_of(image: &Image, layer: &str) -> ocicle::Result<usize> {
    let count = image.layers().len();
    match layer.parse::<usize>() {
        Ok(number) if (1..=count).contains(&number) => Ok(number - 1),
        // A short number is not a prefix of a digest.
        Ok(number) if layer.len() < 6 => {
            Err(Error::NotFound(format!("layer {number} not found (the image has layers 1 to {count})")))
        }
        _ => find_layer(image, layer).map(|(position, _)| position),
    }
}
