//! `--on-conflict`.

use clap::{Args as ClapArgs, ValueEnum};

#[derive(Debug, ClapArgs)]
pub(crate) struct ConflictArgs {
    /// The handling of paths that both sides change.
    #[arg(long, value_enum, default_value_t, value_name = "RULE")]
    pub(crate) on_conflict: OnConflict,
}

/// The handling of paths that both sides change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum OnConflict {
    /// List them, write nothing, and exit with 5.
    #[default]
    Fail,
    /// Keep the upper layers as they are; they hide the files of the base.
    Upper,
}
