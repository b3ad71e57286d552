//! Numbers in header fields: octal digits, or GNU's base 256.

use super::Reason;

/// Parses a numeric field.
///
/// Octal: spaces, digits, then spaces or NULs to the end; a field without digits is 0. One NUL may come
/// first, as one old program wrote it and GNU tar accepts it. Base 256 (GNU manual, "Extensions"): the first
/// bit of the field is set; the others are a big-endian number in two's complement.
pub(super) fn parse(field: &[u8]) -> Result<i64, Reason> {
    match field.first() {
        Some(first) if first & 0x80 != 0 => base_256(field),
        Some(0) => octal(&field[1..]),
        _ => octal(field),
    }
}

/// Parses a number that must not be negative, as [`parse`] does.
pub(super) fn parse_unsigned(field: &[u8]) -> Result<u64, Reason> {
    let number = parse(field)?;
    u64::try_from(number).map_err(|_| format!("{number} is negative"))
}

fn octal(field: &[u8]) -> Result<i64, Reason> {
    let start = field.iter().position(|&byte| byte != b' ').unwrap_or(field.len());
    let digits = &field[start..];
    let end = digits.iter().position(|byte| !(b'0'..=b'7').contains(byte)).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    if rest.iter().any(|&byte| byte != b' ' && byte != 0) {
        return Err(format!("{:?} is not an octal number", String::from_utf8_lossy(field)));
    }
    // At most 12 digits, so 36 bits.
    Ok(digits.iter().fold(0, |number, digit| number << 3 | i64::from(digit - b'0')))
}

fn base_256(field: &[u8]) -> Result<i64, Reason> {
    let negative = field.first().is_some_and(|first| first & 0x40 != 0);
    let mut number: i64 = if negative { -1 } else { 0 };
    for (at, &byte) in field.iter().enumerate() {
        // The marker bit is not part of the number: it is replaced by a copy of the sign.
        let byte = match (at, negative) {
            (0, true) => byte | 0x80,
            (0, false) => byte & 0x7f,
            _ => byte,
        };
        let shifted = number.checked_mul(256).ok_or("number of more than 63 bits")?;
        number = shifted | i64::from(byte);
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octal_fields() {
        for (field, number) in [
            (&b"0000644\0"[..], 0o644),
            (b"   644 \0", 0o644),
            (b"77777777777\0", 0o77_777_777_777),
            (b"777777777777", 0o777_777_777_777),
            (b"\0\0\0\0\0\0\0\0", 0),
            (b"        ", 0),
            (b"\x000644 \0\0", 0o644),
            (b"012345\0 ", 0o12345),
        ] {
            assert_eq!(parse(field), Ok(number), "{field:?}");
        }
        for field in [
            &b"0000648\0"[..],
            b"-000644\0",
            b"0x00644\0",
            b"644\x00644\0",
            b"\x00\x00644\0\0\0",
            b"6 4\0\0\0\0\0",
        ] {
            assert!(parse(field).is_err(), "{field:?}");
        }
    }

    #[test]
    fn base_256_fields() {
        for (field, number) in [
            (&b"\x80\0\0\0\0\0\0\x01"[..], 1),
            (b"\x80\0\0\0\xb2\xd0\x5e\0", 3_000_000_000),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff", -1),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe", -2),
            (b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", i64::MAX),
            (b"\xff\xff\xff\xff\x80\0\0\0\0\0\0\0", i64::MIN),
        ] {
            assert_eq!(parse(field), Ok(number), "{field:?}");
        }
        for field in [
            &b"\x80\0\0\0\x80\0\0\0\0\0\0\0"[..],
            b"\xff\xff\xff\xff\x7f\0\0\0\0\0\0\0",
            b"\xbf\0\0\0\0\0\0\0\0\0\0\0",
        ] {
            assert!(parse(field).is_err(), "{field:?}");
        }
        assert!(parse_unsigned(b"\xff\xff\xff\xff\xff\xff\xff\xff").is_err());
    }
}
