//! The layers to unpack.

use clap::Args as ClapArgs;
use ocicle::{
    digest::Digest,
    image::{Image, layers::find_layer},
};

use crate::failure::Failure;

#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct LayerArgs {
    /// Where a layer has a directory and there is a symbolic link to one, keep the link and unpack into its
    /// target.
    #[arg(long)]
    pub(crate) keep_dirlinks: bool,
    /// Skip the layers below this one, given by its digest or a prefix of it.
    #[arg(long, value_name = "DIGEST")]
    pub(crate) start_from: Option<String>,
}

impl LayerArgs {
    /// Returns the lowest layer to unpack.
    pub(crate) fn start_from(&self, image: &Image) -> Result<Option<Digest>, Failure> {
        let layer = |beginning: &String| find_layer(image, beginning).map(|(_, layer)| layer.clone());
        Ok(self.start_from.as_ref().map(layer).transpose()?)
    }
}
