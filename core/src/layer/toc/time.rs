//! Times as Go writes them: RFC 3339.

use crate::{attrs::Time, spec::is_date_time};

/// Go's zero time. Old writers of zstd:chunked use it if a header has no time.
const NONE: &str = "0001-01-01T00:00:00Z";

/// Parses a date and time, in UTC or with an offset. Digits after the ninth of a fraction are dropped.
pub(super) fn parse(text: &str) -> Option<Time> {
    if !is_date_time(text) {
        return None;
    }
    if text == NONE {
        return Some(Time::EPOCH);
    }
    let number = |at: usize, length: usize| text.get(at..at + length)?.parse::<i64>().ok();
    let days = days_from_civil(number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let local = ((days * 24 + number(11, 2)?) * 60 + number(14, 2)?) * 60 + number(17, 2)?;
    let rest = text.get(19..)?;
    let fraction = rest.strip_prefix('.').unwrap_or_default();
    let zone = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let zone = if fraction.is_empty() { rest } else { zone };
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).chain(std::iter::repeat(b'0')).take(9);
    let nanoseconds = digits.fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    Some(Time { seconds: local - offset(zone)?, nanoseconds })
}

/// Returns the offset of a time zone in seconds: `Z`, or `+01:00`.
fn offset(zone: &str) -> Option<i64> {
    let number = |at: usize| zone.get(at..at + 2)?.parse::<i64>().ok();
    match zone.as_bytes().first()? {
        b'+' => Some((number(1)? * 60 + number(4)?) * 60),
        b'-' => Some((number(1)? * 60 + number(4)?) * -60),
        _ => Some(0),
    }
}

/// Converts year, month and day of the proleptic Gregorian calendar to days since 1970-01-01. The year is
/// counted from March, so that the leap day is its last day.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::{Time, parse};

    #[test]
    fn displayed_times_parse_again() {
        for days in (-719_161..2_932_896).step_by(97) {
            let time = Time { seconds: days * 86_400 + 3_723, nanoseconds: 120_000_000 };
            assert_eq!(parse(&time.to_string()), Some(time));
        }
    }

    #[test]
    fn zones_and_fractions() {
        for (text, seconds, nanoseconds) in [
            ("1970-01-01T00:00:00Z", 0, 0),
            ("1969-12-31T23:59:59.75Z", -1, 750_000_000),
            ("2000-02-29T00:00:00+01:30", 951_777_000, 0),
            ("2000-02-29T00:00:00.1234567899-00:30", 951_784_200, 123_456_789),
            ("0001-01-01T00:00:00Z", 0, 0),
            ("0001-01-01T00:00:01Z", -62_135_596_799, 0),
        ] {
            assert_eq!(parse(text), Some(Time { seconds, nanoseconds }), "{text}");
        }
        for text in [
            "",
            "0",
            "2000-02-30T00:00:00Z",
            "2000-02-29 00:00:00Z",
            "2000-02-29T00:00:00",
            "10000-01-01T00:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
