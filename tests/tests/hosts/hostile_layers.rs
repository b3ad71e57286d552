//! Layers that mean harm: nothing outside the bundle changes, and a failure leaves nothing inside it. On this
//! system and in sandboxes, where the runtime would let them change all that it opened for the command.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use ocicle::{
    error::{Error, ErrorKind},
    layer::on_disk::OnDisk,
    limits::Limits,
};
use ocicle_tests::{
    handmade::{Archive, Layer, layout},
    hosts::{Answer, Host},
    temp::TempDir,
    tools::{root, run},
};
use tar::EntryType;

/// A place with things to harm: `victim` and `dir/file` beside the layout and the bundle; above them, where a
/// sandbox is not given anything, and in a directory beside it.
struct Ground {
    temp: TempDir,
    host: Host,
    before: String,
}

/// The directory that a sandbox is given.
const PLACE: &str = "place";

impl Ground {
    fn new(host: Host, layers: &[Layer]) -> Self {
        let temp = TempDir::new().unwrap();
        for place in ["", "sibling", PLACE] {
            let place = temp.path().join(place);
            fs::create_dir_all(place.join("dir")).unwrap();
            fs::write(place.join("victim"), "untouched").unwrap();
            fs::write(place.join("dir/file"), "untouched").unwrap();
        }
        let place = temp.path().join(PLACE);
        layout(&place.join("layout"), layers);
        fs::create_dir(place.join("bundle")).unwrap();
        fs::write(place.join("bundle/mine"), "kept").unwrap();
        let before = state(temp.path());
        Self { temp, host, before }
    }

    fn unpack(&self) -> Answer {
        let answer = self.host.run(&self.temp.path().join(PLACE), &["unpack", "layout#t", "bundle"]);
        assert!(answer.code.is_some_and(|code| code < 100), "{}: died: {answer:?}", self.host.name());
        answer
    }

    fn bundle(&self) -> PathBuf {
        self.temp.path().join(PLACE).join("bundle")
    }

    /// Checks that nothing has changed but the contents of the bundle.
    fn assert_untouched(&self) {
        for made in ["rootfs", "config.json", "rootfs.mtree", "rootfs.stamps", "ocicle.json"] {
            let path = self.bundle().join(made);
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap();
            } else {
                let _ = fs::remove_file(path);
            }
        }
        assert_eq!(state(self.temp.path()), self.before, "{}", self.host.name());
    }

    fn accepted(&self) {
        let answer = self.unpack();
        assert_eq!(answer.code, Some(0), "{}: {}", self.host.name(), answer.error);
    }
}

fn refused(layers: &[Layer], reason: &str) {
    for host in Host::all() {
        let ground = Ground::new(host, layers);
        let Answer { code, error, .. } = ground.unpack();
        let name = host.name();
        assert!([1, 4].contains(&code.unwrap()), "{name}: {error}");
        assert!(error.contains(reason), "{name}: expected {reason:?}: {error}");
        assert_eq!(state(ground.temp.path()), ground.before, "{name}");
    }
}

/// Unpacked everywhere; nothing outside changes, and these files inside have these contents.
fn harmless(layers: &[Layer], inside: &[(&str, &str)]) {
    for host in Host::all() {
        let ground = Ground::new(host, layers);
        ground.accepted();
        for (name, content) in inside {
            let found = fs::read_to_string(ground.bundle().join("rootfs").join(name));
            assert_eq!(found.unwrap(), *content, "{}: {name}", host.name());
        }
        ground.assert_untouched();
    }
}

/// Names, types, contents, modes and owners of everything below a directory.
fn state(dir: &Path) -> String {
    let script = "cd \"$1\" && find . ! -path './place/bundle' -printf '%p %y %m %U:%G %l\\n' | sort && \
        find . -type f ! -path './place/layout/*' -exec sha256sum {} + | sort";
    String::from_utf8(run("sh", ["-c", script, "sh", dir.to_str().unwrap()])).unwrap()
}

#[test]
fn names_that_climb_stop_at_the_root() {
    if !root() {
        return;
    }
    for name in [
        "../victim",
        "../../victim",
        "../../../victim",
        "../../../sibling/victim",
        "a/../../victim",
        "./../victim",
        "/victim",
    ] {
        let inside = if name.contains("sibling") { "sibling/victim" } else { "victim" };
        harmless(&[Layer::plain(Archive::new().file(name, "inside").end())], &[(inside, "inside")]);
    }
}

#[test]
fn links_out_are_followed_inside_the_root_only() {
    if !root() {
        return;
    }
    for target in ["/", "..", "../..", "../../..", "/../../..", "../../../../../../../../.."] {
        let archive = Archive::new().symlink("out", target).file("out/victim", "inside").end();
        harmless(&[Layer::plain(archive)], &[("victim", "inside")]);
    }
    // The same across two layers, and through a link to a link.
    for out in ["../../dir", "../../../sibling/dir"] {
        let first = Archive::new().symlink("a", "/b").symlink("b", out).end();
        let second = Archive::new().file("a/file", "inside").end();
        let inside = format!("{}/file", out.trim_start_matches("../"));
        harmless(&[Layer::plain(first), Layer::plain(second)], &[(&inside, "inside")]);
    }
}

