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

/// The keywords that umoci compares, and accepts by name.
const KEYWORDS: [&str; 14] = [
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
];

pub(super) fn run(context: &Context, parsed: &Parsed) -> Result<ExitCode, Problem> {
    let (Some(manifest), Some(path)) = (parsed.last("manifest"), parsed.last("path")) else {
        return failed("missing mandatory argument: --manifest and --path are needed");
    };
    let mut wanted: Vec<String> = keywords(parsed, "use-keywords")?;
    if wanted.is_empty() && parsed.is_on("umoci-keywords") {
        wanted = KEYWORDS
            .iter()
            .filter(|key| **key != "device" && **key != "time")
            .map(|key| (*key).into())
            .collect();
    }
    let only_some = !wanted.is_empty();
    wanted.extend(keywords(parsed, "add-keywords")?);
    let file = File::open(manifest).or_else(|error| failed(format!("open {manifest}: {error}")))?;
    let root = Readable::new(open_dir(Path::new(path))?);
    let mut lines: Vec<String> = Vec::new();
    compare(&mut BufReader::new(file), &root, &context.limits, &mut |difference| {
        let counts = |keyword: &str| {
            let base = keyword.split('.').next().unwrap_or(keyword);
            !only_some || wanted.iter().any(|wanted| wanted == base || *wanted == synonym(base))
        };
        match difference {
            Difference::Missing { path } => {
                lines.push(format!("{:?}: missing path", vis::to_text(path.as_bytes())));
            }
            Difference::Extra { path } => {
                lines.push(format!("{:?}: unexpected path", vis::to_text(path.as_bytes())));
            }
            Difference::Changed { path, keyword, expected, found } if counts(&keyword) => {
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
