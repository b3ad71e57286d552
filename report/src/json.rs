//! Versioned JSON.

use std::io;

use ocicle::text::steers;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

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
    text(&report.shape(), CompactFormatter)
}

/// Returns JSON with indentation and a line break at the end, as the command prints it.
///
/// # Errors
/// Never for the values of this crate.
pub fn to_string_pretty(report: &(impl Report + ?Sized)) -> serde_json::Result<String> {
    text(&report.shape(), PrettyFormatter::new()).map(|text| text + "\n")
}

/// Writes what [`to_string_pretty`] returns.
///
/// # Errors
/// Those of `out`.
pub fn write_pretty(report: &(impl Report + ?Sized), mut out: impl io::Write) -> io::Result<()> {
    report.shape().serialize(&mut Serializer::with_formatter(&mut out, Escaped(PrettyFormatter::new())))?;
    out.write_all(b"\n")
}

fn text(value: &impl Serialize, formatter: impl Formatter) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut bytes, Escaped(formatter)))?;
    String::from_utf8(bytes).map_err(serde::ser::Error::custom)
}

/// A formatter of JSON that escapes what could steer a terminal. JSON itself asks for the control characters
/// below U+0020 only.
#[derive(Debug)]
pub struct Escaped<F>(pub F);

impl<F: Formatter> Formatter for Escaped<F> {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        escape(fragment, out, |out, safe| self.0.write_string_fragment(out, safe))
    }

    fn write_raw_fragment<W: ?Sized + io::Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        // Line feeds and tabs between the values of a document stay; a carriage return becomes a space.
        escape(fragment, out, |out, safe| self.0.write_raw_fragment(out, safe))
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

/// Writes a text that holds no character that JSON must escape, but perhaps such as steer a terminal.
fn escape<W: ?Sized + io::Write>(
    text: &str,
    out: &mut W,
    mut write: impl FnMut(&mut W, &str) -> io::Result<()>,
) -> io::Result<()> {
    let mut rest = text;
    while let Some(at) = rest.find(|character| steers(character) && !matches!(character, '\n' | '\t')) {
        let (safe, tail) = rest.split_at(at);
        write(out, safe)?;
        let mut characters = tail.chars();
        match characters.next() {
            Some('\r') => out.write_all(b" ")?,
            // All of them lie below U+10000: one unit of UTF-16.
            Some(character) => write!(out, "\\u{:04x}", u32::from(character))?,
            None => {}
        }
        rest = characters.as_str();
    }
    write(out, rest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use serde_json::{ser::CompactFormatter, value::RawValue};

    use super::text;

    #[test]
    fn control_characters_are_escaped_without_loss() {
        let value = "a\u{7f}b\u{9b}31m\u{202e}\n\u{1b}ü";
        let json = text(&[value], CompactFormatter).unwrap();
        assert_eq!(json, r#"["a\u007fb\u009b31m\u202e\n\u001bü"]"#);
        assert_eq!(serde_json::from_str::<[String; 1]>(&json).unwrap()[0], value);

        let verbatim: Box<RawValue> = serde_json::from_str("{\r\n\t\"k\": \"\u{7f}\"}").unwrap();
        assert_eq!(text(&verbatim, CompactFormatter).unwrap(), "{ \n\t\"k\": \"\\u007f\"}");
    }
}
