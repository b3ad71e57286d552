//! Limits on images, set from the command line.

use std::str::FromStr;

use ocicle::limits::Limits;

use super::size::Bytes;

/// A limit and its value: `ratio=5000`, `layer_size=4TiB`.
#[derive(Debug, Clone)]
pub(crate) struct Limit {
    name: String,
    value: u64,
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
        let Bytes(value) = value.parse()?;
        Limits::default().set(name, value).map_err(|error| error.to_string())?;
        Ok(Self { name: name.into(), value })
    }
}

impl Limit {
    /// Returns the default limits, with these values in place of theirs.
    pub(crate) fn apply(these: &[Self]) -> Limits {
        let mut limits = Limits::default();
        for Self { name, value } in these {
            // The name was checked when it was parsed.
            let _ = limits.set(name, *value);
        }
        limits
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use super::Limit;

    #[test]
    fn limits_are_parsed() {
        let limits = Limit::apply(&["ratio=5000".parse().unwrap(), "layer_size=4TiB".parse().unwrap()]);
        assert_eq!((limits.ratio, limits.layer_size), (5000, 4 << 40));
        for (text, error) in [
            ("ratio", "expected NAME=VALUE"),
            ("ratio=-1", "not a size: \"-1\""),
            ("speed=1", "unknown limit \"speed\" (known: document, "),
        ] {
            let found = text.parse::<Limit>().unwrap_err();
            assert!(found.starts_with(error), "{found}");
        }
    }
}
