//! The commands that look inside images, on real images, compared with other tools.

use std::{collections::BTreeMap, fs, path::Path};

use ocicle_tests::{
    fixtures::{DEBIAN, ODD, copy_of},
    ocicle::{at, command, fails, json, ocicle, text, try_ocicle},
    rootfs::assert_same,
    temp::TempDir,
    tools::{have, run},
};
use serde_json::Value;

#[test]
fn files_agrees_with_what_umoci_unpacks() {
    let Some(layout) = DEBIAN.layout() else { return };
    if !have(&["umoci", "find"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    run("umoci", ["unpack", "--image", &format!("{}:debian", text(&layout)), text(&temp.path().join("b"))]);
    let root = temp.path().join("b/rootfs");
    let found = run("find", [text(&root), "-printf", "/%P\t%y\t%#m\t%U\t%G\t%s\t%l\n"]);
    let expected: BTreeMap<String, Vec<String>> = String::from_utf8(found)
        .unwrap()
        .lines()
        .map(|line| {
            let mut fields: Vec<String> = line.split('\t').map(str::to_owned).collect();
            fields[1] = match fields[1].as_str() {
                "d" => "dir",
                "l" => "link",
                "f" => "file",
                "c" => "char",
                other => panic!("{other}"),
            }
            .into();
            fields[2] = format!("{:0>4}", fields[2].trim_start_matches('0'));
            if fields[1] != "file" {
                fields[5] = "0".into();
            }
            (fields.remove(0), fields)
        })
        .collect();
    let ours: BTreeMap<String, Vec<String>> = ocicle(["files", "--format", "plain", &at(&layout, "debian")])
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let pick = [3, 4, 5, 6, 7, 9]
                .map(|at| if fields[at] == "-" { String::new() } else { fields[at].to_owned() });
            (fields[0].to_owned(), pick.into())
        })
        .collect();
    assert!(ours.len() > 5000, "{}", ours.len());
    for (path, facts) in &expected {
        assert_eq!(ours.get(path), Some(facts), "{path}");
    }
    assert_eq!(ours.len(), expected.len());
}

#[test]
fn files_are_read_through_links() {
    let Some(layout) = ODD.layout() else { return };
    let image = at(&layout, "odd");
    assert_eq!(ocicle(["cat", &image, "/etc/group"]), ocicle(["cat", &image, "climbing"]));
    assert_eq!(ocicle(["cat", &image, "twice"]), "second\n");
    assert_eq!(ocicle(["cat", &image, "etc/new"]), "through a link of the layer below\n");
    assert!(fails(3, ["cat", &image, "dangling"]).contains("/dangling"));
    assert!(fails(1, ["cat", &image, "null"]).contains("not a regular file"));
    assert!(fails(3, ["cat", &image, "gone/file"]).contains("/gone/file"));
}

#[test]
fn why_shows_the_history_of_a_path() {
    let Some(layout) = ODD.layout() else { return };
    let image = at(&layout, "odd");
    let why = json(&["why", &image, "/gone/below/file"]);
    let deeds: Vec<_> =
        why["deeds"].as_array().unwrap().iter().map(|deed| (&deed["layer"], &deed["what"])).collect();
    assert_eq!(deeds, [(&1.into(), &"added".into()), (&2.into(), &"removed".into())]);
    assert_eq!((&why["exists"], &why["deeds"][1]["with"]), (&false.into(), &"/gone".into()));
    assert_eq!(why["deeds"][0]["createdBy"], "umoci raw add-layer");
    let text = ocicle(["why", &image, "become-dir"]);
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(text.ends_with("/become-dir is not in the final image\n"), "{text}");
    assert!(fails(3, ["why", &image, "/never"]).contains("no layer"));
    let removed = ocicle(["files", "--layer", "2", &image, "gone"]);
    assert!(
        removed.lines().all(|line| line.starts_with("removed ")) && removed.lines().count() == 4,
        "{removed}"
    );
    assert!(fails(2, ["files", "--layer", "9", &image]).contains("1 to 3"));
}

/// Unpacks a tar as GNU tar does it.
fn untar(archive: &Path, into: &Path) {
    fs::create_dir(into).unwrap();
    run(
        "tar",
        ["--xattrs", "--xattrs-include=*", "--numeric-owner", "-xpf", text(archive), "-C", text(into)],
    );
}

#[test]
fn an_export_equals_an_unpack() {
    if !have(&["tar", "mtree", "getfattr"]) {
        return;
    }
    for fixture in [&ODD, &DEBIAN] {
        let Some(layout) = fixture.layout() else { return };
        let tag = if layout.to_string_lossy().contains("odd") { "odd" } else { "debian" };
        let temp = TempDir::new().unwrap();
        let (bundle, archive) = (temp.path().join("bundle"), temp.path().join("all.tar"));
        ocicle(["unpack", &at(&layout, tag), text(&bundle)]);
        assert_eq!(ocicle(["export", &at(&layout, tag), text(&archive)]), "");
        let piped = command().args(["export", &at(&layout, tag)]).output().unwrap().stdout;
        assert!(piped == fs::read(&archive).unwrap(), "the same bytes on every run");
        untar(&archive, &temp.path().join("tar"));
        assert_same(&temp.path().join("tar"), &bundle.join("rootfs"));
        let dir = temp.path().join("dir");
        fs::create_dir(&dir).unwrap();
        ocicle(["export", &at(&layout, tag), text(&dir)]);
        assert_same(&dir, &bundle.join("rootfs"));
    }
}

