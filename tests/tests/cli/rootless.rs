//! Bundles of ordinary users and of mapped ids: correct on disk, and unchanged when repacked.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::Path,
    process::{Child, Command},
};

use ocicle_tests::{
    fixtures::{ODD, copy_of},
    ocicle::{USER, at, binary, command_of_user, fails, json, ocicle, ocicle_of_user, text},
    rootfs::assert_same,
    temp::TempDir,
    tools::{have, run},
};

const MAPS: [&str; 12] = [
    "--uid-map",
    "0:100000:65536",
    "--uid-map",
    "2097152:300000:10",
    "--uid-map",
    "3000000000:400000:10",
    "--gid-map",
    "0:200000:65536",
    "--gid-map",
    "2097152:300000:10",
    "--gid-map",
    "3000000000:400000:10",
];

/// A copy of the odd layout that belongs to the user.
fn layout_of_user(fixture: &Path, home: &Path) {
    // No links to the blobs: they would be given away, too.
    run("cp", ["-r", text(fixture), text(&home.join("layout"))]);
    run("chown", ["-R", &format!("{USER}:{USER}"), text(&home.join("layout"))]);
}

/// Changes a root file system in usual ways, everything by mode alone: that needs no privilege on the user's
/// own files.
fn change(rootfs: &Path) {
    for (mode, path) in [
        ("700", "null"),
        ("755", "big-ids"),
        ("700", "bin/capable"),
        ("644", "attributes"),
        ("700", "sticky"),
        ("600", "pipe"),
        ("200", "fraction"),
    ] {
        run("chmod", [mode, text(&rootfs.join(path))]);
    }
    fs::remove_file(rootfs.join("before-1970")).unwrap();
    fs::write(rootfs.join("bin/new"), "new").unwrap();
    run(
        "touch",
        ["-d", "@1700000000", text(&rootfs.join("bin/new")), text(&rootfs.join("bin")), text(rootfs)],
    );
}

/// Unpacks the image `expected` as root and `odd` as a user; both must be the same.
fn assert_same_image(layout: &Path, fixture: &Path, temp: &Path) {
    let plain = temp.join("plain");
    fs::create_dir(&plain).unwrap();
    let plain_layout = copy_of(fixture, &plain);
    ocicle(["unpack", &at(&plain_layout, "odd"), text(&plain.join("bundle"))]);
    change(&plain.join("bundle/rootfs"));
    ocicle(["repack", text(&plain.join("bundle")), &at(&plain_layout, "new")]);
    for (layout, bundle) in [(&*plain_layout, "one"), (layout, "two")] {
        ocicle(["unpack", &at(layout, "new"), text(&temp.join(bundle))]);
    }
    assert_same(&temp.join("one/rootfs"), &temp.join("two/rootfs"));
}

