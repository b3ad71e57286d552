//! The health check, `Healthcheck`, which image-spec (config.md) leaves to Docker. Times are nanoseconds in
//! the document.

use std::time::Duration;

use crate::{
    error::{Error, Result},
    spec::json::Object,
};

/// One field of the check. A field that is not set keeps its value, or has the runtime's default.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// The command, without a shell.
    Command(Vec<String>),
    /// No check, even if the base image has one; replaces all other fields.
    Off,
    /// The time between two checks.
    Interval(Duration),
    /// The time that a check may take.
    Timeout(Duration),
    /// The time after the start during which a failure does not count.
    StartPeriod(Duration),
    /// The number of failures in a row that make a container unhealthy.
    Retries(u32),
}

impl Health {
    pub(super) fn apply(&self, run: &mut Object) -> Result<()> {
        run.edit_object("Healthcheck", |check| match self {
            Self::Command(words) => {
                let words: Vec<&str> = ["CMD"].into_iter().chain(words.iter().map(String::as_str)).collect();
                check.set("Test", &words)
            }
            Self::Off => {
                for key in ["Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"] {
                    check.remove(key);
                }
                check.set("Test", &["NONE"])
            }
            Self::Interval(time) => check.set("Interval", &nanoseconds(*time)?),
            Self::Timeout(time) => check.set("Timeout", &nanoseconds(*time)?),
            Self::StartPeriod(time) => check.set("StartPeriod", &nanoseconds(*time)?),
            Self::Retries(0) => {
                Err(Error::Misuse("health check: 0 retries: expected 1 or more failures in a row".into()))
            }
            Self::Retries(count) => check.set("Retries", count),
        })
    }
}

/// Converts a time. Docker takes 0 for "inherit", and refuses less than a millisecond.
fn nanoseconds(time: Duration) -> Result<i64> {
    match i64::try_from(time.as_nanos()) {
        Ok(nanoseconds) if time >= Duration::from_millis(1) => Ok(nanoseconds),
        _ => Err(Error::Misuse(format!("health check: {time:?}: expected 1 ms to 292 years"))),
    }
}
