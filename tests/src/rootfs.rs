//! The facts of a directory on disk, as other tools report them.

use std::{fmt::Write as _, path::Path, process::Command};

use crate::tools::run;

/// Everything NetBSD's `mtree` can say about a directory, and its extended attributes as `getfattr` shows
/// them. Directories' sizes and link counts are left out: they belong to the file system.
///
/// # Panics
/// If a tool fails.
#[must_use]
pub fn describe(root: &Path) -> String {
    let keys = "type,mode,uid,gid,size,link,nlink,time,sha256,device";
    let manifest = run(
        "mtree",
        [std::ffi::OsStr::new("-c"), "-k".as_ref(), keys.as_ref(), "-p".as_ref(), root.as_ref()],
    );
    let mut text = String::new();
    for line in String::from_utf8_lossy(&manifest).lines().filter(|line| !line.starts_with('#')) {
        let directory = line.contains("type=dir");
        let words = line.split_whitespace().filter(|word| !(directory && word.starts_with("nlink=")));
        let _ = writeln!(text, "{}", words.collect::<Vec<_>>().join(" "));
    }
    text + &xattrs(root)
}

fn xattrs(root: &Path) -> String {
    let output = Command::new("getfattr")
        .args(["-Rhd", "-m", "-", "-e", "hex", "."])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(output.status.success(), "getfattr: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut blocks: Vec<&str> = text.split("\n\n").filter(|block| !block.trim().is_empty()).collect();
    blocks.sort_unstable();
    blocks.join("\n\n")
}

/// Asserts that two directories are the same, and reports the first difference.
///
/// # Panics
/// If they are not.
pub fn assert_same(left: &Path, right: &Path) {
    let (a, b) = (describe(left), describe(right));
    assert!(a.lines().count() > 3, "nothing to compare in {}", left.display());
    for (number, (a, b)) in a.lines().zip(b.lines()).enumerate() {
        assert_eq!(a, b, "line {number}: {} and {}", left.display(), right.display());
    }
    assert_eq!(a.lines().count(), b.lines().count(), "{} and {}", left.display(), right.display());
}
