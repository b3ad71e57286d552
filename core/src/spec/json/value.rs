//! Values of members and elements, which stay parsed between edits of what is in them.

use std::sync::OnceLock;

use super::{Array, Object, same};
use crate::error::{Error, Result};

/// The text of a value. Once something in it was edited, it is written when it is needed: any number of edits
/// cost one.
#[derive(Debug, Clone)]
pub(super) struct Value {
    text: OnceLock<String>,
    parsed: Option<Parsed>,
}

#[derive(Debug, Clone)]
struct Parsed {
    before: String,
    now: Inner,
}

#[derive(Debug, Clone)]
enum Inner {
    Object(Box<Object>),
    Array(Box<Array>),
}

impl Value {
    pub(super) fn new(text: String) -> Self {
        Self { text: text.into(), parsed: None }
    }

    pub(super) fn text(&self) -> &str {
        self.text.get_or_init(|| self.parsed.as_ref().map_or_else(String::new, Parsed::text))
    }

    pub(super) fn is_null(&self) -> bool {
        self.parsed.is_none() && self.text() == "null"
    }

    /// Edits the object that this is. `what` names it in errors.
    pub(super) fn edit_object(
        &mut self,
        what: &str,
        edit: impl FnOnce(&mut Object) -> Result<()>,
    ) -> Result<()> {
        self.edit(
            |text| Ok(Inner::Object(Object::parse(what, text.as_bytes())?.into())),
            |inner| match inner {
                Inner::Object(object) => edit(object),
                Inner::Array(_) => Err(Error::document(what, "expected an object")),
            },
        )
    }

    /// Edits the array that this is. `what` names it in errors.
    pub(super) fn edit_array(
        &mut self,
        what: &str,
        edit: impl FnOnce(&mut Array) -> Result<()>,
    ) -> Result<()> {
        self.edit(
            |text| Ok(Inner::Array(Array::parse(what, text.as_bytes())?.into())),
            |inner| match inner {
                Inner::Array(array) => edit(array),
                Inner::Object(_) => Err(Error::document(what, "expected an array")),
            },
        )
    }

    fn edit(
        &mut self,
        parse: impl FnOnce(&str) -> Result<Inner>,
        edit: impl FnOnce(&mut Inner) -> Result<()>,
    ) -> Result<()> {
        let parsed = match self.parsed.take() {
            Some(parsed) => parsed,
            None => Parsed { now: parse(self.text())?, before: self.text().to_owned() },
        };
        let done = edit(&mut self.parsed.insert(parsed).now);
        self.text = OnceLock::new();
        done
    }
}

impl Parsed {
    fn text(&self) -> String {
        let now = match &self.now {
            Inner::Object(object) => object.text(),
            Inner::Array(array) => array.text(),
        };
        if same(&self.before, &now) { self.before.clone() } else { now }
    }
}
