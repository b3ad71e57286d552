//! A parser for the manifests of all known writers.

use std::io::BufRead;

use super::{keywords::Keywords, lines::Lines, vis};
use crate::{
    error::{Error, Result},
    fs::FileType,
    limits::Limits,
    name::{EntryPath, Name},
};

/// An entry of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Spec {
    /// Its line number, from 1.
    pub line: u64,
    /// The path below the root.
    pub path: EntryPath,
    /// Its keywords, including the values of `/set`.
    pub keywords: Keywords,
}

/// A parser that yields the entries of a manifest, in the order of the file. It reads both forms of names
/// (relative with `..`, and whole paths), `/set` and `/unset` with BSD's meaning (each `/set` adds to the
/// previous ones; gomtree replaces them, but writes files in which both mean the same), continued lines,
/// comments and CRLF. The form with the name at the end of the line (`mtree -D`) is not supported.
///
/// ```
/// use ocicle::{limits::Limits, tree::mtree::Parser};
/// let text = b"#mtree\n/set uid=7\n. type=dir\nbin type=dir\n    sh mode=0755 \\\n  uid=0\n..\n\
///     ./etc/motd size=3\n";
/// let mut input = &text[..];
/// let entries: Result<Vec<_>, _> = Parser::new("example", &mut input, &Limits::default()).collect();
/// let found: Vec<_> = entries?.into_iter().map(|spec| (spec.path.to_string(), spec.keywords.uid)).collect();
/// assert_eq!(
///     found,
///     [("", 7), ("bin", 7), ("bin/sh", 0), ("etc/motd", 7)]
///         .map(|(path, uid)| (String::from(path), Some(uid)))
/// );
/// # Ok::<(), ocicle::Error>(())
/// ```
///
/// Items are errors if a line is invalid ([`Error::Document`] with its number), a limit is exceeded
/// ([`Error::Limit`]: `entries`, `path`, and for the length of a line `header`) or reading fails
/// ([`Error::Io`]).
#[allow(missing_debug_implementations, reason = "it borrows a reader")]
pub struct Parser<'a> {
    what: &'a str,
    limits: Limits,
    lines: Lines<'a>,
    set: Keywords,
    dir: EntryPath,
    /// Whether `..` left the root, as gomtree writes at the end.
    left_root: bool,
    entries: u64,
}

impl<'a> Parser<'a> {
    /// Reads from `input`; `what` names it in errors.
    pub fn new(what: &'a str, input: &'a mut dyn BufRead, limits: &Limits) -> Self {
        Self {
            what,
            limits: *limits,
            lines: Lines::new(what, input, limits),
            set: Keywords::default(),
            dir: EntryPath::root(),
            left_root: false,
            entries: 0,
        }
    }

    /// Returns whether the first line is that of [`Dialect::Native`](super::Dialect::Native); known once an
    /// entry was read.
    #[must_use]
    pub fn is_native(&self) -> bool {
        self.lines.is_native()
    }

    fn next_spec(&mut self) -> Result<Option<Spec>> {
        while let Some((number, line)) = self.lines.next_line()? {
            let invalid = |reason: String| Error::document(self.what, format!("line {number}: {reason}"));
            let mut words = line
                .split(|byte| matches!(byte, b' ' | b'\t'))
                .filter(|word| !word.is_empty())
                .take_while(|word| !word.starts_with(b"#"));
            let Some(first) = words.next() else { continue };
            match first {
                b"/set" => {
                    for word in words {
                        self.set.put(word).map_err(invalid)?;
                    }
                }
                b"/unset" => {
                    for word in words {
                        self.set.forget(word).map_err(invalid)?;
                    }
                }
                b".." => match self.dir.split_last() {
                    Some((above, _)) => self.dir = above,
                    None if self.left_root => return Err(invalid("'..' above the root".into())),
                    None => self.left_root = true,
                },
                _ => {
                    let (path, is_whole) = path(first, &self.dir).map_err(invalid)?;
                    let mut keywords = self.set.clone();
                    for word in words {
                        keywords.put(word).map_err(invalid)?;
                    }
                    if path.as_bytes().len() > self.limits.path {
                        return Err(self.limit(number, "path", self.limits.path as u64));
                    }
                    self.entries += 1;
                    if self.entries > self.limits.entries {
                        return Err(self.limit(number, "entries", self.limits.entries));
                    }
                    if keywords.file_type == Some(FileType::Dir) && !is_whole {
                        self.dir.clone_from(&path);
                    }
                    return Ok(Some(Spec { line: number, path, keywords }));
                }
            }
        }
        Ok(None)
    }

    fn limit(&self, line: u64, name: &'static str, limit: u64) -> Error {
        Error::limit(format!("{}: line {line}", self.what), name, limit)
    }
}

impl Iterator for Parser<'_> {
    type Item = Result<Spec>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_spec().transpose()
    }
}

/// Returns the path of a line's first word, in the current directory, and whether the word is a whole path.
fn path(word: &[u8], dir: &EntryPath) -> Result<(EntryPath, bool), String> {
    let join = |dir: &EntryPath, part: &[u8]| -> Result<EntryPath, String> {
        let name = vis::decode(part)?;
        Ok(dir.join(Name::new(&name).map_err(|error| error.to_string())?))
    };
    if word == b"." {
        return Ok((EntryPath::root(), false));
    }
    if word.starts_with(b"/") {
        let word = String::from_utf8_lossy(word);
        return Err(format!("'{word}' starts with '/': expected a name, a path like ./a/b, /set or /unset"));
    }
    let parts = vis::split_path(word);
    if parts.len() == 1 {
        return Ok((join(dir, word)?, false));
    }
    let mut names = parts.into_iter().filter(|part| !matches!(*part, b"" | b"."));
    Ok((names.try_fold(EntryPath::root(), |path, part| join(&path, part))?, true))
}
