//! A list of copies: one on each line, from where to where.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
};

use ocicle::limits::Limits;

use crate::failure::Failure;

/// A line of the list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Its number, from 1.
    pub(super) number: usize,
    pub(super) source: String,
    pub(super) destination: String,
}

/// Reads a list; `-` is standard input.
pub(super) fn read(path: &Path, limits: &Limits) -> Result<Vec<Line>, Failure> {
    let failed = |error: io::Error| Failure::failed(format!("read {}: {error}", path.display()));
    let input: Box<dyn io::Read> = match path == Path::new("-") {
        true => Box::new(io::stdin().lock()),
        false => Box::new(fs::File::open(path).map_err(failed)?),
    };
    let mut text = String::new();
    input.take(limits.document.saturating_add(1)).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > limits.document {
        return Err(ocicle::Error::limit(path.display().to_string(), "document", limits.document).into());
    }
    parse(&text).map_err(|problem| Failure::usage(format!("{}: {problem}", path.display())))
}

/// Parses a list: references without white space, empty lines, and comments from `#` at the start of a line.
fn parse(text: &str) -> Result<Vec<Line>, String> {
    let mut lines = Vec::new();
    for (position, line) in text.lines().enumerate() {
        let number = position + 1;
        if line.trim_start().starts_with('#') {
            continue;
        }
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            [] => {}
            [source, destination] => {
                lines.push(Line { number, source: source.into(), destination: destination.into() });
            }
            _ => return Err(format!("line {number}: expected a reference and a store: {:?}", line.trim())),
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use super::parse;

    #[test]
    fn lists() {
        let lines = parse("# comment\n\n  a#v1\tb#v1 \r\n#c d\ne f\n").unwrap();
        let pairs: Vec<_> =
            lines.iter().map(|line| (line.number, line.source.as_str(), line.destination.as_str())).collect();
        assert_eq!(pairs, [(3, "a#v1", "b#v1"), (5, "e", "f")]);
        assert_eq!(parse("a b\nc").unwrap_err(), "line 2: expected a reference and a store: \"c\"");
        assert!(parse("a b c").is_err());
    }
}
