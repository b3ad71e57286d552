//! `cargo xtask demo`: the main job on an image it makes itself, as a user would type it.

mod container;
mod root;
mod shell;

use std::path::PathBuf;

use crate::{
    bindgen,
    cargo::cargo,
    package, paths,
    run::{Result, at, run},
    tools, wasm_toolchain, web_demo,
};
use shell::Shell;

/// The parts that a demonstration without root skips.
const NEEDS_ROOT: &str =
    "unpack and repack, because unpacking restores owners and devices; run this as root to see them";

/// Shows everything this user can do here; `keep` leaves the files behind. Fails if a command does not do
/// what it should.
pub(crate) fn demo(keep: bool) -> Result<()> {
    let command = command()?;
    let shell = Shell::new(&command, keep)?;
    let left_out = tour(&shell)?;
    println!("\n# Everything did what it should.");
    for part in left_out {
        println!("# Left out: {part}.");
    }
    Ok(())
}

/// Builds the application for the browser, with the package it uses, and serves it.
pub(crate) fn web() -> Result<()> {
    package::build(&wasm_toolchain::ensure()?, &bindgen::ensure()?)?;
    web_demo::build(&command()?)?;
    web_demo::serve()
}

/// Returns the command to show: the one that `OCICLE_BIN` names, or else a new build.
fn command() -> Result<PathBuf> {
    if let Some(command) = std::env::var_os("OCICLE_BIN").map(PathBuf::from) {
        return at(&command, std::path::absolute(&command));
    }
    run(cargo().args(["build", "--quiet", "--package", "ocicle-cli"]))?;
    Ok(paths::target().join("debug/ocicle"))
}

/// Returns the parts that are left out.
fn tour(shell: &Shell) -> Result<Vec<String>> {
    shell.say("A layout is a directory that holds images. This one is empty.");
    shell.run("ocicle init images")?;
    shell.say("An image without layers is where a new image begins.");
    shell.run("ocicle new images#blank")?;
    shell.shows("ocicle ls images", "blank")?;
    if tools::is_root() {
        return root::tour(shell);
    }
    look(shell, "blank")?;
    compare(shell)?;
    shell.say("A reference that fits nothing is an error that says what is there; the exit code is 3.");
    shell.fails("ocicle stat images#v9", 3, "blank")?;
    Ok(vec![NEEDS_ROOT.into()])
}

/// Inspects the image with this tag.
fn look(shell: &Shell, tag: &str) -> Result<()> {
    shell.say("What is in it: straight from the layers, nothing is extracted.");
    shell.shows(&format!("ocicle stat images#{tag}"), "Manifest")?;
    shell.shows(&format!("ocicle mtree images#{tag} | head -12"), "type=dir")?;
    shell.say("The object that a reference selects, and its descriptor path.");
    shell.shows(&format!("ocicle resolve images#{tag}"), "sha256:")?;
    shell.say("Every document, blob and layer is verified.");
    shell.shows("ocicle check images", "nothing wrong")
}

/// Compares a directory with a manifest, for a user who cannot unpack.
fn compare(shell: &Shell) -> Result<()> {
    shell.say("A manifest can be compared with any directory. The exit code 5 means differences.");
    shell.run("mkdir files && echo hello > files/motd")?;
    shell.run("printf '#mtree\\n. type=dir\\nmotd type=file size=6\\n' > files.mtree")?;
    shell.run("ocicle mtree check files.mtree files")?;
    shell.run("echo more >> files/motd")?;
    shell.fails("ocicle mtree check files.mtree files", 5, "motd: size")
}
