//! Bundles for overlayfs: what the kernel shows is what a plain unpack writes, and what is written there
//! becomes a layer.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ocicle_tests::{
    fixtures::{DEBIAN, ODD},
    handmade::{Archive, Layer, layout},
    ocicle::{at, fails, layers, ocicle, text, try_ocicle},
    rootfs::{assert_same, describe},
    temp::TempDir,
    tools::{have, overlayfs, run, try_run},
};
use tar::EntryType;

/// A mounted bundle; unmounted on drop.
struct Mounted(PathBuf);

impl Mounted {
    fn new(bundle: &Path, options: &str) -> Self {
        let rootfs = bundle.join("rootfs");
        run("mount", ["-t", "overlay", "overlay", "-o", options.trim_end(), text(&rootfs)]);
        Self(rootfs)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let output = try_run("umount", [&self.0]);
        assert!(output.status.success() || std::thread::panicking(), "{output:?}");
    }
}

fn ready() -> bool {
    overlayfs() && have(&["mtree", "getfattr", "sh"])
}

/// Unpacks into `temp/NAME`, and returns the output.
fn unpack(reference: &str, temp: &TempDir, name: &str, more: &[&str]) -> (PathBuf, String) {
    let bundle = temp.path().join(name);
    let args = ["unpack", "--format", "overlayfs"].iter().chain(more).copied();
    let options = ocicle(args.chain([reference, text(&bundle)]));
    (bundle, options)
}

/// Describes a tree as [`describe`] does, without link counts: overlayfs shows those of a file in its own
/// layer.
fn without_nlink(root: &Path) -> String {
    let words =
        |line: &str| line.split(' ').filter(|word| !word.starts_with("nlink=")).collect::<Vec<_>>().join(" ");
    describe(root).lines().map(|line| words(line) + "\n").collect()
}

fn assert_mounts_as_unpacked(reference: &str, more: &[&str]) {
    let temp = TempDir::new().unwrap();
    let plain = temp.path().join("plain");
    ocicle(["unpack", reference, text(&plain)]);
    let (bundle, options) = unpack(reference, &temp, "overlay", more);
    let mounted = Mounted::new(&bundle, &options);
    assert_same(&plain.join("rootfs"), &mounted.0);
    assert_eq!(fs::read(plain.join("rootfs.mtree")).unwrap(), fs::read(bundle.join("rootfs.mtree")).unwrap());
    assert_eq!(fs::read(plain.join("config.json")).unwrap(), fs::read(bundle.join("config.json")).unwrap());
}

#[test]
fn images_of_others_mount_as_they_unpack() {
    if !ready() {
        return;
    }
    if let Some(fixture) = ODD.layout() {
        assert_mounts_as_unpacked(&at(&fixture, "odd"), &[]);
        assert_mounts_as_unpacked(&at(&fixture, "odd"), &["--userxattr"]);
    }
    if let Some(fixture) = DEBIAN.layout() {
        assert_mounts_as_unpacked(&at(&fixture, "debian"), &[]);
    }
}

#[test]
fn a_hard_link_that_loses_a_name_keeps_its_content() {
    if !ready() {
        return;
    }
    let Some(fixture) = ODD.layout() else { return };
    let temp = TempDir::new().unwrap();
    let plain = temp.path().join("plain");
    ocicle(["unpack", &at(&fixture, "gnu"), text(&plain)]);
    let (bundle, options) = unpack(&at(&fixture, "gnu"), &temp, "overlay", &[]);
    let mounted = Mounted::new(&bundle, &options);
    assert_eq!(without_nlink(&plain.join("rootfs")), without_nlink(&mounted.0));
}

fn image_of(dir: &Path, archives: &[Archive]) -> String {
    let archives: Vec<Layer> = archives.iter().map(|archive| Layer::plain(archive.clone().end())).collect();
    layout(dir, &archives);
    at(dir, "t")
}

fn directory(archive: Archive, name: &str) -> Archive {
    archive.entry(EntryType::Directory, name, "", b"")
}

