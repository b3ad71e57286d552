//! Bundles in a WASI sandbox: what it cannot hold comes from the manifest, and the layer is the one that a
//! native run makes.

use std::{
    fs,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use ocicle_tests::{
    fixtures::{ODD, copy_of},
    handmade::{Archive, Layer, layout},
    hosts::Host,
    rootfs::assert_same,
    temp::TempDir,
    tools::{root, run},
};
use tar::EntryType;

/// Changes, adds and removes files. All times are set, as the layers have them.
fn edit(rootfs: &Path) {
    let at = |name: &str| rootfs.join(name);
    fs::write(at("etc/passwd"), "root:x:0:0::/:/bin/sh\nodd:x:7:8::/:\n").unwrap();
    fs::write(at("bin/setuid"), "changed").unwrap();
    fs::write(at("etc/added"), "new").unwrap();
    fs::create_dir(at("added")).unwrap();
    fs::write(at("added/file"), "x").unwrap();
    symlink("../etc", at("added/link")).unwrap();
    fs::hard_link(at("added/file"), at("added/again")).unwrap();
    fs::remove_file(at("-dash")).unwrap();
    fs::set_permissions(at("etc/added"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(at("added/file"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(at("added"), fs::Permissions::from_mode(0o755)).unwrap();
    let touched = ["etc/passwd", "bin/setuid", "etc/added", "added/link", "added/file", "added"];
    for name in touched {
        run("touch", [Path::new("-h"), Path::new("-d"), Path::new("@1600000000.5"), &at(name)]);
    }
    for dir in ["", "etc", "bin"].map(at) {
        run("touch", [Path::new("-d"), Path::new("@1600000001"), &dir]);
    }
}

fn same_stores(a: &Path, b: &Path) {
    run("diff", [Path::new("-r"), a, b]);
}

/// For each host, a directory with a copy of the odd image and a bundle of it that the host made.
fn bundles(temp: &TempDir) -> Vec<(Host, PathBuf)> {
    let Some(odd) = ODD.layout() else { return Vec::new() };
    let made = Host::all().into_iter().map(|host| {
        let dir = temp.path().join(host.name());
        fs::create_dir(&dir).unwrap();
        fs::rename(copy_of(&odd, &dir), dir.join("images")).unwrap();
        host.done(&dir, &["unpack", "images#odd", "bundle"]);
        (host, dir)
    });
    made.collect()
}

#[test]
fn a_bundle_of_a_sandbox_becomes_the_same_image() {
    if !root() {
        return;
    }
    let temp = TempDir::new().unwrap();
    let hosts = bundles(&temp);
    let Some(((_, native), sandboxes)) = hosts.split_first() else { return };
    let unchanged = ["repack", "--verify", "--dry-run", "bundle", "images"];
    assert_eq!(Host::Native.done(native, &unchanged), "");
    edit(&native.join("bundle/rootfs"));
    let made = Host::Native.done(native, &["repack", "bundle", "images#new"]);
    for (host, dir) in sandboxes {
        for file in ["bundle/rootfs.mtree", "bundle/config.json"] {
            let same = fs::read(native.join(file)).unwrap() == fs::read(dir.join(file)).unwrap();
            assert!(same, "{}: {file}", host.name());
        }
        // Nothing has changed, on any host.
        for who in [*host, Host::Native] {
            assert_eq!(who.done(dir, &unchanged), "", "{} by {}", host.name(), who.name());
        }
        edit(&dir.join("bundle/rootfs"));
        assert_eq!(host.done(dir, &["repack", "bundle", "images#new"]), made);
        same_stores(&native.join("images"), &dir.join("images"));
        // What the sandbox unpacked can be repacked outside.
        assert_eq!(Host::Native.done(dir, &["repack", "bundle", "images#new"]), made);
        // And the bundle can be repacked again.
        for who in [*host, Host::Native] {
            let again = who.done(dir, &["repack", "--refresh-bundle", "bundle", "images#new"]);
            assert_eq!(again, made);
            assert_eq!(host.done(dir, &["repack", "--dry-run", "bundle", "images"]), "");
        }
    }
}

/// Unpacks the odd image into a bundle in a directory, in a sandbox.
fn bundle(host: Host, dir: &Path) -> Option<PathBuf> {
    let odd = ODD.layout()?;
    fs::rename(copy_of(&odd, dir), dir.join("images")).unwrap();
    host.done(dir, &["unpack", "images#odd", "bundle"]);
    Some(dir.join("bundle/rootfs"))
}

#[test]
fn the_sandbox_stores_equivalent_forms() {
    for host in Host::sandboxes() {
        let temp = TempDir::new().unwrap();
        let Some(rootfs) = bundle(host, temp.path()) else { return };
        let link = |name: &str| fs::read_link(rootfs.join(name)).unwrap();
        assert_eq!(link("absolute"), Path::new("etc/passwd"));
        assert_eq!(link("climbing"), Path::new("etc/group"));
        for name in ["null", "disk", "pipe"] {
            let found = fs::symlink_metadata(rootfs.join(name)).unwrap();
            assert!(found.is_file() && !found.file_type().is_fifo() && found.size() == 0, "{name}");
        }
        assert_eq!(fs::read_to_string(rootfs.join("latin-%E9")).unwrap().len(), 4);
    }
}

#[test]
fn new_files_get_the_requested_owner_and_mode() {
    for host in Host::sandboxes() {
        let temp = TempDir::new().unwrap();
        let Some(rootfs) = bundle(host, temp.path()) else { return };
        fs::create_dir(rootfs.join("added")).unwrap();
        fs::write(rootfs.join("added/file"), "x").unwrap();
        fs::create_dir(temp.path().join("source")).unwrap();
        fs::write(temp.path().join("source/inserted"), "y").unwrap();
        let asked = ["--default-owner", "5:6", "--default-mode", "0640"];
        let done = |words: &[&str], asked: &[&str]| host.done(temp.path(), &[words, asked].concat());
        done(&["repack", "bundle", "images#asked"], &asked);
        done(&["repack", "bundle", "images#plain"], &[]);
        done(&["insert", "images#plain", "source", "/opt", "--tag", "inserted"], &asked);
        let line = |tag: &str, path: &str| {
            let image = format!("images#{tag}");
            let listed = Host::Native.done(temp.path(), &["files", "--format", "plain", &image]);
            let found = listed.lines().find(|line| line.split('\t').any(|field| field == path));
            found.unwrap_or_else(|| panic!("{path} in {listed}")).to_owned()
        };
        for (tag, path, mode, owner) in [
            ("asked", "/added", "0750", "5\t6"),
            ("asked", "/added/file", "0640", "5\t6"),
            ("plain", "/added", "0755", "0\t0"),
            ("plain", "/added/file", "0644", "0\t0"),
            ("inserted", "/opt", "0750", "5\t6"),
            ("inserted", "/opt/inserted", "0640", "5\t6"),
        ] {
            let found = line(tag, path);
            assert!(found.contains(&format!("\t{mode}\t{owner}\t")), "{tag} {path}: {found}");
        }
    }
}

#[test]
fn a_restored_bundle_equals_a_native_unpack() {
    if !root() {
        return;
    }
    for owners in [&[][..], &["--rootless"]] {
        let temp = TempDir::new().unwrap();
        let hosts = bundles(&temp);
        let Some(((_, native), sandboxes)) = hosts.split_first() else { return };
        let native_done = |dir: &Path, words: &[&str]| Host::Native.done(dir, &[words, owners].concat());
        fs::remove_dir_all(native.join("bundle")).unwrap();
        native_done(native, &["unpack", "images#odd", "bundle"]);
        edit(&native.join("bundle/rootfs"));
        let made = Host::Native.done(native, &["repack", "bundle", "images#new"]);
        for (_, dir) in sandboxes {
            edit(&dir.join("bundle/rootfs"));
            native_done(dir, &["unpack", "--restore", "bundle"]);
            assert_same(&native.join("bundle/rootfs"), &dir.join("bundle/rootfs"));
            assert_eq!(Host::Native.done(dir, &["repack", "bundle", "images#new"]), made);
            same_stores(&native.join("images"), &dir.join("images"));
            // Once is enough.
            native_done(dir, &["unpack", "--restore", "bundle"]);
            assert_same(&native.join("bundle/rootfs"), &dir.join("bundle/rootfs"));
        }
    }
}

/// Nearly every image has links that begin with `..`, and some runtimes refuse to make them.
#[test]
fn links_to_other_directories_are_restored() {
    if !root() {
        return;
    }
    let archive = Archive::new()
        .entry(EntryType::Directory, "usr", "", b"")
        .file("usr/file", "content")
        .entry(EntryType::Directory, "etc", "", b"")
        .symlink("etc/file", "../usr/file")
        .hard_link("etc/again", "etc/file")
        .symlink("etc/absolute", "/usr/file")
        .symlink("usr/changed", "../etc");
    let layers = [Layer::plain(archive.end())];
    for host in Host::all() {
        let temp = TempDir::new().unwrap();
        let dir = temp.path();
        layout(&dir.join("images"), &layers);
        host.done(dir, &["unpack", "images#t", "bundle"]);
        for who in [host, Host::Native] {
            assert_eq!(who.done(dir, &["repack", "--verify", "--dry-run", "bundle", "images"]), "");
        }
        let changed = dir.join("bundle/rootfs/usr/changed");
        fs::remove_file(&changed).unwrap();
        fs::write(&changed, "a file now").unwrap();
        let changes = host.done(dir, &["repack", "--dry-run", "bundle", "images"]);
        assert_eq!(changes, "put /usr\nput /usr/changed\n", "{}", host.name());
        if host == Host::Native {
            continue;
        }
        Host::Native.done(dir, &["unpack", "--restore", "bundle"]);
        for (name, target) in
            [("etc/file", "../usr/file"), ("etc/again", "../usr/file"), ("etc/absolute", "/usr/file")]
        {
            let found = fs::read_link(dir.join("bundle/rootfs").join(name)).unwrap();
            assert_eq!(found, Path::new(target), "{}: {name}", host.name());
        }
        assert_eq!(fs::read_to_string(&changed).unwrap(), "a file now");
    }
}

#[test]
fn a_sandbox_cannot_restore() {
    for host in Host::sandboxes() {
        let temp = TempDir::new().unwrap();
        if bundle(host, temp.path()).is_none() {
            return;
        }
        let refused = host.run(temp.path(), &["unpack", "--restore", "bundle"]);
        assert_eq!(refused.code, Some(1));
        let hint = "use a file system that can, as root or rootless";
        assert!(refused.error.contains(hint), "{}", refused.error);
    }
}
