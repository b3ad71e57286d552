//! Help texts.

/// The help of a command; of umoci itself for a word that is none.
pub(super) fn of(command: &str) -> String {
    let known = COMMANDS.iter().find(|(name, ..)| name.split(' ').any(|name| name == command));
    match known {
        Some((name, arguments, about)) => {
            let name = name.split(' ').next_back().unwrap_or(command);
            format!(
                "Usage: umoci {name} {arguments}\n\n{about}\n\ndocs/umoci.md says what each option is in ocicle's own words.\n"
            )
        }
        None => {
            let mut text = String::from(
                "Usage: umoci [--verbose | --log=LEVEL] COMMAND …\n\n\
                 The command line of umoci, in front of ocicle.\n\nExample:\n  \
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
        "umoci version {} (the front of ocicle {})\nimage spec: 1.1.1\nruntime spec: 1.0.2\ngo: go1.0 (none: this is Rust)",
        "0.6.0",
        env!("CARGO_PKG_VERSION")
    )
}

/// Names, arguments, and what it does.
const COMMANDS: [(&str, &str, &str); 12] = [
    ("init", "--layout PATH", "Make an empty layout."),
    ("new", "--image PATH[:TAG]", "Make an image without layers."),
    (
        "config",
        "--image PATH[:TAG] [--tag NEW] [--clear KEY]… [--config.user USER] [--config.workingdir DIR]\n  \
         [--config.entrypoint WORD]… [--config.cmd WORD]… [--config.env NAME=VALUE]… [--config.label NAME=VALUE]…\n  \
         [--config.exposedports PORT]… [--config.volume PATH]… [--config.stopsignal SIGNAL]\n  \
         [--manifest.annotation NAME=VALUE]… [--author NAME] [--created DATE]\n  \
         [--platform.os OS] [--platform.arch ARCH] [--platform.variant VARIANT]\n  \
         [--no-history | --history.author … --history.comment … --history.created … --history.created_by …]",
        "Change what an image says about itself.",
    ),
    ("unpack", "--image PATH[:TAG] [--keep-dirlinks] [maps] BUNDLE", "Unpack an image into a bundle."),
    (
        "repack",
        "--image PATH[:TAG] [--mask-path PATH]… [--no-mask-volumes] [--refresh-bundle] [--compress KIND] [history] BUNDLE",
        "Make what changed in a bundle a layer, and tag the result.",
    ),
    (
        "insert",
        "--image PATH[:TAG] [--tag NEW] [--opaque] [--compress KIND] [maps] [history] (SOURCE TARGET | --whiteout TARGET)",
        "Put a file or directory into an image, or hide a path.",
    ),
    ("tag", "--image PATH[:TAG] NEW", "Give an image one more tag."),
    ("remove rm", "--image PATH[:TAG]", "Remove a tag."),
    ("list ls", "--layout PATH", "List the tags of a layout."),
    ("stat", "--image PATH[:TAG] [--json]", "Say what an image is."),
    ("gc", "--layout PATH", "Remove the blobs that nothing leads to."),
    (
        "raw",
        "COMMAND\n  raw add-layer --image PATH[:TAG] [--tag NEW] [--compress KIND] [history] LAYER.tar\n  \
         raw unpack --image PATH[:TAG] [--keep-dirlinks] [maps] ROOTFS\n  \
         raw runtime-config --image PATH[:TAG] [--rootfs DIR] [maps] CONFIG.json\n  \
         raw mtree-validate -f MANIFEST -p DIR [-k KEYWORDS | -K KEYWORDS]",
        "Single steps of the other commands.",
    ),
];
