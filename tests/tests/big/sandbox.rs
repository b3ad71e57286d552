//! The same command in a WASI sandbox, with the linear memory that it may have.

use std::{fs, path::Path};

use ocicle_tests::{
    hosts::{Answer, Host},
    large,
    ocicle::{command, text},
    temp::TempDir,
    tools::run,
};

/// Limit of linear memory for a gigabyte of contents, in bytes.
const ROOM: u64 = 256 << 20;

/// Runs the command with `temp` as its directory and the layout at `/image`.
fn within(room: u64, host: Host, layout: &Path, temp: &TempDir, words: &[&str]) -> Answer {
    host.call(temp.path()).open(layout, "/image").max_memory(room).run(words)
}

#[test]
fn a_gigabyte_is_unpacked_in_little_memory() {
    let layout = large::big();
    let image = format!("{}#top", text(&layout));
    for host in Host::sandboxes() {
        let temp = TempDir::new().unwrap();
        let unpacked = within(ROOM, host, &layout, &temp, &["unpack", "/image#top", "bundle"]);
        assert_eq!(unpacked.code, Some(0), "{}: {}", host.name(), unpacked.error);
        let of_sandbox = temp.path().join("bundle/rootfs");
        let native = temp.path().join("native");
        let done = command().args(["unpack", "--rootless", &image, text(&native)]).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        run("diff", ["-r", "--no-dereference", text(&native.join("rootfs")), text(&of_sandbox)]);
        fs::remove_dir_all(native).unwrap();

        let listed = within(ROOM, host, &layout, &temp, &["mtree", "/image#top"]);
        assert_eq!(listed.code, Some(0), "{}: {}", host.name(), listed.error);
        assert!(listed.output == command().args(["mtree", &image]).output().unwrap().stdout);
    }
}

#[test]
fn the_memory_limit_holds() {
    let layout = large::big();
    for host in Host::sandboxes() {
        let temp = TempDir::new().unwrap();
        let failed = within(1 << 20, host, &layout, &temp, &["mtree", "/image#top"]);
        assert_ne!(failed.code, Some(0), "{}: a mebibyte cannot be enough", host.name());
    }
}
