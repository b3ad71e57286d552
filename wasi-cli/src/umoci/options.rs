//! The options that umoci's commands share, as our groups of arguments.

use std::path::Path;

use ocicle::{Error, layer::on_disk::IdRange, spec::is_date_time};

use super::{
    problem::{Problem, failed},
    syntax::{Flag, Parsed, switch, value},
};
use crate::args::{Compress, HistoryArgs, LayerArgs, Owners};

pub(super) const IMAGE: &[Flag] = &[value(&["image"], "image, as PATH[:TAG] of an OCI layout")];
pub(super) const LAYOUT: &[Flag] = &[value(&["layout"], "path of an OCI layout")];
pub(super) const NEW_TAG: &[Flag] = &[value(&["tag"], "tag of the result (default: that of --image)")];
pub(super) const COMPRESS: &[Flag] =
    &[value(&["compress"], "compression of the new layer: auto (that of the last layer), none, gzip, zstd")];
pub(super) const REMAP: &[Flag] = &[
    value(&["uid-map"], "map of user ids, CONTAINER:HOST:SIZE"),
    value(&["gid-map"], "map of group ids, CONTAINER:HOST:SIZE"),
    switch(&["rootless"], "work without root"),
];
pub(super) const KEEP_DIRLINKS: &[Flag] =
    &[switch(&["keep-dirlinks"], "follow a symbolic link where a layer has a directory")];
pub(super) const HISTORY: &[Flag] = &[
    switch(&["no-history"], "add no history entry"),
    value(&["history.author"], "author of the history entry"),
    value(&["history.comment"], "comment of the history entry"),
    value(&["history.created"], "date of the history entry (RFC 3339)"),
    value(&["history.created_by"], "command of the history entry"),
];
pub(super) const STAT: &[Flag] = &[switch(&["json"], "print JSON")];
pub(super) const ROOTFS: &[Flag] = &[value(&["rootfs"], "unpacked root file system, to look up users in")];
pub(super) const REPACK: &[Flag] = &[
    value(&["mask-path"], "path whose changes are left out"),
    switch(&["no-mask-volumes"], "do not leave out changes of volumes"),
    switch(&["refresh-bundle"], "make the result the base of the next repack"),
];
pub(super) const INSERT: &[Flag] = &[
    switch(&["whiteout"], "remove TARGET instead"),
    switch(&["opaque"], "hide the existing contents of the directory TARGET"),
];
pub(super) const CONFIG: &[Flag] = &[
    value(&["config.user"], "user, as USER[:GROUP]"),
    value(&["config.exposedports"], "add a port"),
    value(&["config.env"], "set a variable, as NAME=VALUE"),
    value(&["config.entrypoint"], "a word of the entry point"),
    value(&["config.cmd"], "a word of the command"),
    value(&["config.volume"], "add a volume"),
    value(&["config.label"], "set a label, as NAME=VALUE"),
    value(&["config.workingdir"], "working directory"),
    value(&["config.stopsignal"], "signal that stops the container"),
    value(&["created"], "date of the image (RFC 3339)"),
    value(&["author"], "author of the image"),
    value(&["platform.os", "os"], "operating system"),
    value(&["platform.arch", "architecture"], "architecture"),
    value(&["platform.variant"], "variant of the architecture"),
    value(&["manifest.annotation"], "set an annotation, as NAME=VALUE"),
    value(&["clear"], "remove all values of a key, such as config.env, before others are set"),
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
        by_author_of_image: true,
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
            .or_else(|error| failed(format!("create {}: {error}", parent.display()))),
        _ => Ok(()),
    }
}
