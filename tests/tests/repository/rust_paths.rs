//! The paths that Rust source names, as far as modules go.

use crate::rust_tokens::{Token, tokens};

/// A path in a source, from the root of the crate.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) line: usize,
    pub(crate) path: Vec<String>,
    /// Whether it is in a module `tests`.
    pub(crate) in_tests: bool,
}

/// Returns the paths that a module's source names by `crate::` and `super::`, in `use` and elsewhere.
pub(crate) fn named(text: &str, module: &[String]) -> Vec<Named> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    // The modules written in braces around the position, with the depth of braces that ends each.
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
                let here: Vec<_> =
                    module.iter().chain(inline.iter().map(|(name, _)| name)).cloned().collect();
                let in_tests = here.iter().any(|name| name == "tests");
                let mut paths = Vec::new();
                follow(&tokens[at..], here, &mut paths);
                found.extend(paths.into_iter().map(|(line, path)| Named { line, path, in_tests }));
            }
            _ => {}
        }
    }
    found
}

/// Returns the paths that `use` statements of a module's source bring in from its own children.
pub(crate) fn reexported(text: &str, module: &[String], is_child: impl Fn(&str) -> bool) -> Vec<Vec<String>> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    for (at, window) in tokens.windows(2).enumerate() {
        if let [(_, Token::Word("use")), (_, Token::Word(first))] = window
            && is_child(first)
        {
            follow(&tokens[at + 1..], module.to_vec(), &mut found);
        }
    }
    found.into_iter().map(|(_, path)| path).collect()
}

/// Follows a path, and each branch in braces, to its ends.
fn follow(tokens: &[(usize, Token<'_>)], mut base: Vec<String>, found: &mut Vec<(usize, Vec<String>)>) {
    let mut rest = tokens;
    let mut named = false;
    while let [(line, token), tail @ ..] = rest {
        let last = tail.first().is_none_or(|(_, next)| *next != Token::Path);
        match token {
            Token::Word("self") if last && named => return found.push((*line, base)),
            Token::Word("crate" | "super" | "self") if last => return,
            Token::Word("crate") => base.clear(),
            Token::Word("super") => drop(base.pop()),
            Token::Word("self") | Token::Path => {}
            Token::Word(name) => {
                base.push((*name).to_string());
                named = true;
                if last {
                    return found.push((*line, base));
                }
            }
            Token::Sign('*') => {
                base.push("*".into());
                return found.push((*line, base));
            }
            Token::Sign('{') => {
                for branch in branches(tail) {
                    if let [(line, Token::Word("self"))] = branch {
                        found.push((*line, base.clone()));
                    } else {
                        follow(branch, base.clone(), found);
                    }
                }
                return;
            }
            Token::Sign(_) => {
                // As in `a::b::<T>`.
                if named {
                    found.push((*line, base));
                }
                return;
            }
        }
        rest = tail;
    }
}

/// Returns the parts between the commas of a group whose opening brace was read.
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
