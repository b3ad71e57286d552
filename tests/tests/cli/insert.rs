//! `ocicle insert`, read back by ocicle and umoci.

use std::fs;

use ocicle_tests::{
    fixtures::{ODD, copy_of},
    ocicle::{at, command, fails, json, ocicle, stat, text},
    rootfs::assert_same,
    temp::TempDir,
    tools::{have, run},
};

/// Creates a directory with an entry of every type.
fn source(temp: &TempDir) -> std::path::PathBuf {
    let source = temp.path().join("source");
    let script = "mkdir -p \"$1/sub dir\" && cd \"$1\" && echo a >a && ln a b && echo s >setuid && chmod 4755 setuid && \
        ln -s /etc/passwd link && setfattr -n user.x -v y a && echo n >\"$(printf 'new\\nline')\" && chown -R 5:6 'sub dir' && \
        find . -depth -exec touch -h -d @1500000000.5 {} +";
    run("sh", ["-ec", script, "sh", text(&source)]);
    source
}

#[test]
fn a_directory_is_inserted_unchanged() {
    let Some(fixture) = ODD.layout() else { return };
    if !have(&["umoci", "mtree", "getfattr", "setfattr"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let source = source(&temp);
    let dry = ocicle(["insert", "--dry-run", &at(&layout, "odd"), text(&source), "/opt/app"]);
    assert!(dry.starts_with("put /opt/app\nput /opt/app/a\nput /opt/app/b\n"), "{dry}");
    let digest = ocicle(["insert", &at(&layout, "odd"), text(&source), "/opt/app", "--tag", "new"]);
    assert!(digest.starts_with("sha256:"), "{digest}");
    let (ours, theirs) = (temp.path().join("ours"), temp.path().join("theirs"));
    ocicle(["unpack", &at(&layout, "new"), text(&ours)]);
    run("umoci", ["unpack", "--image", &format!("{}:new", layout.display()), text(&theirs)]);
    assert_same(&source, &ours.join("rootfs/opt/app"));
    assert_same(&source, &theirs.join("rootfs/opt/app"));
    assert!(ocicle(["check", text(&layout)]).ends_with("nothing wrong\n"));
}

#[test]
fn a_file_an_opaque_directory_and_a_whiteout() {
    let Some(fixture) = ODD.layout() else { return };
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let file = temp.path().join("motd");
    fs::write(&file, "hello\n").unwrap();
    let empty = temp.path().join("empty");
    fs::create_dir(&empty).unwrap();
    ocicle(["insert", &at(&layout, "odd"), text(&file), "etc/motd"]);
    ocicle(["insert", &at(&layout, "odd"), "--opaque", text(&empty), "/links"]);
    ocicle(["insert", &at(&layout, "odd"), "--whiteout", "/bin"]);
    let manifest = ocicle(["mtree", &at(&layout, "odd")]);
    assert!(manifest.contains("motd type=file"), "{manifest}");
    assert!(!manifest.contains("hard-c") && !manifest.contains("capable"), "{manifest}");
    let stat: serde_json::Value = stat(&at(&layout, "odd"));
    assert_eq!(stat["manifest"]["layers"].as_array().unwrap().len(), 6);
    assert_eq!(stat["history"].as_array().unwrap().last().unwrap()["created_by"], "ocicle insert");

    let missing = temp.path().join("missing");
    assert!(fails(1, ["insert", &at(&layout, "odd"), text(&missing), "/x"]).contains("missing"));
    fails(2, ["insert", "--opaque", &at(&layout, "odd"), text(&file), "/x"]);
    fails(2, ["insert", &at(&layout, "odd"), text(&file)]);
    fails(3, ["insert", &at(&layout, "nothing"), text(&file), "/x"]);
}

#[test]
fn a_slash_at_the_end_means_into_the_directory() {
    let Some(fixture) = ODD.layout() else { return };
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let file = temp.path().join("motd");
    fs::write(&file, "hello\n").unwrap();
    for (target, path) in [("/", "motd"), ("/bin/", "bin/motd"), ("new/dir//", "new/dir/motd")] {
        ocicle(["insert", &at(&layout, "odd"), text(&file), target]);
        assert_eq!(ocicle(["cat", &at(&layout, "odd"), path]), "hello\n");
    }
    // What was in the directory is still there.
    assert!(json(&["files", &at(&layout, "odd"), "/bin"])["files"].as_array().unwrap().len() > 2);
}

/// The options of a job in a sandbox give the same image outside of it.
#[test]
fn owner_and_mode_can_be_given() {
    if !have(&["setfattr"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = temp.path().join("layout");
    ocicle(["init", text(&layout)]);
    ocicle(["new", &at(&layout, "v1")]);
    let source = source(&temp);
    for options in [&["--default-owner", "7:8"][..], &["--default-owner", "7:8", "--default-mode", "0750"]] {
        let fixed = ["insert", &at(&layout, "v1"), text(&source), "/app", "--tag", "v2"];
        ocicle(fixed.iter().chain(options));
        let files = json(&["files", &at(&layout, "v2"), "/app"])["files"].clone();
        let mode = if options.len() == 2 { ["0644", "0755"] } else { ["0750", "0750"] };
        for file in files.as_array().unwrap() {
            assert_eq!((&file["uid"], &file["gid"]), (&7.into(), &8.into()), "{file}");
            match file["type"].as_str().unwrap() {
                "file" => assert_eq!(file["mode"], mode[0], "{file}"),
                "dir" => assert_eq!(file["mode"], mode[1], "{file}"),
                _ => {}
            }
        }
        assert!(!ocicle(["mtree", &at(&layout, "v2")]).contains("xattr"));
    }
}

#[test]
fn the_same_inputs_give_the_same_image() {
    let Some(fixture) = ODD.layout() else { return };
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let source = source(&temp);
    let insert = |tag: &str| {
        let output = command()
            .env("SOURCE_DATE_EPOCH", "1400000000")
            .args(["insert", &at(&layout, "odd"), text(&source), "/x", "--tag", tag])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let first = insert("one");
    run("touch", [text(&source.join("a"))]); // later than the epoch either way
    assert_eq!(first, insert("two"));
}
