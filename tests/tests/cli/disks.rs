//! Images with more than a disk or its user can hold: it is neither missed nor lost.

use std::{fs, path::Path};

use ocicle_tests::{
    ocicle::{USER, at, command, command_of_user, fails, ocicle, ocicle_of_user, text},
    temp::TempDir,
    tools::{have, root, run, try_run},
};

/// Makes a layout with an image `v1` of one layer: what the script makes in an empty directory, as `tar` with
/// these options reads it.
fn image_of(temp: &TempDir, script: &str, options: &[&str]) -> std::path::PathBuf {
    let (source, layer, layout) =
        (temp.path().join("source"), temp.path().join("layer.tar"), temp.path().join("layout"));
    fs::create_dir(&source).unwrap();
    run("sh", ["-ec", &format!("cd \"$1\"; {script}"), "sh", text(&source)]);
    let tar = ["--format=pax", "-C", text(&source), "-cf", text(&layer)];
    run("tar", tar.iter().chain(options).chain(&["."]));
    ocicle(["init", text(&layout)]);
    ocicle(["new", &at(&layout, "v1")]);
    ocicle(["raw", "add-layer", &at(&layout, "v1"), text(&layer)]);
    layout
}

/// Checks that an untouched bundle has no differences, even if every file is read.
fn assert_untouched(bundle: &Path, layout: &Path) {
    if bundle.join("rootfs.mtree").exists() {
        let manifest = bundle.join("rootfs.mtree");
        assert_eq!(ocicle(["mtree", "check", text(&manifest), text(&bundle.join("rootfs"))]), "");
    }
    assert_eq!(ocicle(["repack", "--dry-run", "--verify", text(bundle), &at(layout, "new")]), "");
}

