//! umoci's command line in front of ours: `ocicle umoci …`, or the binary called by the name `umoci`.
//!
//! [`syntax`] reads umoci's options, [`commands`] says the same in our words and runs our command with them. What umoci prints
//! that we print otherwise is in [`stat`] and [`validate`]. Nothing outside this directory knows about it, but for the list of commands.

mod commands;
mod image;
mod options;
mod stat;
mod syntax;
mod usage;
mod validate;

use std::{ffi::OsStr, path::Path, process::ExitCode};

use clap::{Args, Parser as _};

use self::syntax::{Flag, Parsed, switch, value};
use crate::{cli::Cli, failure::Failure, output};

/// The words after `umoci`, if that is what was called.
pub(crate) fn words() -> Option<Vec<String>> {
    let mut words = std::env::args_os();
    let program = words.next()?;
    let is_umoci = Path::new(&program).file_stem() == Some(OsStr::new("umoci"));
    if !is_umoci && words.next().as_deref() != Some(OsStr::new("umoci")) {
        return None;
    }
    Some(words.map(|word| word.to_string_lossy().into_owned()).collect())
}

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

impl Umoci {
    pub(crate) fn run(&self) -> ExitCode {
        run(&self.words)
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
enum Problem {
    /// Told as a failure.
    Failed(String),
    /// Told with the usage of the command.
    Usage(String),
    /// Only the usage was asked for.
    Help,
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::Failed(in_umoci_s_words(failure.message()))
    }
}

/// Scripts look for these.
fn in_umoci_s_words(message: &str) -> String {
    for (ours, theirs) in [
        (": digest mismatch: ", ": verified reader digest mismatch: "),
        (": size mismatch: ", ": verified reader size mismatch: "),
        (": diff_id mismatch: ", ": diffid mismatch: "),
    ] {
        if message.contains(ours) {
            return message.replacen(ours, theirs, 1);
        }
    }
    message.into()
}

const GLOBAL: &[Flag] =
    &[switch(&["verbose"]), value(&["log"]), value(&["cpu-profile"]), switch(&["version", "v"])];

/// How loud to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Volume {
    Warnings,
    Everything,
}

/// Does what umoci would do. Exit codes are umoci's: 0, 1, and 3 for a command it does not have.
pub(crate) fn run(words: &[String]) -> ExitCode {
    // Global options stand before the command.
    let values = |word: &str| ["log", "cpu-profile"].contains(&word.trim_start_matches('-'));
    let mut start = 0;
    while words.get(start).is_some_and(|word| word.starts_with('-')) {
        start += if values(&words[start]) { 2 } else { 1 };
    }
    let (global, rest) = words.split_at(start.min(words.len()));
    let (command, rest) = match rest.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    let done = global_options(global).and_then(|volume| match volume {
        Some(volume) => commands::run(command, rest, volume),
        None => print(|out| writeln!(out, "{}", usage::version())).map(|()| ExitCode::SUCCESS),
    });
    match done {
        Ok(code) => code,
        Err(Problem::Help) => match print(|out| out.write_all(usage::of(command).as_bytes())) {
            Ok(()) => ExitCode::SUCCESS,
            Err(problem) => report(&problem, command),
        },
        Err(problem) => report(&problem, command),
    }
}

/// How loud to be; `None` if only the version was asked for.
fn global_options(words: &[String]) -> Result<Option<Volume>, Problem> {
    let parsed = syntax::parse(words, &[GLOBAL])?;
    if parsed.is_on("version") {
        return Ok(None);
    }
    let loud = match (parsed.is_on("verbose"), parsed.last("log")) {
        (true, Some(_)) => {
            return Err(Problem::Failed("--log=* and --verbose are mutually exclusive".into()));
        }
        (_, Some("debug" | "info")) | (true, None) => Volume::Everything,
        (_, Some("warn" | "error" | "fatal") | None) => Volume::Warnings,
        (_, Some(_)) => return Err(Problem::Failed("parsing log level: invalid level".into())),
    };
    Ok(Some(loud))
}

fn report(problem: &Problem, command: &str) -> ExitCode {
    let message = match problem {
        Problem::Failed(message) => message,
        Problem::Usage(message) => {
            // umoci says it on standard output, too.
            let text = format!("Incorrect Usage: {message}\n\n{}", usage::of(command));
            let _ = print(|out| out.write_all(text.as_bytes())); // the problem is the one to tell
            message
        }
        Problem::Help => return ExitCode::FAILURE,
    };
    if message.contains("os error 13") || message.contains("os error 1)") {
        log('•', "umoci encountered a permission error: maybe --rootless will help?");
    }
    log('⨯', message);
    ExitCode::FAILURE
}

/// A line on standard error, as umoci's logger writes it.
fn log(sign: char, message: &str) {
    let lines: Vec<String> = message.lines().map(ocicle::text::printable).collect();
    eprintln!("{sign:>4} {:<25}", lines.join("\n"));
}

/// Prints what umoci prints: not a result of one of our commands.
fn print(fill: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> Result<(), Problem> {
    Ok(output::print(fill)?)
}

/// Runs a command of ours. Its results are not printed.
fn native(words: Vec<String>, volume: Volume) -> Result<ExitCode, Problem> {
    let volume = if volume == Volume::Everything { "--verbose" } else { "--quiet" };
    let all = ["ocicle", volume, "--progress=none"].map(str::to_owned).into_iter().chain(words);
    let cli = Cli::try_parse_from(all).map_err(|error| {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        Problem::Failed(first.trim_start_matches("error: ").into())
    })?;
    Ok(cli.run_without_results()?)
}
