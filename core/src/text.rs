//! Text of images, made safe to show.

use std::fmt::Write as _;

/// Text of an image, made safe to show: control characters, which could steer a terminal, and those that
/// change the direction of writing are escaped.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        let turns =
            matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || turns {
            let _ = write!(shown, "{}", character.escape_default()); // writing to a String cannot fail
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(printable("a\x1b[31m\n\u{9b}\u{202e}ü"), "a\\u{1b}[31m\\n\\u{9b}\\u{202e}ü");
    }
}
