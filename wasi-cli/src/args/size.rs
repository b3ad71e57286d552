//! Sizes in bytes, with units.

use std::str::FromStr;

/// A number of bytes, with an optional unit: `20MB` is 20,000,000, `20MiB` is 20,971,520. Case does not
/// matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) u64);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("not a size: {text:?}: expected bytes, such as 1000, 20MB or 16MiB");
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let unit = unit.trim().to_ascii_lowercase();
        let (power, base) = match unit.strip_suffix("ib") {
            Some(prefix) => (prefix, 1024_u64),
            None => (unit.strip_suffix('b').unwrap_or(&unit), 1000),
        };
        let power = match power {
            "" if base == 1000 => 0,
            "k" => 1,
            "m" => 2,
            "g" => 3,
            "t" => 4,
            _ => return Err(expected()),
        };
        let unit = base.pow(power);
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        let whole: u64 = whole.parse().map_err(|_| expected())?;
        let digits = u32::try_from(part.len()).unwrap_or(u32::MAX);
        let (Ok(part), Some(scale)) = (part.parse::<u64>(), 10_u64.checked_pow(digits)) else {
            return Err(expected());
        };
        let part = u128::from(part) * u128::from(unit) / u128::from(scale);
        let part = u64::try_from(part).map_err(|_| expected())?;
        let bytes = whole.checked_mul(unit).and_then(|whole| whole.checked_add(part));
        bytes.map(Self).ok_or_else(expected)
    }
}

/// A limit in bytes or as a share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Threshold {
    /// Bytes.
    Bytes(u64),
    /// A share, from 0 to 100.
    Percent(f64),
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(number) = text.strip_suffix('%') else {
            return text.parse().map(|Bytes(bytes)| Self::Bytes(bytes));
        };
        match number.trim().parse() {
            Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Self::Percent(percent)),
            _ => Err(format!("not a share: {text:?}: expected 0% to 100%")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Threshold};

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("0", 0),
            ("123", 123),
            ("20MB", 20_000_000),
            ("20mb", 20_000_000),
            ("20 MB", 20_000_000),
            ("16MiB", 16 << 20),
            ("1.5k", 1500),
            ("1.5KiB", 1536),
            ("7B", 7),
            ("2T", 2_000_000_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Bytes(bytes)), "{text}");
        }
        for text in ["", "MB", "x", "-1", "1.2.3", "20XB", "20iB", "1e3", "99999999999T", "1.", "5%"] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
    }

    #[test]
    fn thresholds_are_sizes_or_shares() {
        assert_eq!("5%".parse(), Ok(Threshold::Percent(5.0)));
        assert_eq!("1k".parse(), Ok(Threshold::Bytes(1000)));
        for text in ["-1%", "101%", "NaN%", "%", "5%%"] {
            assert!(text.parse::<Threshold>().is_err(), "{text}");
        }
    }
}
