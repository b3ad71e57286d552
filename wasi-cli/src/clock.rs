//! The time. No other file reads the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use ocicle::attrs::Time;

use crate::failure::Failure;

/// Returns the time in `SOURCE_DATE_EPOCH` (reproducible-builds.org), if it is set.
pub(crate) fn source_date() -> Result<Option<Time>, Failure> {
    let Some(value) = std::env::var_os("SOURCE_DATE_EPOCH") else { return Ok(None) };
    match value.to_str().and_then(|text| text.parse().ok()) {
        Some(seconds) => Ok(Some(Time::from_seconds(seconds))),
        None => Err(Failure::usage(format!(
            "SOURCE_DATE_EPOCH is {value:?}: expected seconds since 1970, such as 1700000000"
        ))),
    }
}

/// Returns the time in `SOURCE_DATE_EPOCH`, or else the current time.
pub(crate) fn now() -> Result<Time, Failure> {
    if let Some(time) = source_date()? {
        return Ok(time);
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Time {
        seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        nanoseconds: since.subsec_nanos(),
    })
}
