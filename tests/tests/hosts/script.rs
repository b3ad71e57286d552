//! Command lines that run on every host, each in its own copy of the same directory. After each line
//! everything is the same.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    thread,
};

use crate::support::{
    BOOKKEEPING, LINK_OR_NOTHING, expected_file, expected_path, refusal, stand_in, without_number,
};
use ocicle::{digest::Algorithm, hash::digest_of};
use ocicle_tests::{
    hosts::{Answer, Host},
    temp::TempDir,
};

/// Runs the lines of a script on all hosts, and compares the answers and all files with those of this system.
///
/// A line is a command line without quotes. `3: ls nothing` must exit with 3, others with 0; ` > FILE` keeps
/// the output in a file, for lines below. Blank lines and those that begin with `//` say nothing.
pub(crate) fn same_everywhere(prepare: impl Fn(&Path) + Sync, script: &str) {
    let temp = TempDir::new().unwrap();
    let lines: Vec<Line> = script.lines().filter_map(Line::parse).collect();
    let hosts = Host::all();
    let runs: Vec<Vec<Step>> = thread::scope(|scope| {
        let run = |host: Host| {
            let dir = temp.path().join(host.name());
            let (prepare, lines) = (&prepare, &lines);
            scope.spawn(move || {
                fs::create_dir(&dir).unwrap();
                prepare(&dir);
                let mut files = Files::default();
                lines.iter().map(|line| line.run(host, &dir, &mut files)).collect()
            })
        };
        let started: Vec<_> = hosts.iter().map(|host| run(*host)).collect();
        started.into_iter().map(|host| host.join().unwrap()).collect()
    });
    let Some((native, sandboxes)) = runs.split_first() else { return };
    let mut wrong: Vec<String> = Vec::new();
    for (line, Step { answer, .. }) in lines.iter().zip(native) {
        if answer.code != Some(line.code) {
            wrong.push(format!("{}: exit code {:?}: {}", line.text, answer.code, answer.error));
        }
    }
    for (host, steps) in hosts.iter().skip(1).zip(sandboxes) {
        wrong.extend(differences(*host, &lines, steps, native));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Lists the differences between a host and this system.
fn differences(host: Host, lines: &[Line], steps: &[Step], native: &[Step]) -> Vec<String> {
    let mut differences = Vec::new();
    let mut last = None; // a difference of files persists; it is reported once
    let mut before = &Listed::new();
    for ((line, found), expected) in lines.iter().zip(steps).zip(native) {
        let mut tell = |what: &str| differences.push(format!("{}: {}\n{what}", host.name(), line.text));
        match refusal(host, &line.text) {
            Some((code, error)) => {
                let Answer { code: found_code, error: found_error, .. } = &found.answer;
                if *found_code != Some(code) || !found_error.contains(error) || found.files != *before {
                    tell(&format!("expected exit code {code} and {error:?}: {:?}", found.answer));
                }
            }
            None => {
                let same_number =
                    |answer: &Answer| Answer { error: without_number(&answer.error), ..answer.clone() };
                if let Some(what) = same_number(&found.answer).difference(&same_number(&expected.answer)) {
                    tell(&what);
                }
                let files = difference(host, &found.files, &expected.files);
                if let Some(what) = files.iter().find(|_| files != last) {
                    tell(what);
                }
                last = files;
            }
        }
        before = &found.files;
    }
    differences
}

struct Line {
    code: i32,
    text: String,
    keep: Option<String>,
}

impl Line {
    fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        if line.is_empty() || line.starts_with("//") {
            return None;
        }
        let (line, keep) = match line.split_once(" > ") {
            Some((line, file)) => (line, Some(file.to_owned())),
            None => (line, None),
        };
        let (code, text) = match line.split_once(": ") {
            Some((code, text)) => (code.parse().unwrap(), text),
            None => (0, line),
        };
        Some(Self { code, text: text.into(), keep })
    }

    fn run(&self, host: Host, dir: &Path, files: &mut Files) -> Step {
        let words: Vec<&str> = self.text.split_whitespace().collect();
        let answer = host.run(dir, &words);
        if let Some(file) = &self.keep {
            fs::write(dir.join(file), &answer.output).unwrap();
        }
        Step { answer, files: files.below(dir) }
    }
}

/// The outcome of a line.
struct Step {
    answer: Answer,
    files: Listed,
}

/// The files by path: type, permissions, target or digest of the content.
type Listed = BTreeMap<PathBuf, String>;

/// Looks at all files; each is read once for each state of it.
#[derive(Default)]
struct Files(HashMap<(u64, i64, i64, u64), String>);

impl Files {
    fn below(&mut self, dir: &Path) -> Listed {
        let mut listed = Listed::new();
        let mut dirs = vec![PathBuf::new()];
        while let Some(below) = dirs.pop() {
            for entry in fs::read_dir(dir.join(&below)).unwrap() {
                let name = below.join(entry.unwrap().file_name());
                let described = self.describe(&dir.join(&name));
                if described.starts_with("directory") {
                    dirs.push(name.clone());
                }
                listed.insert(name, described);
            }
        }
        listed
    }

    fn describe(&mut self, path: &Path) -> String {
        let found = fs::symlink_metadata(path).unwrap();
        let mode = found.permissions().mode() & 0o7777;
        if found.is_dir() {
            return format!("directory {mode:o}");
        }
        if found.is_symlink() {
            return format!("link to {}", fs::read_link(path).unwrap().display());
        }
        if !found.is_file() {
            return format!("special {mode:o} {}", found.rdev());
        }
        let state = (found.ino(), found.ctime(), found.ctime_nsec(), found.size());
        let digest = || digest_of(Algorithm::Sha256, &fs::read(path).unwrap()).to_string();
        let digest = self.0.entry(state).or_insert_with(digest);
        format!("file {mode:o} {} {digest}", found.size())
    }
}

/// Describes the first difference between the files of a host and those of this system.
fn difference(host: Host, found: &Listed, native: &Listed) -> Option<String> {
    let held = |(path, is): (&PathBuf, &String)| (expected_path(host, path), expected_file(host, path, is));
    let expected: Listed = native.iter().map(held).collect();
    // What was there before is as it was, also what the host could not have made.
    let as_it_was = |path: &Path, is: &String| native.get(path) == Some(is);
    let as_held = |path: &Path, is: &str| {
        expected.get(path).is_some_and(|held| match held.strip_prefix(LINK_OR_NOTHING) {
            Some(link) => is == link || is == stand_in(),
            None => held == is || (held == BOOKKEEPING && is.starts_with("file")),
        })
    };
    let more: Vec<_> = found.iter().filter(|(path, is)| !as_it_was(path, is) && !as_held(path, is)).collect();
    let less: Vec<_> = expected.keys().filter(|path| !found.contains_key(*path)).collect();
    (!more.is_empty() || !less.is_empty()).then(|| {
        let instead: Vec<_> = more.iter().map(|(path, _)| expected.get(*path)).collect();
        format!("found {more:#?}\ninstead of {instead:#?}\nmissing {less:#?}")
    })
}
