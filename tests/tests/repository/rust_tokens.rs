//! The words and signs of Rust source.

use std::ops::Range;

/// A word or a sign of Rust source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    Word(&'a str),
    /// `::`
    Path,
    Sign(char),
}

impl<'a> Token<'a> {
    pub(crate) fn word(self) -> Option<&'a str> {
        if let Self::Word(word) = self { Some(word) } else { None }
    }
}

/// Returns the tokens of a source with their lines, without comments, strings, characters and lifetimes.
pub(crate) fn tokens(text: &str) -> Vec<(usize, Token<'_>)> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let length = if let Some(length) = hidden(rest) {
            length
        } else if word > 0 {
            tokens.push((line, Token::Word(&rest[..word])));
            word
        } else if rest.starts_with("::") {
            tokens.push((line, Token::Path));
            2
        } else {
            if !first.is_whitespace() {
                tokens.push((line, Token::Sign(first)));
            }
            first.len_utf8()
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

/// Returns the string literals of a source.
pub(crate) fn literals(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let length = match hidden(rest) {
            Some(length) => {
                if rest[..length].contains('"') && !rest.starts_with('/') {
                    found.push(at..at + length);
                }
                length
            }
            None => word.max(first.len_utf8()),
        };
        at += length;
    }
    found
}

/// Returns the length of the comment, literal or lifetime at the start of a source.
fn hidden(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment(rest));
    }
    let prefix = rest.find(|c| !matches!(c, 'b' | 'c' | 'r')).filter(|length| *length <= 2).unwrap_or(0);
    let (prefix, literal) = rest.split_at(prefix);
    let hashes = literal.len() - literal.trim_start_matches('#').len();
    if prefix.ends_with('r') && literal[hashes..].starts_with('"') {
        let end = format!("\"{}", "#".repeat(hashes));
        let body = &literal[hashes + 1..];
        return Some(prefix.len() + hashes + 1 + body.find(&end).map_or(body.len(), |at| at + end.len()));
    }
    if literal.starts_with('"') {
        return Some(prefix.len() + quoted(literal, '"'));
    }
    if let Some(quoted_text) = literal.strip_prefix('\'') {
        let mut chars = literal.chars().skip(1);
        let (first, second) = (chars.next(), chars.next());
        let character = first == Some('\\') || second == Some('\'');
        return Some(
            prefix.len() + if character { quoted(literal, '\'') } else { 1 + lifetime(quoted_text) },
        );
    }
    None
}

fn lifetime(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())
}

/// Returns the length of a literal up to its closing mark, past marks behind a backslash.
fn quoted(literal: &str, mark: char) -> usize {
    let mut escaped = false;
    for (at, c) in literal.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == mark => return at + 1,
            _ => {}
        }
    }
    literal.len()
}

/// Returns the length of a comment that may contain others.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}
