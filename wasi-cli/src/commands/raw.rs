//! `raw`: single steps of the other commands.

mod add_layer;
mod content;
pub(super) mod runtime_config;
mod unpack;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::content::{Blob, Config, Manifest};
pub(crate) use self::{add_layer::AddLayer, runtime_config::RuntimeConfig, unpack::Unpack};
use crate::{context::Context, failure::Failure};

/// Single steps of the other commands.
#[derive(Debug, Args)]
pub(crate) struct Raw {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    AddLayer(AddLayer),
    Unpack(Unpack),
    RuntimeConfig(RuntimeConfig),
    Manifest(Manifest),
    Config(Config),
    Blob(Blob),
}

impl Raw {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        match &self.command {
            Command::AddLayer(add) => add.run(context),
            Command::Unpack(unpack) => unpack.run(context),
            Command::RuntimeConfig(config) => config.run(context),
            Command::Manifest(manifest) => manifest.run(context),
            Command::Config(config) => config.run(context),
            Command::Blob(blob) => blob.run(context),
        }
    }
}
