//! Versioned JSON.

use std::io;

use serde::Serialize;

/// A result with JSON for programs.
pub trait Report {
    /// Returns what is written as JSON. Its first field is `schemaVersion`.
    fn shape(&self) -> impl Serialize;
}

/// A value whose fields come after `schemaVersion`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Versioned<T> {
    schema_version: u32,
    #[serde(flatten)]
    value: T,
}

impl<T> Versioned<T> {
    /// Wraps a value in the first version of its shape.
    pub fn first(value: T) -> Self {
        Self { schema_version: 1, value }
    }
}

/// Returns JSON on one line.
///
/// # Errors
/// Never for the values of this crate.
pub fn to_string(report: &(impl Report + ?Sized)) -> serde_json::Result<String> {
    serde_json::to_string(&report.shape())
}

/// Returns JSON with indentation and a line break at the end, as the command prints it.
///
/// # Errors
/// Never for the values of this crate.
pub fn to_string_pretty(report: &(impl Report + ?Sized)) -> serde_json::Result<String> {
    serde_json::to_string_pretty(&report.shape()).map(|text| text + "\n")
}

/// Writes what [`to_string_pretty`] returns.
///
/// # Errors
/// Those of `out`.
pub fn write_pretty(report: &(impl Report + ?Sized), mut out: impl io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut out, &report.shape())?;
    out.write_all(b"\n")
}
