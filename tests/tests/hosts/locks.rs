//! Native processes and sandboxes that use one layout at the same time, though a sandbox has no locks.

use std::{collections::BTreeSet, fs, path::Path, thread};

use ocicle_tests::{fixtures::ODD, hosts::Host};

/// Lists the files that a writer leaves in the layout when it is done.
fn lock_files(dir: &Path) -> Vec<String> {
    let listed = [dir.join("images"), dir.join("images/blobs")].map(|dir| fs::read_dir(dir).unwrap());
    let names = listed.into_iter().flatten().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with('.')).collect()
}

fn tags(dir: &Path) -> BTreeSet<String> {
    let listed = Host::Native.done(dir, &["ls", "--format", "plain", "images"]);
    listed.lines().map(|line| line.split('\t').nth(1).unwrap().to_owned()).collect()
}

#[test]
fn no_tag_is_lost_between_native_processes_and_sandboxes() {
    let Some(temp) = ODD.images() else { return };
    let dir = temp.path();
    let mut expected = BTreeSet::from(["odd", "gnu"].map(str::to_owned));
    thread::scope(|scope| {
        for (host, times) in Host::all().into_iter().flat_map(|host| [(host, 1), (host, 2)]) {
            let calls = if host == Host::Native { 30 } else { 3 };
            let tags: Vec<String> =
                (0..calls).map(|call| format!("{}-{times}-{call}", host.name())).collect();
            expected.extend(tags.iter().cloned());
            scope.spawn(move || {
                for tag in tags {
                    host.done(dir, &["tag", "images#odd", &tag]);
                }
            });
        }
    });
    assert_eq!(tags(dir), expected);
    assert_eq!(lock_files(dir), [""; 0]);
}

#[test]
fn no_blob_is_collected_while_it_is_written_elsewhere() {
    let Some(temp) = ODD.images() else { return };
    let dir = temp.path();
    fs::create_dir(dir.join("source")).unwrap();
    fs::write(dir.join("source/file"), "x").unwrap();
    thread::scope(|scope| {
        for host in Host::all() {
            let calls = if host == Host::Native { 20 } else { 3 };
            scope.spawn(move || {
                for call in 0..calls {
                    let tag = format!("{}-{call}", host.name());
                    let to = format!("/{tag}");
                    host.done(dir, &["insert", "images#odd", "source", &to, "--tag", &tag]);
                }
            });
            scope.spawn(move || {
                for _ in 0..calls {
                    host.done(dir, &["gc", "images"]);
                }
            });
        }
    });
    Host::Native.done(dir, &["check", "images"]);
    assert_eq!(tags(dir).len(), 2 + 20 + 3 * Host::sandboxes().len());
    assert_eq!(lock_files(dir), [""; 0]);
}

#[test]
fn files_of_a_killed_process_are_named_or_removed() {
    let Some(temp) = ODD.images() else { return };
    let dir = temp.path();
    let lock_file = |name: &str| dir.join("images").join(name);
    // A native process sees by the missing `flock` that the file is stale.
    fs::write(lock_file(".ocicle-lock-native"), "").unwrap();
    Host::Native.done(dir, &["tag", "images#odd", "after"]);
    assert_eq!(lock_files(dir), [""; 0]);
    // The file of a sandbox may be stale without a way to tell, and so may any file seen from a sandbox.
    thread::scope(|scope| {
        for host in Host::all() {
            scope.spawn(move || {
                let temp = ODD.images().unwrap();
                let dir = temp.path();
                let left = if host == Host::Native { ".ocicle-lock" } else { ".ocicle-lock-native" };
                fs::write(dir.join("images").join(left), "").unwrap();
                let refused = host.run(dir, &["tag", "images#odd", "after"]);
                assert_eq!(refused.code, Some(1), "{}", host.name());
                let hint = format!("hint: wait for it, or if no process is running, remove {left}");
                assert!(refused.error.contains(&hint), "{}: {}", host.name(), refused.error);
                assert_eq!(lock_files(dir), [left]);
                fs::remove_file(dir.join("images").join(left)).unwrap();
                host.done(dir, &["tag", "images#odd", "after"]);
            });
        }
    });
}
