//! Everything a layer can hold, there and back.

use std::{fs, os::unix::fs::symlink};

use ocicle_tests::{
    fixtures::{ODD, copy_of},
    ocicle::{at, fails, ocicle, stat, text},
    rootfs::{assert_same, describe},
    temp::TempDir,
    tools::{have, run, try_run},
};

#[test]
fn the_unpacked_rootfs_has_all_attributes_of_the_layers() {
    let Some(layout) = ODD.layout() else { return };
    if !have(&["mtree", "getfattr"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let bundle = temp.path().join("bundle");
    ocicle(["unpack", &at(&layout, "gnu"), text(&bundle)]);
    let root = bundle.join("rootfs");
    let found = describe(&root);
    for expected in [
        "setuid mode=04755 size=8",
        "null type=char device=0x103",
        "disk type=block device=0xfff103ff",
        "uid=3000000000 gid=3000000001",
        "time=-86401.750000000",
        "time=1500000000.123456789",
        "security.capability=0x",
        "trusted.t=0x736563726574",
        "user.binary=0x00ff0a3d",
        "system.posix_acl_access=0x",
    ] {
        assert!(found.contains(expected), "{expected} is not in\n{found}");
    }
    for (path, exists) in [
        ("gone", false),
        ("opaque/old", false),
        ("opaque/sub/old", false),
        ("opaque/new", true),
        ("opaque/sub/new", true),
        ("become-dir", false),
        ("etc/new", true),
        ("hard-b", false),
        ("across", true),
        ("empty", false),
        ("renamed", true),
    ] {
        assert_eq!(fs::symlink_metadata(root.join(path)).is_ok(), exists, "{path}");
    }
    assert_eq!(fs::read_to_string(root.join("become-file")).unwrap(), "file now\n");
    assert_eq!(fs::read_to_string(root.join("twice")).unwrap(), "second\n");
    let sparse = fs::read(root.join("sparse")).unwrap();
    assert_eq!(
        (sparse.len(), &sparse[5_000_000..5_000_004], &sparse[10_485_760..]),
        (10_485_763, &b"data"[..], &b"end"[..])
    );
    assert_eq!(fs::metadata(root.join("hole")).unwrap().len(), 3_145_729);

    // The manifest from the layers is the disk: by our own comparison and by NetBSD's.
    for dialect in ["native", "portable", "bsd", "umoci"] {
        let manifest = temp.path().join(dialect);
        fs::write(&manifest, ocicle(["mtree", "--dialect", dialect, &at(&layout, "gnu")])).unwrap();
        assert_eq!(ocicle(["mtree", "check", text(&manifest), text(&root)]), "", "{dialect}");
    }
    let bsd = temp.path().join("bsd");
    let theirs = try_run("mtree", ["-f", text(&bsd), "-p", text(&root)]);
    assert_eq!(String::from_utf8_lossy(&theirs.stdout), "");
    assert!(theirs.status.success(), "{}", String::from_utf8_lossy(&theirs.stderr));

    fs::write(root.join("twice"), "third!\n").unwrap();
    let native = temp.path().join("native");
    let output = ocicle_tests::ocicle::try_ocicle(["mtree", "check", text(&native), text(&root)]);
    assert_eq!(output.status.code(), Some(5));
    let lines = String::from_utf8(output.stdout).unwrap();
    assert!(lines.lines().all(|line| line.starts_with("twice: ")), "{lines}");
}

#[test]
fn unpack_repack_and_unpack_again() {
    let Some(layout) = ODD.layout() else { return };
    if !have(&["umoci", "skopeo", "mtree", "getfattr"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&layout, temp.path());
    let bundle = temp.path().join("bundle");
    ocicle(["unpack", &at(&layout, "odd"), text(&bundle)]);
    let root = bundle.join("rootfs");
    let (untouched, with_verify) = (
        ocicle(["repack", text(&bundle), &at(&layout, "same")]),
        ocicle(["repack", "--verify", text(&bundle), &at(&layout, "same")]),
    );
    assert_eq!(untouched, with_verify);
    let resolved = ocicle(["resolve", "--json", &at(&layout, "odd")]);
    assert!(
        resolved.contains(untouched.trim()),
        "an untouched bundle is the same image: {untouched}{resolved}"
    );

    fs::remove_file(root.join("across")).unwrap();
    fs::remove_dir_all(root.join("deep")).unwrap();
    fs::remove_file(root.join("become-file")).unwrap();
    fs::create_dir(root.join("become-file")).unwrap();
    fs::write(root.join("become-file/now"), "a directory\n").unwrap();
    fs::remove_dir_all(root.join("sticky")).unwrap();
    symlink("/nowhere", root.join("sticky")).unwrap();
    fs::rename(root.join("latin-\u{e9}"), root.join("gone")).unwrap_err();
    fs::hard_link(root.join("hard-a"), root.join("hard-d")).unwrap();
    run(
        "sh",
        [
            "-c",
            "cd \"$1\"; printf x >>\"$(printf 'latin-\\351')\"; chown 7:8 absolute; chmod 4711 twice; \
        setfattr -x user.plain attributes; setfattr -n trusted.new -v 1 setgid; touch -d @-1.5 fraction; \
        rm null; mknod null c 1 5; truncate -s 20M grown; : >\"$(printf 'more\\nlines')\"",
            "sh",
            text(&root),
        ],
    );
    for (compress, suffix) in [("none", ".tar"), ("zstd", "+zstd"), ("gzip", "+gzip"), ("auto", "+gzip")] {
        ocicle(["repack", "--compress", compress, text(&bundle), &at(&layout, "changed")]);
        let stat = ocicle(["stat", "--json", &at(&layout, "changed")]);
        let stat: serde_json::Value = serde_json::from_str(&stat).unwrap();
        assert_eq!(stat["manifest"]["layers"].as_array().unwrap().len(), 4);
        assert!(stat["manifest"]["layers"][3]["mediaType"].as_str().unwrap().ends_with(suffix), "{stat}");
        let again = temp.path().join(compress);
        ocicle(["unpack", &at(&layout, "changed"), text(&again)]);
        assert_same(&root, &again.join("rootfs"));
    }
    ocicle(["check", text(&layout)]);
    run(
        "umoci",
        ["unpack", "--image", &format!("{}:changed", layout.display()), text(&temp.path().join("umoci"))],
    );
    run(
        "skopeo",
        [
            "copy",
            "--quiet",
            &format!("oci:{}:changed", layout.display()),
            &format!("oci:{}:copied", temp.path().join("skopeo").display()),
        ],
    );
    let copied = format!("{}#copied", temp.path().join("skopeo").display());
    assert!(ocicle(["mtree", &copied]) == ocicle(["mtree", &at(&layout, "changed")]));
}

#[test]
fn the_path_of_a_bundle_is_not_recorded_in_it() {
    let Some(layout) = ODD.layout() else { return };
    if !have(&["setfacl", "mtree", "getfattr"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let (plain, listed) = (temp.path().join("plain"), temp.path().join("listed"));
    fs::create_dir(&listed).unwrap();
    run("setfacl", ["-d", "-m", "u:1000:rwx", text(&listed)]);
    run("chmod", ["g+s", text(&listed)]);
    ocicle(["unpack", &at(&layout, "odd"), text(&plain)]);
    ocicle(["unpack", &at(&layout, "odd"), text(&listed.join("bundle"))]);
    assert_same(&plain.join("rootfs"), &listed.join("bundle/rootfs"));
}

#[test]
fn a_layer_that_fails_verification_leaves_nothing_behind() {
    let Some(layout) = ODD.layout() else { return };
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&layout, temp.path());
    let stat: serde_json::Value = stat(&at(&layout, "odd"));
    let digest = stat["manifest"]["layers"][2]["digest"].as_str().unwrap().to_owned();
    let blob = layout.join("blobs").join(digest.replace(':', "/"));
    let mut content = fs::read(&blob).unwrap();
    let last = content.len() - 5;
    content[last] ^= 1;
    fs::remove_file(&blob).unwrap(); // it is a link to the shared fixture's
    fs::write(&blob, content).unwrap();

    let bundle = temp.path().join("bundle");
    fs::create_dir(&bundle).unwrap();
    fs::write(bundle.join("mine"), "kept").unwrap();
    let error = fails(4, ["unpack", &at(&layout, "odd"), text(&bundle)]);
    assert!(
        error.contains(&format!("layer 3 ({digest}): digest mismatch: expected {digest}, actual sha256:")),
        "{error}"
    );
    let left: Vec<_> = fs::read_dir(&bundle).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["mine"]);
    let fresh = temp.path().join("fresh");
    fails(4, ["unpack", &at(&layout, "odd"), text(&fresh)]);
    assert!(!fresh.exists());
    let report = ocicle_tests::ocicle::try_ocicle(["check", text(&layout)]);
    assert_eq!(report.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&report.stdout).contains(&digest));
}
