//! Arrays that are edited as text.

use serde::Serialize;

use super::{Object, compact, list::List, same, scan::Shape, text, value::Value};
use crate::error::{Error, Result};

/// A JSON array: elements in their order, each as it was written. Positions count from 0.
#[derive(Debug, Clone)]
pub struct Array {
    what: String,
    list: List,
}

impl Array {
    /// Parses an array. `what` names it in errors.
    ///
    /// # Errors
    /// [`Error::Document`] if it is not an array, or not JSON as [`super`] accepts it, with line and column.
    pub(in crate::spec) fn parse(what: &str, bytes: &[u8]) -> Result<Self> {
        let list =
            List::parse(text(what, bytes)?, Shape::Array).map_err(|reason| Error::document(what, reason))?;
        Ok(Self { what: what.to_owned(), list })
    }

    /// Returns the whole text.
    pub(in crate::spec) fn text(&self) -> String {
        self.list.text()
    }

    /// Returns the number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.items.len()
    }

    /// Returns whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.items.is_empty()
    }

    /// Returns the JSON text of an element.
    ///
    /// # Errors
    /// [`Error::NotFound`] past the end.
    pub fn get(&self, pos: usize) -> Result<&str> {
        self.list.items.get(pos).map(|item| item.value.text()).ok_or_else(|| self.past_the_end(pos))
    }

    /// Replaces an element. One that already means the same is left as it is.
    ///
    /// # Errors
    /// [`Error::NotFound`] past the end; [`Error::Document`] if the value cannot be written as JSON.
    pub fn set<T: Serialize + ?Sized>(&mut self, pos: usize, value: &T) -> Result<()> {
        let value = compact(&self.what, value)?;
        self.set_text(pos, value)
    }

    /// Adds an element at the end.
    ///
    /// # Errors
    /// [`Error::Document`] if the value cannot be written as JSON.
    pub fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let value = compact(&self.what, value)?;
        self.list.push("", String::new(), value);
        Ok(())
    }

    /// Adds an exact copy of an element at the end.
    ///
    /// # Errors
    /// [`Error::NotFound`] past the end.
    pub fn duplicate(&mut self, pos: usize) -> Result<()> {
        let value = self.get(pos)?.to_owned();
        self.list.push("", String::new(), value);
        Ok(())
    }

    /// Adds an exact copy of an element of another array at the end.
    ///
    /// # Errors
    /// [`Error::NotFound`] past the end.
    pub(in crate::spec) fn push_from(&mut self, other: &Self, pos: usize) -> Result<()> {
        self.list.push("", String::new(), other.get(pos)?.to_owned());
        Ok(())
    }

    /// Replaces element `to` by an exact copy of element `from`.
    ///
    /// # Errors
    /// [`Error::NotFound`] past the end.
    pub(in crate::spec) fn copy(&mut self, from: usize, to: usize) -> Result<()> {
        let value = self.get(from)?.to_owned();
        self.set_text(to, value)
    }

    /// Removes an element; those behind it move forward.
    ///
    /// # Errors
    /// [`Error::NotFound`] past the end.
    pub fn remove(&mut self, pos: usize) -> Result<()> {
        self.get(pos)?;
        self.list.remove(pos);
        Ok(())
    }

    /// Edits an element that is an object.
    ///
    /// # Errors
    /// [`Error::NotFound`] past the end; [`Error::Document`] if it is something else; what the edit returns.
    pub fn edit_object(&mut self, pos: usize, edit: impl FnOnce(&mut Object) -> Result<()>) -> Result<()> {
        let what = format!("{}[{pos}]", self.what);
        match self.list.items.get_mut(pos) {
            Some(item) => item.value.edit_object(&what, edit),
            None => Err(self.past_the_end(pos)),
        }
    }

    fn set_text(&mut self, pos: usize, value: String) -> Result<()> {
        self.get(pos)?;
        if let Some(item) = self.list.items.get_mut(pos).filter(|item| !same(item.value.text(), &value)) {
            item.value = Value::new(value);
        }
        Ok(())
    }

    fn past_the_end(&self, pos: usize) -> Error {
        Error::NotFound(format!(
            "{}: position {pos} not found ({} entries, counted from 0)",
            self.what,
            self.len()
        ))
    }
}
