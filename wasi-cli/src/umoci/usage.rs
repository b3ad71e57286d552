//! Help texts, in the sections that umoci has.

use super::{
    GLOBAL,
    syntax::Flag,
    table::{COMMANDS, Command},
};

/// The version of umoci whose command line this is: its latest release, and what was added since.
const VERSION: &str = "0.6.0+dev";

/// Returns the output of `--version`.
pub(super) fn version() -> String {
    format!(
        "umoci version {VERSION} (ocicle {})\nimage spec: 1.1.1\nruntime spec: 1.0.2\ngo: go1.0 (not used)\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// Returns the help of a command.
pub(super) fn of(command: &Command) -> String {
    let name = full_name(command.group, command.names.first().unwrap_or(&""));
    let Command { category, about, usage, flags, .. } = command;
    let mut text = Sections::new(&name, about, &format!("{name} [command options] {usage}"));
    text.section("CATEGORY", [((*category).to_owned(), "")]);
    text.section("OPTIONS", flags.iter().copied().flatten().map(option));
    text.0
}

/// Returns the list of the commands, or of those of `raw`.
pub(super) fn list(group: &str) -> String {
    let name = full_name(group, "");
    let mut text = match group {
        "" => {
            let usage = "umoci [global options] command [command options] [arguments...]";
            let mut text = Sections::new(&name, "umoci modifies Open Container images", usage);
            text.section("VERSION", [(format!("{VERSION} (ocicle {})", env!("CARGO_PKG_VERSION")), "")]);
            text
        }
        _ => Sections::new(&name, RAW, &format!("{name} command [command options] [arguments...]")),
    };
    let mut rows = vec![("help, h".to_owned(), "shows the list of commands, or the help of one")];
    if group.is_empty() {
        rows.insert(0, ("raw".to_owned(), RAW));
    }
    text.section("COMMANDS", rows);
    for category in ["image", "layout", "devtools"] {
        let listed = |command: &&Command| (command.group, command.category) == (group, category);
        let rows = COMMANDS.iter().filter(listed).map(|command| (command.names.join(", "), command.about));
        text.below(category, &rows.collect::<Vec<_>>());
    }
    match group {
        "" => {
            text.section("GLOBAL OPTIONS", GLOBAL.iter().chain(&[HELP]).map(option));
            text.section("EXAMPLE", [("umoci unpack --image images:v1 bundle".to_owned(), "")]);
        }
        _ => text.section("OPTIONS", [option(&HELP)]),
    }
    text.0
}

const RAW: &str = "single steps of the other commands";
const HELP: Flag = super::switch(&["help", "h"], "show help");

fn full_name(group: &str, name: &str) -> String {
    ["umoci", group, name].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Returns an option, as it is written on the command line, and its description.
fn option(flag: &Flag) -> (String, &'static str) {
    let names = flag.names.iter().map(|name| {
        let dashes = if name.len() == 1 { "-" } else { "--" };
        format!("{dashes}{name}{}", if flag.takes_value { " value" } else { "" })
    });
    (names.collect::<Vec<_>>().join(", "), flag.about)
}

/// A text in sections with headings.
struct Sections(String);

impl Sections {
    fn new(name: &str, about: &str, usage: &str) -> Self {
        Self(format!("NAME:\n   {name} - {about}\n\nUSAGE:\n   {usage}\n"))
    }

    fn section(&mut self, heading: &str, rows: impl IntoIterator<Item = (String, &'static str)>) {
        self.0.push_str(&format!("\n{heading}:\n"));
        self.rows("   ", &rows.into_iter().collect::<Vec<_>>());
    }

    /// Adds rows below a second heading, if there are any.
    fn below(&mut self, heading: &str, rows: &[(String, &str)]) {
        if !rows.is_empty() {
            self.0.push_str(&format!("\n   {heading}:\n"));
            self.rows("     ", rows);
        }
    }

    fn rows(&mut self, indent: &str, rows: &[(String, &str)]) {
        let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, about) in rows {
            let line = format!("{indent}{name:width$}  {about}");
            self.0.push_str(line.trim_end());
            self.0.push('\n');
        }
    }
}
