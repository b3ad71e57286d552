//! Several commands at one store at a time, and what killed ones left.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use ocicle_tests::{
    ocicle::{at, binary, command, fails, json, ocicle, text, try_ocicle},
    temp::{TempDir, names},
    tools::have,
};

/// The number of times that a race is tried.
const ROUNDS: usize = 8;

/// Returns a layout with an image of one layer, tagged `t`.
fn image() -> (TempDir, PathBuf) {
    let temp = TempDir::new().unwrap();
    let layout = temp.path().join("images");
    ocicle(["init", text(&layout)]);
    ocicle(["new", &at(&layout, "t"), "--platform", "linux/amd64"]);
    let file = temp.path().join("file");
    fs::write(&file, "x".repeat(100_000)).unwrap();
    ocicle(["insert", &at(&layout, "t"), text(&file), "/file"]);
    (temp, layout)
}

fn start(args: &[&str]) -> Child {
    command().args(args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn succeed(children: impl IntoIterator<Item = Child>) {
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn tags(store: &Path) -> Vec<String> {
    let list = json(&["ls", text(store)]);
    let mut tags: Vec<_> = list["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["tag"].as_str().unwrap().to_owned())
        .collect();
    tags.sort();
    tags
}

fn check(store: &Path) {
    let checked = ocicle(["check", text(store)]);
    assert!(checked.ends_with("nothing wrong\n"), "{checked}");
}

#[test]
fn copies_into_one_new_store_lose_no_tag() {
    let (temp, layout) = image();
    for (number, kind) in ["oci-archive", "oci"].into_iter().cycle().take(ROUNDS).enumerate() {
        let store = temp.path().join(format!("store-{number}"));
        let copied: Vec<String> = (0..6).map(|tag| format!("t{tag}")).collect();
        let to = |tag| format!("{kind}:{}#{tag}", text(&store));
        succeed(copied.iter().map(|tag| start(&["copy", &at(&layout, "t"), &to(tag)])));
        assert_eq!(tags(&store), copied, "{kind}");
        check(&store);
        let left: Vec<_> = names(temp.path()).into_iter().filter(|name| name.starts_with(".store")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// Waits until a process waits for a lock, or ends.
fn until_it_waits(child: &mut Child) {
    let waits = format!(" {} ", child.id());
    while child.try_wait().unwrap().is_none() {
        let locks = fs::read_to_string("/proc/locks").unwrap();
        if locks.lines().any(|line| line.contains("->") && line.contains(&waits)) {
            return;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn no_edit_relies_on_what_gc_removes_meanwhile() {
    let (temp, layout) = image();
    let blobs = layout.join("blobs/sha256");
    let file = temp.path().join("file");
    let onto = at(&layout, "gone");
    ocicle(["tag", &at(&layout, "t"), "base"]);
    ocicle(["insert", &at(&layout, "t"), text(&file), "/other"]);
    let kept = names(&blobs);
    ocicle(["new", &onto, "--platform", "linux/amd64"]);
    ocicle(["insert", &onto, text(&file), "/third"]);
    let (full, bundle) = (temp.path().join("full"), temp.path().join("bundle"));
    ocicle(["copy", text(&layout), text(&full)]);
    ocicle(["unpack", "--rootless", &onto, text(&bundle)]);
    fs::write(bundle.join("rootfs/new"), "new").unwrap();
    let description = temp.path().join("tree.json");
    let node = r##"{"tag": "new", "index": {"manifests": [{"from": "#gone"}]}}"##;
    fs::write(&description, format!(r#"{{"root": [{node}]}}"#)).unwrap();
    let (store, other) = (text(&layout), at(&full, "gone"));
    let (base, app) = (at(&layout, "base"), at(&layout, "t"));
    let new = at(&layout, "new");
    let edits: &[&[&str]] = &[
        &["copy", &other, &new],
        &["repack", text(&bundle), &new],
        &["tag", "--merge", "--replace", &onto, &app, "new"],
        &["tag", "--merge", "--replace", &app, &onto, "new"],
        &["tree", "apply", text(&description), store],
        &["rebase", &app, "--old-base", &base, "--onto", &onto, "--tag", "new"],
        &["insert", &onto, text(&file), "/fourth", "--tag", "new"],
        &["config", &onto, "--label", "a=b", "--tag", "new"],
        &["squash", &onto, "--tag", "new"],
        &["recompress", &onto, "--compress", "none", "--tag", "new"],
    ];
    for edit in edits {
        ocicle(["copy", &other, store]);
        // The lock of gc.
        let lock = File::open(layout.join("blobs")).unwrap();
        lock.lock().unwrap();
        let mut child = start(edit);
        until_it_waits(&mut child);
        ocicle(["rm", &onto]);
        for name in names(&blobs).iter().filter(|name| !kept.contains(name)) {
            fs::remove_file(blobs.join(name)).unwrap();
        }
        drop(lock);
        let output = child.wait_with_output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(tags(&layout).contains(&"new".into()), output.status.success(), "{edit:?}: {error}");
        assert!(
            output.status.success() || ["not found", "nothing matches"].iter().any(|it| error.contains(it)),
            "{edit:?}: {error}"
        );
        check(&layout);
        if output.status.success() {
            ocicle(["rm", &new]);
        }
        ocicle(["gc", "-q", store]);
    }
}

#[test]
fn init_beside_copy_makes_one_layout() {
    let (temp, layout) = image();
    for round in 0..ROUNDS {
        let store = temp.path().join(format!("store-{round}"));
        let init = start(&["init", text(&store)]);
        succeed([start(&["copy", &at(&layout, "t"), text(&store)])]);
        let init = init.wait_with_output().unwrap();
        let error = String::from_utf8_lossy(&init.stderr);
        // As where the layout was there before.
        assert!(init.status.success() || error.contains("a layout already exists"), "{error}");
        assert_eq!(tags(&store), ["t"]);
    }
}

#[test]
fn edits_of_one_archive_wait_for_each_other() {
    let (temp, layout) = image();
    let archive = temp.path().join("images.tar");
    ocicle(["copy", text(&layout), &format!("oci-archive:{}", text(&archive))]);
    succeed((0..6).map(|number| start(&["tag", &at(&archive, "t"), &format!("t{number}")])));
    assert_eq!(tags(&archive), ["t", "t0", "t1", "t2", "t3", "t4", "t5"]);

    // The user is told what a command waits for.
    let edit = temp.path().join(".images.tar.ocicle-edit");
    fs::create_dir(&edit).unwrap();
    let lock = File::open(&edit).unwrap();
    lock.lock().unwrap();
    let mut waiting = start(&["tag", &at(&archive, "t"), "late"]);
    let mut line = String::new();
    BufReader::new(waiting.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("waiting until another edit of ") && line.contains("images.tar"), "{line}");
    drop(lock);
    assert!(waiting.wait().unwrap().success());
    assert!(tags(&archive).contains(&"late".into()));
    assert!(!edit.exists());
}

#[test]
fn what_a_killed_command_left_is_taken_over() {
    let (temp, layout) = image();
    let archive = temp.path().join("images.tar");
    let to = format!("oci-archive:{}", text(&archive));
    let edit = temp.path().join(".images.tar.ocicle-edit");
    let leave = || {
        fs::create_dir_all(edit.join("layout/blobs/sha256")).unwrap();
        fs::write(edit.join(".ocicle-0"), "half an archive").unwrap();
        fs::write(edit.join(".ocicle-lock-native"), "").unwrap();
    };
    leave();
    ocicle(["copy", &at(&layout, "t"), &to]);
    assert!(!edit.exists());
    leave();
    ocicle(["tag", &at(&archive, "t"), "other"]);
    assert!(!edit.exists());
    assert_eq!(tags(&archive), ["other", "t"]);
    leave();
    let dry = ocicle(["gc", "--dry-run", "--format", "plain", text(&archive)]);
    assert!(dry.contains(".images.tar.ocicle-edit") && edit.exists(), "{dry}");
    assert_eq!(ocicle(["gc", "--format", "plain", text(&archive)]), dry);
    assert!(!edit.exists());

    // An unpack that was killed while it moved what it had made.
    let bundle = temp.path().join("bundle");
    let staging = bundle.join(".ocicle-unpack");
    fs::create_dir_all(&staging).unwrap();
    fs::create_dir_all(bundle.join("rootfs/half")).unwrap();
    fs::write(staging.join("moving"), "rootfs\nconfig.json\nocicle.json").unwrap();
    fs::write(staging.join("ocicle.json"), "").unwrap();
    ocicle(["unpack", "--rootless", &at(&layout, "t"), text(&bundle)]);
    assert!(!staging.exists() && !bundle.join("rootfs/half").exists());

    // A copy that was killed before the layout was complete.
    let store = temp.path().join("store");
    fs::create_dir_all(store.join("blobs/sha256")).unwrap();
    fs::write(store.join(".ocicle-0"), "{").unwrap();
    ocicle(["copy", &at(&layout, "t"), text(&store)]);
    assert_eq!(tags(&store), ["t"]);
    // Another directory is not made a layout.
    let other = temp.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("file"), "").unwrap();
    let error = fails(3, ["copy", &at(&layout, "t"), text(&other)]);
    assert!(error.contains("not a layout"), "{error}");
    assert_eq!(names(&other), ["file"]);
}

#[test]
fn an_archive_that_cannot_be_seen_is_not_replaced() {
    if !have(&["strace"]) {
        return;
    }
    let (temp, layout) = image();
    let archive = temp.path().join("images.tar");
    let to = format!("oci-archive:{}", text(&archive));
    ocicle(["copy", &at(&layout, "t"), &to]);
    for call in ["statx", "newfstatat", "statx,newfstatat"] {
        let before = fs::read(&archive).unwrap();
        let output = Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-P", text(&archive)])
            .args(["-e", &format!("inject={call}:error=EIO"), text(&binary())])
            .args(["copy", &at(&layout, "t"), &format!("{to}#new")])
            .output()
            .unwrap();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
        match output.status.success() {
            true => assert_eq!(tags(&archive), ["new", "t"]),
            false => assert!(fs::read(&archive).unwrap() == before, "{call}"),
        }
    }
    assert!(try_ocicle(["ls", text(&archive)]).status.success());
}
