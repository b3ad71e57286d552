//! Exit codes: 0 done, 1 failed, 2 usage, 3 reference not found or ambiguous, 4 verification failed, 5
//! differences.

use std::process::ExitCode;

use ocicle::{Error, graph::resolve::ResolveError, text::printable};
use ocicle_report::FailureKind;

use crate::system::why_refused;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
}

/// Content is not what it promises to be.
pub(crate) const CORRUPT: u8 = 4;

/// Success, unless something differs or a rule is not met.
pub(crate) fn unless_different(different: bool) -> ExitCode {
    ExitCode::from(if different { 5 } else { 0 })
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, message: message.into() }
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self { code: 1, message: message.into() }
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The same with a note at the end.
    pub(crate) fn and(mut self, note: &str) -> Self {
        self.message.push_str(note);
        self
    }

    pub(crate) fn report(&self) -> ExitCode {
        // Names from an image are in it, and must not steer the terminal.
        let lines: Vec<String> = self.message.lines().map(printable).collect();
        eprintln!("error: {}{}", lines.join("\n"), why_refused(&self.message).unwrap_or_default());
        ExitCode::from(self.code)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { code: FailureKind::from(&error).exit_code(), message: error.to_string() }
    }
}

impl From<ResolveError> for Failure {
    fn from(error: ResolveError) -> Self {
        Self { code: FailureKind::from(&error).exit_code(), message: error.to_string() }
    }
}
