//! The health check of an image.

use std::time::Duration;

use clap::Args;
use ocicle::image::config::Health;

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Health check")]
pub(crate) struct HealthArgs {
    /// A word of the command that checks; together they replace the old one.
    #[arg(long, value_name = "WORD", allow_hyphen_values = true)]
    healthcheck: Vec<String>,
    /// Disable the health check.
    #[arg(
        long,
        conflicts_with_all = [
            "healthcheck", "health_interval", "health_timeout", "health_start_period", "health_retries"
        ]
    )]
    no_healthcheck: bool,
    /// Time between checks, such as 30s or 1m30s.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    health_interval: Option<Duration>,
    /// Time after which a check has failed.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    health_timeout: Option<Duration>,
    /// Time after the start in which failures do not count.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    health_start_period: Option<Duration>,
    /// Number of consecutive failures that make a container unhealthy.
    #[arg(long, value_name = "NUMBER")]
    health_retries: Option<u32>,
}

impl HealthArgs {
    /// Returns the changes of the health check.
    pub(super) fn changes(&self) -> Vec<Health> {
        let command = (!self.healthcheck.is_empty()).then(|| Health::Command(self.healthcheck.clone()));
        let fields = [
            command,
            self.no_healthcheck.then_some(Health::Off),
            self.health_interval.map(Health::Interval),
            self.health_timeout.map(Health::Timeout),
            self.health_start_period.map(Health::StartPeriod),
            self.health_retries.map(Health::Retries),
        ];
        fields.into_iter().flatten().collect()
    }
}

/// Parses a time as in a Dockerfile: whole numbers with `h`, `m`, `s` or `ms`, the largest first.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a time with its unit, such as 30s, 1m30s or 500ms".to_owned();
    let (mut total, mut rest, mut last) = (Duration::ZERO, text, usize::MAX);
    while !rest.is_empty() {
        let digits = rest.find(|digit: char| !digit.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, more) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
        let found = units
            .iter()
            .enumerate()
            .find_map(|(rank, (unit, millis))| Some((rank, millis, more.strip_prefix(unit)?)));
        let (rank, millis, more) = found.filter(|(rank, ..)| *rank < last).ok_or_else(wrong)?;
        let part = number.checked_mul(*millis).map(Duration::from_millis).ok_or_else(wrong)?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        (rest, last) = (more, rank);
    }
    if total.is_zero() { Err(wrong()) } else { Ok(total) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, millis) in
            [("30s", 30_000), ("1m30s", 90_000), ("500ms", 500), ("2h", 7_200_000), ("1h1m1s1ms", 3_661_001)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in [
            "",
            "30",
            "s",
            "0s",
            "1.5s",
            "-1s",
            "1s1m",
            "1s1s",
            "1d",
            "30s ",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
