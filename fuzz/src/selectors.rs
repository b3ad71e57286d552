//! References and the names in them, as people type them.

use std::{fmt::Display, str::FromStr};

use ocicle::{Digest, Platform, RefName, Reference, Selector, spec::MediaType};

/// Parses a text as everything that names something: what is printed of the result means the same.
///
/// # Panics
/// Panics if it does not.
pub fn selectors(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    round_trip::<Digest>(text);
    round_trip::<MediaType>(text);
    round_trip::<Platform>(text);
    round_trip::<RefName>(text);
    round_trip::<Reference>(text);
    round_trip::<Selector>(text);
}

fn round_trip<T: FromStr + Display>(text: &str) {
    let Ok(value) = text.parse::<T>() else { return };
    let printed = value.to_string();
    let again = printed.parse::<T>().map(|value| value.to_string());
    assert_eq!(again.ok().as_ref(), Some(&printed), "from {text:?}");
}
