//! Just enough of Rust's grammar to see which paths a source names.

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

/// The names that a module's source reaches at the root of its crate, with the lines they stand in: `name` of
/// `crate::name`, `use crate::{name}`, and of as many `super::` as lead there.
pub(crate) fn paths_to_root(text: &str, module: &[String]) -> Vec<(usize, String)> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    // The modules written in braces around the place, with the depth of braces that ends each.
    let mut inline: Vec<(String, usize)> = Vec::new();
    let mut depth = 0;
    for at in 0..tokens.len() {
        match tokens[at].1 {
            Token::Sign('{') => {
                if at >= 2
                    && tokens[at - 2].1 == Token::Word("mod")
                    && let Token::Word(name) = tokens[at - 1].1
                {
                    inline.push((name.to_string(), depth));
                }
                depth += 1;
            }
            Token::Sign('}') => {
                depth -= 1;
                inline.pop_if(|(_, end)| *end == depth);
            }
            Token::Word("crate" | "super") if at == 0 || tokens[at - 1].1 != Token::Path => {
                let here = module.iter().chain(inline.iter().map(|(name, _)| name)).cloned().collect();
                follow(&tokens[at..], here, &mut found);
            }
            _ => {}
        }
    }
    found
}

/// Follows one path, and each branch in braces, until it names something at the root or turns elsewhere.
fn follow(tokens: &[(usize, Token<'_>)], mut base: Vec<String>, found: &mut Vec<(usize, String)>) {
    let mut rest = tokens;
    while let [(line, token), tail @ ..] = rest {
        match token {
            Token::Word("crate" | "super" | "self")
                if tail.first().is_none_or(|(_, next)| *next != Token::Path) =>
            {
                return;
            }
            Token::Word("crate") => base.clear(),
            Token::Word("super") => drop(base.pop()),
            Token::Word("self") | Token::Path => {}
            Token::Word(name) => {
                if base.is_empty() {
                    found.push((*line, (*name).to_string()));
                }
                return;
            }
            Token::Sign('*') if base.is_empty() => {
                found.push((*line, "*".into()));
                return;
            }
            Token::Sign('{') => {
                for branch in branches(tail) {
                    follow(branch, base.clone(), found);
                }
                return;
            }
            Token::Sign(_) => return,
        }
        rest = tail;
    }
}

/// The parts between the commas of a group whose opening brace is already read.
fn branches<'t, 'a>(tokens: &'t [(usize, Token<'a>)]) -> Vec<&'t [(usize, Token<'a>)]> {
    let mut branches = Vec::new();
    let (mut start, mut depth) = (0, 0);
    for (at, (_, token)) in tokens.iter().enumerate() {
        match token {
            Token::Sign('{') => depth += 1,
            Token::Sign('}') if depth == 0 => {
                branches.push(&tokens[start..at]);
                break;
            }
            Token::Sign('}') => depth -= 1,
            Token::Sign(',') if depth == 0 => {
                branches.push(&tokens[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    branches
}

/// The tokens of a source with their lines; without comments, strings, characters and lifetimes.
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

/// The length of the comment, literal or lifetime that a source starts with.
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

/// The length of a literal up to its closing mark, past marks behind a backslash.
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

/// The length of a comment that may hold others.
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
