//! Single steps of the other commands.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::{Compress, Edit, HistoryArgs, LayerArgs, Owners, Target};

#[derive(Debug, Subcommand)]
pub(crate) enum Raw {
    /// Put a layer that is a tar already on an image.
    #[command(after_help = "Examples:\n  ocicle raw add-layer images#v1 layer.tar --tag v2\n  \
        tar -C app --numeric-owner -c . | ocicle raw add-layer images#v1 -")]
    AddLayer(AddLayer),
    /// Unpack the layers of an image into a directory, and nothing else.
    #[command(after_help = "Example:\n  ocicle raw unpack images#v1 root")]
    Unpack(RawUnpack),
    /// Write the config.json with which a runtime starts an image.
    #[command(
        after_help = "Examples:\n  ocicle raw runtime-config images#v1 bundle/config.json --rootfs bundle/rootfs\n  \
        ocicle raw runtime-config images#v1 -"
    )]
    RuntimeConfig(RuntimeConfig),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RawUnpack {
    /// The image.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// The directory, made if it is not there; what is in it already is what the lowest layer lies on.
    pub(crate) directory: PathBuf,
    #[command(flatten)]
    pub(crate) owners: Owners,
    #[command(flatten)]
    pub(crate) layers: LayerArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RuntimeConfig {
    /// The image.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// The file to write; `-` for standard output.
    pub(crate) file: PathBuf,
    /// Where the image is unpacked: there its users are looked up, and its name is that of the root. Without it there is no one
    /// but root and numbers.
    #[arg(long, value_name = "DIR")]
    pub(crate) rootfs: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) owners: Owners,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AddLayer {
    /// The image.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// The layer: a tar, plain or compressed with gzip or zstd; `-` for standard input.
    pub(crate) archive: PathBuf,
    #[command(flatten)]
    pub(crate) result: Target,
    /// Compression of the new layer; `auto` leaves alone what is compressed.
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub(crate) compress: Compress,
    #[command(flatten)]
    pub(crate) edit: Edit,
    #[command(flatten)]
    pub(crate) history: HistoryArgs,
}
