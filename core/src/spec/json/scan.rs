//! The grammar: checks a whole text, and finds the members of its outermost object or array.

use std::{borrow::Cow, collections::BTreeSet};

use crate::limits::Limits;

/// The outermost value that a text must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Object,
    Array,
}

/// A text in parts, which with the brackets and commas between them are the text.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) prefix: &'a str,
    /// White space between the brackets where there are no items.
    pub(super) blank: &'a str,
    pub(super) items: Vec<Part<'a>>,
    pub(super) suffix: &'a str,
}

/// A member of an object, or an element of an array, where key, name and colon are empty.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) lead: &'a str,
    /// The key, decoded.
    pub(super) key: Cow<'a, str>,
    /// The key as it is written, with its quotes.
    pub(super) name: &'a str,
    /// The colon and the white space around it.
    pub(super) colon: &'a str,
    pub(super) value: &'a str,
    pub(super) tail: &'a str,
}

/// Splits a text.
pub(super) fn parts(text: &str, shape: Shape) -> Result<Parts<'_>, String> {
    #[cfg(test)]
    super::SCANNED.set(super::SCANNED.get() + text.len());
    let mut scanner = Scanner { text, at: 0 };
    scanner.document(shape).map_err(|reason| scanner.located(&reason))
}

type Scan<T> = Result<T, String>;

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn document(&mut self, shape: Shape) -> Scan<Parts<'a>> {
        let prefix = self.space();
        let (bracket, kind) = match shape {
            Shape::Object => (b'{', "an object"),
            Shape::Array => (b'[', "an array"),
        };
        if self.peek() != Some(bracket) {
            return Err(format!("expected {kind}"));
        }
        let mut items = Vec::new();
        let blank = self.container(shape, 1, &mut |part| items.push(part))?;
        let suffix = self.space();
        if self.peek().is_some() {
            return Err("trailing data after the document".to_owned());
        }
        Ok(Parts { prefix, blank, items, suffix })
    }

    /// From the opening bracket past the closing one. Returns the white space of an empty one.
    fn container(&mut self, shape: Shape, depth: usize, found: &mut dyn FnMut(Part<'a>)) -> Scan<&'a str> {
        if depth > Limits::JSON_DEPTH {
            return Err(format!("more than {} levels", Limits::JSON_DEPTH));
        }
        self.at += 1;
        let close = if shape == Shape::Object { b'}' } else { b']' };
        let mut keys = BTreeSet::new();
        let mut lead = self.space();
        if self.take(close) {
            return Ok(lead);
        }
        loop {
            let (mut key, mut name, mut colon) = (Cow::Borrowed(""), "", "");
            if shape == Shape::Object {
                (key, name) = self.key()?;
                if !keys.insert(key.clone()) {
                    return Err(format!("the key {key:?} occurs twice"));
                }
                colon = self.colon()?;
            }
            let value = self.value(depth)?;
            let tail = self.space();
            found(Part { lead, key, name, colon, value, tail });
            if self.take(close) {
                return Ok("");
            }
            if !self.take(b',') {
                return Err(format!("expected , or {}", char::from(close)));
            }
            lead = self.space();
        }
    }

    fn key(&mut self) -> Scan<(Cow<'a, str>, &'a str)> {
        let name = self.string()?;
        let inner = name.get(1..name.len() - 1).unwrap_or_default();
        let key = if inner.contains('\\') {
            Cow::Owned(serde_json::from_str(name).map_err(|error| error.to_string())?)
        } else {
            Cow::Borrowed(inner)
        };
        Ok((key, name))
    }

    fn colon(&mut self) -> Scan<&'a str> {
        let start = self.at;
        self.space();
        if !self.take(b':') {
            return Err("expected : after a key".to_owned());
        }
        self.space();
        Ok(self.since(start))
    }

    fn value(&mut self, depth: usize) -> Scan<&'a str> {
        let start = self.at;
        match self.peek() {
            Some(b'{') => self.container(Shape::Object, depth + 1, &mut drop).map(drop)?,
            Some(b'[') => self.container(Shape::Array, depth + 1, &mut drop).map(drop)?,
            Some(b'"') => self.string().map(drop)?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.word()?,
        }
        Ok(self.since(start))
    }

    fn word(&mut self) -> Scan<()> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let word = ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word));
        self.at += word.ok_or("expected a value")?.len();
        Ok(())
    }

    fn number(&mut self) -> Scan<()> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Scan<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err("expected a digit".to_owned()) } else { Ok(()) }
    }

    fn string(&mut self) -> Scan<&'a str> {
        let start = self.at;
        if !self.take(b'"') {
            return Err("expected a string".to_owned());
        }
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(0x20..) => self.at += 1,
                Some(byte) => return Err(format!("control character {byte:#04x} in a string")),
                None => return Err("a string does not end".to_owned()),
            }
        }
        self.at += 1;
        Ok(self.since(start))
    }

    fn escape(&mut self) -> Scan<()> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                let first = self.unit()?;
                let paired = match first {
                    0xD800..=0xDBFF => self.take(b'\\') && (0xDC00..=0xDFFF).contains(&self.unit()?),
                    0xDC00..=0xDFFF => false,
                    _ => true,
                };
                if !paired {
                    return Err("a lone surrogate in a string".to_owned());
                }
            }
            _ => return Err("unknown escape in a string".to_owned()),
        }
        Ok(())
    }

    /// `u` and four hexadecimal digits.
    fn unit(&mut self) -> Scan<u16> {
        let digits = self.text.get(self.at + 1..self.at + 5);
        let unit = digits
            .filter(|digits| self.peek() == Some(b'u') && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|digits| u16::from_str_radix(digits, 16).ok())
            .ok_or("expected \\u and four hexadecimal digits")?;
        self.at += 5;
        Ok(unit)
    }

    fn space(&mut self) -> &'a str {
        let start = self.at;
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.since(start)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn located(&self, reason: &str) -> String {
        let before = self.text.as_bytes().get(..self.at).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        format!("line {line}, column {column}: {reason}")
    }
}
