//! Layers that mean harm: nothing outside the bundle changes, and a failure leaves nothing inside it.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Output,
};

use ocicle::{
    error::{Error, Kind},
    layer::on_disk::OnDisk,
    limits::Limits,
    store::RootIndex as _,
};
use ocicle_tests::{
    handmade::{Archive, Layer, layout},
    ocicle::try_ocicle,
    temp::TempDir,
    tools::{root, run},
};
use tar::EntryType;

/// A place with things to harm: `victim` and `dir/file` beside the layout and the bundle.
struct Ground {
    temp: TempDir,
    before: String,
}

impl Ground {
    fn new(layers: &[Layer]) -> Self {
        let temp = TempDir::new().unwrap();
        fs::create_dir(temp.path().join("dir")).unwrap();
        fs::write(temp.path().join("victim"), "untouched").unwrap();
        fs::write(temp.path().join("dir/file"), "untouched").unwrap();
        layout(&temp.path().join("layout"), layers);
        fs::create_dir(temp.path().join("bundle")).unwrap();
        fs::write(temp.path().join("bundle/mine"), "kept").unwrap();
        let before = state(temp.path());
        Self { temp, before }
    }

    fn unpack(&self) -> Output {
        let reference = format!("{}#t", self.temp.path().join("layout").display());
        let output = try_ocicle(["unpack", &reference, self.bundle().to_str().unwrap()]);
        assert!(output.status.code().is_some(), "died: {output:?}");
        output
    }

    fn bundle(&self) -> PathBuf {
        self.temp.path().join("bundle")
    }

