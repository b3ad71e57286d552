//! Help texts.

/// Returns the usage of a command, or of umoci itself for an unknown one.
pub(super) fn of(command: &str) -> String {
    let known = COMMANDS.iter().find(|(name, ..)| name.split(' ').any(|name| name == command));
    match known {
        Some((name, arguments, about)) => {
            let name = name.split(' ').next_back().unwrap_or(command);
            format!(
                "Usage: umoci {name} {arguments}\n\n{about}\n\n\
                docs/umoci.md lists the equivalent options of ocicle.\n"
            )
        }
        None => {
            let mut text = String::from(
                "Usage: umoci [--verbose | --log=LEVEL] COMMAND …\n\n\
                 The command line of umoci, run by ocicle.\n\nExample:\n  \
                 umoci unpack --image images:v1 bundle\n\nCommands:\n",
            );
            for (name, _, about) in COMMANDS {
                text.push_str(&format!("  {:<22}{about}\n", name.replace(' ', ", ")));
            }
            text
        }
    }
}

pub(super) fn version() -> String {
    format!(
        "umoci version {} (ocicle {})\nimage spec: 1.1.1\nruntime spec: 1.0.2\ngo: go1.0 (not used)",
        "0.6.0",
        env!("CARGO_PKG_VERSION")
    )
}

/// Names, arguments and description of each command.
const COMMANDS: [(&str, &str, &str); 12] = [
    ("init", "--layout PATH", "Create an empty layout."),
    ("new", "--image PATH[:TAG]", "Create an image without layers."),
    (
        "config",
        "--image PATH[:TAG] [--tag NEW] [--clear KEY]… [--config.user USER] [--config.workingdir DIR]\n  \
         [--config.entrypoint WORD]… [--config.cmd WORD]… [--config.env NAME=VALUE]…\n  \
         [--config.label NAME=VALUE]…\n  \
         [--config.exposedports PORT]… [--config.volume PATH]… [--config.stopsignal SIGNAL]\n  \
         [--manifest.annotation NAME=VALUE]… [--author NAME] [--created DATE]\n  \
         [--platform.os OS] [--platform.arch ARCH] [--platform.variant VARIANT]\n  \
         [--no-history | --history.author … --history.comment … --history.created … --history.created_by …]",
        "Change the config of an image.",
    ),
    ("unpack", "--image PATH[:TAG] [--keep-dirlinks] [maps] BUNDLE", "Unpack an image into a bundle."),
    (
        "repack",
        "--image PATH[:TAG] [--mask-path PATH]… [--no-mask-volumes] [--refresh-bundle]\n  \
         [--compress KIND] [history] BUNDLE",
        "Add the changes in a bundle as a layer, and tag the result.",
    ),
    (
        "insert",
        "--image PATH[:TAG] [--tag NEW] [--opaque] [--compress KIND] [maps] [history]\n  \
         (SOURCE TARGET | --whiteout TARGET)",
        "Add a file or directory to an image, or remove a path.",
    ),
    ("tag", "--image PATH[:TAG] NEW", "Add a tag to an image."),
    ("remove rm", "--image PATH[:TAG]", "Remove a tag."),
    ("list ls", "--layout PATH", "List the tags of a layout."),
    ("stat", "--image PATH[:TAG] [--json]", "Show the manifest, config and history of an image."),
    ("gc", "--layout PATH", "Remove unreachable blobs."),
    (
        "raw",
        "COMMAND\n  raw add-layer --image PATH[:TAG] [--tag NEW] [--compress KIND] [history] LAYER.tar\n  \
         raw unpack --image PATH[:TAG] [--keep-dirlinks] [maps] ROOTFS\n  \
         raw runtime-config --image PATH[:TAG] [--rootfs DIR] [maps] CONFIG.json\n  \
         raw mtree-validate -f MANIFEST -p DIR [-k KEYWORDS | -K KEYWORDS]",
        "Single steps of the other commands.",
    ),
];
