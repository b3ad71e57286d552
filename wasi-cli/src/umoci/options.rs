//! The options umoci's commands share, said in our words.

use std::path::Path;

use ocicle::graph::RefName;

use super::{Flag, Parsed, Problem, image::Image, switch, value};

pub(super) const IMAGE: &[Flag] = &[value(&["image"])];
pub(super) const LAYOUT: &[Flag] = &[value(&["layout"])];
pub(super) const NEW_TAG: &[Flag] = &[value(&["tag"])];
pub(super) const COMPRESS: &[Flag] = &[value(&["compress"])];
pub(super) const REMAP: &[Flag] = &[value(&["uid-map"]), value(&["gid-map"]), switch(&["rootless"])];
pub(super) const KEEP_DIRLINKS: &[Flag] = &[switch(&["keep-dirlinks"])];
pub(super) const HISTORY: &[Flag] = &[
    switch(&["no-history"]),
    value(&["history.author"]),
    value(&["history.comment"]),
    value(&["history.created"]),
    value(&["history.created_by"]),
];
pub(super) const REPACK: &[Flag] =
    &[value(&["mask-path"]), switch(&["no-mask-volumes"]), switch(&["refresh-bundle"])];
pub(super) const INSERT: &[Flag] = &[switch(&["opaque"]), switch(&["whiteout"])];
pub(super) const CONFIG: &[Flag] = &[
    value(&["clear"]),
    value(&["config.user"]),
    value(&["config.workingdir"]),
    value(&["config.stopsignal"]),
    value(&["created"]),
    value(&["author"]),
    value(&["platform.os", "os"]),
    value(&["platform.arch", "architecture"]),
    value(&["platform.variant"]),
    value(&["config.exposedports"]),
    value(&["config.volume"]),
    value(&["config.env"]),
    value(&["config.label"]),
    value(&["config.entrypoint"]),
    value(&["config.cmd"]),
    value(&["manifest.annotation"]),
];

pub(super) fn new_tag(parsed: &Parsed, image: &Image) -> Result<String, Problem> {
    match parsed.last("tag") {
        None => Ok(image.tag.clone()),
        Some(tag) if tag.parse::<RefName>().is_ok() => Ok(tag.into()),
        Some(tag) => failed(format!("invalid --tag: tag contains invalid characters: {tag:?}")),
    }
}

pub(super) fn history(parsed: &Parsed, created_by: &str) -> Result<Vec<String>, Problem> {
    let fields = [
        ("history.author", "author"),
        ("history.comment", "comment"),
        ("history.created", "created"),
        ("history.created_by", "created-by"),
    ];
    if parsed.is_on("no-history") {
        if let Some((theirs, _)) = fields.iter().find(|(theirs, _)| parsed.any(&[theirs])) {
            return failed(format!("--no-history and --{theirs} may not be specified together"));
        }
        return Ok(vec!["--no-history".into()]);
    }
    let mut words: Vec<String> = Vec::new();
    for (theirs, ours) in fields {
        let default = (ours == "created-by").then_some(created_by);
        words.extend(parsed.last(theirs).or(default).map(|value| format!("--history-{ours}={value}")));
    }
    Ok(words)
}

pub(super) fn compress(parsed: &Parsed) -> Result<Option<String>, Problem> {
    match parsed.last("compress") {
        None => Ok(None),
        Some(kind @ ("auto" | "none" | "gzip" | "zstd")) => Ok(Some(format!("--compress={kind}"))),
        Some("") => Ok(Some("--compress=none".into())),
        Some(other) => failed(format!("invalid --compress: unknown layer compression type {other:?}")),
    }
}

pub(super) fn remap(parsed: &Parsed) -> Vec<String> {
    let maps = ["uid-map", "gid-map"].into_iter();
    let maps = maps.flat_map(|name| parsed.all(name).map(move |range| format!("--{name}={range}")));
    maps.chain(switches(parsed, &["rootless"])).collect()
}

pub(super) fn switches(parsed: &Parsed, names: &[&str]) -> Vec<String> {
    names.iter().filter(|name| parsed.is_on(name)).map(|name| format!("--{name}")).collect()
}

pub(super) fn layout(parsed: &Parsed) -> Result<String, Problem> {
    match parsed.last("layout") {
        None => failed("missing mandatory argument: --layout"),
        Some("") => failed("invalid --layout: path is empty"),
        Some(path) if path.contains(':') => failed("invalid --layout: path contains ':' character"),
        Some(path) if path.contains('#') => {
            failed(format!("invalid --layout: the path must not contain '#': {path}"))
        }
        // Nothing that looks like an option.
        Some(path) => Ok(word(path)),
    }
}

pub(super) fn arguments<'a, const N: usize>(
    parsed: &'a Parsed,
    message: &str,
) -> Result<[&'a str; N], Problem> {
    let arguments: Vec<&str> = parsed.arguments.iter().map(String::as_str).collect();
    match <[&str; N]>::try_from(arguments) {
        Ok(arguments) if arguments.iter().all(|argument| !argument.is_empty()) => Ok(arguments),
        Ok(_) => failed("positional arguments must not be empty"),
        Err(_) => failed(message),
    }
}

pub(super) fn no_arguments(parsed: &Parsed) -> Result<(), Problem> {
    arguments::<0>(parsed, "invalid number of positional arguments: expected none").map(drop)
}

/// A path that our parser must not take for an option.
pub(super) fn word(path: &str) -> String {
    if path.starts_with('-') && path != "-" { format!("./{path}") } else { path.into() }
}

pub(super) fn make_parents(path: &str) -> Result<(), Problem> {
    match Path::new(path).parent() {
        Some(parent) if !parent.as_os_str().is_empty() => std::fs::create_dir_all(parent)
            .map_err(|error| Problem::Failed(format!("create {}: {error}", parent.display()))),
        _ => Ok(()),
    }
}

pub(super) fn failed<T>(message: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::Failed(message.into()))
}
