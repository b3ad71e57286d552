//! `layers drop`, `layers reorder`.

pub(super) mod change;
mod drop;
mod reorder;

use std::process::ExitCode;

use self::{drop::Drop, reorder::Reorder};
use crate::{context::Context, failure::Failure};
use clap::{Args, Subcommand};

/// Drop or reorder layers, where that is safe.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  ocicle layers drop images#v1 2\n  ocicle layers reorder images#v1 2 1 3"
)]
pub(crate) struct Layers {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Drop(Drop),
    Reorder(Reorder),
}

impl Layers {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        match &self.command {
            Command::Drop(drop) => drop.run(context),
            Command::Reorder(reorder) => reorder.run(context),
        }
    }
}
