//! The rules of dive for the waste in an image: `.dive-ci`.

use std::{fmt, fs, io::ErrorKind, path::Path};

use ocicle::image::waste::dive::DiveNumbers;
use ocicle_report::{Report, Versioned};
use serde::Serialize;
use yaml_rust2::{Yaml, YamlLoader};

use crate::{args::size::Bytes, failure::Failure, show::Show};

/// The rules of a `.dive-ci` file; `None` for a disabled rule.
pub(super) struct Rules {
    lowest_efficiency: Option<f64>,
    highest_wasted_bytes: Option<u64>,
    highest_user_wasted_percent: Option<f64>,
}

impl Rules {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let mut rules = Self {
            lowest_efficiency: Some(0.9),
            highest_wasted_bytes: None,
            highest_user_wasted_percent: Some(0.1),
        };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound && path.as_os_str() == ".dive-ci" => {
                return Ok(rules);
            }
            Err(error) => return Err(Failure::failed(format!("read {}: {error}", path.display()))),
        };
        let wrong = |what: &str| Failure::usage(format!("{}: {what}", path.display()));
        let documents = YamlLoader::load_from_str(&text).map_err(|error| wrong(&error.to_string()))?;
        let Some(Yaml::Hash(all)) = documents.first() else { return Err(wrong("expected `rules:`")) };
        for (key, value) in all {
            match (key.as_str().map(str::to_ascii_lowercase).as_deref(), value) {
                (Some("rules"), Yaml::Hash(listed)) => {
                    for (key, value) in listed {
                        rules.set(key, value).map_err(|what| wrong(&what))?;
                    }
                }
                (Some("rules"), Yaml::Null) => {}
                _ => {
                    return Err(wrong("expected `rules:`, with names and values below it, and nothing else"));
                }
            }
        }
        Ok(rules)
    }

    fn set(&mut self, key: &Yaml, value: &Yaml) -> Result<(), String> {
        let name = key.as_str().unwrap_or_default();
        let text = match value {
            Yaml::Real(text) | Yaml::String(text) => text.clone(),
            Yaml::Integer(number) => number.to_string(),
            _ => return Err(format!("{name}: expected a number, a size or `disabled`")),
        };
        let text = Some(text.as_str()).filter(|text| *text != "disabled");
        let share = || match text.map(str::parse::<f64>) {
            None => Ok(None),
            Some(Ok(share)) if (0.0..=1.0).contains(&share) => Ok(Some(share)),
            Some(_) => Err(format!("{name}: expected a number from 0 to 1, or `disabled`")),
        };
        match name.to_ascii_lowercase().as_str() {
            "lowestefficiency" => self.lowest_efficiency = share()?,
            "highestuserwastedpercent" => self.highest_user_wasted_percent = share()?,
            "highestwastedbytes" => {
                let bytes =
                    text.map(str::parse).transpose().map_err(|error: String| format!("{name}: {error}"))?;
                self.highest_wasted_bytes = bytes.map(|Bytes(bytes)| bytes);
            }
            _ => {
                return Err(format!(
                    "unknown rule {name:?}: expected lowestEfficiency, highestWastedBytes or \
                     highestUserWastedPercent"
                ));
            }
        }
        Ok(())
    }
}

/// The numbers, and the result of each rule.
#[derive(Serialize)]
pub(super) struct Gate {
    #[serde(flatten)]
    numbers: DiveNumbers,
    results: Vec<RuleResult>,
}

#[derive(Serialize)]
struct RuleResult {
    rule: &'static str,
    /// `PASS`, `FAIL` or `SKIP`.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Gate {
    pub(super) fn new(numbers: DiveNumbers, rules: &Rules) -> Self {
        let result = |rule, message: Option<Option<String>>| match message {
            None => RuleResult { rule, status: "SKIP", message: Some("rule disabled".into()) },
            Some(None) => RuleResult { rule, status: "PASS", message: None },
            Some(message) => RuleResult { rule, status: "FAIL", message },
        };
        let DiveNumbers { efficiency, wasted_bytes, user_wasted_percent, .. } = numbers;
        let results = vec![
            result(
                "highestUserWastedPercent",
                rules.highest_user_wasted_percent.map(|most| {
                    (user_wasted_percent > most).then(|| format!("{user_wasted_percent} is more than {most}"))
                }),
            ),
            result(
                "highestWastedBytes",
                rules
                    .highest_wasted_bytes
                    .map(|most| (wasted_bytes > most).then(|| format!("{wasted_bytes} is more than {most}"))),
            ),
            result(
                "lowestEfficiency",
                rules
                    .lowest_efficiency
                    .map(|least| (efficiency < least).then(|| format!("{efficiency} is less than {least}"))),
            ),
        ];
        Self { numbers, results }
    }
}

impl Gate {
    /// Returns whether a rule fails.
    pub(super) fn fails(&self) -> bool {
        self.results.iter().any(|result| result.status == "FAIL")
    }
}

impl Report for Gate {
    fn shape(&self) -> impl Serialize {
        Versioned::first(self)
    }
}

impl Show for Gate {
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.numbers.table(out)?;
        for RuleResult { rule, status, message } in &self.results {
            match message {
                Some(message) => writeln!(out, "{status}: {rule}: {message}")?,
                None => writeln!(out, "{status}: {rule}")?,
            }
        }
        Ok(())
    }

    /// Writes the numbers on one line; then for each rule: name, result, reason or `-`.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.numbers.plain(out)?;
        for RuleResult { rule, status, message } in &self.results {
            writeln!(out, "{rule}\t{status}\t{}", message.as_deref().unwrap_or("-"))?;
        }
        Ok(())
    }
}
