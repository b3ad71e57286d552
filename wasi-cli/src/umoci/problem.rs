//! Failures of umoci's commands, reported as umoci reports them.

use ocicle::text::printable;

use crate::{context::Context, failure::Failure, stream};

/// The reason why a command failed.
#[derive(Debug)]
pub(super) enum Problem {
    /// A failure.
    Failed(Failure),
    /// A usage error, reported with the usage of the command.
    Usage(String),
    /// Not a failure: the usage was requested.
    Help,
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<ocicle::Error> for Problem {
    fn from(error: ocicle::Error) -> Self {
        Failure::from(error).into()
    }
}

pub(super) fn failed<T>(message: impl AsRef<str>) -> Result<T, Problem> {
    Err(Failure::failed(message).into())
}

/// Reports a failure on standard error.
pub(super) fn tell(failure: &Failure) {
    let message = in_umoci_s_words(failure.message());
    if message.contains("os error 13") || message.contains("os error 1)") {
        log('•', "umoci encountered a permission error: maybe --rootless will help?");
    } else if let Some(hint) = failure.advice() {
        log('•', &format!("hint: {hint}"));
    }
    log('⨯', &message);
}

/// Returns a message in the words that scripts for umoci look for. The digest of a blob of another size is
/// another one, too; umoci names the digest unless the excess is at the end.
fn in_umoci_s_words(message: &str) -> String {
    for (ours, theirs) in [
        (": digest mismatch: ", ": verified reader digest mismatch: "),
        (": size mismatch: ", ": verified reader digest mismatch: verified reader size mismatch: "),
        (": diff_id mismatch: ", ": diffid mismatch: "),
    ] {
        if message.contains(ours) {
            return message.replacen(ours, theirs, 1);
        }
    }
    message.into()
}

/// Prints a message to standard error, unless the command is quiet.
pub(super) fn note(context: &Context, message: &str) {
    if !context.is_quiet() {
        log('•', message);
    }
}

/// Writes a line to standard error in the format of umoci's logger.
fn log(sign: char, message: &str) {
    let lines: Vec<String> = message.lines().map(printable).collect();
    stream::message(format_args!("{sign:>4} {:<25}", lines.join("\n")));
}
