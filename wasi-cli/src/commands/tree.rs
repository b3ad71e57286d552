//! `tree export`, `tree apply`.

pub(super) mod apply;
mod export;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::{apply::Apply, export::Export};
use crate::{context::Context, failure::Failure};

/// Describe a tree of indexes, or build one from a description.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  ocicle tree export --deep images#v1 > v1.toml\n  \
    ocicle tree apply --dry-run v1.toml images")]
pub(crate) struct Tree {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Export(Export),
    Apply(Apply),
}

impl Tree {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        match &self.command {
            Command::Export(export) => export.run(context),
            Command::Apply(apply) => apply.run(context),
        }
    }
}
