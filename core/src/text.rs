//! Text of images, made safe to show.

use std::fmt::Write as _;

/// Returns whether a character could steer a terminal or mislead a reader: control characters, and those that
/// change the direction of writing.
#[must_use]
pub fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns text of an image, made safe to show: what [`steers`] is escaped.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if steers(character) {
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
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(printable("a\x1b[31m\n\u{9b}\u{202e}ü"), "a\\u{1b}[31m\\n\\u{9b}\\u{202e}ü");
    }
}
