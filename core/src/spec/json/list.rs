//! The common part of objects and arrays: items with the white space around them.

use super::{
    scan::{self, Shape},
    value::Value,
};

/// The text of an object or array, in pieces that can be edited.
#[derive(Debug, Clone)]
pub(super) struct List {
    shape: Shape,
    prefix: String,
    blank: String,
    pub(super) items: Vec<Item>,
    suffix: String,
}

#[derive(Debug, Clone)]
pub(super) struct Item {
    lead: String,
    pub(super) key: String,
    name: String,
    colon: String,
    pub(super) value: Value,
    tail: String,
}

impl List {
    pub(super) fn parse(text: &str, shape: Shape) -> Result<Self, String> {
        let parts = scan::parts(text, shape)?;
        let item = |part: scan::Part<'_>| Item {
            lead: part.lead.to_owned(),
            key: part.key.into_owned(),
            name: part.name.to_owned(),
            colon: part.colon.to_owned(),
            value: Value::new(part.value.to_owned()),
            tail: part.tail.to_owned(),
        };
        Ok(Self {
            shape,
            prefix: parts.prefix.to_owned(),
            blank: parts.blank.to_owned(),
            items: parts.items.into_iter().map(item).collect(),
            suffix: parts.suffix.to_owned(),
        })
    }

    /// Adds an item at the end; `name` is the key in its quotes, or nothing.
    pub(super) fn push(&mut self, key: &str, name: String, value: String) {
        let mut item = Item {
            lead: String::new(),
            key: key.to_owned(),
            name,
            colon: String::new(),
            value: Value::new(value),
            tail: String::new(),
        };
        if self.shape == Shape::Object {
            item.colon.push(':');
        }
        if let Some(last) = self.items.last_mut() {
            item.lead.clone_from(&last.lead);
            item.colon.clone_from(&last.colon);
            // The space before the closing bracket is kept.
            item.tail = std::mem::take(&mut last.tail);
        }
        self.blank.clear();
        self.items.push(item);
    }

    /// Removes an item, which must exist.
    pub(super) fn remove(&mut self, pos: usize) {
        let gone = self.items.remove(pos);
        // The first item's lead and the last one's tail belong to the brackets.
        if pos == self.items.len() {
            if let Some(last) = self.items.last_mut() {
                last.tail = gone.tail;
            }
        } else if pos == 0
            && let Some(first) = self.items.first_mut()
        {
            first.lead = gone.lead;
        }
    }

    pub(super) fn text(&self) -> String {
        let (open, close) = if self.shape == Shape::Object { ('{', '}') } else { ('[', ']') };
        let mut text = self.prefix.clone();
        text.push(open);
        text.push_str(&self.blank);
        for (pos, item) in self.items.iter().enumerate() {
            if pos > 0 {
                text.push(',');
            }
            for piece in [&item.lead, &item.name, &item.colon, item.value.text(), &item.tail] {
                text.push_str(piece);
            }
        }
        text.push(close);
        text.push_str(&self.suffix);
        text
    }
}
