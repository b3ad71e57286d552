//! The main job on a Debian image that debootstrap and buildah made.

use std::fs;

use ocicle_tests::{
    fixtures::{DEBIAN, copy_of},
    ocicle::{at, command, ocicle, stat, text},
    rootfs::assert_same,
    temp::TempDir,
    tools::{have, run, try_run},
};

#[test]
fn the_rootfs_equals_the_one_of_umoci() {
    let Some(layout) = DEBIAN.layout() else { return };
    if !have(&["umoci", "mtree", "getfattr"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let (ours, theirs) = (temp.path().join("ours"), temp.path().join("theirs"));
    ocicle(["unpack", &at(&layout, "debian"), text(&ours)]);
    run("umoci", ["unpack", "--image", &format!("{}:debian", layout.display()), text(&theirs)]);
    assert_same(&ours.join("rootfs"), &theirs.join("rootfs"));

    // mtree(8) checks the manifest made of the layers, on both.
    let manifest = temp.path().join("debian.mtree");
    fs::write(&manifest, ocicle(["mtree", "--dialect", "bsd", &at(&layout, "debian")])).unwrap();
    for bundle in [&ours, &theirs] {
        let found = try_run("mtree", ["-f", text(&manifest), "-p", text(&bundle.join("rootfs"))]);
        assert_eq!(String::from_utf8_lossy(&found.stdout), "");
        assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    }
    // And it can fail.
    fs::write(ours.join("rootfs/etc/debian_version"), "changed\n").unwrap();
    let found = try_run("mtree", ["-f", text(&manifest), "-p", text(&ours.join("rootfs"))]);
    assert!(String::from_utf8_lossy(&found.stdout).contains("debian_version"), "{found:?}");
}

#[test]
fn every_compression_gives_the_same_files() {
    let Some(layout) = DEBIAN.layout() else { return };
    let gzip = ocicle(["mtree", &at(&layout, "debian")]);
    assert!(gzip.lines().count() > 5000, "{}", gzip.lines().count());
    assert!(gzip == ocicle(["mtree", &at(&layout, "zstd")]));
}

#[test]
fn a_container_runs_from_the_bundle() {
    let Some(layout) = DEBIAN.layout() else { return };
    if !have(&["runc"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let bundle = temp.path().join("bundle");
    ocicle(["unpack", &at(&layout, "debian"), text(&bundle)]);
    let config = bundle.join("config.json");
    let mut spec: serde_json::Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
    assert_eq!(spec["process"]["args"], serde_json::json!(["/bin/sh"]));
    spec["process"]["args"] =
        serde_json::json!(["/bin/sh", "-c", "echo $LANG; id -u; . /etc/os-release; echo $ID; touch /made"]);
    fs::write(&config, serde_json::to_vec(&spec).unwrap()).unwrap();
    let name = format!("ocicle-test-{}", std::process::id());
    let root = temp.path().join("runc");
    let output = run("runc", ["--root", text(&root), "run", "--no-pivot", "--bundle", text(&bundle), &name]);
    assert_eq!(String::from_utf8_lossy(&output), "C.UTF-8\n0\ndebian\n");
    assert!(bundle.join("rootfs/made").exists());
}

/// A volume has, as in Docker, the content, owner and mode of the directory, and programs in it can be run.
#[test]
fn a_volume_is_like_its_directory() {
    let Some(layout) = DEBIAN.layout() else { return };
    if !have(&["runc"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&layout, temp.path());
    let (bundle, again) = (temp.path().join("bundle"), temp.path().join("again"));
    ocicle(["unpack", &at(&layout, "debian"), text(&bundle)]);
    let data = bundle.join("rootfs/data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("file"), "content\n").unwrap();
    fs::copy("/bin/true", data.join("program")).unwrap();
    run("chown", ["-R", "1000:1001", text(&data)]);
    run("chmod", ["750", text(&data)]);
    ocicle(["repack", text(&bundle), &at(&layout, "data")]);
    let script = "id -u; stat -c %u:%g:%a /data /empty; cat /data/file; /data/program && echo ran; \
                  touch /data/new && echo written; stat -c %u:%g /data/file";
    ocicle([
        "config",
        &at(&layout, "data"),
        "--user",
        "1000",
        "--volume",
        "/srv/../data/",
        "--volume",
        "/empty",
    ]);
    ocicle(["unpack", &at(&layout, "data"), text(&again)]);
    let config = again.join("config.json");
    let mut spec: serde_json::Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
    spec["process"]["args"] = serde_json::json!(["/bin/sh", "-c", script]);
    fs::write(&config, serde_json::to_vec(&spec).unwrap()).unwrap();
    let name = format!("ocicle-volume-{}", std::process::id());
    let root = temp.path().join("runc");
    let output = run("runc", ["--root", text(&root), "run", "--no-pivot", "--bundle", text(&again), &name]);
    assert_eq!(
        String::from_utf8_lossy(&output),
        "1000\n1000:1001:750\n0:0:755\ncontent\nran\nwritten\n1000:1001\n"
    );
    // What was written is not part of the root file system, nor is the mount point that runc made.
    assert!(!again.join("rootfs/data/new").exists() && again.join("rootfs/empty").exists());
    assert_eq!(ocicle(["repack", "--dry-run", "--no-mask-volumes", text(&again), &at(&layout, "new")]), "");
}

#[test]
fn changed_files_become_a_layer() {
    let Some(layout) = DEBIAN.layout() else { return };
    if !have(&["umoci", "skopeo", "mtree", "getfattr"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&layout, temp.path());
    let bundle = temp.path().join("bundle");
    ocicle(["unpack", &at(&layout, "debian"), text(&bundle)]);
    let before = ocicle(["stat", "--json", &at(&layout, "debian")]);

    // Untouched: no layer.
    ocicle(["repack", text(&bundle), &at(&layout, "same")]);
    assert_eq!(ocicle(["stat", "--json", &at(&layout, "same")]).replace("same", "debian"), before);

    let root = bundle.join("rootfs");
    fs::write(root.join("etc/motd"), "changed\n").unwrap();
    fs::remove_dir_all(root.join("usr/share/doc")).unwrap();
    fs::hard_link(root.join("etc/motd"), root.join("etc/motd.2")).unwrap();
    let dry = ocicle(["repack", "--dry-run", text(&bundle), &at(&layout, "new")]);
    assert_eq!(dry, "put /etc\nput /etc/motd\nput /etc/motd.2\nput /usr/share\nremove /usr/share/doc\n");
    let digest = command()
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .args(["repack", text(&bundle), &at(&layout, "new")])
        .output()
        .unwrap();
    assert!(digest.status.success(), "{}", String::from_utf8_lossy(&digest.stderr));
    assert!(String::from_utf8_lossy(&digest.stdout).starts_with("sha256:"));

    let stat: serde_json::Value = stat(&at(&layout, "new"));
    let layers = stat["manifest"]["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 2);
    let kind = layers[1]["mediaType"].as_str().unwrap();
    assert!(kind.ends_with("tar+gzip"), "{kind}");
    assert_eq!(stat["history"][1]["created_by"], "ocicle repack");
    assert_eq!(stat["history"][1]["created"], "2023-11-14T22:13:20Z");
    assert_eq!(
        ocicle(["check", text(&layout)]).lines().last().unwrap().split(": ").last(),
        Some("nothing wrong")
    );

    // Unpacked again by ocicle and by umoci it is the same, except for clamped times.
    let again = temp.path().join("again");
    ocicle(["unpack", &at(&layout, "new"), text(&again)]);
    for changed in ["etc", "etc/motd", "usr/share"] {
        run("touch", ["-d", "@1700000000", text(&root.join(changed))]);
    }
    assert_same(&root, &again.join("rootfs"));
    let theirs = temp.path().join("theirs");
    run("umoci", ["unpack", "--image", &format!("{}:new", layout.display()), text(&theirs)]);
    assert_same(&again.join("rootfs"), &theirs.join("rootfs"));
    let copy = format!("dir:{}", temp.path().join("copy").display());
    run("skopeo", ["copy", "--quiet", &format!("oci:{}:new", layout.display()), &copy]);
}