#[test]
fn labels_are_not_missed_and_come_back() {
    if !root() || !have(&["tar", "setfattr", "getfattr"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let script = "mkdir d; echo x >d/f; ln -s f d/l; setfattr -n security.selinux -v label . d d/f; \
                  setfattr -h -n security.selinux -v label d/l";
    let layout = image_of(&temp, script, &["--xattrs", "--xattrs-include=*"]);
    assert!(ocicle(["mtree", &at(&layout, "v1")]).contains("f type=file"));
    for format in ["native", "umoci"] {
        let bundle = temp.path().join(format);
        ocicle(["unpack", "--format", format, &at(&layout, "v1"), text(&bundle)]);
        assert_untouched(&bundle, &layout);
    }
    let bundle = temp.path().join("native");
    run("chmod", ["600", text(&bundle.join("rootfs/d/f"))]);
    assert_eq!(ocicle(["repack", "--dry-run", text(&bundle), &at(&layout, "v2")]), "put /d/f\n");
    ocicle(["repack", text(&bundle), &at(&layout, "v2")]);
    let manifest = ocicle(["mtree", &at(&layout, "v2")]);
    let labels = manifest.matches("xattr.security.selinux=bGFiZWw=").count();
    assert_eq!(labels, 4, "{manifest}");
}

#[test]
fn times_that_the_disk_does_not_hold_are_not_missed() {
    if !root() || !have(&["tar"]) {
        return;
    }
    for time in ["@-5364662400", "@17000000000.25"] {
        let temp = TempDir::new().unwrap();
        let layout =
            image_of(&temp, "mkdir d; echo x >d/f; ln -s f d/l; mkfifo d/p", &[&format!("--mtime={time}")]);
        for format in ["native", "umoci"] {
            let bundle = temp.path().join(format);
            ocicle(["unpack", "--format", format, &at(&layout, "v1"), text(&bundle)]);
            assert_untouched(&bundle, &layout);
        }
    }
}

/// GNU tar and bsdtar write lists as text; of ids without a name, as here, both write the numbers.
#[test]
fn access_control_lists_are_kept() {
    if !root() || !have(&["tar", "bsdtar", "setfacl", "getfacl"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let script = "mkdir d; echo x >d/f; setfacl -m u:54321:rw,g:54322:r d/f; chmod g-w d/f; \
                  setfacl -m u:54321:rwx,d:u:54321:rx d; echo x >plain";
    let layout = image_of(&temp, script, &["--acls"]);
    let (source, layer) = (temp.path().join("source"), temp.path().join("bsd.tar"));
    run("bsdtar", ["--acls", "--format=pax", "-C", text(&source), "-cf", text(&layer), "."]);
    ocicle(["new", &at(&layout, "bsd")]);
    ocicle(["raw", "add-layer", &at(&layout, "bsd"), text(&layer)]);
    let lists = |dir: &Path| {
        let script = "cd \"$1\" && getfacl -n d d/f plain";
        String::from_utf8(run("sh", ["-ec", script, "sh", text(dir)])).unwrap()
    };
    assert!(lists(&source).contains("user:54321:rw-"));
    for tag in ["v1", "bsd"] {
        let bundle = temp.path().join(tag);
        ocicle(["unpack", &at(&layout, tag), text(&bundle)]);
        assert_eq!(lists(&bundle.join("rootfs")), lists(&source), "{tag}");
        assert_untouched(&bundle, &layout);
    }
}

/// A name means nothing in an image, so the group must not get what the list gives to that user.
#[test]
fn without_its_list_the_group_gets_no_more() {
    if !root() || !have(&["tar", "setfacl"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = image_of(&temp, "echo x >f; chmod 640 f; setfacl -m u:daemon:rw f", &["--acls"]);
    let manifest = ocicle(["mtree", &at(&layout, "v1")]);
    assert!(manifest.contains("f type=file mode=0640"), "{manifest}");
    assert!(!manifest.contains("posix_acl"), "{manifest}");
    let (v1, tar) = (at(&layout, "v1"), temp.path().join("out.tar"));
    let dir = |name: &str| text(&temp.path().join(name)).to_owned();
    fs::create_dir(temp.path().join("root")).unwrap();
    for args in [
        &["mtree", &v1][..],
        &["unpack", &v1, &dir("bundle")],
        &["raw", "unpack", &v1, &dir("raw")],
        &["export", &v1, text(&tar)],
        &["export", &v1, &dir("root")],
        &["squash", &v1, "--dry-run"],
        &["squash", &v1, "--tag", "flat"],
        &["check", text(&layout)],
    ] {
        let output = command().args(args).output().unwrap();
        let messages = [output.stdout, output.stderr].concat();
        let messages = String::from_utf8_lossy(&messages);
        assert!(output.status.success(), "{args:?}: {messages}");
        let warning = messages.lines().find(|line| line.starts_with("warning: "));
        let said = "the access control list of /f is left out: ";
        assert!(warning.is_some_and(|line| line.contains(said)), "{args:?}: {messages}");
    }
}

#[test]
fn a_file_with_the_longest_name_can_be_removed() {
    if !root() || !have(&["tar", "umoci"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let long = "n".repeat(255);
    let layout = image_of(&temp, &format!("mkdir d; echo x >d/{long}; echo x >d/kept"), &[]);
    let bundle = temp.path().join("bundle");
    ocicle(["unpack", &at(&layout, "v1"), text(&bundle)]);
    fs::remove_file(bundle.join("rootfs/d").join(&long)).unwrap();
    ocicle(["repack", text(&bundle), &at(&layout, "v2")]);
    let names = |dir: &Path| ocicle_tests::temp::names(&dir.join("rootfs/d"));
    let (ours, theirs) = (temp.path().join("ours"), temp.path().join("theirs"));
    ocicle(["unpack", &at(&layout, "v2"), text(&ours)]);
    run("umoci", ["unpack", "--image", &format!("{}:v2", layout.display()), text(&theirs)]);
    assert_eq!((names(&ours), names(&theirs)), (vec!["kept".to_owned()], vec!["kept".to_owned()]));
    assert!(ocicle(["check", text(&layout)]).ends_with("nothing wrong\n"));
    // umoci's own whiteout of such a name is read, too.
    let umoci = temp.path().join("umoci");
    run("umoci", ["unpack", "--image", &format!("{}:v1", layout.display()), text(&umoci)]);
    fs::remove_file(umoci.join("rootfs/d").join(&long)).unwrap();
    run("umoci", ["repack", "--image", &format!("{}:v3", layout.display()), text(&umoci)]);
    assert!(!ocicle(["files", &at(&layout, "v3")]).contains("nnn"));
}

/// More directories on one path than the usual limit of open files, in all formats.
#[test]
fn deep_directories_need_no_higher_limit_of_open_files() {
    if !root() || !have(&["tar"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let script = "p=d; for i in $(seq 1 9); do p=$p/d; done; \
                  for i in $(seq 1 30); do mkdir -p $p; cd -P $p; done; echo x >f";
    let layout = image_of(&temp, script, &[]);
    let limited = |words: &[&str]| {
        let binary = ocicle_tests::ocicle::binary();
        let script = ["-ec", "ulimit -Sn 100; exec \"$@\"", "sh", text(&binary)];
        String::from_utf8(run("sh", script.iter().chain(words))).unwrap()
    };
    for format in ["native", "umoci", "overlayfs"] {
        let bundle = temp.path().join(format);
        limited(&["unpack", "--format", format, &at(&layout, "v1"), text(&bundle)]);
        assert_eq!(limited(&["repack", "--dry-run", "--verify", text(&bundle), &at(&layout, "new")]), "");
    }
    let bundle = temp.path().join("native");
    let check = ["mtree", "check", text(&bundle.join("rootfs.mtree")), text(&bundle.join("rootfs"))]
        .map(String::from);
    assert_eq!(limited(&check.each_ref().map(String::as_str)), "");
}

#[test]
fn an_owner_that_a_user_namespace_does_not_have_is_explained() {
    if !root() || !have(&["tar", "unshare"]) {
        return;
    }
    if !try_run("unshare", ["-r", "true"]).status.success() {
        println!("skipped: no user namespaces here");
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = image_of(&temp, "echo x >f; chown 1000:1001 f", &[]);
    let bundle = temp.path().join("bundle");
    let binary = ocicle_tests::ocicle::binary();
    let reference = at(&layout, "v1");
    let unpack = |more: &[&str]| {
        let words = ["-r", text(&binary), "unpack", &reference, text(&bundle)];
        try_run("unshare", words.iter().chain(more))
    };
    let output = unpack(&[]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let expected = "error: set attributes of f: owner 1000:1001 is not mapped in this user namespace\n\
                    hint: --rootless records owners instead of setting them\n";
    assert_eq!((output.status.code(), &*error), (Some(1), expected));
    let output = unpack(&["--rootless"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_rootless_bundle_is_removed_as_the_guide_says() {
    if !root() || !have(&["tar"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = image_of(&temp, "mkdir -p shut/in; echo x >shut/in/f; chmod 0 shut/in shut", &[]);
    run("chmod", ["-R", "a+rX", text(&layout)]);
    run("chmod", ["a+x", text(temp.path())]);
    let home = temp.path().join("home");
    fs::create_dir(&home).unwrap();
    let _ = command_of_user(&home);
    ocicle_of_user(&home, ["unpack", "--rootless", &at(&layout, "v1"), "bundle"]);
    let sh = |script: &str| {
        let user = format!("--reuid={USER}");
        let group = format!("--regid={USER}");
        let words = [&*user, &*group, "--clear-groups", "sh", "-ec", "cd \"$1\"; eval \"$2\"", "sh"];
        try_run("setpriv", words.iter().chain(&[text(&home), script]))
    };
    assert!(!sh("rm -rf bundle").status.success());
    let output = sh("chmod -R u+rwX bundle && rm -rf bundle");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!home.join("bundle").exists());
}

#[test]
fn a_rootless_export_has_what_an_ordinary_user_can_have() {
    if !root() || !have(&["tar", "mknod"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = image_of(&temp, "echo x >f; chown 5:6 f; mknod null c 1 3", &[]);
    run("chmod", ["-R", "a+rX", text(&layout)]);
    run("chmod", ["a+x", text(temp.path())]);
    let home = temp.path().join("home");
    fs::create_dir_all(home.join("root")).unwrap();
    let _ = command_of_user(&home);
    run("chown", ["-R", &format!("{USER}:{USER}"), text(&home.join("root"))]);
    ocicle_of_user(&home, ["export", "--rootless", &at(&layout, "v1"), "root"]);
    assert_eq!(fs::read_to_string(home.join("root/f")).unwrap(), "x\n");
    assert_eq!(fs::metadata(home.join("root/null")).unwrap().len(), 0);
    // The same in an archive.
    ocicle_of_user(&home, ["export", "--rootless", &at(&layout, "v1"), "root.tar"]);
    let listed = String::from_utf8(run("tar", ["--numeric-owner", "-tvf", text(&home.join("root.tar"))]));
    let listed = listed.unwrap();
    assert!(listed.lines().all(|line| line.contains(&format!("{USER}/{USER}"))), "{listed}");
    assert!(!listed.lines().any(|line| line.starts_with('c')), "{listed}");
    // Without the option, the archive has everything.
    ocicle_of_user(&home, ["export", &at(&layout, "v1"), "all.tar"]);
    let listed = String::from_utf8(run("tar", ["--numeric-owner", "-tvf", text(&home.join("all.tar"))]));
    let listed = listed.unwrap();
    assert!(listed.contains("5/6") && listed.lines().any(|line| line.starts_with('c')), "{listed}");
    fails(2, ["export", "--uid-map", "x", &at(&layout, "v1"), "-"]);
}