#[test]
fn a_file_replaces_a_link_and_is_not_written_through_it() {
    if !root() {
        return;
    }
    for out in ["../../victim", "../../../victim", "../../../sibling/victim"] {
        let link = || Archive::new().symlink("f", out);
        for archive in [
            link().file("f", "inside"),
            link().entry(EntryType::Directory, "f", "", b"").file("f/x", "y"),
            link().entry(EntryType::Fifo, "f", "", b""),
        ] {
            harmless(&[Layer::plain(archive.end())], &[]);
        }
    }
    let device = Archive::new().symlink("f", "/dev/null").entry(EntryType::Char, "f", "", b"");
    harmless(&[Layer::plain(device.end())], &[]);
}

#[test]
fn hard_links_reach_nothing_outside() {
    if !root() {
        return;
    }
    for target in ["../victim", "../../victim", "../../../victim"] {
        let archive = Archive::new().hard_link("h", target).file("h", "x").end();
        refused(&[Layer::plain(archive)], "target not found");
    }
    for out in ["../../dir", "../../../sibling/dir"] {
        let archive = Archive::new().symlink("out", out).hard_link("h", "out/file").end();
        refused(&[Layer::plain(archive)], "target not found");
    }
    // A hard link to a symbolic link is a second name of the link, not of its target.
    let archive = Archive::new().symlink("l", "../../victim").hard_link("h", "l").file("h", "x").end();
    harmless(&[Layer::plain(archive)], &[("h", "x")]);
}

#[test]
fn whiteouts_remove_nothing_outside_the_root() {
    if !root() {
        return;
    }
    for name in [".wh.", ".wh..", ".wh...", "a/.wh..", "a/.wh..."] {
        refused(&[Layer::plain(Archive::new().file(name, "").end())], ".wh.");
    }
    for archive in [
        Archive::new().symlink("out", "../..").file("out/.wh.victim", "").end(),
        Archive::new().symlink("out", "../../..").file("out/.wh.sibling", "").end(),
        Archive::new().symlink("out", "../../dir").file("out/.wh..wh..opq", "").end(),
        Archive::new().symlink("out", "../../../sibling").file("out/.wh..wh..opq", "").end(),
        Archive::new().file(".wh.nothing", "").end(),
        Archive::new().file("/.wh.victim", "").end(),
    ] {
        harmless(&[Layer::plain(archive)], &[]);
    }
}

#[test]
fn archives_cut_short_are_refused() {
    if !root() {
        return;
    }
    let whole = Archive::new().file("f", &"x".repeat(2000)).end();
    for cut in [100, 600, 1500, 2500] {
        refused(&[Layer::plain(whole[..cut].to_vec())], "layer");
    }
    let mut damaged = whole.clone();
    damaged[20] ^= 1;
    refused(&[Layer::plain(damaged)], "checksum");
    harmless(&[Layer::plain(Archive::new().file("f", "x").unfinished())], &[("f", "x")]);
}

#[test]
fn bytes_after_the_end_are_verified_and_not_applied() {
    if !root() {
        return;
    }
    let mut archive = Archive::new().file("f", "x").end();
    archive.extend(Archive::new().file("hidden", "x").end());
    for host in Host::all() {
        let ground = Ground::new(host, &[Layer::plain(archive.clone())]);
        ground.accepted();
        assert!(!ground.bundle().join("rootfs/hidden").exists(), "{}", host.name());
    }
    // Another byte there changes the diff_id.
    let mut layer = Layer::plain(archive);
    *layer.blob.last_mut().unwrap() ^= 1;
    refused(&[layer], "diff_id");
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
    harmless(&[Layer::gzip(whole.clone(), &archive)], &[]);
    refused(&[Layer::gzip(whole[..whole.len() - 4].to_vec(), &archive)], "layer");
    let mut garbage = whole.clone();
    garbage.extend(b"garbage");
    refused(&[Layer::gzip(garbage, &archive)], "layer");
    let mut wrong = whole;
    let at = wrong.len() - 6;
    wrong[at] ^= 1;
    refused(&[Layer::gzip(wrong, &archive)], "layer");
}

#[test]
fn bombs_end_at_the_limits() {
    use ocicle::{
        Repository,
        image::{Image, layers::merged},
        spec::Descriptor,
    };
    let small = Limits { entries: 10, layer_size: 1 << 20, ..Limits::default() };
    let open = |layers: &[Layer]| -> Error {
        let temp = TempDir::new().unwrap();
        layout(temp.path(), layers);
        let dir = cap_std::fs::Dir::open_ambient_dir(temp.path(), cap_std::ambient_authority()).unwrap();
        let repository = Repository::open(ocicle::fs::host::HostDir::new(dir), small).unwrap();
        let entry: Descriptor = repository.index().unwrap().view().manifests[0].clone();
        let image = Image::open(&repository, &entry).unwrap();
        merged(&repository, &image, &OnDisk::default()).unwrap_err()
    };
    let many = (0..11).fold(Archive::new(), |archive, number| archive.file(&format!("f{number}"), ""));
    let zeros = Archive::new().file("zeros", &"\0".repeat(2 << 20)).end();
    for (layers, name) in [(many.end(), "entries"), (zeros, "layer_size")] {
        let error = open(&[Layer::plain(layers)]);
        assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
}
