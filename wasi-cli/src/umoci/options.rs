//! The options that umoci's commands share, as our groups of arguments.

use std::path::Path;

use ocicle::{Error, layer::on_disk::IdRange, spec::is_date_time};

use super::{
    problem::{Problem, failed},
    syntax::{Flag, Parsed, switch, value},
};
use crate::args::{Compress, HistoryArgs, LayerArgs, Owners};

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

pub(super) fn history(parsed: &Parsed, created_by: &str) -> Result<HistoryArgs, Problem> {
    let fields = ["history.author", "history.comment", "history.created", "history.created_by"];
    let no_history = parsed.is_on("no-history");
    if let Some(other) = fields.iter().find(|field| no_history && parsed.any(&[field])) {
        return failed(format!("--no-history and --{other} may not be specified together"));
    }
    let [author, comment, created, command] = fields.map(|field| parsed.last(field).map(str::to_owned));
    if let Some(date) = created.as_ref().filter(|date| !is_date_time(date)) {
        return failed(format!(
            "invalid --history.created: {date:?}: expected an RFC 3339 date, such as 2026-01-31T12:00:00Z"
        ));
    }
    Ok(HistoryArgs {
        no_history,
        history_author: author,
        history_comment: comment,
        history_created: created,
        history_created_by: Some(command.unwrap_or_else(|| created_by.into())),
    })
}

pub(super) fn compress(parsed: &Parsed) -> Result<Compress, Problem> {
    match parsed.last("compress") {
        None | Some("auto") => Ok(Compress::Auto),
        Some("none" | "") => Ok(Compress::None),
        Some("gzip") => Ok(Compress::Gzip),
        Some("zstd") => Ok(Compress::Zstd),
        Some(other) => failed(format!("invalid --compress: unknown layer compression type {other:?}")),
    }
}

pub(super) fn owners(parsed: &Parsed) -> Result<Owners, Problem> {
    let ranges = |option| {
        let ranges = parsed.all(option).map(|range| {
            range.parse().or_else(|error: Error| failed(format!("invalid --{option}: {error}")))
        });
        ranges.collect::<Result<Vec<IdRange>, Problem>>()
    };
    Ok(Owners {
        uid_map: ranges("uid-map")?,
        gid_map: ranges("gid-map")?,
        rootless: parsed.is_on("rootless"),
    })
}

pub(super) fn layers(parsed: &Parsed) -> LayerArgs {
    LayerArgs { keep_dirlinks: parsed.is_on("keep-dirlinks"), start_from: None }
}

pub(super) fn layout(parsed: &Parsed) -> Result<String, Problem> {
    match parsed.last("layout") {
        None => failed("missing mandatory argument: --layout"),
        Some("") => failed("invalid --layout: path is empty"),
        Some(path) if path.contains(':') => failed("invalid --layout: path contains ':' character"),
        Some(path) if path.contains('#') => {
            failed(format!("invalid --layout: the path must not contain '#': {path}"))
        }
        Some(path) => Ok(path.into()),
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

pub(super) fn make_parents(path: &str) -> Result<(), Problem> {
    match Path::new(path).parent() {
        Some(parent) if !parent.as_os_str().is_empty() => std::fs::create_dir_all(parent)
            .map_err(|error| Problem::Failed(format!("create {}: {error}", parent.display()))),
        _ => Ok(()),
    }
}