#[test]
fn every_way_to_hide_and_replace_mounts_as_it_unpacks() {
    if !ready() {
        return;
    }
    let temp = TempDir::new().unwrap();
    let base = Archive::new()
        .file("opaque-first/old", "1")
        .file("opaque-last/old", "1")
        .file("opaque-last/sub/old", "1")
        .file("again/old", "1")
        .file("file-to-dir", "1")
        .file("dir-to-file/old", "1")
        .file("hard/a", "shared")
        .hard_link("hard/b", "hard/a")
        .file("usr/lib/old", "1")
        .symlink("lib", "usr/lib")
        .entry(EntryType::Char, "null", "", b"")
        .file("gone/below", "1")
        .file("kept", "1");
    let second = Archive::new()
        .file("opaque-first/.wh..wh..opq", "")
        .file("opaque-first/new", "2")
        .file("opaque-last/new", "2")
        .file("opaque-last/sub/new", "2")
        .file("opaque-last/.wh..wh..opq", "")
        .file(".wh.again", "")
        .file("again/new", "2")
        .file("dir-to-file", "2")
        .hard_link("elsewhere/c", "hard/b")
        .file("lib/new", "2")
        .file("lib/.wh.old", "")
        .hard_link("null-too", "null")
        .file(".wh.gone", "");
    let third = directory(directory(Archive::new(), "file-to-dir"), "dir-to-file")
        .file("dir-to-file/new", "3")
        .file("gone/back", "3")
        .file(".wh.again", "")
        .hard_link("hard/d", "elsewhere/c")
        .file(".wh..wh.plnk", "");
    let fourth = Archive::new().file(".wh..wh..opq", "").file("usr/lib/last", "4");
    for count in 0..=4 {
        let archives = [base.clone(), second.clone(), third.clone(), fourth.clone()];
        let reference = image_of(&temp.path().join(format!("layout{count}")), &archives[..count]);
        let plain = temp.path().join(format!("plain{count}"));
        ocicle(["unpack", &reference, text(&plain)]);
        let (bundle, options) = unpack(&reference, &temp, &format!("overlay{count}"), &[]);
        let directories = fs::read_dir(bundle.join("layers")).unwrap().count();
        assert_eq!(directories, count.max(1));
        let mounted = Mounted::new(&bundle, &options);
        assert_eq!(describe(&plain.join("rootfs")), describe(&mounted.0), "{count} layers");
    }
}

/// Two layers, `d/a`, `d/b`, `f`, `hard-1` and `hard-2`.
fn small(temp: &TempDir) -> String {
    let base = directory(Archive::new(), "d").file("d/a", "a").file("d/b", "b");
    let top = Archive::new().file("f", "f").file("hard-1", "h").hard_link("hard-2", "hard-1");
    image_of(&temp.path().join("layout"), &[base, top])
}

#[test]
fn written_files_become_a_layer() {
    if !ready() {
        return;
    }
    for more in [&[][..], &["--userxattr"]] {
        let temp = TempDir::new().unwrap();
        let reference = small(&temp);
        let (bundle, options) = unpack(&reference, &temp, "bundle", more);
        let before = {
            let mounted = Mounted::new(&bundle, &options);
            let script = "set -e; cd \"$0\"
                rm -r d; mkdir d; echo new >d/new; chmod 700 d
                rm f; mkdir f; echo x >f/x; ln f/x linked
                echo more >>hard-1; chown 5:6 hard-2
                mkdir -p usr/bin; ln -s usr/bin bin; mknod null c 1 3; mkfifo pipe
                setfattr -n trusted.overlay.opaque -v y usr || true
                setfattr -n user.mine -v 1 usr";
            run("sh", ["-c", script, text(&mounted.0)]);
            describe(&mounted.0)
        };
        let to = at(&temp.path().join("layout"), "v2");
        let lines = ocicle(["repack", "--dry-run", text(&bundle), &to]);
        for line in ["put /d", "clear /d", "put /d/new", "put /linked", "put /null"] {
            assert!(lines.lines().any(|found| found == line), "{line} is not in\n{lines}");
        }
        ocicle(["repack", text(&bundle), &to]);
        assert_eq!((layers(&reference).len(), layers(&to).len()), (2, 3));
        let again = temp.path().join("again");
        ocicle(["unpack", &to, text(&again)]);
        assert_eq!(describe(&again.join("rootfs")), before, "{more:?}");
    }
}

#[test]
fn removed_files_become_whiteouts() {
    if !ready() {
        return;
    }
    let temp = TempDir::new().unwrap();
    let reference = small(&temp);
    let (bundle, options) = unpack(&reference, &temp, "bundle", &[]);
    {
        let mounted = Mounted::new(&bundle, &options);
        run("sh", ["-c", "cd \"$0\" && rm -r d f hard-1 hard-2", text(&mounted.0)]);
    }
    let to = at(&temp.path().join("layout"), "v2");
    let lines = ocicle(["repack", "--dry-run", text(&bundle), &to]);
    assert_eq!(lines, "put /\nremove /d\nremove /f\nremove /hard-1\nremove /hard-2\n");
    ocicle(["repack", text(&bundle), &to]);
    assert_eq!(ocicle(["mtree", &to]).lines().filter(|line| line.contains("type=file")).count(), 0);
}

