//! The white space of documents: other tools indent theirs, or end them with a line end.

use serde::{Deserialize, Serialize};
use serde_json::{Serializer, ser::PrettyFormatter};

use crate::{
    error::{Error, Result},
    spec::{Document, Raw},
};

/// The white space of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Form {
    /// The number of spaces for each level; 0 for a document on one line.
    #[serde(skip_serializing_if = "is_zero")]
    pub indent: u8,
    /// Whether it ends with a line end.
    #[serde(skip_serializing_if = "is_false")]
    pub line_end: bool,
}

impl Form {
    /// Returns the form of a document, if it is written exactly as [`Form::write`] writes it.
    pub(super) fn of<T: Document + Clone>(document: &Raw<T>) -> Option<Self> {
        let bytes = document.bytes();
        let indent = match bytes {
            [b'{', b'\n', rest @ ..] => rest.iter().take_while(|&&byte| byte == b' ').count(),
            _ => 0,
        };
        let form = Self { indent: u8::try_from(indent).ok()?, line_end: bytes.ends_with(b"\n") };
        let written = form.write(document.view().clone()).ok()?;
        (written.bytes() == bytes).then_some(form)
    }

    /// Writes a document.
    pub(super) fn write<T: Document>(self, view: T) -> Result<Raw<T>> {
        let compact = Raw::new(view)?;
        if self.is_compact() {
            return Ok(compact);
        }
        let mut text = Vec::new();
        let written = match usize::from(self.indent) {
            0 => serde_json::to_writer(&mut text, compact.view()),
            spaces => {
                let spaces = " ".repeat(spaces);
                let formatter = PrettyFormatter::with_indent(spaces.as_bytes());
                compact.view().serialize(&mut Serializer::with_formatter(&mut text, formatter))
            }
        };
        written.map_err(|error| Error::document(T::KIND, error.to_string()))?;
        text.extend(self.line_end.then_some(b'\n'));
        Raw::parse(T::KIND, text, None)
    }

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(super) fn is_compact(&self) -> bool {
        *self == Self::default()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(value: &u8) -> bool {
    *value == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !value
}
