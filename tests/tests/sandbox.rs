//! Bundles in a WASI sandbox: what it cannot hold comes from the manifest, and the layer is the one that a native run makes.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::{
    env, fs,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink},
    path::Path,
    process::{Command, Output},
};

use ocicle_tests::{
    fixtures::{ODD, copy_of},
    ocicle::command,
    rootfs::assert_same,
    temp::TempDir,
    tools::{root, run},
};

const NOW: &str = "1700000000";

/// Runs the command with `temp` as its directory: native, or in the sandbox. `None` where there is none.
fn ocicle(temp: &Path, sandbox: bool, arguments: &[&str]) -> Option<Output> {
    if !sandbox {
        let native = command().current_dir(temp).env("SOURCE_DATE_EPOCH", NOW).args(arguments).output();
        return Some(native.unwrap());
    }
    let variable = |name: &str| {
        let value = env::var(name).ok();
        if value.is_none() {
            assert!(env::var_os("OCICLE_REQUIRE_TOOLS").is_none(), "{name} is not set");
            println!("not run: {name} is not set; `cargo xtask test` sets it");
        }
        value
    };
    let (runner, module) = (variable("OCICLE_WASI_RUNNER")?, variable("OCICLE_WASI")?);
    let mut runner = Command::new(runner);
    runner.args(["--dir", &format!("{}::.", temp.display())]);
    runner.args(["--env", &format!("SOURCE_DATE_EPOCH={NOW}"), &module]);
    Some(runner.args(arguments).output().unwrap())
}

