//! Texts of an image in the output: in quotes where they could be misread, as Go's `strconv.Quote` writes
//! them.

use std::fmt::Write as _;

/// Returns a text, in quotes if it is empty, has spaces or must be escaped.
pub(super) fn quoted(text: &str) -> String {
    match text.is_empty() || text.contains(char::is_whitespace) {
        true => in_quotes(text),
        false => plain(text),
    }
}

/// Returns a text, in quotes if it must be escaped.
pub(super) fn plain(text: &str) -> String {
    let escaped = in_quotes(text);
    if escaped.len() == text.len() + 2 { text.into() } else { escaped }
}

/// Returns a text in quotes.
pub(super) fn in_quotes(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            '\t' => quoted.push_str("\\t"),
            '\n' => quoted.push_str("\\n"),
            '\x0b' => quoted.push_str("\\v"),
            '\x0c' => quoted.push_str("\\f"),
            '\r' => quoted.push_str("\\r"),
            _ => {
                let code = u32::from(character);
                let _ = match (is_print(character), code) {
                    (true, _) => write!(quoted, "{character}"),
                    (_, ..0x80) => write!(quoted, "\\x{code:02x}"),
                    (_, ..0x1_0000) => write!(quoted, "\\u{code:04x}"),
                    _ => write!(quoted, "\\U{code:08x}"),
                }; // a String takes it
            }
        }
    }
    quoted.push('"');
    quoted
}

/// Returns whether a character is visible, or a space.
fn is_print(character: char) -> bool {
    // Behind a letter, a combining mark is visible.
    !character.is_control()
        && !format!("a{character}").escape_debug().skip(1).collect::<String>().starts_with("\\u")
}

#[cfg(test)]
mod tests {
    use super::{plain, quoted};

    #[test]
    fn ambiguous_values_are_quoted() {
        assert_eq!(
            [quoted("a"), quoted(""), quoted("a b"), quoted("a\"b"), plain("a b"), plain("")],
            ["a", "\"\"", "\"a b\"", "\"a\\\"b\"", "a b", ""]
        );
    }

    #[test]
    fn escapes_are_those_of_go() {
        let cases = [
            ("a\tb\nc\u{b}d\re", r#""a\tb\nc\vd\re""#),
            ("\u{7}\u{8}\u{c}\u{0}\u{1b}\u{7f}", r#""\a\b\f\x00\x1b\x7f""#),
            ("\u{85}\u{a0}\u{202e}\u{e0001}", r#""\u0085\u00a0\u202e\U000e0001""#),
            ("back\\slash", r#""back\\slash""#),
        ];
        for (text, expected) in cases {
            assert_eq!(plain(text), expected);
        }
        for visible in ["é", "e\u{301}", "\u{301}", "漢", "it's", "\u{1f600}"] {
            assert_eq!(plain(visible), visible);
        }
    }
}
