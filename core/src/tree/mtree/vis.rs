//! The escapes of vis(3), which encode any bytes as one printable word.
//!
//! Encoding uses the form that every reader decodes alike: `\\` for a backslash, and three octal digits for
//! everything else that is not plain. Decoding accepts all forms that known writers use.

use crate::text::printable;

/// Appends `bytes` as one word: 0x21 to 0x7e as they are, but `\` as `\\` and `# * ? [` and everything else
/// as `\ooo`.
///
/// ```
/// let mut word = Vec::new();
/// ocicle::tree::mtree::vis::encode(b"a b\\#\xff", &mut word);
/// assert_eq!(word, br"a\040b\\\043\377");
/// ```
pub fn encode(bytes: &[u8], word: &mut Vec<u8>) {
    for &byte in bytes {
        match byte {
            b'\\' => word.extend_from_slice(br"\\"),
            b'#' | b'*' | b'?' | b'[' => octal(byte, word),
            0x21..=0x7e => word.push(byte),
            _ => octal(byte, word),
        }
    }
}

/// Appends like [`encode`], and also escapes `=`: for text in front of a `=`.
pub fn encode_key(bytes: &[u8], word: &mut Vec<u8>) {
    for part in bytes.split_inclusive(|&byte| byte == b'=') {
        match part.split_last() {
            Some((b'=', before)) => {
                encode(before, word);
                octal(b'=', word);
            }
            _ => encode(part, word),
        }
    }
}

/// Returns the encoded word as text, for messages and JSON: plain ASCII on one line, without loss.
#[must_use]
pub fn to_text(bytes: &[u8]) -> String {
    let mut word = Vec::with_capacity(bytes.len());
    encode(bytes, &mut word);
    word.into_iter().map(char::from).collect()
}

/// Returns a name or path as text for people and JSON: unchanged if it is printable UTF-8 without a
/// backslash, otherwise as [`to_text`]. So text with a backslash is escaped, and [`decode`] restores its
/// bytes; any other text is the name.
///
/// ```
/// use ocicle::tree::mtree::vis::readable;
/// assert_eq!((readable(b"a b"), readable(b"a\nb")), ("a b".into(), r"a\012b".into()));
/// ```
#[must_use]
pub fn readable(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\\') && printable(text) == text => text.into(),
        _ => to_text(bytes),
    }
}

fn octal(byte: u8, word: &mut Vec<u8>) {
    word.extend_from_slice(&[b'\\', b'0' + (byte >> 6), b'0' + (byte >> 3 & 7), b'0' + (byte & 7)]);
}

/// Decodes a word: octal (one to three digits), `\xHH`, the letters of C (`\n`, `\t`, `\s` for a space …),
/// `\^C`, `\M-C` and `\M^C`. A backslash before any other printable character means that character; `\$` is
/// empty.
///
/// # Errors
/// Fails with what is wrong with an escape: an octal number over 255, or a missing character.
pub fn decode(word: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let (decoded, after) = escape(rest).ok_or_else(|| {
            let shown: Vec<u8> = rest.iter().take(3).copied().collect();
            format!(r"'\{}' is not an escape of vis(3)", String::from_utf8_lossy(&shown))
        })?;
        bytes.extend(decoded);
        rest = after;
    }
    Ok(bytes)
}

/// Splits a path at slashes into parts that are still escaped. A slash inside an escape does not count: BSD
/// writes byte 0xaf as `\M-/`.
pub(super) fn split_path(word: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    while let Some(&byte) = word.get(at) {
        at += match (byte, word.get(at + 1)) {
            (b'\\', Some(b'M')) => 4,
            (b'\\', Some(b'^')) => 3,
            (b'\\', _) => 2,
            (b'/', _) => {
                parts.extend(word.get(start..at));
                start = at + 1;
                1
            }
            _ => 1,
        };
    }
    parts.extend(word.get(start..));
    parts
}

