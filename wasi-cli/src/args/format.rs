//! The output format.

use clap::{Args as ClapArgs, ValueEnum};

/// The output format.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct Format {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// The output format.
    #[arg(long, value_enum, default_value_t, conflicts_with = "json")]
    format: FormatName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum FormatName {
    /// Text for people.
    #[default]
    Table,
    /// JSON for programs, versioned by `schemaVersion`.
    Json,
    /// Tab-separated fields for scripts.
    Plain,
}

impl Format {
    pub(crate) fn name(&self) -> FormatName {
        if self.json { FormatName::Json } else { self.format }
    }
}
