//! umoci's command line: `ocicle umoci …`, or the program under the name `umoci`.
//!
//! [`table`] lists umoci's commands, [`syntax`] parses their options, and [`commands`] turns these into the
//! arguments of our commands and runs those. Output that differs from ours is in [`stat`] and [`validate`].
//! Outside this directory, only the list of commands refers to umoci.

mod commands;
mod image;
mod options;
mod problem;
mod quote;
mod stat;
mod syntax;
mod table;
mod usage;
mod validate;

use std::{ffi::OsStr, path::Path, process::ExitCode};

use clap::Args;
use ocicle::{limits::Limits, text::printable};

use self::{
    problem::{Problem, failed, tell},
    syntax::{Flag, switch, value},
    table::Command,
};
use crate::{
    context::{Context, Verbosity},
    failure::Failure,
    output::print,
    progress::Progress,
    stream,
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

const GLOBAL: &[Flag] = &[
    switch(&["verbose"], "print what is done, as --log=info does"),
    value(&["log"], "level of messages: debug, info, warn (default), error, fatal"),
    value(&["cpu-profile"], "accepted, and of no effect"),
    switch(&["version", "v"], "print the version"),
];

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
        let done = match context(global) {
            Ok(Some(context)) => Asked::of("", rest).run(&context),
            Ok(None) => show(&usage::version()),
            Err(problem) => told(problem, &usage::list("")),
        };
        done.unwrap_or_else(|failure| {
            tell(&failure);
            ExitCode::FAILURE
        })
    }
}

/// The request of a command line.
enum Asked<'a> {
    Run(&'static Command, &'a [String]),
    Help(String),
    /// There is no such command.
    Unknown(&'a str),
}

impl<'a> Asked<'a> {
    /// Looks the first word up in the commands, or in those of `raw`.
    fn of(group: &str, words: &'a [String]) -> Self {
        let Some((name, rest)) = words.split_first() else { return Self::Help(usage::list(group)) };
        match name.as_str() {
            "raw" if group.is_empty() => Self::of("raw", rest),
            "help" | "h" => Self::help(group, rest),
            "--help" | "-help" | "-h" => Self::Help(usage::list(group)),
            name => {
                Command::find(group, name).map_or(Self::Unknown(name), |command| Self::Run(command, rest))
            }
        }
    }

    fn help(group: &str, words: &'a [String]) -> Self {
        let Some((name, rest)) = words.split_first() else { return Self::Help(usage::list(group)) };
        match name.as_str() {
            "raw" if group.is_empty() => Self::help("raw", rest),
            name => Command::find(group, name)
                .map_or(Self::Unknown(name), |command| Self::Help(usage::of(command))),
        }
    }

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        match self {
            Self::Run(command, words) => syntax::parse(words, command.flags)
                .and_then(|parsed| (command.run)(context, &parsed))
                .or_else(|problem| told(problem, &usage::of(command))),
            Self::Help(text) => show(&text),
            Self::Unknown(name) => {
                stream::message(format_args!("No help topic for '{}'", printable(name)));
                Ok(ExitCode::from(3))
            }
        }
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
fn told(problem: Problem, usage: &str) -> Result<ExitCode, Failure> {
    match problem {
        Problem::Failed(failure) => Err(failure),
        Problem::Usage(message) => {
            // umoci also prints it to standard output.
            let _ = show(&format!("Incorrect Usage: {message}\n\n{usage}")); // the usage error is reported
            Err(Failure::usage(message))
        }
        Problem::Help => show(usage),
    }
}

fn show(text: &str) -> Result<ExitCode, Failure> {
    print(|out| out.write_all(text.as_bytes()))?;
    Ok(ExitCode::SUCCESS)
}
