//! Layers as a whole: `rebase`, `layers`.

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::{Edit, HistoryArgs, Target};

#[derive(Debug, ClapArgs)]
pub(crate) struct Rebase {
    /// The image.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// The new base; of another store, too.
    #[arg(long, value_name = "REF")]
    pub(crate) onto: String,
    /// The base it has now. By default the one that its annotation `org.opencontainers.image.base.digest` names.
    #[arg(long, value_name = "REF")]
    pub(crate) old_base: Option<String>,
    #[command(flatten)]
    pub(crate) conflicts: ConflictArgs,
    #[command(flatten)]
    pub(crate) result: Target,
    #[command(flatten)]
    pub(crate) history: HistoryArgs,
    #[command(flatten)]
    pub(crate) edit: Edit,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ConflictArgs {
    /// What happens where both sides change a path.
    #[arg(long, value_enum, default_value_t, value_name = "RULE")]
    pub(crate) on_conflict: OnConflict,
}

/// What happens where both sides change a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum OnConflict {
    /// All such paths are listed, nothing is written, and the exit code is 5.
    #[default]
    Fail,
    /// The upper layers do what they do, and hide the base.
    Upper,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LayersCommand {
    /// Leave out a layer.
    #[command(after_help = "Example:\n  ocicle layers drop images#v1 2")]
    Drop {
        /// The image.
        #[arg(value_name = "REF")]
        reference: String,
        /// Its number, from 1, or the beginning of its digest.
        layer: String,
        #[command(flatten)]
        conflicts: ConflictArgs,
        #[command(flatten)]
        result: Target,
        #[command(flatten)]
        history: HistoryArgs,
        #[command(flatten)]
        edit: Edit,
    },
    /// Put the layers into another order, if the files stay the same.
    #[command(after_help = "Example:\n  ocicle layers reorder images#v1 2 1 3")]
    Reorder {
        /// The image.
        #[arg(value_name = "REF")]
        reference: String,
        /// The numbers of all layers, from 1, the new base first.
        #[arg(required = true, value_name = "NUMBER")]
        order: Vec<usize>,
        #[command(flatten)]
        result: Target,
        #[command(flatten)]
        history: HistoryArgs,
        #[command(flatten)]
        edit: Edit,
    },
}
