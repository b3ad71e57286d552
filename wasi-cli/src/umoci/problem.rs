//! Why a command of umoci did not do what it was asked, and how umoci tells it.

use ocicle::text::printable;

use crate::failure::Failure;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(super) enum Problem {
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

impl From<ocicle::Error> for Problem {
    fn from(error: ocicle::Error) -> Self {
        Failure::from(error).into()
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

pub(super) fn failed<T>(message: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::Failed(message.into()))
}

/// Tells a failure.
pub(super) fn tell(message: &str) {
    if message.contains("os error 13") || message.contains("os error 1)") {
        log('•', "umoci encountered a permission error: maybe --rootless will help?");
    }
    log('⨯', message);
}

/// A line on standard error, as umoci's logger writes it.
fn log(sign: char, message: &str) {
    let lines: Vec<String> = message.lines().map(printable).collect();
    eprintln!("{sign:>4} {:<25}", lines.join("\n"));
}
