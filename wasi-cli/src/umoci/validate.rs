//! `umoci raw mtree-validate`: a directory against a manifest.

use std::{fs::File, io::BufReader, path::Path, process::ExitCode};

use ocicle::{
    fs::Readable,
    tree::mtree::{Difference, compare, vis},
};

use super::{
    problem::{Problem, failed},
    syntax::{Flag, Parsed, switch, value},
};
use crate::{context::Context, output::print, stores::open_dir};

pub(super) const FLAGS: &[Flag] = &[
    value(&["manifest", "f", "file"], "manifest, in the format of mtree(5)"),
    value(&["path", "p"], "directory to compare with it"),
    switch(&["rootless"], "accepted, and of no effect"),
    value(&["add-keywords", "K"], "further keywords, separated by commas"),
    value(&["use-keywords", "k"], "keywords to compare, separated by commas"),
    switch(&["umoci-keywords"], "compare the keywords of umoci's bundles"),
];

/// The keywords that umoci compares, and accepts by name. Linux has no `flags` to compare.
const KEYWORDS: [&str; 15] = [
    "type",
    "size",
    "uid",
    "gid",
    "mode",
    "link",
    "nlink",
    "time",
    "tar_time",
    "sha256digest",
    "sha384digest",
    "sha512digest",
    "xattr",
    "device",
    "flags",
];

/// Those of them that umoci's bundles do not have.
const NOT_IN_BUNDLES: [&str; 3] = ["time", "device", "flags"];

pub(super) fn run(context: &Context, parsed: &Parsed) -> Result<ExitCode, Problem> {
    let (Some(manifest), Some(path)) = (parsed.last("manifest"), parsed.last("path")) else {
        return failed("missing mandatory argument: --manifest and --path are needed");
    };
    let mut wanted: Vec<String> = keywords(parsed, "use-keywords")?;
    if wanted.is_empty() && parsed.is_on("umoci-keywords") {
        let keywords = KEYWORDS.iter().filter(|keyword| !NOT_IN_BUNDLES.contains(keyword));
        wanted = keywords.map(|keyword| (*keyword).into()).collect();
    }
    let added = keywords(parsed, "add-keywords")?;
    if !wanted.is_empty() {
        wanted.extend(added);
    }
    let file = File::open(manifest).or_else(|error| failed(format!("open {manifest}: {error}")))?;
    let root = Readable::new(open_dir(Path::new(path))?);
    let mut lines: Vec<String> = Vec::new();
    compare(&mut BufReader::new(file), &root, &context.limits, &mut |difference| {
        match difference {
            Difference::Missing { path } => {
                lines.push(format!("{:?}: missing path", vis::to_text(path.as_bytes())));
            }
            Difference::Extra { path } => {
                lines.push(format!("{:?}: unexpected path", vis::to_text(path.as_bytes())));
            }
            Difference::Changed { path, keyword, expected, found }
                if wanted.is_empty() || counts(&wanted, &keyword, &expected, &found) =>
            {
                let path = if path.is_root() { ".".into() } else { vis::to_text(path.as_bytes()) };
                lines.push(format!("{path:?}: keyword {keyword:?}: expected {expected}; got {found}"));
            }
            _ => {}
        }
        Ok(())
    })?;
    print(|out| lines.iter().try_for_each(|line| writeln!(out, "{line}")))?;
    match lines.len() {
        0 => Ok(ExitCode::SUCCESS),
        count => failed(format!("validation failed: {count} differences found")),
    }
}

/// Returns whether a difference is one of the wanted keywords. `time` and `tar_time`, which has no fractions,
/// are compared with each other.
fn counts(wanted: &[String], keyword: &str, expected: &str, found: &str) -> bool {
    let base = keyword.split('.').next().unwrap_or(keyword);
    let has = |keyword: &str| wanted.iter().any(|wanted| wanted == keyword);
    match base {
        "time" if has("tar_time") => expected.split('.').next() != found.split('.').next(),
        "tar_time" => has("tar_time") || has("time"),
        _ => has(base) || has(synonym(base)),
    }
}

/// Parses a list separated by commas or spaces, into gomtree's spelling.
fn keywords(parsed: &Parsed, option: &str) -> Result<Vec<String>, Problem> {
    let words = parsed.all(option).flat_map(|list| list.split([',', ' '])).filter(|word| !word.is_empty());
    words
        .map(|word| match synonym(word) {
            known if KEYWORDS.contains(&known) => Ok(known.to_owned()),
            other => failed(format!("keyword {other:?} cannot be checked")),
        })
        .collect()
}

fn synonym(keyword: &str) -> &str {
    match keyword {
        "sha256" => "sha256digest",
        "sha384" => "sha384digest",
        "sha512" => "sha512digest",
        "xattrs" => "xattr",
        other => other,
    }
}
