//! The `ocicle` command: change and inspect OCI container images.
//!
//! Each module uses only the rows above its own:
//!
//! | row | modules | what they are |
//! |---|---|---|
//! | 1 | [`system`] | what differs between native and WASI |
//! | 2 | [`failure`] | why a command failed, and its exit code |
//! | 3 | [`clock`] | the time, and `SOURCE_DATE_EPOCH` |
//! | 4 | [`args`] | groups of arguments that several commands share |
//! | 5 | [`cache`], [`dry_run`], [`output`], [`progress`], [`stores`] | what commands print, show, read and write |
//! | 6 | [`place`] | a store, and what in it a reference stands for |
//! | 7 | [`context`] | what every command needs beside its own arguments |
//! | 8 | [`commands`] | one file for each command: its arguments, and what it does with the library |
//! | 9 | [`umoci`] | the same commands in umoci's words |
//! | 10 | [`cli`] | the list of commands, and what is global |

mod args;
mod cache;
mod cli;
mod clock;
mod commands;
mod context;
mod dry_run;
mod failure;
mod output;
mod place;
mod progress;
mod stores;
mod system;
mod umoci;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    if let Some(umoci) = umoci::Umoci::from_env() {
        return umoci.run();
    }
    match cli::Cli::parse().run() {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}