#[test]
fn a_squashed_image_has_the_same_files() {
    let Some(fixture) = ODD.layout() else { return };
    if !have(&["mtree", "getfattr", "umoci"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let stat = json(&["stat", &at(&layout, "odd")]);
    let second = stat["manifest"]["layers"][1]["digest"].as_str().unwrap();
    ocicle(["squash", &at(&layout, "odd"), "--tag", "flat"]);
    ocicle(["squash", &at(&layout, "odd"), "--from", &second[..20], "--tag", "upper", "--compress", "zstd"]);
    for (tag, layers) in [("flat", 1), ("upper", 2)] {
        let stat = json(&["stat", &at(&layout, tag)]);
        assert_eq!(stat["manifest"]["layers"].as_array().unwrap().len(), layers);
        assert_eq!(ocicle(["mtree", &at(&layout, tag)]), ocicle(["mtree", &at(&layout, "odd")]));
        assert_eq!(stat["config"]["config"]["User"], "odd", "what else the image says stays");
    }
    run("umoci", ["unpack", "--image", &format!("{}:flat", text(&layout)), text(&temp.path().join("umoci"))]);
    ocicle(["unpack", &at(&layout, "flat"), text(&temp.path().join("ours"))]);
    assert_same(&temp.path().join("umoci/rootfs"), &temp.path().join("ours/rootfs"));
    let again = try_ocicle(["squash", &at(&layout, "odd"), "--from", "0000"]);
    assert_eq!(again.status.code(), Some(3));
    ocicle(["check", text(&layout)]);
}

/// Runs `diff`. Returns its output, and whether there were differences.
fn compare(words: &[&str]) -> (String, bool) {
    let output = try_ocicle(["diff"].iter().chain(words));
    let code = output.status.code();
    assert!([Some(0), Some(5)].contains(&code), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8(output.stdout).unwrap(), code == Some(5))
}

#[test]
fn diff_reports_files_and_config() {
    let Some(fixture) = ODD.layout() else { return };
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let (image, bundle) = (at(&layout, "odd"), temp.path().join("bundle"));
    assert_eq!(compare(&[&image, &image]), (String::new(), false));
    ocicle(["unpack", &image, text(&bundle)]);
    assert_eq!(compare(&[&image, text(&bundle)]), (String::new(), false));
    assert_eq!(compare(&[&image, text(&bundle.join("rootfs"))]), (String::new(), false));

    let root = bundle.join("rootfs");
    fs::write(root.join("bin/setuid"), "other").unwrap();
    fs::create_dir(root.join("added")).unwrap();
    fs::write(root.join("added/file"), "12345").unwrap();
    fs::remove_file(root.join("twice")).unwrap();
    run("chmod", ["700", text(&root.join("null"))]);
    let (said, differs) = compare(&["--format", "plain", &image, text(&bundle)]);
    let lines: Vec<&str> =
        said.lines().filter(|line| !line.contains("\t/bin\t") && !line.contains("\t/\t")).collect();
    assert!(differs);
    assert_eq!(
        lines,
        [
            "added\t/added\t-\t0\t0",
            "added\t/added/file\t-\t0\t5",
            // Writing took the set-id bit away.
            "changed\t/bin/setuid\tcontent,time\t8\t5",
            "changed\t/null\tmode\t0\t0",
            "removed\t/twice\t-\t7\t0",
        ]
    );
    ocicle(["repack", text(&bundle), &at(&layout, "new")]);
    ocicle(["config", &at(&layout, "new"), "--env", "A=1", "--label", "a=c"]);
    let (between, differs) = compare(&["--format", "plain", &image, &at(&layout, "new")]);
    assert!(differs);
    let files: Vec<&str> = between.lines().filter(|line| lines.contains(line)).collect();
    assert_eq!(files, lines);
    assert!(
        between.contains("config\tconfig.Labels.a\t\"b\"\t\"c\"\n")
            && between.contains("config\tconfig.Env\t-\t[\"A=1\"]\n")
    );
    assert!(between.contains("config\thistory[4]"), "{between}");

    // The same build at another time.
    let found = compare(&["--json", &image, &at(&layout, "new")]).0;
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(
        (&found["directories"]["/added"], &found["directories"]["/"]),
        (&5.into(), &(5 - 3 - 7).into())
    );
    ocicle(["insert", &image, text(&root.join("added")), "/again", "--tag", "one"]);
    run("touch", ["-d", "@1", text(&root.join("added/file"))]);
    ocicle(["insert", &image, text(&root.join("added")), "/again", "--tag", "two"]);
    assert!(compare(&[&at(&layout, "one"), &at(&layout, "two")]).1);
    let (said, differs) = compare(&["--semantic", &at(&layout, "one"), &at(&layout, "two")]);
    assert!(!differs && said.contains("ignored: time (1)\n") && said.contains("ignored: history "), "{said}");
}

#[test]
fn a_rootless_bundle_is_compared_with_the_image_attributes() {
    let Some(layout) = ODD.layout() else { return };
    let temp = TempDir::new().unwrap();
    let bundle = temp.path().join("bundle");
    let image = at(&layout, "odd");
    ocicle(["unpack", "--rootless", &image, text(&bundle)]);
    let (said, _) = compare(&[&image, text(&bundle)]);
    // Of a link, the owner is lost.
    assert_eq!(said.lines().filter(|line| !line.ends_with("dangling  owner")).count(), 0, "{said}");
}
