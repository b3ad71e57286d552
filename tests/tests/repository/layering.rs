//! The modules of the library use only their own row and the rows above, as the table in its documentation says.
//!
//! Read from the source, so that tests and code behind features count as well. Documentation may point anywhere.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::rust_paths::{Token, paths_to_root, tokens};

#[test]
fn modules_use_only_rows_above() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src");
    let rows = Rows::read(&fs::read_to_string(src.join("lib.rs")).unwrap());
    assert_eq!(rows.row("error"), Some(1), "the table of rows was not found in lib.rs");

    let mut violations = Vec::new();
    for file in sources(&src) {
        let name = file.strip_prefix(&src).unwrap();
        let module = module_of(name);
        if !module.is_empty() {
            let text = fs::read_to_string(&file).unwrap();
            violations.extend(
                rows.violations(&module, &text).into_iter().map(|v| format!("{}:{v}", name.display())),
            );
        }
    }
    assert!(violations.is_empty(), "core/src:\n{}", violations.join("\n"));
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
        // What the root re-exports stands in the row of its module.
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

    /// What a module's source uses against the rows, as `LINE: what is wrong`.
    fn violations(&self, module: &[String], text: &str) -> Vec<String> {
        let top = &module[0];
        let Some(own) = self.row(top) else {
            return vec![format!("1: the module {top} is in no row of the table in lib.rs")];
        };
        let mut found = Vec::new();
        for (line, name) in paths_to_root(text, module) {
            match self.row(&name) {
                Some(row) if row <= own => {}
                Some(row) => found.push(format!("{line}: {top} (row {own}) uses {name} (row {row})")),
                None => found.push(format!("{line}: {name} is in no row of the table in lib.rs")),
            }
        }
        found
    }
}

/// Every Rust file under a directory, in order.
fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let mut files = Vec::new();
    for path in entries {
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// `fs/mem/file.rs` is `fs::mem::file`; `lib.rs` is the root, without a name.
fn module_of(file: &Path) -> Vec<String> {
    let stem = file.with_extension("");
    let mut module: Vec<_> = stem.iter().map(|part| part.to_str().unwrap().to_string()).collect();
    if module.last().is_some_and(|last| last == "mod" || (last == "lib" && module.len() == 1)) {
        module.pop();
    }
    module
}

#[test]
fn the_check_finds_what_it_is_for() {
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
    assert_eq!(check("low", "use crate::*;"), "1: * is in no row of the table in lib.rs");
    assert_eq!(check("low", "use crate::new::x;"), "1: new is in no row of the table in lib.rs");
    assert_eq!(check("new", ""), "1: the module new is in no row of the table in lib.rs");

    let hidden = "/// [`crate::high`]\n// crate::high\n/* /* */ crate::high */ pub(crate) fn f<'a>() -> char { self::g::<'a>(); \
                  \"\\\"crate::high\"; r#\"\" crate::high\"#; b\"crate::high\"; '\"' }";
    assert_eq!(check("low", hidden), "");
    let shown = "fn f() -> char { let a = '\\''; let b: &'static str = \"//\"; crate::high::f() }";
    assert_eq!(check("low", shown), "1: low (row 1) uses high (row 2)");
}
