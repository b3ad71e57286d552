//! Results for people and for scripts.

use std::fmt::{self, Write as _};

/// A result that is shown to people ([`fmt::Display`]), to programs ([`serde::Serialize`], as JSON with a `schemaVersion`), and to
/// scripts that cut lines apart.
pub trait Report: fmt::Display + serde::Serialize {
    /// Writes lines of fields with a tab between them, without a heading and without padding. Control characters are
    /// escaped, so a field holds no tab and no line break; an absent field is `-`. Sizes are bytes, digests whole.
    ///
    /// # Errors
    /// Those of `out`.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result;
}

/// Text of an image, made safe to show: control characters, which could steer a terminal, and those that change the
/// direction of writing are escaped.
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

/// Bytes for people: decimal units with one digit of a fraction, as the field prints them.
///
/// ```
/// use ocicle::text::human_size;
/// assert_eq!((human_size(999), human_size(51_077_015)), ("999 B".into(), "51.0 MB".into()));
/// ```
#[must_use]
pub fn human_size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut divisor = 1000;
    let mut unit = 0;
    while bytes / divisor >= 1000 && unit + 1 < UNITS.len() {
        divisor *= 1000;
        unit += 1;
    }
    let tenths = bytes / (divisor / 10);
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::{human_size, printable};

    #[test]
    fn sizes() {
        for (bytes, shown) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1999, "1.9 kB"),
            (999_999, "999.9 kB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(human_size(bytes), shown);
        }
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(printable("a\x1b[31m\n\u{9b}\u{202e}ü"), "a\\u{1b}[31m\\n\\u{9b}\\u{202e}ü");
    }
}
