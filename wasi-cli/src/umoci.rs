//! umoci's command line in front of ours: `ocicle umoci …`, or the binary called by the name `umoci`.
//!
//! [`syntax`] reads umoci's options, [`commands`] makes the arguments of our commands from them, and runs these. What
//! umoci prints that we print otherwise is in [`stat`] and [`validate`]. Nothing outside this directory knows about it,
//! but for the list of commands.

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

use self::{
    problem::{Problem, failed, tell},
    syntax::{Flag, switch, value},
};
use crate::{
    context::{Context, Verbosity},
    output::print,
    progress::Progress,
};

/// Answer to umoci's command line.
#[derive(Debug, Args)]
#[command(
    disable_help_flag = true,
    after_help = "Example:\n  ocicle umoci unpack --image images:v1 bundle\n\n\
        A link of the name umoci to this program does the same."
)]
pub(crate) struct Umoci {
    /// What would stand after `umoci`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

const GLOBAL: &[Flag] =
    &[switch(&["verbose"]), value(&["log"]), value(&["cpu-profile"]), switch(&["version", "v"])];

impl Umoci {
    /// What was asked for, if the program was called by the name `umoci`, or as `ocicle umoci`.
    ///
    /// The second is a command of ours as well, but options such as `--version` must not be taken for ours.
    pub(crate) fn from_env() -> Option<Self> {
        let mut words = std::env::args_os();
        let program = words.next()?;
        let is_umoci = Path::new(&program).file_stem() == Some(OsStr::new("umoci"));
        if !is_umoci && words.next().as_deref() != Some(OsStr::new("umoci")) {
            return None;
        }
        Some(Self { words: words.map(|word| word.to_string_lossy().into_owned()).collect() })
    }

    /// Does what umoci would do. Exit codes are umoci's: 0, 1, and 3 for a command it does not have.
    pub(crate) fn run(&self) -> ExitCode {
        // Global options stand before the command.
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

/// What the global options ask for; `None` if that is only the version.
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
    // umoci is silent where we say what was made.
    Ok(Some(Context::new(verbosity, Progress::None).without_results()))
}

/// Prints the usage, where that is asked for or helps. What is left to tell is the error.
fn told(problem: Problem, command: &str) -> Result<ExitCode, String> {
    match problem {
        Problem::Failed(message) => Err(message),
        Problem::Usage(message) => {
            // umoci says it on standard output, too.
            let text = format!("Incorrect Usage: {message}\n\n{}", usage::of(command));
            let _ = print(|out| out.write_all(text.as_bytes())); // the problem is the one to tell
            Err(message)
        }
        Problem::Help => match print(|out| out.write_all(usage::of(command).as_bytes())) {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(failure) => Err(failure.message().into()),
        },
    }
}
