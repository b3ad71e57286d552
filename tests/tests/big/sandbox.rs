//! The same command in a WASI sandbox, with the linear memory that it may have.

use std::{
    env, fs,
    path::Path,
    process::{Command, Output},
};

use ocicle_tests::{
    large,
    ocicle::{command, text},
    temp::TempDir,
    tools::run,
};

/// Bytes of linear memory for a gigabyte of contents. The sandbox has no more to give.
const ROOM: u64 = 256 << 20;

/// Runs the command with `temp` as its directory and the layout at `/image`. `None` where there is no sandbox.
fn within(room: u64, layout: &Path, temp: &TempDir, words: &[&str]) -> Option<Output> {
    let variable = |name: &str| {
        let value = env::var(name).ok();
        if value.is_none() {
            assert!(env::var_os("OCICLE_REQUIRE_TOOLS").is_none(), "{name} is not set");
            println!("not run: {name} is not set; `cargo xtask test` sets it");
        }
        value
    };
    let (runner, module) = (variable("OCICLE_WASI_RUNNER")?, variable("OCICLE_WASI")?);
    let mut runner = Command::new(runner);
    runner.args(["--dir", &format!("{}::/image", text(layout))]);
    runner.args(["--dir", &format!("{}::.", text(temp.path()))]);
    Some(runner.args(["--max-memory", &room.to_string(), &module]).args(words).output().unwrap())
}

#[test]
fn a_gigabyte_is_unpacked_in_little_memory() {
    let layout = large::big();
    let temp = TempDir::new().unwrap();
    let Some(unpacked) = within(ROOM, &layout, &temp, &["unpack", "/image#top", "bundle"]) else { return };
    let said = String::from_utf8_lossy(&unpacked.stderr);
    assert!(unpacked.status.success(), "{said}");
    let of_sandbox = temp.path().join("bundle/rootfs");
    let native = temp.path().join("native");
    let image = format!("{}#top", text(&layout));
    let done = command().args(["unpack", "--rootless", &image, text(&native)]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    run("diff", ["-r", "--no-dereference", text(&native.join("rootfs")), text(&of_sandbox)]);
    fs::remove_dir_all(native).unwrap();

    let Some(listed) = within(ROOM, &layout, &temp, &["mtree", "/image#top"]) else { return };
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    assert_eq!(listed.stdout, command().args(["mtree", &image]).output().unwrap().stdout);
}

#[test]
fn the_room_is_a_limit() {
    let layout = large::big();
    let temp = TempDir::new().unwrap();
    let Some(failed) = within(1 << 20, &layout, &temp, &["mtree", "/image#top"]) else { return };
    assert!(!failed.status.success(), "a mebibyte cannot be enough");
}
