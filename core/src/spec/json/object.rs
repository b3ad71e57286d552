//! Objects that are edited as text.

use serde::Serialize;

use super::{Array, compact, list::List, same, scan::Shape, text, value::Value};
use crate::error::{Error, Result};

/// A JSON object: members in their order, each as it was written.
#[derive(Debug, Clone)]
pub struct Object {
    what: String,
    list: List,
}

impl Object {
    /// Parses an object. `what` names it in errors.
    ///
    /// # Errors
    /// [`Error::Document`] if it is not an object, or not JSON as [`super`] accepts it, with line and column.
    pub(in crate::spec) fn parse(what: &str, bytes: &[u8]) -> Result<Self> {
        let list =
            List::parse(text(what, bytes)?, Shape::Object).map_err(|reason| Error::document(what, reason))?;
        Ok(Self { what: what.to_owned(), list })
    }

    /// Returns the whole text.
    pub(in crate::spec) fn text(&self) -> String {
        self.list.text()
    }

    /// Returns the keys, in the order of the document.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.list.items.iter().map(|item| item.key.as_str())
    }

    /// Returns whether there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.items.is_empty()
    }

    /// Returns the JSON text of a member's value.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.list.items.iter().find(|item| item.key == key).map(|item| item.value.text())
    }

    /// Sets a member: in its place, or at the end if it is new. A member that already means the same is left
    /// as it is.
    ///
    /// # Errors
    /// [`Error::Document`] if the value cannot be written as JSON.
    pub fn set<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<()> {
        let value = compact(&self.what, value)?;
        self.set_text(key, value)
    }

    /// Removes a member, and returns whether there was one.
    pub fn remove(&mut self, key: &str) -> bool {
        let pos = self.list.items.iter().position(|item| item.key == key);
        if let Some(pos) = pos {
            self.list.remove(pos);
        }
        pos.is_some()
    }

    /// Edits the object that is a member's value. Where there is no member, or `null`, the edit starts with
    /// an empty object, which is kept only if it is not empty then.
    ///
    /// # Errors
    /// [`Error::Document`] if the value is something else; what the edit returns.
    pub fn edit_object(&mut self, key: &str, edit: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let what = format!("{}: {key}", self.what);
        if let Some(value) = self.container(key) {
            return value.edit_object(&what, edit);
        }
        let mut inner = Self::parse(&what, b"{}")?;
        edit(&mut inner)?;
        if inner.is_empty() { Ok(()) } else { self.set_text(key, inner.text()) }
    }

    /// Edits the array that is a member's value, as [`Self::edit_object`] does.
    ///
    /// # Errors
    /// [`Error::Document`] if the value is something else; what the edit returns.
    pub fn edit_array(&mut self, key: &str, edit: impl FnOnce(&mut Array) -> Result<()>) -> Result<()> {
        let what = format!("{}: {key}", self.what);
        if let Some(value) = self.container(key) {
            return value.edit_array(&what, edit);
        }
        let mut inner = Array::parse(&what, b"[]")?;
        edit(&mut inner)?;
        if inner.is_empty() { Ok(()) } else { self.set_text(key, inner.text()) }
    }

    fn container(&mut self, key: &str) -> Option<&mut Value> {
        let item = self.list.items.iter_mut().find(|item| item.key == key)?;
        (!item.value.is_null()).then_some(&mut item.value)
    }

    fn set_text(&mut self, key: &str, value: String) -> Result<()> {
        match self.list.items.iter_mut().find(|item| item.key == key) {
            Some(item) if same(item.value.text(), &value) => {}
            Some(item) => item.value = Value::new(value),
            None => {
                let name = compact(&self.what, key)?;
                self.list.push(key, name, value);
            }
        }
        Ok(())
    }
}
