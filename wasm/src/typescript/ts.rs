//! Interfaces of TypeScript.

use std::collections::BTreeMap;

use super::{
    lexer::{Reader, Token, tokens},
    shape::{Field, Kind, Shape},
};

/// The exported types of a file.
#[derive(Debug, Default)]
pub(super) struct Types {
    pub(super) interfaces: BTreeMap<String, Shape>,
    /// The strings of each union of strings.
    pub(super) unions: BTreeMap<String, Vec<String>>,
}

impl Types {
    pub(super) fn read(source: &str) -> Self {
        let tokens = tokens(source);
        let mut reader = Reader(&tokens);
        let mut types = Self::default();
        while let Some(token) = reader.next() {
            match token {
                Token::Word(word) if word == "interface" => types.interface(&mut reader),
                Token::Word(word) if word == "type" => types.alias(&mut reader),
                _ => {}
            }
        }
        types
    }

    fn interface(&mut self, reader: &mut Reader<'_>) {
        let Some(name) = reader.word() else { return };
        let mut shape = Shape::new();
        if reader.0.first() == Some(&Token::Word("extends".into())) {
            reader.next();
            while let Some(base) = reader.word() {
                let base = self.interfaces.get(base);
                shape.extend(base.expect("an interface stands below those it extends").clone());
                reader.sign(',');
            }
        }
        for member in reader.group('{', '}').expect("an interface has a body").split(';') {
            shape.extend(self.member(member));
        }
        self.interfaces.insert(name.into(), shape);
    }

    fn member(&self, mut reader: Reader<'_>) -> Option<(String, Field)> {
        let name = match reader.next()? {
            Token::Word(word) | Token::Text(word) => word.clone(),
            // An index signature.
            Token::Sign(_) => return None,
        };
        let optional = reader.sign('?');
        assert!(reader.sign(':'), "{name}: a method cannot be compared");
        let (kind, nullable) = self.kind(reader);
        Some((name, Field { kind, optional, nullable }))
    }

    /// Returns what a type is, and whether it can be `null`.
    fn kind(&self, reader: Reader<'_>) -> (Kind, bool) {
        let is_null = |part: &Reader<'_>| part.0 == [Token::Word("null".into())];
        let (nulls, rest): (Vec<_>, Vec<_>) = reader.split('|').into_iter().partition(is_null);
        let kind = match rest.as_slice() {
            [one] => self.single(*one),
            texts if texts.iter().all(|part| matches!(part.0, [Token::Text(_)])) => Kind::Scalar("string"),
            _ => Kind::Any,
        };
        (kind, !nulls.is_empty())
    }

    fn single(&self, mut reader: Reader<'_>) -> Kind {
        if let [rest @ .., Token::Sign('['), Token::Sign(']')] = reader.0 {
            return Kind::List(Box::new(self.kind(Reader(rest)).0));
        }
        match reader.next() {
            Some(Token::Text(_)) => Kind::Scalar("string"),
            Some(Token::Sign('(')) => self.kind(Reader(&reader.0[..reader.0.len() - 1])).0,
            Some(Token::Word(word)) => match word.as_str() {
                "string" => Kind::Scalar("string"),
                "boolean" => Kind::Scalar("boolean"),
                "Date" => Kind::Scalar("Date"),
                "unknown" => Kind::Any,
                "Record" => {
                    let arguments = reader.group('<', '>').expect("a record has arguments").split(',');
                    Kind::Map(Box::new(self.kind(arguments[1]).0))
                }
                word if word == "number" || word.starts_with(|first: char| first.is_ascii_digit()) => {
                    Kind::Scalar("number")
                }
                word if self.unions.contains_key(word) => Kind::Scalar("string"),
                word => Kind::Named(word.into()),
            },
            _ => Kind::Any,
        }
    }

    fn alias(&mut self, reader: &mut Reader<'_>) {
        let Some(name) = reader.word() else { return };
        if !reader.sign('=') {
            return;
        }
        let text = |part: &Reader<'_>| match part.0 {
            [Token::Text(text)] => Some(text.clone()),
            _ => None,
        };
        let parts = reader.until(&[';']).split('|');
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.0.is_empty()).collect();
        if let Some(texts) = parts.iter().map(text).collect() {
            self.unions.insert(name.into(), texts);
        }
    }
}