#[test]
fn an_ordinary_user_unpacks_changes_and_repacks_everything() {
    let Some(fixture) = ODD.layout() else { return };
    if !have(&["mtree", "getfattr"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let home = temp.path().join("home");
    fs::create_dir(&home).unwrap();
    layout_of_user(&fixture, &home);
    let user = |args: &[&str]| ocicle_of_user(&home, args);

    user(&["unpack", "--rootless", "layout#odd", "bundle"]);
    let rootfs = home.join("bundle/rootfs");
    let null = fs::symlink_metadata(rootfs.join("null")).unwrap();
    assert!(null.is_file() && null.len() == 0 && null.uid() == USER, "{null:?}");
    let owner =
        run("getfattr", ["--only-values", "-n", "user.rootlesscontainers", text(&rootfs.join("big-ids"))]);
    assert_eq!(owner, [0x08, 0x80, 0xbc, 0xc1, 0x96, 0x0b, 0x10, 0x81, 0xbc, 0xc1, 0x96, 0x0b]);

    // The manifest agrees with the disk, and can be made of the layers alone.
    let manifest = fs::read_to_string(home.join("bundle/rootfs.mtree")).unwrap();
    assert_eq!(user(&["mtree", "--rootless", "layout#odd"]), manifest);
    assert_eq!(user(&["mtree", "check", "bundle/rootfs.mtree", "bundle/rootfs"]), "");
    assert_eq!(user(&["repack", "--dry-run", "bundle", "layout#new"]), "");
    // Even if every file is read, unreadable ones included; their modes do not change.
    assert_eq!(user(&["repack", "--dry-run", "--verify", "bundle", "layout#new"]), "");
    assert_eq!(user(&["mtree", "check", "bundle/rootfs.mtree", "bundle/rootfs"]), "");

    change(&rootfs);
    run("chown", [&format!("{USER}:{USER}"), text(&rootfs.join("bin/new"))]);
    user(&["repack", "bundle", "layout#new"]);
    assert_same_image(&home.join("layout"), &fixture, temp.path());
}

#[test]
fn mapped_ids_come_back_as_they_were() {
    let Some(fixture) = ODD.layout() else { return };
    if !have(&["mtree", "getfattr"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let bundle = temp.path().join("bundle");
    ocicle(["unpack", &at(&layout, "odd"), text(&bundle)].into_iter().chain(MAPS));
    let rootfs = bundle.join("rootfs");
    let owner = |path: &str| {
        let found = fs::symlink_metadata(rootfs.join(path)).unwrap();
        (found.uid(), found.gid())
    };
    assert_eq!(owner("big-ids"), (400_000, 400_001));
    assert_eq!(owner("bin/setuid"), (100_000, 200_000));
    assert_eq!((owner("implied"), owner("dangling")), ((100_000, 200_000), (300_000, 300_001)));
    let capability =
        run("getfattr", ["--only-values", "-n", "security.capability", text(&rootfs.join("bin/capable"))]);
    assert_eq!((capability[3], &capability[20..]), (3, &100_000_u32.to_le_bytes()[..]));

    let manifest = fs::read_to_string(bundle.join("rootfs.mtree")).unwrap();
    assert_eq!(ocicle(["mtree", &at(&layout, "odd")].into_iter().chain(MAPS)), manifest);
    assert_eq!(ocicle(["mtree", "check", text(&bundle.join("rootfs.mtree")), text(&rootfs)]), "");
    assert_eq!(ocicle(["repack", "--dry-run", "--verify", text(&bundle), &at(&layout, "new")]), "");

    change(&rootfs);
    let error = fails(1, ["repack", text(&bundle), &at(&layout, "new")]);
    assert!(error.contains("/bin/new: uid 0 of the host is not in the uid map"), "{error}");
    run("chown", ["100000:200000", text(&rootfs.join("bin/new"))]);
    ocicle(["repack", text(&bundle), &at(&layout, "new")]);
    assert_same_image(&layout, &fixture, temp.path());
}

/// A user namespace in which ids are those of [`MAPS`].
struct Namespace(Child);

impl Namespace {
    /// `None` where there can be none.
    fn new() -> Option<Self> {
        let this = Self(Command::new("unshare").args(["-U", "sleep", "600"]).spawn().unwrap());
        let map = |first: u32| format!("0 {first} 65536\n2097152 300000 10\n3000000000 400000 10\n");
        let written = [("uid_map", 100_000), ("gid_map", 200_000)].map(|(file, first)| {
            // Until `unshare` has made the namespace, the map is that of the machine, and writing it fails.
            (0..100).any(|_| {
                std::thread::sleep(std::time::Duration::from_millis(10));
                fs::write(format!("/proc/{}/{file}", this.0.id()), map(first)).is_ok()
            })
        });
        if written != [true, true] {
            eprintln!("NOT RUN: there are no user namespaces here");
            return None;
        }
        Some(this)
    }

    /// Runs the command as root of the namespace.
    fn ocicle(&self, home: &Path, args: &[&str]) -> String {
        let enter = ["--user", "--target", &self.0.id().to_string(), "--setuid", "0", "--setgid", "0"];
        let mut command = Command::new("nsenter");
        let output = command.args(enter).arg(binary()).args(args).current_dir(home).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {}\n{error}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

#[test]
fn root_in_a_user_namespace_needs_no_options() {
    let Some(fixture) = ODD.layout() else { return };
    if !have(&["mtree", "getfattr", "unshare", "nsenter"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let home = temp.path().join("home");
    fs::create_dir(&home).unwrap();
    layout_of_user(&fixture, &home);
    run("chown", ["-R", "100000:200000", text(&home)]);
    let Some(namespace) = Namespace::new() else { return };
    namespace.ocicle(&home, &["unpack", "layout#odd", "bundle"]);
    let rootfs = home.join("bundle/rootfs");
    let null = fs::symlink_metadata(rootfs.join("null")).unwrap();
    assert!(null.is_file() && null.uid() == 100_000, "{null:?}");
    assert_eq!(fs::symlink_metadata(rootfs.join("big-ids")).unwrap().uid(), 400_000);
    assert_eq!(namespace.ocicle(&home, &["repack", "-n", "--verify", "bundle", "layout#new"]), "");
    change(&rootfs);
    run("chown", ["100000:200000", text(&rootfs.join("bin/new"))]);
    namespace.ocicle(&home, &["repack", "bundle", "layout#new"]);
    assert_same_image(&home.join("layout"), &fixture, temp.path());
}

#[test]
fn unmapped_ids_are_named_and_nothing_is_left() {
    let Some(fixture) = ODD.layout() else { return };
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let bundle = temp.path().join("bundle");
    let error = fails(1, ["unpack", &at(&layout, "odd"), text(&bundle), "--uid-map", "0:100000:65536"]);
    assert!(error.contains(" of the image is not in the uid map"), "{error}");
    assert!(!bundle.exists());
    for wrong in ["x", "0", "0:1:0", "0:4294967295:2"] {
        let error = fails(2, ["unpack", &at(&layout, "odd"), text(&bundle), "--uid-map", wrong]);
        assert!(error.contains("CONTAINER:HOST[:SIZE]"), "{error}");
    }
}

#[test]
fn an_ordinary_user_gets_a_hint_about_rootless() {
    let Some(fixture) = ODD.layout() else { return };
    let temp = TempDir::new().unwrap();
    let home = temp.path().join("home");
    fs::create_dir(&home).unwrap();
    layout_of_user(&fixture, &home);
    let output = command_of_user(&home).args(["unpack", "layout#odd", "bundle"]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("rootless"), "{error}");
    assert!(!home.join("bundle").exists());
}

#[test]
fn files_that_a_user_inserts_belong_to_root() {
    let Some(fixture) = ODD.layout() else { return };
    let temp = TempDir::new().unwrap();
    let home = temp.path().join("home");
    fs::create_dir(&home).unwrap();
    layout_of_user(&fixture, &home);
    let source = home.join("source");
    fs::create_dir_all(source.join("shut")).unwrap();
    fs::write(source.join("shut/file"), "content").unwrap();
    run("chmod", ["000", text(&source.join("shut/file"))]);
    run("chmod", ["000", text(&source.join("shut"))]);
    run("chown", ["-R", &format!("{USER}:{USER}"), text(&source)]);
    ocicle_of_user(&home, ["insert", "--rootless", "layout#odd", "source", "/opt"]);
    let mode = fs::metadata(source.join("shut")).unwrap().mode();
    assert_eq!(mode & 0o7777, 0, "the source was changed: {mode:o}");
    ocicle(["unpack", &at(&home.join("layout"), "odd"), text(&temp.path().join("bundle"))]);
    let file = fs::metadata(temp.path().join("bundle/rootfs/opt/shut/file")).unwrap();
    assert_eq!((file.uid(), file.gid(), file.mode() & 0o7777, file.len()), (0, 0, 0, 7));
}

/// Images of Fedora have 0555 on `/`; moving a directory needs more of its owner.
#[test]
fn the_root_may_shut_its_owner_out() {
    if !have(&["tar"]) {
        return;
    }
    let home = TempDir::new().unwrap();
    let layout = home.path().join("layout");
    ocicle(["init", text(&layout)]);
    ocicle(["new", &at(&layout, "blank")]);
    for mode in [0o555, 0o400, 0] {
        let tag = format!("{mode:o}");
        let (source, tar) = (home.path().join(&tag), home.path().join("layer.tar"));
        let script = "mkdir \"$1\" && echo x >\"$1/f\" && chmod \"$2\" \"$1\" && tar -C \"$1\" -cf \"$3\" .";
        run("sh", ["-ec", script, "sh", text(&source), &tag, text(&tar)]);
        ocicle(["raw", "add-layer", &at(&layout, "blank"), text(&tar), "--tag", &tag]);
        run("chown", ["-R", &format!("{USER}:{USER}"), text(&layout)]);
        for format in [&["native"][..], &["umoci"], &["overlayfs", "--userxattr"]] {
            let bundle = home.path().join(format!("{tag}-{}", format[0]));
            let image = at(&layout, &tag);
            let fixed = ["unpack", "--rootless", &image, text(&bundle), "--format"];
            ocicle_of_user(home.path(), fixed.iter().chain(format));
            let root = if format[0] == "overlayfs" { "layers/0" } else { "rootfs" };
            assert_eq!(fs::metadata(bundle.join(root)).unwrap().mode() & 0o7777, mode, "{tag} {format:?}");
            ocicle_of_user(home.path(), ["repack", text(&bundle), &at(&layout, "again")]);
            let digest = |image: &str| json(&["resolve", image])["digest"].clone();
            assert_eq!(digest(&image), digest(&at(&layout, "again")), "{tag} {format:?}");
        }
    }
}

#[test]
fn directories_that_keep_their_owner_out() {
    if !ocicle_tests::tools::root() {
        return;
    }
    let temp = TempDir::new().unwrap();
    let home = temp.path();
    let run_as_user = |args: &[&str]| ocicle_of_user(home, args);
    run("chmod", ["755", text(home)]);
    run_as_user(&["init", "i"]);
    run_as_user(&["new", "i#a"]);
    for mode in ["000", "100", "300", "400"] {
        let source = home.join(mode);
        fs::create_dir(&source).unwrap();
        fs::write(source.join("file"), "content").unwrap();
        run("chown", ["-R", &format!("{USER}:{USER}"), text(&source)]);
        run("chmod", [mode, text(&source)]);
        run_as_user(&["insert", "--rootless", "i#a", mode, mode]);
        assert_eq!(run_as_user(&["cat", "i#a", &format!("{mode}/file")]), "content");
        let left = format!("{:o}", fs::metadata(&source).unwrap().mode() & 0o777);
        assert_eq!(format!("{left:0>3}"), mode, "the source is as it was");
    }
    for (format, bundle) in [("native", "n"), ("umoci", "u")] {
        run_as_user(&["unpack", "--rootless", "--format", format, "i#a", bundle]);
        let same = run_as_user(&["repack", "--dry-run", bundle, "i#b"]);
        assert_eq!(same, "", "{format}");
    }
}
