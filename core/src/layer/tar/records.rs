//! Pax records to be written: `LENGTH KEY=VALUE\n`, where the length includes itself.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

/// The records of an entry, in the order in which they are added.
#[derive(Default)]
pub(super) struct Records {
    text: Vec<u8>,
    /// A text is not UTF-8, which must be declared first.
    binary: bool,
}

impl Records {
    /// Adds a path or number.
    pub(super) fn text(&mut self, key: &str, value: &[u8]) {
        self.binary |= std::str::from_utf8(value).is_err();
        push(&mut self.text, key.as_bytes(), value);
    }

    /// Adds an extended attribute. A name with `=` cannot be a key; it is written in the encoding of
    /// libarchive.
    pub(super) fn xattr(&mut self, name: &[u8], value: &[u8]) {
        if !name.contains(&b'=') {
            return push(&mut self.text, &[b"SCHILY.xattr.", name].concat(), value);
        }
        let mut key = b"LIBARCHIVE.xattr.".to_vec();
        for &byte in name {
            if byte > b' ' && byte < 0x7f && byte != b'=' && byte != b'%' {
                key.push(byte);
            } else {
                key.extend(format!("%{byte:02X}").into_bytes());
            }
        }
        push(&mut self.text, &key, STANDARD_NO_PAD.encode(value).as_bytes());
    }

    /// Returns all records; `None` if there are none.
    pub(super) fn finish(self) -> Option<Vec<u8>> {
        if !self.binary {
            return (!self.text.is_empty()).then_some(self.text);
        }
        let mut text = Vec::new();
        push(&mut text, b"hdrcharset", b"BINARY");
        text.extend(self.text);
        Some(text)
    }
}

fn push(text: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + digits(length) {
        length = rest + digits(length);
    }
    text.extend(length.to_string().into_bytes());
    text.push(b' ');
    text.extend_from_slice(key);
    text.push(b'=');
    text.extend_from_slice(value);
    text.push(b'\n');
}

fn digits(number: usize) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

#[cfg(test)]
mod tests {
    use super::{Records, push};

    #[test]
    fn lengths_count_themselves() {
        for (value, expected) in [(0, 5), (1, 6), (4, 9), (5, 11), (92, 98), (93, 99), (94, 101), (95, 102)] {
            let mut text = Vec::new();
            push(&mut text, b"k", &vec![b'v'; value]);
            let written: usize =
                String::from_utf8(text.clone()).unwrap().split(' ').next().unwrap().parse().unwrap();
            assert_eq!((written, text.len()), (expected, expected), "{value}");
        }
    }

    #[test]
    fn binary_text_and_strange_names_are_announced() {
        let mut records = Records::default();
        records.text("path", b"\xff");
        records.xattr(b"user.a=b%", b"\0v");
        assert_eq!(
            records.finish().unwrap(),
            b"21 hdrcharset=BINARY\n9 path=\xff\n38 LIBARCHIVE.xattr.user.a%3Db%25=AHY\n"
        );
        assert_eq!(Records::default().finish(), None);
    }
}
