//! `ocicle raw unpack` and `ocicle raw runtime-config`.

use std::fs;

use ocicle_tests::{
    fixtures::{ODD, copy_of},
    handmade::{Archive, Layer, layout},
    ocicle::{USER, at, command, command_of_user, fails, ocicle, ocicle_of_user, text, try_ocicle},
    rootfs::assert_same,
    temp::TempDir,
    tools::{have, root, run},
};
use serde_json::Value;

#[test]
fn a_new_or_empty_directory_becomes_the_root_of_the_image() {
    let Some(fixture) = ODD.layout() else { return };
    if !root() || !have(&["mtree", "getfattr"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let [bundle, new, empty] = ["bundle", "new", "empty"].map(|name| temp.path().join(name));
    ocicle(["unpack", &at(&layout, "odd"), text(&bundle)]);
    fs::create_dir(&empty).unwrap();
    for directory in [&new, &empty] {
        assert_eq!(ocicle(["raw", "unpack", &at(&layout, "odd"), text(directory)]), "");
        assert_same(&bundle.join("rootfs"), directory);
    }
    // Once more over itself: nothing is different but what the layers hide and put again.
    ocicle(["raw", "unpack", &at(&layout, "odd"), text(&new)]);
    assert_same(&bundle.join("rootfs"), &new);
}

#[test]
fn existing_files_stay_unless_a_layer_replaces_them() {
    if !root() {
        return;
    }
    let temp = TempDir::new().unwrap();
    let images = temp.path().join("images");
    let base = Archive::new().file("etc/both", "the image's").file("etc/.wh.gone", "").file("lib/new", "new");
    layout(&images, &[Layer::plain(base.end())]);
    let directory = temp.path().join("root");
    let script = "mkdir -p \"$1/etc\" \"$1/usr/lib\" && cd \"$1\" && echo mine >etc/both && echo mine >etc/gone && \
        echo mine >etc/mine && ln etc/both other && ln -s usr/lib lib && setfattr -n user.x -v y etc && chmod 2770 . etc && \
        chown 7:8 etc && touch -d @1400000000 . etc";
    run("sh", ["-ec", script, "sh", text(&directory)]);
    ocicle(["raw", "unpack", &at(&images, "t"), text(&directory)]);
    let read = |path: &str| fs::read_to_string(directory.join(path)).unwrap();
    assert_eq!(
        (read("etc/both"), read("etc/mine"), read("other")),
        ("the image's".into(), "mine\n".into(), "mine\n".into())
    );
    assert!(!directory.join("etc/gone").exists());
    assert_eq!(read("usr/lib/new"), "new");
    // The directories are as they were, times included.
    let stat = run(
        "sh",
        [
            "-ec",
            "cd \"$1\" && stat -c '%n %a %u:%g %Y' . etc etc/both && getfattr -n user.x --only-values etc",
            "sh",
            text(&directory),
        ],
    );
    let expected = format!(". 2770 {} 1400000000\netc 2770 7:8 1400000000\netc/both 644 0:0 1\ny", "0:0");
    assert_eq!(String::from_utf8(stat).unwrap(), expected);
}

#[test]
fn a_failed_unpack_removes_only_its_own_files() {
    if !root() {
        return;
    }
    let temp = TempDir::new().unwrap();
    let images = temp.path().join("images");
    let good = Layer::plain(Archive::new().file("first", "1").end());
    let bad = Layer::plain(Archive::new().hard_link("link", "nowhere").end());
    layout(&images, &[good, bad]);
    let [new, empty, full] = ["new", "empty", "full"].map(|name| temp.path().join(name));
    fs::create_dir(&empty).unwrap();
    fs::create_dir(&full).unwrap();
    fs::write(full.join("mine"), "mine").unwrap();
    let fail = |directory: &std::path::Path| fails(4, ["raw", "unpack", &at(&images, "t"), text(directory)]);
    assert!(!fail(&new).contains("part of the image") && !new.exists());
    assert!(!fail(&empty).contains("part of the image"));
    assert_eq!(fs::read_dir(&empty).unwrap().count(), 0);
    let error = fail(&full);
    let note = format!("\nhint: {} contains part of the image\n", full.display());
    assert!(error.contains("link (hard link to nowhere)") && error.ends_with(&note), "{error}");
    assert_eq!(fs::read_to_string(full.join("mine")).unwrap(), "mine");
    assert_eq!(fs::read_to_string(full.join("first")).unwrap(), "1");
}

#[test]
fn an_ordinary_user_can_merge_over_his_own_files() {
    let Some(fixture) = ODD.layout() else { return };
    if !root() {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    run("chmod", ["-R", "a+rX", text(temp.path())]);
    let home = temp.path().join("home");
    fs::create_dir(&home).unwrap();
    let reference = at(&layout, "odd");
    fs::create_dir(home.join("root")).unwrap();
    fs::write(home.join("root/mine"), "mine").unwrap();
    let _ = command_of_user(&home);
    run("chown", ["-R", &format!("{USER}:{USER}"), text(&home.join("root"))]);
    for directory in ["new", "root"] {
        ocicle_of_user(&home, ["raw", "unpack", "--rootless", &reference, directory]);
    }
    assert_eq!(fs::read_to_string(home.join("root/mine")).unwrap(), "mine");
    fs::remove_file(home.join("root/mine")).unwrap();
    run("touch", ["-r", text(&home.join("new")), text(&home.join("root"))]);
    assert_same(&home.join("new"), &home.join("root"));
}

#[test]
fn the_runtime_config_can_be_written_alone() {
    let Some(fixture) = ODD.layout() else { return };
    if !root() {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let reference = at(&layout, "odd");
    let bundle = temp.path().join("bundle");
    ocicle(["unpack", &reference, text(&bundle)]);
    let expected = fs::read_to_string(bundle.join("config.json")).unwrap();
    let (file, rootfs) = (temp.path().join("config.json"), bundle.join("rootfs"));
    assert_eq!(ocicle(["raw", "runtime-config", &reference, text(&file), "--rootfs", text(&rootfs)]), "");
    assert_eq!(fs::read_to_string(&file).unwrap(), expected);
    assert_eq!(ocicle(["raw", "runtime-config", &reference, "-", "--rootfs", text(&rootfs)]), expected);

    let output = try_ocicle(["raw", "runtime-config", &reference, "-"]);
    let warning = "warning: cannot resolve the image's user odd: config.json runs as root\n";
    assert_eq!(
        (output.status.code(), String::from_utf8(output.stderr).unwrap()),
        (Some(0), warning.to_owned())
    );
    let config: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(config["process"]["user"], serde_json::json!({ "uid": 0, "gid": 0 }));
    assert_eq!(config["root"]["path"], "rootfs");
    // A numeric user needs no `/etc/passwd`, and here the root file system is the directory itself.
    ocicle(["config", &reference, "--user", "7:8", "--tag", "number"]);
    let output = command()
        .current_dir(&rootfs)
        .args(["raw", "runtime-config", &at(&layout, "number"), "-", "--rootfs", "."])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let config: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(config["process"]["user"], serde_json::json!({ "uid": 7, "gid": 8 }));
    assert_eq!(config["root"]["path"], ".");

    fails(
        1,
        ["raw", "runtime-config", &reference, text(&file), "--rootfs", text(&temp.path().join("missing"))],
    );
    fails(1, ["raw", "runtime-config", &reference, text(&temp.path().join("no/such/config.json"))]);
}
