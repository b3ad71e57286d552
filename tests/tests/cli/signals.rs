//! Commands that are ended by signals.

use std::{
    fs,
    io::Write as _,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use ocicle_tests::{
    ocicle::{at, binary, command, json, ocicle, text},
    temp::{TempDir, names},
    tools::run,
};

/// Returns a command that is storing a layer, of which it has read the first block.
fn storing(layout: &Path, mut command: Command) -> Child {
    command.args(["raw", "add-layer", &at(layout, "t"), "-", "--tag", "new"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(&[0; 512]).unwrap();
    while !names(layout).iter().any(|name| name.starts_with(".ocicle-")) {
        assert!(child.try_wait().unwrap().is_none());
        thread::sleep(Duration::from_millis(2));
    }
    child
}

fn send(signal: i32, child: &Child) {
    run("kill", [format!("-{signal}"), child.id().to_string()]);
}

fn image() -> (TempDir, std::path::PathBuf) {
    let temp = TempDir::new().unwrap();
    let layout = temp.path().join("images");
    ocicle(["init", text(&layout)]);
    ocicle(["new", &at(&layout, "t"), "--platform", "linux/amd64"]);
    (temp, layout)
}

fn tags(layout: &Path) -> usize {
    json(&["ls", text(layout)])["entries"].as_array().unwrap().len()
}

#[test]
fn signals_end_a_command_that_cleans_up() {
    let (_temp, layout) = image();
    let (before, blobs) = (names(&layout), names(&layout.join("blobs")));
    for signal in [1, 2, 15] {
        let mut child = storing(&layout, command());
        // The end of the input could end the command before the signal does.
        let _input = child.stdin.take().unwrap();
        send(signal, &child);
        assert_eq!(child.wait().unwrap().signal(), Some(signal));
        assert_eq!((names(&layout), names(&layout.join("blobs"))), (before.clone(), blobs.clone()));
        assert_eq!(tags(&layout), 1);
    }
}

#[test]
fn an_ignored_signal_stays_ignored() {
    let (_temp, layout) = image();
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' INT; exec \"$@\"", "sh", text(&binary())]);
    let mut child = storing(&layout, shell);
    send(2, &child);
    let mut rest = child.stdin.take().unwrap();
    rest.write_all(&[0; 512]).unwrap();
    drop(rest);
    assert!(child.wait().unwrap().success());
    assert_eq!(tags(&layout), 2);
}

/// A command that waits for a lock is not stopped by an error.
#[test]
fn a_signal_ends_a_command_that_waits() {
    let (_temp, layout) = image();
    let lock = fs::File::open(layout.join("blobs")).unwrap();
    lock.lock().unwrap();
    let mut child = command().args(["gc", text(&layout)]).spawn().unwrap();
    let pid = format!(" {} ", child.id());
    let waits = |line: &str| line.contains("->") && line.contains(&pid);
    while !fs::read_to_string("/proc/locks").unwrap().lines().any(waits) {
        thread::sleep(Duration::from_millis(2));
    }
    send(15, &child);
    assert_eq!(child.wait().unwrap().signal(), Some(15));
    drop(lock);
    ocicle(["gc", text(&layout)]);
}
