//! The layers to unpack.

use clap::Args as ClapArgs;
use ocicle::{
    bundle::ExtractOptions,
    image::{Image, layers::find_layer},
    layer::on_disk::OnDisk,
};

use crate::failure::Failure;

#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct LayerArgs {
    /// Keep a symbolic link to a directory where a layer has a directory, and unpack into its target.
    #[arg(long)]
    pub(crate) keep_dirlinks: bool,
    /// Skip the layers below this one, given by its digest or a prefix of it.
    #[arg(long, value_name = "DIGEST")]
    pub(crate) start_from: Option<String>,
}

impl LayerArgs {
    /// Returns the options to unpack the layers of an image, with entries stored as `on_disk`.
    pub(crate) fn options(&self, on_disk: OnDisk, image: &Image) -> Result<ExtractOptions, Failure> {
        let layer = |beginning: &String| find_layer(image, beginning).map(|(_, layer)| layer.clone());
        let start_from = self.start_from.as_ref().map(layer).transpose()?;
        let options = ExtractOptions::default().on_disk(on_disk);
        Ok(options.keep_dirlinks(self.keep_dirlinks).start_from(start_from))
    }
}