    /// Nothing but what an unpack makes inside the bundle has changed.
    fn assert_untouched(&self) {
        for made in ["rootfs", "config.json", "rootfs.mtree", "rootfs.stamps", "ocicle.json"] {
            let path = self.bundle().join(made);
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap();
            } else {
                let _ = fs::remove_file(path);
            }
        }
        assert_eq!(state(self.temp.path()), self.before);
    }

    fn refused(&self, reason: &str) {
        let output = self.unpack();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!([1, 4].contains(&output.status.code().unwrap()), "{error}");
        assert!(error.contains(reason), "expected {reason:?}: {error}");
        assert_eq!(state(self.temp.path()), self.before);
    }

    fn accepted(&self) {
        let output = self.unpack();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Names, types, contents, modes and owners of everything below a directory.
fn state(dir: &Path) -> String {
    let script = "cd \"$1\" && find . ! -path './bundle' -printf '%p %y %m %U:%G %l\\n' | sort && \
        find . -type f ! -path './layout/*' -exec sha256sum {} + | sort";
    String::from_utf8(run("sh", ["-c", script, "sh", dir.to_str().unwrap()])).unwrap()
}

#[test]
fn names_that_climb_stop_at_the_root() {
    if !root() {
        return;
    }
    for name in ["../victim", "../../victim", "a/../../victim", "./../victim"] {
        let ground = Ground::new(&[Layer::plain(Archive::new().file(name, "inside").end())]);
        ground.accepted();
        assert_eq!(fs::read_to_string(ground.bundle().join("rootfs/victim")).unwrap(), "inside");
        ground.assert_untouched();
    }
    let absolute = Layer::plain(Archive::new().file("/absolute", "inside").end());
    let ground = Ground::new(&[absolute]);
    ground.accepted();
    assert_eq!(fs::read_to_string(ground.bundle().join("rootfs/absolute")).unwrap(), "inside");
    ground.assert_untouched();
}

#[test]
fn links_out_are_followed_inside_the_root_only() {
    if !root() {
        return;
    }
    for target in ["/", "..", "../..", "/../../..", "../../../../../../../../.."] {
        let archive = Archive::new().symlink("out", target).file("out/victim", "inside").end();
        let ground = Ground::new(&[Layer::plain(archive)]);
        ground.accepted();
        assert_eq!(fs::read_to_string(ground.bundle().join("rootfs/victim")).unwrap(), "inside");
        ground.assert_untouched();
    }
    // The same across two layers, and through a link to a link.
    let first = Archive::new().symlink("a", "/b").symlink("b", "../../dir").end();
    let second = Archive::new().file("a/file", "inside").end();
    let ground = Ground::new(&[Layer::plain(first), Layer::plain(second)]);
    ground.accepted();
    assert_eq!(fs::read_to_string(ground.bundle().join("rootfs/dir/file")).unwrap(), "inside");
    ground.assert_untouched();
}

#[test]
fn a_file_replaces_a_link_and_is_not_written_through_it() {
    if !root() {
        return;
    }
    let ground_path = "../../victim";
    for archive in [
        Archive::new().symlink("f", ground_path).file("f", "inside").end(),
        Archive::new()
            .symlink("f", ground_path)
            .entry(EntryType::Directory, "f", "", b"")
            .file("f/x", "y")
            .end(),
        Archive::new().symlink("f", ground_path).entry(EntryType::Fifo, "f", "", b"").end(),
        Archive::new().symlink("f", "/dev/null").entry(EntryType::Char, "f", "", b"").end(),
    ] {
        let ground = Ground::new(&[Layer::plain(archive)]);
        ground.accepted();
        ground.assert_untouched();
    }
}

#[test]
fn hard_links_reach_nothing_outside() {
    if !root() {
        return;
    }
    for target in ["../victim", "../../victim"] {
        let archive = Archive::new().hard_link("h", target).file("h", "x").end();
        Ground::new(&[Layer::plain(archive)]).refused("target is not there");
    }
    let archive = Archive::new().symlink("out", "../../dir").hard_link("h", "out/file").end();
    Ground::new(&[Layer::plain(archive)]).refused("target is not there");
    // A hard link to a symbolic link is a second link, not a name of what it points to.
    let archive = Archive::new().symlink("l", "../../victim").hard_link("h", "l").file("h", "x").end();
    let ground = Ground::new(&[Layer::plain(archive)]);
    ground.accepted();
    ground.assert_untouched();
}

#[test]
fn whiteouts_remove_nothing_outside_and_nothing_strange() {
    if !root() {
        return;
    }
    for name in [".wh.", ".wh..", ".wh...", "a/.wh..", "a/.wh..."] {
        Ground::new(&[Layer::plain(Archive::new().file(name, "").end())]).refused(".wh.");
    }
    for archive in [
        Archive::new().symlink("out", "../..").file("out/.wh.victim", "").end(),
        Archive::new().symlink("out", "../../dir").file("out/.wh..wh..opq", "").end(),
        Archive::new().file(".wh.nothing", "").end(),
        Archive::new().file("/.wh.victim", "").end(),
    ] {
        let ground = Ground::new(&[Layer::plain(archive)]);
        ground.accepted();
        ground.assert_untouched();
    }
}

#[test]
fn archives_cut_short_are_refused() {
    if !root() {
        return;
    }
    let whole = Archive::new().file("f", &"x".repeat(2000)).end();
    for cut in [100, 600, 1500, 2500] {
        Ground::new(&[Layer::plain(whole[..cut].to_vec())]).refused("layer");
    }
    let mut damaged = whole.clone();
    damaged[20] ^= 1;
    Ground::new(&[Layer::plain(damaged)]).refused("checksum");
    let ground = Ground::new(&[Layer::plain(Archive::new().file("f", "x").unfinished())]);
    ground.accepted();
}

#[test]
fn what_follows_the_end_is_verified_and_not_applied() {
    if !root() {
        return;
    }
    let mut archive = Archive::new().file("f", "x").end();
    archive.extend(Archive::new().file("hidden", "x").end());
    let ground = Ground::new(&[Layer::plain(archive.clone())]);
    ground.accepted();
    assert!(!ground.bundle().join("rootfs/hidden").exists());
    // Another byte there is another diff_id.
    let mut layer = Layer::plain(archive);
    *layer.blob.last_mut().unwrap() ^= 1;
    Ground::new(&[layer]).refused("diff_id");
}

#[test]
fn gzip_that_is_cut_or_followed_by_garbage_is_refused() {
    if !root() {
        return;
    }
    let archive = Archive::new().file("f", &"x".repeat(5000)).end();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&archive).unwrap();
    let whole = encoder.finish().unwrap();
    Ground::new(&[Layer::gzip(whole.clone(), &archive)]).accepted();
    Ground::new(&[Layer::gzip(whole[..whole.len() - 4].to_vec(), &archive)]).refused("layer");
    let mut garbage = whole.clone();
    garbage.extend(b"garbage");
    Ground::new(&[Layer::gzip(garbage, &archive)]).refused("layer");
    let mut wrong = whole;
    let at = wrong.len() - 6;
    wrong[at] ^= 1;
    Ground::new(&[Layer::gzip(wrong, &archive)]).refused("layer");
}

#[test]
fn bombs_end_at_the_limits() {
    use ocicle::{
        image::{Image, layers::merged},
        spec::Descriptor,
        store::layout::LayoutStore,
    };
    let small = Limits { entries: 10, layer_size: 1 << 20, ..Limits::default() };
    let open = |layers: &[Layer]| -> Error {
        let temp = TempDir::new().unwrap();
        layout(temp.path(), layers);
        let dir = cap_std::fs::Dir::open_ambient_dir(temp.path(), cap_std::ambient_authority()).unwrap();
        let store = LayoutStore::open(ocicle::fs::host::HostDir::new(dir), &small).unwrap();
        let entry: Descriptor = store.load().unwrap().view().manifests[0].clone();
        let image = Image::open(&store, &entry, &small).unwrap();
        merged(&store, &image, &OnDisk::default(), &small).unwrap_err()
    };
    let many = (0..11).fold(Archive::new(), |archive, number| archive.file(&format!("f{number}"), ""));
    let zeros = Archive::new().file("zeros", &"\0".repeat(2 << 20)).end();
    for (layers, name) in [(many.end(), "entries"), (zeros, "layer_size")] {
        let error = open(&[Layer::plain(layers)]);
        assert_eq!(error.kind(), Kind::Limit, "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
}
