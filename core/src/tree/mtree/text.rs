//! The words of a manifest, appended to a buffer.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::vis;

/// Lines that are not yet written.
#[derive(Default)]
pub(super) struct Text(pub(super) Vec<u8>);

impl Text {
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Appends ` key=` and a value that needs no escape.
    pub(super) fn word(&mut self, key: &[u8], value: &[u8]) {
        self.key(key);
        self.raw(value);
    }

    pub(super) fn escaped(&mut self, key: &[u8], value: &[u8]) {
        self.key(key);
        vis::encode(value, &mut self.0);
    }

    pub(super) fn decimal(&mut self, key: &[u8], value: impl Into<u64>) {
        self.key(key);
        self.number(value.into(), 10, 1);
    }

    /// Appends a mode with a leading zero, since gomtree compares modes as text; 0 is `0`.
    pub(super) fn octal(&mut self, key: &[u8], value: u32) {
        self.key(key);
        if value != 0 {
            self.0.push(b'0');
        }
        self.number(value.into(), 8, 1);
    }

    /// Appends seconds, rounded down, and nanoseconds with nine digits: readers take them for a number.
    pub(super) fn time(&mut self, key: &[u8], seconds: i64, nanoseconds: u32) {
        self.key(key);
        if seconds < 0 {
            self.0.push(b'-');
        }
        self.number(seconds.unsigned_abs(), 10, 1);
        self.0.push(b'.');
        self.number(nanoseconds.into(), 10, 9);
    }

    /// Appends a device in the format `native`, which every reader supports; `linux` fails for numbers over 8
    /// bits.
    pub(super) fn device(&mut self, major: u32, minor: u32) {
        self.word(b"device", b"native,");
        self.number(major.into(), 10, 1);
        self.0.push(b',');
        self.number(minor.into(), 10, 1);
    }

    pub(super) fn hex(&mut self, key: &[u8], bytes: &[u8]) {
        self.key(key);
        for byte in bytes {
            self.hex_digit(byte >> 4);
            self.hex_digit(byte & 15);
        }
    }

    /// Appends a keyword whose name is written by `name`, which escapes it.
    pub(super) fn xattr(&mut self, name: impl FnOnce(&mut Vec<u8>), value: &[u8]) {
        self.raw(b" xattr.");
        name(&mut self.0);
        self.0.push(b'=');
        self.raw(STANDARD.encode(value).as_bytes());
    }

    fn key(&mut self, key: &[u8]) {
        self.0.push(b' ');
        self.raw(key);
        self.0.push(b'=');
    }

    fn hex_digit(&mut self, value: u8) {
        self.0.push(if value < 10 { b'0' + value } else { b'a' - 10 + value });
    }

    fn number(&mut self, mut value: u64, base: u64, least_digits: usize) {
        let start = self.0.len();
        while value != 0 || self.0.len() < start + least_digits {
            // Less than the base, so one digit.
            self.0.push(b'0' + (value % base) as u8);
            value /= base;
        }
        if let Some(digits) = self.0.get_mut(start..) {
            digits.reverse();
        }
    }
}
