//! The syntax of umoci's options: that of Go's `flag` package.
//!
//! `-name` is `--name`; a value follows as the next word, whatever it begins with, or after `=`; a switch
//! takes a value after `=` only; options may stand behind other arguments; `--` ends them.

use super::problem::Problem;

/// An option of a command.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flag {
    /// Its names; the first one identifies it.
    pub(super) names: &'static [&'static str],
    pub(super) takes_value: bool,
    /// Its description in the help text.
    pub(super) about: &'static str,
}

/// Returns an option with a value.
pub(super) const fn value(names: &'static [&'static str], about: &'static str) -> Flag {
    Flag { names, takes_value: true, about }
}

/// Returns an option without a value.
pub(super) const fn switch(names: &'static [&'static str], about: &'static str) -> Flag {
    Flag { names, takes_value: false, about }
}

/// Parsed options and arguments.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    options: Vec<(&'static str, String)>,
    pub(super) arguments: Vec<String>,
}

impl Parsed {
    /// Returns the last value of an option.
    pub(super) fn last(&self, name: &str) -> Option<&str> {
        self.all(name).last()
    }

    /// Returns all values of an option in order.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.options.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn is_on(&self, name: &str) -> bool {
        self.last(name) == Some("true")
    }

    /// Returns whether any option of these was given.
    pub(super) fn any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.last(name).is_some())
    }
}

/// Parses the arguments of a command.
///
/// # Errors
/// A usage error in the words of `flag`.
pub(super) fn parse(words: &[String], flags: &[&[Flag]]) -> Result<Parsed, Problem> {
    let mut parsed = Parsed::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let option = match word.as_str() {
            "--" => {
                parsed.arguments.extend(words.cloned());
                break;
            }
            "-" => None,
            word => word.strip_prefix("--").or_else(|| word.strip_prefix('-')),
        };
        let Some(option) = option else {
            parsed.arguments.push(word.clone());
            continue;
        };
        let (name, attached) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (option, None),
        };
        if ["h", "help"].contains(&name) {
            return Err(Problem::Help);
        }
        let known = flags.iter().copied().flatten().find(|flag| flag.names.contains(&name));
        let Some(flag) = known else {
            return Err(Problem::Usage(format!("flag provided but not defined: -{name}")));
        };
        let value = match (flag.takes_value, attached) {
            (true, Some(value)) => value,
            (true, None) => words
                .next()
                .cloned()
                .ok_or_else(|| Problem::Usage(format!("flag needs an argument: -{name}")))?,
            (false, attached) => boolean(name, attached.as_deref().unwrap_or("true"))?,
        };
        if let Some(name) = flag.names.first() {
            parsed.options.push((name, value));
        }
    }
    Ok(parsed)
}

/// Parses a boolean as Go's `strconv.ParseBool` does.
fn boolean(name: &str, text: &str) -> Result<String, Problem> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok("true".into()),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok("false".into()),
        _ => Err(Problem::Usage(format!("invalid boolean value {text:?} for -{name}: parse error"))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use super::{Flag, Problem, parse, switch, value};

    const FLAGS: &[Flag] = &[value(&["image"], ""), switch(&["json"], ""), value(&["platform.os", "os"], "")];

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn options_as_go_reads_them() {
        let parsed =
            parse(&words("-image a one --image=b=c --json --os -x two --json=f -- --image z"), &[FLAGS])
                .unwrap();
        assert_eq!(parsed.all("image").collect::<Vec<_>>(), ["a", "b=c"]);
        assert_eq!((parsed.last("platform.os"), parsed.is_on("json")), (Some("-x"), false));
        assert_eq!(parsed.arguments, ["one", "two", "--image", "z"]);
        assert!(parsed.any(&["json"]) && !parsed.any(&["os", "tag"]));
    }

    #[test]
    fn mistakes_in_go_s_words() {
        let said = |text: &str| match parse(&words(text), &[FLAGS]).unwrap_err() {
            Problem::Usage(message) => message,
            other => format!("{other:?}"),
        };
        assert_eq!(said("--bar x"), "flag provided but not defined: -bar");
        assert_eq!(said("--image"), "flag needs an argument: -image");
        assert_eq!(said("--json=x"), "invalid boolean value \"x\" for -json: parse error");
        assert_eq!(said("-h"), "Help");
    }
}
