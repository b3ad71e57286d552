//! The expansion of layers: content that compresses well, files with holes, and the limits on both.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use ocicle_tests::{
    handmade::{self, Archive, Layer},
    ocicle::{at, fails, ocicle, text},
    temp::TempDir,
    tools::{have, run},
};

/// Makes a layout with a blank image `v1`.
fn blank(temp: &TempDir) -> std::path::PathBuf {
    let layout = temp.path().join("layout");
    ocicle(["init", text(&layout)]);
    ocicle(["new", &at(&layout, "v1")]);
    layout
}

/// Returns the size of a file and the bytes that the disk holds of it.
fn sizes(path: &Path) -> (u64, u64) {
    let metadata = fs::metadata(path).unwrap();
    (metadata.len(), metadata.blocks() * 512)
}

#[test]
fn what_is_written_can_be_read() {
    let temp = TempDir::new().unwrap();
    let layout = blank(&temp);
    let zeros = temp.path().join("zeros");
    fs::File::create(&zeros).unwrap().set_len(1200 << 20).unwrap();
    for how in ["zstd", "gzip"] {
        ocicle(["insert", "--compress", how, &at(&layout, "v1"), text(&zeros), "/zeros", "--tag", how]);
        assert!(ocicle(["files", &at(&layout, how)]).contains("1258291200"), "{how}");
    }
    assert!(ocicle(["check", text(&layout)]).ends_with("nothing wrong\n"));
    let bundle = temp.path().join("bundle");
    ocicle(["unpack", &at(&layout, "zstd"), text(&bundle)]);
    let (size, on_disk) = sizes(&bundle.join("rootfs/zeros"));
    assert_eq!(size, 1200 << 20);
    assert!(on_disk < 1 << 20, "{on_disk}");
}

#[test]
fn holes_stay_holes_in_all_formats() {
    if !have(&["tar"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = blank(&temp);
    let script =
        "cd \"$1\" && printf start >v && truncate -s 700M v && printf middle >>v && truncate -s 1G v";
    run("sh", ["-ec", script, "sh", text(temp.path())]);
    for (tag, format) in [
        ("gnu", &["--format=gnu"][..]),
        ("0.0", &["--format=pax", "--sparse-version=0.0"]),
        ("0.1", &["--format=pax", "--sparse-version=0.1"]),
        ("1.0", &["--format=pax", "--sparse-version=1.0"]),
    ] {
        let tar = temp.path().join("v.tar");
        let fixed = ["-S", "-C", text(temp.path()), "-cf", text(&tar), "v"];
        run("tar", format.iter().chain(&fixed));
        assert!(fs::metadata(&tar).unwrap().len() < 100_000);
        ocicle(["raw", "add-layer", &at(&layout, "v1"), text(&tar), "--tag", tag]);
        let bundle = temp.path().join(tag);
        ocicle(["unpack", &at(&layout, tag), text(&bundle)]);
        let file = bundle.join("rootfs/v");
        let (size, on_disk) = sizes(&file);
        assert_eq!(size, 1 << 30, "{tag}");
        assert!(on_disk < 1 << 20, "{tag}: {on_disk}");
        run("cmp", [text(&file), text(&temp.path().join("v"))]);
    }
}

#[test]
fn limits_hold_for_holes_and_can_be_changed() {
    if !have(&["tar"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = blank(&temp);
    let script = "cd \"$1\" && truncate -s 20G huge && truncate -s 20M small && \
        tar -S -cf huge.tar huge && tar -S -cf small.tar small";
    run("sh", ["-ec", script, "sh", text(temp.path())]);
    let add = |name: &str| temp.path().join(name);
    let error = fails(1, ["raw", "add-layer", &at(&layout, "v1"), text(&add("huge.tar"))]);
    assert!(error.contains("huge.tar: more than the limit of 1100 (ratio)\n"), "{error}");
    let hint = "hint: `ratio` limits what a small blob can expand to: the bytes for each byte of a layer's blob; \
        if you trust the image, raise it: --limit ratio=…\n";
    assert!(error.ends_with(hint), "{error}");
    ocicle(["raw", "add-layer", &at(&layout, "v1"), text(&add("small.tar")), "--tag", "small"]);
    for command in ["files", "mtree", "waste"] {
        let error = fails(1, ["--limit", "ratio_from=1MB", command, &at(&layout, "small")]);
        assert!(error.contains("more than the limit of 1100 (ratio)\n"), "{error}");
    }
    ocicle(["--limit", "ratio_from=1MB", "--limit", "ratio=1000000", "files", &at(&layout, "small")]);
    let error = fails(2, ["--limit", "rate=1", "files", &at(&layout, "small")]);
    assert!(error.contains("unknown limit \"rate\" (known: document, depth, "), "{error}");
}

/// Debian's `umoci insert FILE` leaves out the padding of the file and the end of the archive.
#[test]
fn the_last_files_padding_may_be_missing() {
    let temp = TempDir::new().unwrap();
    let (layout, bundle) = (temp.path().join("layout"), temp.path().join("bundle"));
    let mut archive = Archive::new().file("a", "first").file("b", "last").unfinished();
    archive.truncate(archive.len() - 512 + 4);
    handmade::layout(&layout, &[Layer::plain(archive)]);
    let image = text(&layout);
    assert_eq!(ocicle(["cat", image, "b"]), "last");
    assert!(ocicle(["files", image]).contains("/b"));
    assert!(ocicle(["check", image]).ends_with("nothing wrong\n"));
    ocicle(["unpack", image, text(&bundle)]);
    assert_eq!(fs::read(bundle.join("rootfs/b")).unwrap(), b"last");
}
