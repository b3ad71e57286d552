//! Every file of tests is compiled: each theme is a directory with a `main.rs`, and each file in it a module
//! of that.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::rust_tokens::{Token, tokens};

#[test]
fn every_file_is_a_module_of_a_theme() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let (mut there, mut used) = (BTreeSet::new(), BTreeSet::new());
    for theme in fs::read_dir(&top).unwrap().map(|entry| entry.unwrap().path()) {
        if theme.is_dir() {
            add_files(&theme, &mut there);
            add_module(theme.join("main.rs"), &theme, &mut used);
        } else {
            // Cargo would make a binary of it.
            there.insert(theme);
        }
    }
    let names = |files: &mut dyn Iterator<Item = &PathBuf>| -> Vec<String> {
        files.map(|file| file.strip_prefix(&top).unwrap().display().to_string()).collect()
    };
    let forgotten = names(&mut there.difference(&used));
    assert!(forgotten.is_empty(), "in tests/tests, but not a module of a theme: {}", forgotten.join(", "));
    let missing = names(&mut used.difference(&there));
    assert!(missing.is_empty(), "not found in tests/tests: {}", missing.join(", "));
    assert!(there.len() > 50, "{} files", there.len());
}

fn add_files(dir: &Path, files: &mut BTreeSet<PathBuf>) {
    for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            add_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.insert(path);
        }
    }
}

/// Adds a file and the modules that it declares, whose files are in `dir`.
fn add_module(file: PathBuf, dir: &Path, files: &mut BTreeSet<PathBuf>) {
    let text = fs::read_to_string(&file).unwrap_or_default();
    for name in declared(&text) {
        add_module(dir.join(format!("{name}.rs")), &dir.join(&name), files);
    }
    files.insert(file);
}

/// Returns the names in `mod NAME;`.
fn declared(text: &str) -> Vec<String> {
    let tokens: Vec<_> = tokens(text).into_iter().map(|(_, token)| token).collect();
    let name = |window: &[Token<'_>]| match window {
        [Token::Word("mod"), Token::Word(name), Token::Sign(';')] => Some((*name).to_string()),
        _ => None,
    };
    tokens.windows(3).filter_map(name).collect()
}

#[test]
fn declarations_are_found() {
    assert_eq!(
        declared("//! mod not;\nmod a;\npub mod b;\nmod inline { mod c; }\n// mod d;"),
        ["a", "b", "c"]
    );
}
