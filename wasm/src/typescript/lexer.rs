//! Tokens of Rust and TypeScript, as far as definitions of types need them.

/// A word or number, a string, or a sign. Comments and lifetimes are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

pub(super) fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&next) = chars.get(at) {
        let after = chars.get(at + 1).copied();
        let prefix = usize::from(next == 'b' && after == Some('r'));
        let raw = raw(&chars, at + prefix);
        at = match next {
            '/' if after == Some('/') => find(&chars, at, "\n"),
            '/' if after == Some('*') => find(&chars, at, "*/") + 2,
            _ if raw.is_some() => raw.unwrap_or(at),
            '"' => {
                let end = string_end(&chars, at);
                found.push(Token::Text(chars[at + 1..end].iter().collect()));
                end + 1
            }
            '\'' => match (after, chars.get(at + 2)) {
                (Some('\\'), _) => find(&chars, at + 3, "'") + 1,
                (_, Some('\'')) => at + 3,
                _ => word_end(&chars, at + 1),
            },
            _ if is_word(next) => {
                let end = word_end(&chars, at);
                found.push(Token::Word(chars[at..end].iter().collect()));
                end
            }
            _ => {
                if !next.is_whitespace() {
                    found.push(Token::Sign(next));
                }
                at + 1
            }
        };
    }
    found
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn word_end(chars: &[char], at: usize) -> usize {
    at + chars[at..].iter().take_while(|&&character| is_word(character)).count()
}

fn string_end(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at
}

/// Returns the end of a raw string, if one starts here.
fn raw(chars: &[char], start: usize) -> Option<usize> {
    if chars.get(start) != Some(&'r') {
        return None;
    }
    let hashes = chars[start + 1..].iter().take_while(|&&character| character == '#').count();
    (chars.get(start + 1 + hashes) == Some(&'"'))
        .then(|| find(chars, start + 2 + hashes, &format!("\"{}", "#".repeat(hashes))) + 1 + hashes)
}

fn find(chars: &[char], start: usize, text: &str) -> usize {
    let text: Vec<char> = text.chars().collect();
    (start..chars.len()).find(|&at| chars[at..].starts_with(&text)).unwrap_or(chars.len())
}

/// Tokens that are read from the front.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [Token]);

impl<'a> Reader<'a> {
    pub(super) fn next(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    /// Reads this sign, if it comes next.
    pub(super) fn sign(&mut self, sign: char) -> bool {
        let is_next = self.0.first() == Some(&Token::Sign(sign));
        if is_next {
            self.next();
        }
        is_next
    }

    /// Reads a word, if one comes next.
    pub(super) fn word(&mut self) -> Option<&'a str> {
        match self.0.first() {
            Some(Token::Word(word)) => {
                self.next();
                Some(word)
            }
            _ => None,
        }
    }

    /// Reads what is between brackets whose opening one comes next.
    pub(super) fn group(&mut self, open: char, close: char) -> Option<Reader<'a>> {
        if !self.sign(open) {
            return None;
        }
        let (start, mut depth) = (self.0, 1);
        for length in 0.. {
            match self.next()? {
                Token::Sign(sign) if *sign == open => depth += 1,
                Token::Sign(sign) if *sign == close => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(Reader(&start[..length]));
            }
        }
        None
    }

    /// Reads up to one of these signs that is in no brackets, or to the end.
    pub(super) fn until(&mut self, ends: &[char]) -> Reader<'a> {
        let (start, mut depth) = (self.0, 0);
        let mut length = 0;
        while let Some(token) = self.0.first() {
            match token {
                Token::Sign(sign) if depth == 0 && ends.contains(sign) => break,
                Token::Sign('(' | '[' | '{' | '<') => depth += 1,
                Token::Sign(')' | ']' | '}' | '>') => depth -= 1,
                _ => {}
            }
            self.next();
            length += 1;
        }
        Reader(&start[..length])
    }

    /// Splits what is left at a sign that is in no brackets.
    pub(super) fn split(mut self, at: char) -> Vec<Reader<'a>> {
        let mut parts = Vec::new();
        while !self.0.is_empty() {
            parts.push(self.until(&[at]));
            self.sign(at);
        }
        parts
    }
}
