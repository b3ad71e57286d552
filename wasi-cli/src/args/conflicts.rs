//! What happens where the layers of two sides change the same path.

use clap::{Args as ClapArgs, ValueEnum};

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