#[test]
fn an_unchanged_overlay_adds_no_layer() {
    if !ready() {
        return;
    }
    let temp = TempDir::new().unwrap();
    let reference = small(&temp);
    let (bundle, options) = unpack(&reference, &temp, "bundle", &[]);
    {
        let mounted = Mounted::new(&bundle, &options);
        // Overlayfs leaves notes on directories that something was in.
        run("sh", ["-c", "cd \"$0\" && mkdir new && rmdir new && ls -R >/dev/null", text(&mounted.0)]);
    }
    assert_eq!(ocicle(["repack", "--dry-run", text(&bundle), &reference]), "");
    ocicle(["repack", text(&bundle), &reference]);
    assert_eq!(layers(&reference).len(), 2);
}

#[test]
fn a_moved_directory_is_refused_with_a_hint() {
    if !ready() {
        return;
    }
    let temp = TempDir::new().unwrap();
    let reference = small(&temp);
    let (bundle, options) = unpack(&reference, &temp, "bundle", &[]);
    {
        let mounted = Mounted::new(&bundle, &format!("{},redirect_dir=on", options.trim_end()));
        run("mv", [mounted.0.join("d"), mounted.0.join("moved")]);
    }
    let error = fails(1, ["repack", text(&bundle), &at(&temp.path().join("layout"), "v2")]);
    assert!(error.contains("/moved of the upper directory") && error.contains("redirect_dir=off"), "{error}");
    fails(3, ["stat", &at(&temp.path().join("layout"), "v2")]);
}

#[test]
fn paths_with_the_separators_of_mount_options() {
    if !ready() {
        return;
    }
    let temp = TempDir::new().unwrap();
    let (bundle, options) = unpack(&small(&temp), &temp, "a:b,c\\d e", &[]);
    assert_eq!(options.lines().count(), 1);
    let mounted = Mounted::new(&bundle, &options);
    assert_eq!(fs::read_to_string(mounted.0.join("d/a")).unwrap(), "a");
    fs::write(mounted.0.join("written"), "w").unwrap();
    assert_eq!(fs::read_to_string(bundle.join("upper/written")).unwrap(), "w");
}

/// mount(2) takes a page of options.
#[test]
fn options_of_many_layers_are_relative() {
    if !ready() {
        return;
    }
    let temp = TempDir::new().unwrap();
    let image = |count: usize| {
        let dir = temp.path().join(format!("{count}"));
        let layers = (0..count).map(|n| Layer::plain(Archive::new().file(&format!("f{n}"), "x").end()));
        layout(&dir, &layers.collect::<Vec<_>>());
        text(&dir).to_owned()
    };
    let bundle = temp.path().join("bundle");
    let output = try_ocicle(["unpack", "--format", "overlayfs", &image(150), text(&bundle)]);
    let (options, warning) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(options.starts_with("lowerdir=layers/149:layers/148:") && options.len() < 4096, "{options}");
    let hint = format!("takes 4095 bytes\nhint: mount from inside the bundle: cd {}\n", bundle.display());
    assert!(warning.ends_with(&hint), "{warning}");
    let script = "cd \"$1\" && mount -t overlay overlay -o \"$2\" rootfs && ls rootfs && umount rootfs";
    let listed = run("sh", ["-ec", script, "sh", text(&bundle), options.trim_end()]);
    assert_eq!(listed.split(|&byte| byte == b'\n').count(), 151);

    let output =
        try_ocicle(["unpack", "--format", "overlayfs", &image(400), text(&temp.path().join("more"))]);
    let warning = String::from_utf8(output.stderr).unwrap();
    assert!(warning.contains("bytes, and the kernel takes 4095\nhint: `ocicle squash` "), "{warning}");
}

#[test]
fn a_failed_unpack_leaves_nothing_and_overwrites_no_bundle() {
    if !ready() {
        return;
    }
    let temp = TempDir::new().unwrap();
    let reference = small(&temp);
    let (bundle, _) = unpack(&reference, &temp, "bundle", &[]);
    fails(1, ["unpack", "--format", "overlayfs", &reference, text(&bundle)]);
    fails(1, ["unpack", &reference, text(&bundle)]);
    fails(2, ["unpack", "--userxattr", &reference, text(&temp.path().join("none"))]);

    let good = Archive::new().file("a", "1");
    let bad = Archive::new().file("b", "2").entry(EntryType::Link, "l", "nowhere", b"");
    let wrong = image_of(&temp.path().join("wrong"), &[good, bad]);
    let failed = temp.path().join("failed");
    let error = fails(4, ["unpack", "--format", "overlayfs", &wrong, text(&failed)]);
    assert!(error.contains("hard link to nowhere"), "{error}");
    assert!(!failed.exists());
}
