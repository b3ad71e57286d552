//! The reports that the command, the JavaScript package and the component share: the JSON of each result,
//! which begins with its `schemaVersion`, and the kinds of errors, with a word and an exit code for each.
//!
//! The library returns values. Where the JSON of one has its fields as they are, the library's `Serialize` is
//! used; where it differs, such as a mode in octal digits, its shape is made here.

mod changes;
mod diff;
mod failure;
mod files;
mod json;
mod stat;
mod values;
mod waste;
pub mod words;

pub use self::{
    failure::FailureKind,
    json::{Escaped, Report, Versioned, to_string, to_string_pretty, write_pretty},
};
