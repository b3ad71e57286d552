//! Systems that refuse: standard error that is full or closed, no more threads.

use std::{
    fs::{self, File},
    os::{
        fd::OwnedFd,
        unix::{fs::chown, net::UnixDatagram, process::CommandExt as _},
    },
    path::PathBuf,
    process::{Command, Stdio},
};

use ocicle_tests::{
    ocicle::{USER, at, binary, command, command_of_user, ocicle, text},
    temp::TempDir,
    tools::{have, root, run},
};

/// Returns a layout with an empty image, tagged `t`.
fn blank() -> (TempDir, PathBuf) {
    let temp = TempDir::new().unwrap();
    let layout = temp.path().join("images");
    ocicle(["init", text(&layout)]);
    ocicle(["new", &at(&layout, "t"), "--platform", "linux/amd64"]);
    (temp, layout)
}

#[test]
fn exit_codes_do_not_depend_on_standard_error() {
    let (temp, layout) = blank();
    let layout = text(&layout);
    let image = format!("{layout}#t");
    let missing = format!("{layout}#nope");
    let copy = text(&temp.path().join("copy")).to_owned();
    for (code, args) in [
        (3, vec!["stat", &missing]),
        (1, vec!["stat", "nowhere"]),
        (2, vec!["stat", "--nope"]),
        (0, vec!["--progress", "plain", "copy", &image, &copy]),
        (0, vec!["-vv", "copy", &image, &copy]),
        (1, vec!["umoci", "stat", "--image", "nowhere:t"]),
        (3, vec!["umoci", "nope"]),
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let status = command().args(&args).stderr(full).stdout(Stdio::null()).status().unwrap();
        assert_eq!(status.code(), Some(code), "full: {args:?}");
        let closed = Command::new("sh")
            .args(["-c", "exec \"$@\" 2>&- >/dev/null", "sh", text(&binary())])
            .args(&args)
            .status()
            .unwrap();
        assert_eq!(closed.code(), Some(code), "closed: {args:?}");
    }
}

/// Lines of parallel runs stay whole if each message is written by one call.
#[test]
fn an_error_and_its_hint_are_one_write() {
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    let mut started = command().args(["stat", "nowhere"]).stderr(OwnedFd::from(theirs)).spawn().unwrap();
    assert_eq!(started.wait().unwrap().code(), Some(1));
    let mut message = [0; 1000];
    let length = ours.recv(&mut message).unwrap();
    let text = String::from_utf8_lossy(&message[..length]);
    assert!(text.starts_with("error: ") && text.contains("\nhint: ") && text.ends_with('\n'), "{text}");
    assert!(ours.recv(&mut message).is_err(), "more than one write");
}

#[test]
fn without_threads_the_bytes_are_the_same() {
    if !root() || !have(&["prlimit"]) {
        return;
    }
    let (temp, layout) = blank();
    let content: Vec<u8> = (0..600_000_u32).flat_map(|number| (number / 7).to_le_bytes()).collect();
    let file = temp.path().join("file");
    fs::write(&file, content).unwrap();
    let insert = |tag: &str| {
        ["insert".into(), at(&layout, "t"), text(&file).into(), "/x".into(), "--tag".into(), tag.into()]
    };
    chown(&file, Some(USER), Some(USER)).unwrap();
    let expected = command().args(insert("with")).env("SOURCE_DATE_EPOCH", "1").output().unwrap().stdout;
    run("chown", ["-R", &format!("{USER}:{USER}"), text(&layout)]);
    let limited = |args: &[&str]| {
        let plain = command_of_user(temp.path());
        let mut limited = Command::new("prlimit");
        limited.arg("--nproc=1:1").arg(plain.get_program()).args(args);
        limited.env("SOURCE_DATE_EPOCH", "1").current_dir(temp.path()).uid(USER).gid(USER);
        let output = limited.output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {}\n{error}", output.status);
        output.stdout
    };
    let args = insert("without");
    assert_eq!(limited(&args.each_ref().map(String::as_str)), expected);
    limited(&["unpack", "--rootless", &at(&layout, "without"), "bundle"]);
    assert!(fs::read(temp.path().join("bundle/rootfs/x")).unwrap() == fs::read(&file).unwrap());
}

/// Sandboxes refuse system calls in ways of their own.
#[test]
fn a_refused_rename_is_an_error() {
    if !have(&["strace"]) {
        return;
    }
    let (temp, layout) = blank();
    for call in ["rename", "renameat", "renameat2"] {
        let output = Command::new("strace")
            .args([
                "-f",
                "-qq",
                "-o",
                "/dev/null",
                "-e",
                &format!("inject={call}:error=EPERM"),
                text(&binary()),
            ])
            .args(["unpack", "--rootless", &at(&layout, "t"), text(&temp.path().join(call))])
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{call}: {error}");
        assert!(output.status.success() || error.contains("Operation not permitted"), "{call}: {error}");
    }
}
