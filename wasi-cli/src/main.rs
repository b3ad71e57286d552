//! The `ocicle` command: change and inspect OCI container images.
//!
//! [`args`] says what can be asked for, [`commands`] does it with the library, [`failure`] tells how it went.

mod args;
mod clock;
mod commands;
mod failure;
mod output;
mod owners;
mod place;
mod progress;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let args = args::Args::parse();
    match commands::run(&args) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}
