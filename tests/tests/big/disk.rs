//! Trees on disk as find, tar, diff and mtree see them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use ocicle_tests::{
    ocicle::text,
    tools::{run, try_run},
};
use serde_json::{Value, json};

/// Returns the facts of each path, one line each.
pub(crate) type Listing = BTreeMap<String, String>;

/// Lists a directory as `find` does.
pub(crate) fn listing(root: &Path) -> Listing {
    let format = "/%P\t%y\t%m\t%U\t%G\t%s\t%TFT%TT\t%l\n";
    let output =
        Command::new("find").arg(root).args(["-mindepth", "1", "-printf", format]).env("TZ", "UTC").output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let line = |line: &str| {
        let [path, kind, mode, uid, gid, size, time, target] = fields(line);
        let (kind, size) = match kind {
            "f" => ("file", size),
            "d" => ("dir", "0"),
            "l" => ("link", "0"),
            other => panic!("{other}"),
        };
        let (time, target) = (time.split('.').next().unwrap(), if target.is_empty() { "-" } else { target });
        (path.to_owned(), format!("{kind} {mode:0>4} {uid}:{gid} {size} {time}Z {target}"))
    };
    String::from_utf8(output.stdout).unwrap().lines().map(line).collect()
}

/// Returns the output of `ocicle files --format plain` in the same form.
pub(crate) fn listing_of_ocicle(plain: &str) -> Listing {
    let line = |line: &str| {
        let [path, _, _, kind, mode, uid, gid, size, time, target] = fields(line);
        (path.to_owned(), format!("{kind} {mode} {uid}:{gid} {size} {time} {target}"))
    };
    plain.lines().map(line).filter(|(path, _)| path != "/").collect()
}

fn fields<const N: usize>(line: &str) -> [&str; N] {
    line.split('\t').collect::<Vec<_>>().try_into().unwrap()
}

/// Describes the first difference of two lists.
pub(crate) fn assert_equal(ours: &Listing, theirs: &Listing) {
    for (path, line) in theirs {
        assert_eq!(ours.get(path), Some(line), "{path}");
    }
    let more = ours.keys().find(|path| !theirs.contains_key(*path));
    assert_eq!(more, None);
}

/// GNU tar compares content, mode, owner, time and links of what is in the archive; the names must be those
/// of the tree.
pub(crate) fn assert_archive_is(archive: &Path, root: &Path, listing: &Listing) {
    let compared = try_run("tar", ["--numeric-owner", "-df", text(archive), "-C", text(root)]);
    let said = [compared.stdout, compared.stderr].concat();
    assert!(compared.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
    let names = String::from_utf8(run("tar", ["-tf", text(archive)])).unwrap();
    let names = names.lines().map(|name| format!("/{}", name.trim_start_matches("./").trim_end_matches('/')));
    let mut names: Vec<String> = names.filter(|name| name != "/").collect();
    names.sort();
    assert!(
        names.iter().eq(listing.keys()),
        "{} names in the archive, {} on disk",
        names.len(),
        listing.len()
    );
}

/// Checks that `ocicle diff --json` reports what `mtree` finds in two trees, and `diff` in the contents of
/// their files.
pub(crate) fn assert_differences(found: &Value, before: &Path, after: &Path) {
    let (old, new) = (mtree(before), mtree(after));
    let contents = other_contents(before, after);
    let mut files = Vec::new();
    let mut directories: BTreeMap<String, i64> = BTreeMap::new();
    let paths: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for &path in &paths {
        let (was, is) = (old.get(path), new.get(path));
        let mut row = json!({ "path": path, "change": "changed" });
        match (was, is) {
            (Some(was), Some(is)) => {
                let aspects = aspects(was, is, contents.contains(path));
                if aspects.is_empty() {
                    continue;
                }
                row["aspects"] = json!(aspects);
            }
            (None, _) => row["change"] = json!("added"),
            (_, None) => row["change"] = json!("removed"),
        }
        let size = |facts: Option<&Facts>| facts.map_or(0, |facts| facts.size);
        let (size_before, size_after) = (size(was), size(is));
        row["sizeBefore"] = json!(size_before);
        row["sizeAfter"] = json!(size_after);
        let mut above = path.as_str();
        while size_before != size_after
            && let Some((dir, _)) = above.rsplit_once('/')
        {
            let name = if dir.is_empty() { "/" } else { dir };
            *directories.entry(name.to_owned()).or_default() += size_after - size_before;
            above = dir;
        }
        files.push(row);
    }
    let mut ours: Vec<&Value> =
        found["files"].as_array().unwrap().iter().filter(|row| row["path"] != "/").collect();
    ours.sort_by_key(|row| row["path"].as_str());
    for (ours, theirs) in ours.iter().zip(&files) {
        assert_eq!(*ours, theirs);
    }
    assert_eq!(ours.len(), files.len());
    assert_eq!(found["directories"], json!(directories));
    assert_eq!((&found["config"], &found["ignored"]), (&json!([]), &json!({ "diffIds": 1 })));
    assert!(files.len() > 100, "{}", files.len());
}

/// The attributes of a path as mtree has them.
struct Facts {
    size: i64,
    words: BTreeMap<String, String>,
}

fn mtree(root: &Path) -> BTreeMap<String, Facts> {
    let keys = "type,mode,uid,gid,size,link,nlink,time";
    let spec = root.with_extension("mtree");
    fs::write(&spec, run("mtree", ["-c", "-k", keys, "-p", text(root)])).unwrap();
    let flat = String::from_utf8(run("mtree", ["-C", "-k", keys, "-f", text(&spec)])).unwrap();
    let line = |line: &str| {
        let (path, words) = line.strip_prefix('.').unwrap().split_once(' ').unwrap();
        let pairs = words.split_whitespace().map(|word| word.split_once('=').unwrap_or((word, "")));
        let words: BTreeMap<String, String> = pairs.map(|(key, value)| (key.into(), value.into())).collect();
        let size = if words["type"] == "file" { words["size"].parse().unwrap() } else { 0 };
        (path.to_owned(), Facts { size, words })
    };
    flat.lines().map(line).filter(|(path, _)| !path.is_empty()).collect()
}

/// In the words and the order of ocicle.
fn aspects(was: &Facts, is: &Facts, other_content: bool) -> Vec<&'static str> {
    let differ = |keys: &[&str]| keys.iter().any(|&key| was.words.get(key) != is.words.get(key));
    // Directories have no number of names.
    let names =
        |facts: &Facts| if facts.words["type"] == "dir" { "1" } else { &facts.words["nlink"] }.to_owned();
    let all = [
        ("type", differ(&["type"])),
        ("content", other_content),
        ("mode", differ(&["mode"])),
        ("owner", differ(&["uid", "gid"])),
        ("time", differ(&["time"])),
        ("links", names(was) != names(is)),
    ];
    all.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

/// Returns the files and links with another content or target, as `diff` finds them.
fn other_contents(before: &Path, after: &Path) -> BTreeSet<String> {
    let output = Command::new("diff")
        .args(["-rq", "--no-dereference"])
        .args([before, after])
        .env("LC_ALL", "C")
        .output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let lines = said.lines().filter(|line| line.ends_with(" differ"));
    let path = |line: &str| {
        let names = line.trim_start_matches("Files ").trim_start_matches("Symbolic links ");
        names.split_once(" and ").unwrap().0.strip_prefix(text(before)).unwrap().to_owned()
    };
    lines.map(path).collect()
}
