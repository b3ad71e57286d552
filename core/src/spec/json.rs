//! JSON for image documents: read strictly, and edited without changing anything else.
//!
//! **Reading** follows RFC 8259 with the rules of I-JSON (RFC 7493) that keep two readers from seeing two
//! documents: UTF-8 only, no key twice in one object, no lone surrogates, nothing after the document; and at
//! most [`Limits::JSON_DEPTH`](crate::limits::Limits::JSON_DEPTH) levels.
//!
//! **Editing** works on the text. An [`Object`] or [`Array`] keeps every member as it was written, with the
//! white space around it; what an edit does not touch stays as it is, byte for byte, in its place. Inserted
//! values are compact (no white space inside), and the white space around them is that of their neighbour, so
//! a document with one member per line keeps that form. [`Raw::edit`](super::Raw::edit) edits a whole
//! document.

mod array;
mod list;
mod object;
mod scan;
mod value;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use array::Array;
pub use object::Object;

use crate::error::{Error, Result};

/// Edits a document that is an object, such as a file of settings, and returns its text.
///
/// ```
/// use ocicle::spec::json::edit;
///
/// let edited = edit("settings", b"{ \"b\": 1,\n  \"a\": {} }", |root| root.set("b", &2))?;
/// assert_eq!(edited, b"{ \"b\": 2,\n  \"a\": {} }");
/// # Ok::<(), ocicle::Error>(())
/// ```
///
/// # Errors
/// [`Error::Document`] if it is not an object; what the edit returns.
pub fn edit(what: &str, text: &[u8], edit: impl FnOnce(&mut Object) -> Result<()>) -> Result<Vec<u8>> {
    let mut object = Object::parse(what, text)?;
    edit(&mut object)?;
    Ok(object.text().into_bytes())
}

#[cfg(test)]
thread_local! {
    static SCANNED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Returns the number of bytes that are parsed for some work.
#[cfg(test)]
pub(crate) fn bytes_parsed(work: impl FnOnce()) -> usize {
    let before = SCANNED.get();
    work();
    SCANNED.get() - before
}

/// Checks a whole document, which must be an object, and returns its keys in their order.
pub(super) fn keys<'a>(what: &str, bytes: &'a [u8]) -> Result<Vec<Cow<'a, str>>> {
    let parts = scan::parts(text(what, bytes)?, scan::Shape::Object)
        .map_err(|reason| Error::document(what, reason))?;
    Ok(parts.items.into_iter().map(|item| item.key).collect())
}

fn text<'a>(what: &str, bytes: &'a [u8]) -> Result<&'a str> {
    std::str::from_utf8(bytes)
        .map_err(|error| Error::document(what, format!("not UTF-8: invalid byte {}", error.valid_up_to())))
}

/// Returns the compact text of a value.
fn compact<T: serde::Serialize + ?Sized>(what: &str, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::document(what, format!("cannot be written: {error}")))
}

/// Returns whether two texts mean the same value; then the older one is kept.
fn same(old: &str, new: &str) -> bool {
    let value = |text| serde_json::from_str::<serde_json::Value>(text).ok();
    old == new || value(old).is_some_and(|old| Some(old) == value(new))
}
