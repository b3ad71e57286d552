//! Looking inside, and layers as a whole.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::{
    Compress, Edit, Format, HistoryArgs, Target,
    size::{Bytes, Threshold},
};

#[derive(Debug, ClapArgs)]
pub(crate) struct ListFiles {
    /// The image.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// Only what is at and below this path.
    #[arg(default_value = "/")]
    pub(crate) path: String,
    /// What this layer does, and not the files of the image; the lowest is 1.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) layer: Option<usize>,
    #[command(flatten)]
    pub(crate) format: Format,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Cat {
    /// The image.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// The file; links are followed inside the image.
    pub(crate) path: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Why {
    /// The image.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// The path, as it is called with links followed.
    pub(crate) path: String,
    #[command(flatten)]
    pub(crate) format: Format,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Waste {
    /// The image.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// Exit with 5 if more than this is hidden: bytes, such as `20MB` or `16MiB`, or a share of all that is stored, such as `5%`.
    #[arg(long, value_name = "SIZE|PERCENT", conflicts_with = "metric")]
    pub(crate) fail_above: Option<Threshold>,
    /// Count as another tool does, and apply its rules: exit with 5 if one is not met.
    #[arg(long, value_enum, value_name = "TOOL")]
    pub(crate) metric: Option<Metric>,
    /// The rules for `--metric dive`; without such a file, those that dive has by default.
    #[arg(long, value_name = "FILE", requires = "metric", default_value = ".dive-ci")]
    pub(crate) dive_ci: PathBuf,
    #[command(flatten)]
    pub(crate) format: Format,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Find {
    /// The image.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// A pattern such as `*.pyc` for the name, or, with a slash in it, such as `etc/**/*.conf`, for the whole path.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) name: Option<String>,
    /// Files with more bytes than this, such as `20MB` or `16MiB`.
    #[arg(long, value_name = "SIZE")]
    pub(crate) larger: Option<Bytes>,
    /// Files that run with the rights of their owner or group.
    #[arg(long)]
    pub(crate) setuid: bool,
    /// Files that look like keys, passwords or tokens.
    #[arg(long)]
    pub(crate) secret: bool,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// Whose numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Metric {
    /// dive.
    Dive,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Export {
    /// The image.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// The file to write; `-` for standard output. A directory that is there gets the files themselves.
    #[arg(default_value = "-")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Squash {
    /// The image.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// The lowest layer that goes in: the beginning of its digest; layers below it stay. All, by default.
    #[arg(long, value_name = "DIGEST")]
    pub(crate) from: Option<String>,
    /// Compression of the new layer.
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub(crate) compress: Compress,
    #[command(flatten)]
    pub(crate) result: Target,
    #[command(flatten)]
    pub(crate) history: HistoryArgs,
    #[command(flatten)]
    pub(crate) edit: Edit,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Diff {
    /// The image.
    #[arg(value_name = "REF")]
    pub(crate) before: String,
    /// Another image, a bundle, or a directory with the files of one.
    #[arg(value_name = "REF|DIRECTORY")]
    pub(crate) after: String,
    /// Leave out what builds of the same thing differ in: times, dates and the history; say how much that was.
    #[arg(long)]
    pub(crate) semantic: bool,
    #[command(flatten)]
    pub(crate) format: Format,
}
