//! umoci's command line: `ocicle umoci …`, or the program under the name `umoci`.
//!
//! [`syntax`] parses umoci's options, [`commands`] turns them into the arguments of our commands and runs
//! those. Output that differs from ours is in [`stat`] and [`validate`]. Outside this directory, only the
//! list of commands refers to umoci.

mod commands;
mod image;
mod options;
mod problem;
mod stat;
mod syntax;
mod usage;
mod validate;

use std::{ffi::OsStr, path::Path, process::ExitCode};

use clap::Args;
use ocicle::limits::Limits;

use self::{
    problem::{Problem, failed, tell},
    syntax::{Flag, switch, value},
};
use crate::{
    context::{Context, Verbosity},
    output::print,
    progress::Progress,
};

/// Run a command of umoci's command line.
#[derive(Debug, Args)]
#[command(
    disable_help_flag = true,
    after_help = "Example:\n  ocicle umoci unpack --image images:v1 bundle\n\n\
        A link to this program with the name umoci does the same."
)]
pub(crate) struct Umoci {
    /// The arguments that follow `umoci`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

const GLOBAL: &[Flag] =
    &[switch(&["verbose"]), value(&["log"]), value(&["cpu-profile"]), switch(&["version", "v"])];

impl Umoci {
    /// Returns the command line, if the program was started as `umoci` or as `ocicle umoci`.
    ///
    /// `ocicle umoci` is also a command of ours, but clap would take options such as `--version` for
    /// ocicle's.
    pub(crate) fn from_env() -> Option<Self> {
        let mut words = std::env::args_os();
        let program = words.next()?;
        let is_umoci = Path::new(&program).file_stem() == Some(OsStr::new("umoci"));
        if !is_umoci && words.next().as_deref() != Some(OsStr::new("umoci")) {
            return None;
        }
        Some(Self { words: words.map(|word| word.to_string_lossy().into_owned()).collect() })
    }

    /// Runs the command. Exit codes are umoci's: 0, 1, and 3 for an unknown command.
    pub(crate) fn run(&self) -> ExitCode {
        // Global options precede the command.
        let values = |word: &str| ["log", "cpu-profile"].contains(&word.trim_start_matches('-'));
        let words = &self.words;
        let mut start = 0;
        while words.get(start).is_some_and(|word| word.starts_with('-')) {
            start += if values(&words[start]) { 2 } else { 1 };
        }
        let (global, rest) = words.split_at(start.min(words.len()));
        let (command, rest) = match rest.split_first() {
            Some((command, rest)) => (command.as_str(), rest),
            None => ("help", &[][..]),
        };
        let done = context(global).and_then(|context| match context {
            Some(context) => commands::run(command, rest, &context),
            None => {
                print(|out| writeln!(out, "{}", usage::version()))?;
                Ok(ExitCode::SUCCESS)
            }
        });
        done.or_else(|problem| told(problem, command)).unwrap_or_else(|message| {
            tell(&message);
            ExitCode::FAILURE
        })
    }
}

/// Returns the context that the global options ask for; `None` for `--version`.
fn context(global: &[String]) -> Result<Option<Context>, Problem> {
    let parsed = syntax::parse(global, &[GLOBAL])?;
    if parsed.is_on("version") {
        return Ok(None);
    }
    let verbosity = match (parsed.is_on("verbose"), parsed.last("log")) {
        (true, Some(_)) => return failed("--log=* and --verbose are mutually exclusive"),
        (_, Some("debug" | "info")) | (true, None) => Verbosity::Verbose,
        (_, Some("warn" | "error" | "fatal") | None) => Verbosity::Quiet,
        (_, Some(_)) => return failed("parsing log level: invalid level"),
    };
    // umoci prints no digests of results.
    Ok(Some(Context::new(Limits::default(), verbosity, Progress::None).without_results()))
}

/// Prints the usage after a usage error or for `--help`. Returns the error that remains to be reported.
fn told(problem: Problem, command: &str) -> Result<ExitCode, String> {
    match problem {
        Problem::Failed(message) => Err(message),
        Problem::Usage(message) => {
            // umoci also prints it to standard output.
            let text = format!("Incorrect Usage: {message}\n\n{}", usage::of(command));
            let _ = print(|out| out.write_all(text.as_bytes())); // the usage error is reported
            Err(message)
        }
        Problem::Help => match print(|out| out.write_all(usage::of(command).as_bytes())) {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(failure) => Err(failure.message().into()),
        },
    }
}