/// The same, which must succeed; gives what it prints.
fn done(temp: &Path, sandbox: bool, arguments: &[&str]) -> Option<String> {
    let output = ocicle(temp, sandbox, arguments)?;
    assert!(
        output.status.success(),
        "{arguments:?}, sandbox {sandbox}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(String::from_utf8(output.stdout).unwrap())
}

/// What people do: change, add, remove. All times are set, as the layers have them.
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

/// A copy of the odd image with a bundle of it, made by each.
fn bundles(temp: &TempDir) -> Option<()> {
    let odd = ODD.layout()?;
    for (world, sandbox) in [("native", false), ("wasi", true)] {
        let dir = temp.path().join(world);
        fs::create_dir(&dir).unwrap();
        fs::rename(copy_of(&odd, &dir), dir.join("images")).unwrap();
        done(&dir, sandbox, &["unpack", "images#odd", "bundle"])?;
    }
    Some(())
}

#[test]
fn a_bundle_of_a_sandbox_becomes_the_same_image() {
    if !root() {
        return;
    }
    let temp = TempDir::new().unwrap();
    if bundles(&temp).is_none() {
        return;
    }
    let [native, wasi] = ["native", "wasi"].map(|world| temp.path().join(world));
    for file in ["bundle/rootfs.mtree", "bundle/config.json"] {
        assert!(fs::read(native.join(file)).unwrap() == fs::read(wasi.join(file)).unwrap(), "{file}");
    }
    // Nothing has changed, whoever looks.
    for (world, sandbox) in [(&wasi, true), (&wasi, false), (&native, false)] {
        let unchanged = done(world, sandbox, &["repack", "--verify", "--dry-run", "bundle", "images"]);
        assert_eq!(unchanged.as_deref(), Some(""), "{world:?}");
    }
    edit(&native.join("bundle/rootfs"));
    edit(&wasi.join("bundle/rootfs"));
    let made = done(&native, false, &["repack", "bundle", "images#new"]);
    assert_eq!(done(&wasi, true, &["repack", "bundle", "images#new"]), made);
    same_stores(&native.join("images"), &wasi.join("images"));
    // What the sandbox unpacked can be repacked outside.
    assert_eq!(done(&wasi, false, &["repack", "bundle", "images#new"]), made);
    // And the bundle can go on from what it became.
    for sandbox in [true, false] {
        assert_eq!(done(&wasi, sandbox, &["repack", "--refresh-bundle", "bundle", "images#new"]), made);
        assert_eq!(done(&wasi, true, &["repack", "--dry-run", "bundle", "images"]).as_deref(), Some(""));
    }
}

#[test]
fn the_sandbox_holds_forms_that_mean_the_same() {
    let temp = TempDir::new().unwrap();
    let Some(odd) = ODD.layout() else { return };
    fs::rename(copy_of(&odd, temp.path()), temp.path().join("images")).unwrap();
    if done(temp.path(), true, &["unpack", "images#odd", "bundle"]).is_none() {
        return;
    }
    let rootfs = temp.path().join("bundle/rootfs");
    let link = |name: &str| fs::read_link(rootfs.join(name)).unwrap();
    assert_eq!(link("absolute"), Path::new("etc/passwd"));
    assert_eq!(link("climbing"), Path::new("etc/group"));
    for name in ["null", "disk", "pipe"] {
        let found = fs::symlink_metadata(rootfs.join(name)).unwrap();
        assert!(found.is_file() && !found.file_type().is_fifo() && found.size() == 0, "{name}");
    }
    assert_eq!(fs::read_to_string(rootfs.join("latin-%E9")).unwrap().len(), 4);
}

#[test]
fn new_files_get_what_is_asked_for() {
    let temp = TempDir::new().unwrap();
    let Some(odd) = ODD.layout() else { return };
    fs::rename(copy_of(&odd, temp.path()), temp.path().join("images")).unwrap();
    if done(temp.path(), true, &["unpack", "images#odd", "bundle"]).is_none() {
        return;
    }
    let rootfs = temp.path().join("bundle/rootfs");
    fs::create_dir(rootfs.join("added")).unwrap();
    fs::write(rootfs.join("added/file"), "x").unwrap();
    fs::create_dir(temp.path().join("source")).unwrap();
    fs::write(temp.path().join("source/inserted"), "y").unwrap();
    let files = |tag: &str| {
        let listed = done(temp.path(), false, &["files", "--format", "plain", &format!("images#{tag}")]);
        listed.unwrap()
    };
    let asked = ["--default-owner", "5:6", "--default-mode", "0640"];
    done(temp.path(), true, &[&["repack", "bundle", "images#asked"], &asked[..]].concat());
    done(temp.path(), true, &["repack", "bundle", "images#plain"]);
    done(
        temp.path(),
        true,
        &[&["insert", "images#plain", "source", "/opt", "--tag", "inserted"], &asked[..]].concat(),
    );
    let line = |tag: &str, path: &str| {
        let listed = files(tag);
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

#[test]
fn a_restored_bundle_is_what_a_native_unpack_makes() {
    if !root() {
        return;
    }
    for owners in [&[][..], &["--rootless"]] {
        let temp = TempDir::new().unwrap();
        if bundles(&temp).is_none() {
            return;
        }
        let [native, wasi] = ["native", "wasi"].map(|world| temp.path().join(world));
        fs::remove_dir_all(native.join("bundle")).unwrap();
        done(&native, false, &[&["unpack", "images#odd", "bundle"], owners].concat());
        for world in [&native, &wasi] {
            edit(&world.join("bundle/rootfs"));
        }
        done(&wasi, false, &[&["unpack", "--restore", "bundle"], owners].concat());
        assert_same(&native.join("bundle/rootfs"), &wasi.join("bundle/rootfs"));
        let [expected, restored] =
            [&native, &wasi].map(|world| done(world, false, &["repack", "bundle", "images#new"]));
        assert_eq!(restored, expected);
        same_stores(&native.join("images"), &wasi.join("images"));
        // Once is enough.
        let again = done(&wasi, false, &[&["-v", "unpack", "--restore", "bundle"], owners].concat());
        assert_eq!(again.as_deref(), Some(""));
        assert_same(&native.join("bundle/rootfs"), &wasi.join("bundle/rootfs"));
    }
}

#[test]
fn a_sandbox_cannot_restore() {
    let temp = TempDir::new().unwrap();
    let Some(odd) = ODD.layout() else { return };
    fs::rename(copy_of(&odd, temp.path()), temp.path().join("images")).unwrap();
    if done(temp.path(), true, &["unpack", "images#odd", "bundle"]).is_none() {
        return;
    }
    let refused = ocicle(temp.path(), true, &["unpack", "--restore", "bundle"]).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let message = String::from_utf8(refused.stderr).unwrap();
    assert!(message.contains("do it as root, or rootless, on a file system that holds them"), "{message}");
}
