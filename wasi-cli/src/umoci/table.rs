//! umoci's commands: their names, options and what they do.

use std::process::ExitCode;

use super::{
    commands as run,
    options::{
        COMPRESS, CONFIG, HISTORY, IMAGE, INSERT, KEEP_DIRLINKS, LAYOUT, NEW_TAG, REMAP, REPACK, ROOTFS, STAT,
    },
    problem::Problem,
    syntax::{Flag, Parsed},
    validate,
};
use crate::context::Context;

/// A command of umoci.
#[derive(Debug, Clone, Copy)]
pub(super) struct Command {
    /// The command that this one belongs to: `raw`, or none.
    pub(super) group: &'static str,
    /// The first name identifies it.
    pub(super) names: &'static [&'static str],
    /// The heading of umoci's list that it is below.
    pub(super) category: &'static str,
    pub(super) about: &'static str,
    /// The arguments in the help text.
    pub(super) usage: &'static str,
    pub(super) flags: &'static [&'static [Flag]],
    pub(super) run: fn(&Context, &Parsed) -> Result<ExitCode, Problem>,
}

impl Command {
    /// Finds a command by any of its names.
    pub(super) fn find(group: &str, name: &str) -> Option<&'static Self> {
        COMMANDS.iter().find(|command| command.group == group && command.names.contains(&name))
    }
}

const fn command(
    category: &'static str,
    names: &'static [&'static str],
    about: &'static str,
    usage: &'static str,
    flags: &'static [&'static [Flag]],
    run: fn(&Context, &Parsed) -> Result<ExitCode, Problem>,
) -> Command {
    Command { group: "", names, category, about, usage, flags, run }
}

const fn raw(command: Command) -> Command {
    Command { group: "raw", ..command }
}

pub(super) const COMMANDS: &[Command] = &[
    command(
        "image",
        &["config"],
        "changes the config of an image",
        "--image PATH[:TAG] [--tag NEW]",
        &[CONFIG, NEW_TAG, HISTORY, IMAGE],
        run::config,
    ),
    command(
        "image",
        &["unpack"],
        "unpacks an image into a bundle",
        "--image PATH[:TAG] BUNDLE",
        &[KEEP_DIRLINKS, REMAP, IMAGE],
        run::unpack,
    ),
    command(
        "image",
        &["repack"],
        "adds the changes in a bundle as a layer, and tags the result",
        "--image PATH[:TAG] BUNDLE",
        &[REPACK, COMPRESS, HISTORY, IMAGE],
        run::repack,
    ),
    command("image", &["new"], "creates an image without layers", "--image PATH[:TAG]", &[IMAGE], run::new),
    command("image", &["tag"], "adds a tag to an image", "--image PATH[:TAG] NEW", &[IMAGE], run::tag),
    command("image", &["remove", "rm"], "removes a tag", "--image PATH[:TAG]", &[IMAGE], run::remove),
    command(
        "image",
        &["stat"],
        "shows the manifest, config and history of an image",
        "--image PATH[:TAG] [--json]",
        &[STAT, IMAGE],
        run::stat,
    ),
    command(
        "image",
        &["insert"],
        "adds a file or directory to an image, or removes a path",
        "--image PATH[:TAG] [--tag NEW] (SOURCE TARGET | --whiteout TARGET)",
        &[INSERT, NEW_TAG, COMPRESS, REMAP, HISTORY, IMAGE],
        run::insert,
    ),
    command("layout", &["gc"], "removes unreachable blobs", "--layout PATH", &[LAYOUT], run::gc),
    command("layout", &["init"], "creates an empty layout", "--layout PATH", &[LAYOUT], run::init),
    command("layout", &["list", "ls"], "lists the tags of a layout", "--layout PATH", &[LAYOUT], run::list),
    raw(command(
        "image",
        &["add-layer"],
        "adds a tar archive as a layer",
        "--image PATH[:TAG] [--tag NEW] LAYER.tar",
        &[NEW_TAG, COMPRESS, HISTORY, IMAGE],
        run::add_layer,
    )),
    raw(command(
        "image",
        &["runtime-config", "config"],
        "writes the config.json from which a runtime starts an image",
        "--image PATH[:TAG] [--rootfs DIR] CONFIG.json",
        &[ROOTFS, REMAP, IMAGE],
        run::runtime_config,
    )),
    raw(command(
        "image",
        &["unpack"],
        "unpacks an image into a directory",
        "--image PATH[:TAG] ROOTFS",
        &[KEEP_DIRLINKS, REMAP, IMAGE],
        run::raw_unpack,
    )),
    raw(command(
        "devtools",
        &["mtree-validate"],
        "compares a directory with a manifest",
        "--manifest FILE --path DIR",
        &[validate::FLAGS],
        validate::run,
    )),
];
