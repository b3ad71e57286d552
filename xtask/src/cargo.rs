//! Cargo, called the same way everywhere.

use std::process::Command;

use crate::paths;

/// Returns a Cargo command in the checkout, with the compiler that runs `cargo xtask`.
pub(crate) fn cargo() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(paths::checkout()).env("CARGO_TARGET_DIR", paths::target());
    forget_ours(&mut command);
    command
}

/// Takes out of a command's environment what Cargo put there to run this program: build scripts would take it
/// for theirs and run again.
pub(crate) fn forget_ours(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") || text == "CARGO" {
            command.env_remove(name);
        }
    }
}
