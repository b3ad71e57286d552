//! Finding files in all layers, beside find(1) on what umoci unpacked.

use std::{collections::BTreeSet, fs};

use ocicle_tests::{
    fixtures::DEBIAN,
    ocicle::{at, ocicle, text},
    temp::TempDir,
    tools::{have, root, run},
};

fn paths(listed: &str) -> BTreeSet<String> {
    listed.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

#[test]
fn find_agrees_with_find1() {
    let Some(layout) = DEBIAN.layout() else { return };
    if !root() || !have(&["umoci", "find"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let bundle = temp.path().join("bundle");
    run("umoci", ["unpack", "--image", &format!("{}:debian", text(&layout)), text(&bundle)]);
    let rootfs = bundle.join("rootfs");
    let image = at(&layout, "debian");
    for (ours, theirs) in [
        (&["--setuid"][..], &["-type", "f", "-perm", "/6000"][..]),
        (&["--larger", "500kB"], &["-type", "f", "-size", "+500000c"]),
        (&["--name", "*.conf"], &["-name", "*.conf"]),
        (
            &["--name", "etc/*/*.conf"],
            &["-path", "*/rootfs/etc/*/*.conf", "-not", "-path", "*/rootfs/etc/*/*/*"],
        ),
        (&["--name", "*.so*", "--larger", "1MiB"], &["-type", "f", "-name", "*.so*", "-size", "+1048576c"]),
    ] {
        let found = ocicle(["find", &image, "--format", "plain"].iter().chain(ours));
        let words = [text(&rootfs)].into_iter().chain(theirs.iter().copied()).chain(["-printf", "/%P\t%i\n"]);
        let expected = String::from_utf8(run("find", words)).unwrap();
        let (found, names) = (paths(&found), paths(&expected));
        assert!(found.is_subset(&names) && !found.is_empty(), "{ours:?}: {found:?}");
        // Further names of a file are links in a layer, without size and mode.
        let inode = |line: &str| line.split('\t').nth(1).unwrap().to_owned();
        let is_found = |line: &&str| found.contains(line.split('\t').next().unwrap());
        let found_inodes: BTreeSet<_> = expected.lines().filter(is_found).map(inode).collect();
        assert_eq!(found_inodes, expected.lines().map(inode).collect(), "{ours:?}");
    }
}

#[test]
fn a_secret_is_found_below_what_hides_it() {
    let temp = TempDir::new().unwrap();
    let layout = temp.path().join("layout");
    let image = at(&layout, "v1");
    let source = temp.path().join("netrc");
    fs::write(&source, "machine example.org login me password hunter2\n").unwrap();
    ocicle(["init", text(&layout)]);
    ocicle(["new", &image]);
    ocicle(["insert", &image, text(&source), "/root/.netrc"]);
    ocicle(["insert", &image, "--whiteout", "/root/.netrc"]);
    let found: serde_json::Value =
        serde_json::from_str(&ocicle(["find", &image, "--secret", "--json"])).unwrap();
    let row = &found["found"][0];
    assert_eq!(
        (&row["path"], &row["secret"], &row["layer"], &row["hiddenBy"], &row["hiddenHow"]),
        (&"/root/.netrc".into(), &"netrc password".into(), &1.into(), &2.into(), &"removed".into())
    );
    assert_eq!(found["found"].as_array().unwrap().len(), 1);
    // What takes it away for good.
    ocicle(["squash", &image]);
    assert_eq!(ocicle(["find", &image, "--secret"]), "");
}
