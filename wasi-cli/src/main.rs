//! The `ocicle` command: change and inspect OCI container images.
//!
//! Each module uses only the rows above its own:
//!
//! | row | modules | what they are |
//! |---|---|---|
//! | 1 | [`ask`], [`new_file`], [`stream`], [`system`] | questions, new files, standard streams, differences between native and WASI |
//! | 2 | [`failure`], [`show`] | failures and exit codes; results as tables and as plain lines |
//! | 3 | [`clock`] | the time, and `SOURCE_DATE_EPOCH` |
//! | 4 | [`args`], [`net`] | argument groups shared by several commands; registries over the network |
//! | 5 | [`cache`], [`copied_archive`], [`dry_run`], [`label`], [`output`], [`progress`], [`stores`] | output, progress, stores |
//! | 6 | [`place`] | a store and the object that a reference selects |
//! | 7 | [`context`] | limits, verbosity and output, handed to every command |
//! | 8 | [`commands`] | one file for each command: its arguments and its implementation |
//! | 9 | [`umoci`] | umoci's command line, translated to these commands |
//! | 10 | [`cli`] | the list of commands, and the global options |

// `eprintln!` panics where standard error is full, and writes a line in pieces: see `stream::message`.
#![warn(clippy::print_stderr, clippy::print_stdout)]

mod args;
mod ask;
mod cache;
mod cli;
mod clock;
mod commands;
mod context;
mod copied_archive;
mod dry_run;
mod failure;
mod label;
mod net;
mod new_file;
mod output;
mod place;
mod progress;
mod show;
mod stores;
mod stream;
mod system;
mod umoci;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    system::raise_file_limit();
    system::catch_signals();
    let code = match umoci::Umoci::from_env() {
        Some(umoci) => umoci.run(),
        None => cli::Cli::parse().run().unwrap_or_else(|failure| failure.report()),
    };
    system::end_if_caught();
    code
}
