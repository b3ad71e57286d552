//! The `ocicle` command: change and inspect OCI container images.
//!
//! [`args`] says what can be asked for, [`commands`] does it with the library, [`failure`] tells how it went; [`umoci`] says it
//! in umoci's words.

mod args;
mod cache;
mod clock;
mod commands;
mod dry_run;
mod failure;
mod output;
mod owners;
mod place;
mod progress;
mod stores;
mod umoci;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    if let Some(words) = umoci::words() {
        return umoci::run(&words);
    }
    let args = args::Args::parse();
    match commands::run(&args) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}
