//! Bundles of umoci repacked by ocicle, and bundles of ocicle repacked by umoci.

use std::{fs, path::Path};

use ocicle_tests::{
    fixtures::{ODD, copy_of},
    ocicle::{at, fails, layers, ocicle, text},
    rootfs::assert_same,
    temp::TempDir,
    tools::{have, run},
};

fn change(rootfs: &Path) {
    fs::remove_file(rootfs.join("replaced")).unwrap();
    fs::write(rootfs.join("etc/new"), "new").unwrap();
    run("chmod", ["700", text(&rootfs.join("null")), text(&rootfs.join("bin/capable"))]);
    run("chmod", ["600", text(&rootfs.join("hard-a"))]);
    // umoci rounds times to seconds.
    for path in ["etc/new", "etc", "null", "bin/capable", "hard-a", "."] {
        run("touch", ["-d", "@1700000000", text(&rootfs.join(path))]);
    }
}

fn tool_layout(fixture: &Path, temp: &TempDir, name: &str) -> std::path::PathBuf {
    let dir = temp.path().join(name);
    fs::create_dir(&dir).unwrap();
    copy_of(fixture, &dir)
}

#[test]
fn ocicle_repacks_bundles_of_umoci() {
    let Some(fixture) = ODD.layout() else { return };
    if !have(&["umoci", "mtree", "getfattr"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = tool_layout(&fixture, &temp, "umoci");
    let bundle = temp.path().join("bundle");
    run("umoci", ["unpack", "--image", &format!("{}:odd", text(&layout)), text(&bundle)]);
    assert_eq!(ocicle(["repack", "--dry-run", text(&bundle), &at(&layout, "new")]), "");

    change(&bundle.join("rootfs"));
    let lines = ocicle(["repack", "--dry-run", text(&bundle), &at(&layout, "new")]);
    let expected = "put /\nremove /replaced\nput /across\nput /bin/capable\nput /etc\nput /etc/new\nput /hard-a\nput /hard-b\n\
                    put /links/hard-c\nput /null\n";
    assert_eq!(lines, expected);
    ocicle(["repack", text(&bundle), &at(&layout, "new")]);

    // As if umoci had done it.
    let other = tool_layout(&fixture, &temp, "other");
    let umoci = temp.path().join("other-bundle");
    run("umoci", ["unpack", "--image", &format!("{}:odd", text(&other)), text(&umoci)]);
    change(&umoci.join("rootfs"));
    run("umoci", ["repack", "--image", &format!("{}:new", text(&other)), text(&umoci)]);
    for (layout, name) in [(&layout, "one"), (&other, "two")] {
        ocicle(["unpack", &at(layout, "new"), text(&temp.path().join(name))]);
    }
    assert_same(&temp.path().join("one/rootfs"), &temp.path().join("two/rootfs"));
}

#[test]
fn umoci_repacks_bundles_of_ocicle() {
    let Some(fixture) = ODD.layout() else { return };
    if !have(&["umoci", "mtree", "getfattr"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = tool_layout(&fixture, &temp, "ocicle");
    let bundle = temp.path().join("bundle");
    ocicle(["unpack", "--format", "umoci", &at(&layout, "odd"), text(&bundle)]);
    let mut names: Vec<_> = fs::read_dir(&bundle)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        (names[0].as_str(), names[1].as_str(), names[3].as_str()),
        ("config.json", "rootfs", "umoci.json")
    );
    assert!(names.len() == 4 && names[2].starts_with("sha256_") && names[2].ends_with(".mtree"), "{names:?}");

    let image = format!("{}:new", text(&layout));
    run("umoci", ["repack", "--image", &image, text(&bundle)]);
    assert_eq!(layers(&at(&layout, "new")).len(), layers(&at(&layout, "odd")).len(), "umoci saw a change");
    assert_eq!(ocicle(["repack", "--dry-run", "--verify", text(&bundle), &at(&layout, "new")]), "");

    change(&bundle.join("rootfs"));
    run("umoci", ["repack", "--image", &image, text(&bundle)]);
    assert_eq!(layers(&at(&layout, "new")).len(), layers(&at(&layout, "odd")).len() + 1);
    ocicle(["repack", text(&bundle), &at(&layout, "ours")]);
    for tag in ["new", "ours"] {
        ocicle(["unpack", &at(&layout, tag), text(&temp.path().join(tag))]);
    }
    assert_same(&temp.path().join("new/rootfs"), &temp.path().join("ours/rootfs"));
}

#[test]
fn a_damaged_bundle_of_umoci_is_refused() {
    let Some(fixture) = ODD.layout() else { return };
    let temp = TempDir::new().unwrap();
    let layout = tool_layout(&fixture, &temp, "ocicle");
    let bundle = temp.path().join("bundle");
    ocicle(["unpack", "--format", "umoci", &at(&layout, "odd"), text(&bundle)]);
    let meta = bundle.join("umoci.json");
    let good = fs::read_to_string(&meta).unwrap();
    let index = fs::read(layout.join("index.json")).unwrap();
    for (from, to, expected) in [
        ("\"2\"", "\"1\"", "umoci_version \"1\" is not \"2\""),
        ("\"rootless\":false", "\"rootless\":false},\"whiteout_mode\":1,\"x\":{", "whiteout_mode 1 is not 0"),
        ("{\"umoci", "{{\"umoci", "umoci.json: "),
        (
            "application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:",
            "x/y\",\"digest\":\"sha256:0",
            "umoci.json: ",
        ),
    ] {
        let text_of = good.replacen(from, to, 1);
        assert_ne!(text_of, good, "{from}");
        fs::write(&meta, text_of).unwrap();
        let error = fails(1, ["repack", text(&bundle), &at(&layout, "new")]);
        assert!(error.contains(expected), "{error}");
    }
    fs::write(&meta, good).unwrap();
    let other = temp.path().join("elsewhere");
    ocicle(["init", text(&other)]);
    let error = fails(1, ["repack", text(&bundle), &at(&other, "new")]);
    assert!(error.contains("of the bundle not found in"), "{error}");
    assert_eq!(fs::read(layout.join("index.json")).unwrap(), index);
}
