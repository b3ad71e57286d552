//! How results are printed.

use clap::{Args as ClapArgs, ValueEnum};

/// How to print results.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct Format {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t, conflicts_with = "json")]
    format: FormatName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum FormatName {
    /// Text for people.
    #[default]
    Table,
    /// JSON for programs; `schemaVersion` tells its shape.
    Json,
    /// Fields with tabs between them, for scripts.
    Plain,
}

impl Format {
    pub(crate) fn name(&self) -> FormatName {
        if self.json { FormatName::Json } else { self.format }
    }
}
