//! Which layers are unpacked, and how one lies on another.

use clap::Args as ClapArgs;
use ocicle::{
    digest::Digest,
    image::{Image, layers::find_layer},
};

use crate::failure::Failure;

#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct LayerArgs {
    /// Keep a symbolic link to a directory where a layer has a directory of its name, and unpack into what it leads to.
    #[arg(long)]
    pub(crate) keep_dirlinks: bool,
    /// Leave out the layers below this one; its digest, or the beginning of it.
    #[arg(long, value_name = "DIGEST")]
    pub(crate) start_from: Option<String>,
}

impl LayerArgs {
    /// The lowest layer that is wanted.
    pub(crate) fn start_from(&self, image: &Image) -> Result<Option<Digest>, Failure> {
        let layer = |beginning: &String| find_layer(image, beginning).map(|(_, layer)| layer.clone());
        Ok(self.start_from.as_ref().map(layer).transpose()?)
    }
}
