//! Modules use only their own row and the rows above, as the table in the documentation of their crate says.
//!
//! Read from the source, so that tests and code behind features count as well. Documentation may refer to
//! anything.

use std::collections::BTreeMap;

use crate::{
    rust_crate::Crate,
    rust_paths::named,
    rust_tokens::{Token, tokens},
};

/// The source directories of the crates that have a table.
const CRATES: [&str; 3] = ["core/src", "wasi-cli/src", "xtask/src"];

#[test]
fn modules_use_only_rows_above() {
    let mut violations = Vec::new();
    for src in CRATES {
        let tree = Crate::read(src);
        let rows = Rows::read(tree.root());
        assert!(rows.0.len() > 5, "{src}: the table of rows was not found");
        for (module, source) in tree.0.iter().filter(|(module, _)| !module.is_empty()) {
            let found = rows.violations(module, &source.text);
            violations.extend(found.into_iter().map(|v| format!("{src}/{}:{v}", source.file.display())));
        }
    }
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

/// The differences between systems are in one file of the command.
#[test]
fn only_one_file_of_the_command_depends_on_the_system() {
    const WORDS: [&str; 6] = ["target_arch", "target_family", "target_os", "unix", "wasi", "windows"];
    let tree = Crate::read("wasi-cli/src");
    let mut found: Vec<_> = tree
        .0
        .values()
        .filter(|module| {
            tokens(&module.text)
                .iter()
                .any(|(_, token)| token.word().is_some_and(|word| WORDS.contains(&word)))
        })
        .map(|module| module.file.display().to_string())
        .collect();
    found.sort();
    // The second one says only which of its files exist: a sandbox has no network.
    assert_eq!(found, ["net.rs", "system.rs"]);
}

/// The row of each name at the root of the crate.
struct Rows(BTreeMap<String, u32>);

impl Rows {
    fn read(lib: &str) -> Self {
        let mut rows = BTreeMap::new();
        for line in lib.lines().filter_map(|line| line.strip_prefix("//! |")) {
            let mut columns = line.split('|');
            let Some(Ok(row)) = columns.next().map(|number| number.trim().parse()) else { continue };
            let modules = columns.next().unwrap_or_default().split("[`").skip(1);
            rows.extend(modules.filter_map(|name| Some((name.split_once("`]")?.0.to_string(), row))));
        }
        // A name that the root re-exports is in the row of its module.
        let tokens = tokens(lib);
        for (at, window) in tokens.windows(2).enumerate() {
            if let [Token::Word("use"), Token::Word(module)] =
                window.iter().map(|(_, t)| *t).collect::<Vec<_>>()[..]
                && let Some(&row) = rows.get(module)
            {
                let names =
                    tokens[at + 2..].iter().map(|(_, token)| *token).take_while(|t| *t != Token::Sign(';'));
                let names: Vec<_> = names.filter_map(Token::word).map(String::from).collect();
                rows.extend(names.into_iter().map(|name| (name, row)));
            }
        }
        Self(rows)
    }

    fn row(&self, name: &str) -> Option<u32> {
        self.0.get(name).copied()
    }

    /// Returns the violations in a module's source, as `LINE: what is wrong`.
    fn violations(&self, module: &[String], text: &str) -> Vec<String> {
        let top = &module[0];
        let Some(own) = self.row(top) else {
            return vec![format!("1: the table of rows lacks the module {top}")];
        };
        let mut found = Vec::new();
        for (line, name) in named(text, module).into_iter().map(|named| (named.line, named.path[0].clone())) {
            match self.row(&name) {
                Some(row) if row <= own => {}
                Some(row) => found.push(format!("{line}: {top} (row {own}) uses {name} (row {row})")),
                None => found.push(format!("{line}: the table of rows lacks {name}")),
            }
        }
        found
    }
}

#[test]
fn violations_are_found() {
    let rows = Rows::read(
        "//! | row | modules | what |\n//! |---|---|---|\n//! | 1 | [`low`], [`beside`] | |\n//! | 2 | [`high`] | |\n\
         pub use high::{Shiny, part::Other};\npub use low::Error;\n",
    );
    let module = |path: &str| path.split("::").map(String::from).collect::<Vec<_>>();
    let check = |path: &str, text: &str| rows.violations(&module(path), text).join("; ");

    assert_eq!(check("high", "use crate::{Error, low::{a, b}};\nfn f() { crate::high::g() }"), "");
    assert_eq!(check("low", "use crate::{beside, Error};"), "");
    assert_eq!(check("low", "\nuse crate::high::x;"), "2: low (row 1) uses high (row 2)");
    assert_eq!(check("low", "use crate::{beside::{b, c}, high};"), "1: low (row 1) uses high (row 2)");
    assert_eq!(check("low", "use crate::Shiny;"), "1: low (row 1) uses Shiny (row 2)");
    assert_eq!(check("low", "use crate::Other;"), "1: low (row 1) uses Other (row 2)");
    assert_eq!(check("low", "fn f() -> crate::high::X {}"), "1: low (row 1) uses high (row 2)");
    assert_eq!(check("low", "use super::high;"), "1: low (row 1) uses high (row 2)");
    assert_eq!(check("low::part", "use super::{high, super::high};"), "1: low (row 1) uses high (row 2)");
    assert_eq!(
        check("low", "mod tests { use super::*; }\nuse super::high;"),
        "2: low (row 1) uses high (row 2)"
    );
    assert_eq!(check("low", "mod tests { use super::super::high; }"), "1: low (row 1) uses high (row 2)");
    assert_eq!(check("low", "use crate::*;"), "1: the table of rows lacks *");
    assert_eq!(check("low", "use crate::new::x;"), "1: the table of rows lacks new");
    assert_eq!(check("new", ""), "1: the table of rows lacks the module new");

    let hidden = "/// [`crate::high`]\n// crate::high\n/* /* */ crate::high */ pub(crate) fn f<'a>() -> char { self::g::<'a>(); \
                  \"\\\"crate::high\"; r#\"\" crate::high\"#; b\"crate::high\"; '\"' }";
    assert_eq!(check("low", hidden), "");
    let shown = "fn f() -> char { let a = '\\''; let b: &'static str = \"//\"; crate::high::f() }";
    assert_eq!(check("low", shown), "1: low (row 1) uses high (row 2)");
}
