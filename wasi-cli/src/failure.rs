//! Exit codes: 0 done, 1 failed, 2 usage, 3 reference not found or ambiguous, 4 verification failed, 5
//! differences.

use std::{fmt, process::ExitCode};

use ocicle::{Error, graph::resolve::ResolveError, limits::Limits, remote::Url, text::printable};
use ocicle_report::FailureKind;

use crate::{stream, system};

/// A failure of a command.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
    hint: Option<String>,
}

/// The exit code for content that fails verification.
pub(crate) const CORRUPT: u8 = 4;

/// Returns the exit code for a comparison: 5 if something differs or a rule fails, else 0.
pub(crate) fn unless_different(different: bool) -> ExitCode {
    ExitCode::from(if different { 5 } else { 0 })
}

impl Failure {
    /// Returns a failure with a message, whose last line may be a hint.
    fn new(code: u8, message: &str) -> Self {
        match message.split_once("\nhint: ") {
            Some((message, hint)) => Self { code, message: message.into(), hint: Some(hint.into()) },
            None => Self { code, message: message.into(), hint: None },
        }
    }

    pub(crate) fn usage(message: impl AsRef<str>) -> Self {
        Self::new(2, message.as_ref())
    }

    pub(crate) fn failed(message: impl AsRef<str>) -> Self {
        Self::new(1, message.as_ref())
    }

    /// Adds a hint: what the user can do about the failure.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says what failed before the message.
    pub(crate) fn within(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Returns the message without the hint.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Returns the hint, or that of the system for the message.
    pub(crate) fn advice(&self) -> Option<&str> {
        self.hint.as_deref().or_else(|| system::hint(&self.message))
    }

    /// Prints the message and the hint to standard error, and returns the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        // Messages contain names from images, which must not control the terminal.
        let lines: Vec<String> = self.message.lines().map(printable).collect();
        let hint = self.advice().map_or_else(String::new, |hint| format!("\nhint: {}", printable(hint)));
        stream::message(format_args!("error: {}{hint}", lines.join("\n")));
        ExitCode::from(self.code)
    }
}

/// The message and the hint, as one text.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.hint.iter().try_for_each(|hint| write!(f, "\nhint: {hint}"))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let failure = Self::new(FailureKind::from(&error).exit_code(), &error.to_string());
        if let Error::Refused { what, status: 401, .. } = &error
            && let Ok(url) = what.parse::<Url>()
        {
            return failure
                .hint(format!("`ocicle login {}` stores a user name and a password", url.authority()));
        }
        let Error::Limit { name, .. } = error else { return failure };
        match Limits::NAMES.iter().find(|(known, _)| *known == name) {
            Some((name, bounds)) => failure.hint(format!(
                "`{name}` limits {bounds}; if you trust the image, raise it: --limit {name}=…"
            )),
            None => failure,
        }
    }
}

impl From<ResolveError> for Failure {
    fn from(error: ResolveError) -> Self {
        Self::new(FailureKind::from(&error).exit_code(), &error.to_string())
    }
}
