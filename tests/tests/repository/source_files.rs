//! The form of source files: lines of at most 110 columns, no module in a file `mod.rs`, and the first words
//! of doc comments.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::rust_tokens::literals;

const COLUMNS: usize = 110;

/// A literal of this many columns or more may make a line too long, where rustfmt cannot break it.
const LONG_LITERAL: usize = 40;

/// Words that no doc comment begins with: see "Docs" in `docs/style.md`.
const REFUSED_FIRST_WORDS: [&str; 7] = ["As", "Gives", "Of", "That", "What", "Who", "Whose"];

#[test]
fn lines_fit() {
    let mut long = Vec::new();
    let mut count = 0;
    for file in files(&["rs", "ts", "tsx", "mjs", "md"]) {
        let text = fs::read_to_string(top().join(&file)).unwrap();
        count += 1;
        let extension = file.extension().unwrap().to_str().unwrap();
        let found = long_lines(&text, extension);
        long.extend(found.into_iter().map(|(line, columns)| format!("{}:{line}: {columns}", file.display())));
    }
    assert!(count > 400, "{count} files");
    assert!(long.is_empty(), "lines of more than {COLUMNS} columns:\n{}", long.join("\n"));
}

/// Returns the lines that are too long, with their columns. All exceptions are here: a line with a URL, a
/// table, a block of code in Markdown, and a line that only a long string literal makes too long.
fn long_lines(text: &str, extension: &str) -> Vec<(usize, usize)> {
    let literals = match extension {
        "rs" => literals(text),
        "md" => Vec::new(),
        _ => quoted(text),
    };
    let mut found = Vec::new();
    let (mut start, mut code) = (0, false);
    for (at, line) in text.split('\n').enumerate() {
        let span = start..start + line.len();
        start = span.end + 1;
        let markdown = extension == "md";
        code ^= markdown && line.trim_start().starts_with("```");
        let columns = line.chars().count();
        let table =
            line.trim_start().starts_with("//! |") || markdown && (code || line.starts_with(['|', '!']));
        if columns <= COLUMNS || line.contains("://") || table {
            continue;
        }
        let longest = literals
            .iter()
            .filter(|literal| literal.start < span.end && literal.end > span.start)
            .map(|literal| text[literal.start.max(span.start)..literal.end.min(span.end)].chars().count())
            .max()
            .unwrap_or(0);
        if longest < LONG_LITERAL || columns - longest > COLUMNS {
            found.push((at + 1, columns));
        }
    }
    found
}

/// Returns the string and template literals of TypeScript or JavaScript, as far as they end in their line.
fn quoted(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut open: Option<(char, usize)> = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (open, c) {
            (_, '\n') => open = None,
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some((mark, start)), _) if c == mark => {
                found.push(start..at + 1);
                open = None;
            }
            (None, '"' | '\'' | '`') => open = Some((c, at)),
            _ => {}
        }
    }
    found
}

#[test]
fn modules_have_one_form() {
    let found: Vec<_> = files(&["rs"])
        .into_iter()
        .filter(|file| file.ends_with("mod.rs"))
        .map(|file| file.display().to_string())
        .collect();
    assert!(found.is_empty(), "name the file after its module (NAME.rs beside NAME/):\n{}", found.join("\n"));
}

#[test]
fn doc_comments_begin_with_a_verb_or_a_noun() {
    let mut found = Vec::new();
    for file in files(&["rs"]) {
        let text = fs::read_to_string(top().join(&file)).unwrap();
        let lines = refused_first_words(&text);
        found.extend(lines.into_iter().map(|(line, word)| format!("{}:{line}: {word}", file.display())));
    }
    assert!(found.is_empty(), "begin with a verb or a noun (docs/style.md):\n{}", found.join("\n"));
}

/// Returns the lines where a doc comment begins with a refused word, and that word.
fn refused_first_words(text: &str) -> Vec<(usize, &str)> {
    let is_doc = |line: &str| line.starts_with("///") || line.starts_with("//!");
    let mut inside = false;
    let mut found = Vec::new();
    for (at, line) in text.lines().map(str::trim_start).enumerate() {
        let first = is_doc(line) && !inside;
        inside = is_doc(line);
        let word = line.get(3..).unwrap_or_default().trim_start();
        let word = word.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        if first && REFUSED_FIRST_WORDS.contains(&word) {
            found.push((at + 1, word));
        }
    }
    found
}

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Returns the files of the repository with these extensions, in order, without what builds make.
fn files(extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut directories = vec![top().to_path_buf()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap()) {
            let (path, name) = (entry.path(), entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                if ![".git", "target", "node_modules", "dist"].iter().any(|built| name == *built) {
                    directories.push(path);
                }
            } else if path.extension().is_some_and(|own| extensions.iter().any(|extension| own == *extension))
            {
                found.push(path.strip_prefix(top()).unwrap().to_path_buf());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn long_lines_are_found() {
    let word = "x".repeat(60);
    for (extension, line, long) in [
        ("rs", format!("// {word} {word}"), true),
        ("rs", format!("// https://{word}/{word}"), false),
        ("rs", format!("let {word} = f({word});"), true),
        ("rs", format!("    let message = \"{word} {word}\";"), false),
        ("rs", format!("{word}{word}(\"{word}\");"), true),
        ("rs", format!("/// \"{word} {word}\""), true),
        ("mjs", format!("call('{word}', \"{word}\");"), false),
        ("mjs", format!("call({word}, {word}, \"short\");"), true),
        ("md", format!("{word} {word}"), true),
        ("md", format!("| {word} | {word} |"), false),
    ] {
        assert_eq!(long_lines(&line, extension).len(), usize::from(long), "{extension}: {line}");
    }
    let block = format!("```\n{word} {word}\n```\n{word} {word}\n");
    assert_eq!(long_lines(&block, "md"), [(4, 121)]);
}

#[test]
fn refused_first_words_are_found() {
    let text = "/// As it was.\nfn a() {}\n\n    /// The first line.\n    /// What follows.\n    b: u8,\n";
    assert_eq!(refused_first_words(text), [(1, "As")]);
    assert_eq!(refused_first_words("// What\n/// Whatever\nfn a() {}\n    //! Whose, too\n"), [(4, "Whose")]);
}
