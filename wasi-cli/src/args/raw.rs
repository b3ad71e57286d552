//! Single steps of the other commands.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::{Compress, Edit, HistoryArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum Raw {
    /// Put a layer that is a tar already on an image.
    #[command(after_help = "Examples:\n  ocicle raw add-layer images#v1 layer.tar --tag v2\n  \
        tar -C app --numeric-owner -c . | ocicle raw add-layer images#v1 -")]
    AddLayer(AddLayer),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AddLayer {
    /// The image.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// The layer: a tar, plain or compressed with gzip or zstd; `-` for standard input.
    pub(crate) archive: PathBuf,
    /// Put the result under this tag, instead of changing the image in place.
    #[arg(long, value_name = "NAME")]
    pub(crate) tag: Option<String>,
    /// Compression of the new layer; `auto` leaves alone what is compressed.
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub(crate) compress: Compress,
    #[command(flatten)]
    pub(crate) edit: Edit,
    #[command(flatten)]
    pub(crate) history: HistoryArgs,
}