/// Decodes the escape after a backslash. Returns its byte, if any, and the rest.
fn escape(text: &[u8]) -> Option<(Option<u8>, &[u8])> {
    let (&first, rest) = text.split_first()?;
    let byte = match first {
        b'0'..=b'7' => {
            let digits = text.iter().take(3).take_while(|digit| (b'0'..=b'7').contains(digit)).count();
            let (digits, rest) = text.split_at(digits);
            let value = digits.iter().fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0'));
            return Some((Some(u8::try_from(value).ok()?), rest));
        }
        b'x' => {
            let (&high, rest) = rest.split_first()?;
            let (&low, rest) = rest.split_first()?;
            let digit = |byte: u8| char::from(byte).to_digit(16);
            return Some((Some(u8::try_from(digit(high)? * 16 + digit(low)?).ok()?), rest));
        }
        b'M' => {
            let (&kind, rest) = rest.split_first()?;
            let (&letter, rest) = rest.split_first()?;
            let low = match kind {
                b'-' => letter,
                b'^' => control(letter)?,
                _ => return None,
            };
            return (low < 0x80).then_some((Some(low | 0x80), rest));
        }
        b'^' => {
            let (&letter, rest) = rest.split_first()?;
            return Some((Some(control(letter)?), rest));
        }
        b'$' => return Some((None, rest)),
        b'a' => 7,
        b'b' => 8,
        b'E' => 0x1b,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b's' => b' ',
        b't' => b'\t',
        b'v' => 11,
        0x21..=0x7e => first,
        _ => return None,
    };
    Some((Some(byte), rest))
}

/// Returns the control character written `^LETTER`; `^?` is DEL.
fn control(letter: u8) -> Option<u8> {
    match letter {
        b'?' => Some(0x7f),
        0x40..=0x7e => Some(letter & 0x1f),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back() {
        let all: Vec<u8> = (0..=255).collect();
        for encode in [encode, encode_key] {
            let mut word = Vec::new();
            encode(&all, &mut word);
            assert!(word.iter().all(|byte| (0x21..=0x7e).contains(byte) && !b"#*?[".contains(byte)));
            assert_eq!(decode(&word).unwrap(), all);
        }
    }

    #[test]
    fn the_written_form_is_fixed() {
        assert_eq!(to_text(b"\0 ~\x7f]=\"'$%&;,"), r#"\000\040~\177]="'$%&;,"#);
        let mut word = Vec::new();
        encode_key(b"=a==", &mut word);
        assert_eq!(word, br"\075a\075\075");
    }

    #[test]
    fn reads_what_other_writers_write() {
        for (word, bytes) in [
            (r"\#lead", &b"#lead"[..]),
            (r"bad\M^?\M-~", b"bad\xff\xfe"),
            (r"latin\M-i", b"latin\xe9"),
            (r"nbsp\240x", b"nbsp\xa0x"),
            (r"soh\^A7", b"soh\x017"),
            (r"del\^?", b"del\x7f"),
            (r"\s\n\t\r\a\b\v\f\E", b" \n\t\r\x07\x08\x0b\x0c\x1b"),
            (r"\7\43\0437\x41\*\[\$", b"\x07##7A*["),
        ] {
            assert_eq!(decode(word.as_bytes()).unwrap(), bytes, "{word}");
        }
    }

    #[test]
    fn escaped_slashes_do_not_split_paths() {
        let split = |word: &'static str| -> Vec<_> {
            split_path(word.as_bytes()).into_iter().map(|part| part.escape_ascii().to_string()).collect()
        };
        assert_eq!(split("./a//b/"), [".", "a", "", "b", ""]);
        assert_eq!(split(r"i\M-C\M-/x\\/y").len(), 2);
        assert_eq!(decode(split_path(br"i\M-C\M-/x\\/y")[0]).unwrap(), b"i\xc3\xafx\\");
        assert_eq!(split(r"\M"), [r"\\M"]);
    }

    #[test]
    fn invalid_escapes_are_named() {
        assert_eq!(decode(br"ab\400c").unwrap_err(), r"'\400' is not an escape of vis(3)");
        for broken in [&br"a\"[..], br"\x4", br"\M", br"\M+a", br"\^", b"\\\x01", b"\\M-\xff"] {
            assert!(decode(broken).is_err(), "{}", broken.escape_ascii());
        }
    }
}
