//! `ocicle raw add-layer`.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
};

use ocicle_tests::{
    fixtures::{ODD, copy_of},
    handmade::Archive,
    ocicle::{at, command, fails, layers, ocicle, stat, text},
    rootfs::assert_same,
    temp::TempDir,
    tools::{have, run},
};
use serde_json::Value;

fn last(layout: &Path, tag: &str) -> (String, PathBuf) {
    let layer = layers(&at(layout, tag)).pop().unwrap();
    let digest = layer["digest"].as_str().unwrap();
    let blob = layout.join("blobs").join(digest.replace(':', "/"));
    (layer["mediaType"].as_str().unwrap().to_owned(), blob)
}

#[test]
fn a_compressed_layer_keeps_its_bytes() {
    let Some(fixture) = ODD.layout() else { return };
    if !have(&["tar", "gzip", "zstd", "umoci"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let source = temp.path().join("source");
    let script = "mkdir -p \"$1/added/new dir\" && cd \"$1/added\" && echo a >a && ln a b && chmod 4755 a && ln -s a link && \
        cd .. && find . -depth -exec touch -h -d @1500000000 {} + && tar --numeric-owner --sort=name -cf ../layer.tar . && \
        gzip -9 -k ../layer.tar && zstd -q -k ../layer.tar && cp ../layer.tar ../renamed.gz";
    run("sh", ["-ec", script, "sh", text(&source)]);
    let add = |file: &str, tag: &str| {
        let file = temp.path().join(file);
        let digest = ocicle(["raw", "add-layer", &at(&layout, "odd"), text(&file), "--tag", tag]);
        assert!(digest.starts_with("sha256:") && digest.len() == 72, "{digest}");
        last(&layout, tag)
    };
    let (gzip, zstd) = (add("layer.tar.gz", "gzip"), add("layer.tar.zst", "zstd"));
    assert_eq!(gzip.0, "application/vnd.oci.image.layer.v1.tar+gzip");
    assert_eq!(zstd.0, "application/vnd.oci.image.layer.v1.tar+zstd");
    assert!(fs::read(&gzip.1).unwrap() == fs::read(temp.path().join("layer.tar.gz")).unwrap());
    assert!(fs::read(&zstd.1).unwrap() == fs::read(temp.path().join("layer.tar.zst")).unwrap());
    // The file's name does not count; a plain tar is compressed like the image's last layer.
    let plain = add("renamed.gz", "plain");
    let below = layers(&at(&layout, "odd")).pop().unwrap();
    assert_eq!(below["mediaType"], plain.0.as_str());
    let diff_ids = ["gzip", "zstd", "plain"].map(|tag| {
        let stat: Value = stat(&at(&layout, tag));
        let diff_ids = stat["config"]["rootfs"]["diff_ids"].as_array().unwrap().clone();
        assert_eq!(stat["history"].as_array().unwrap().last().unwrap()["created_by"], "ocicle raw add-layer");
        diff_ids.last().unwrap().as_str().unwrap().to_owned()
    });
    let sum = String::from_utf8(run("sha256sum", [text(&temp.path().join("layer.tar"))])).unwrap();
    assert_eq!(diff_ids, [(); 3].map(|()| format!("sha256:{}", &sum[..64])));
    assert!(ocicle(["check", text(&layout)]).ends_with("nothing wrong\n"));
    let (ours, theirs) = (temp.path().join("ours"), temp.path().join("theirs"));
    ocicle(["unpack", &at(&layout, "zstd"), text(&ours)]);
    run("umoci", ["unpack", "--image", &format!("{}:gzip", layout.display()), text(&theirs)]);
    assert_same(&source.join("added"), &ours.join("rootfs/added"));
    assert_same(&source.join("added"), &theirs.join("rootfs/added"));
}

#[test]
fn standard_input_compression_and_dry_run() {
    let Some(fixture) = ODD.layout() else { return };
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let before = fs::read(layout.join("index.json")).unwrap();
    let archive = Archive::new().file("new", "content").file("etc/.wh.passwd", "").end();
    let add = |more: &[&str]| {
        let mut child = command()
            .args(["raw", "add-layer", &at(&layout, "odd"), "-", "--no-history"])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&archive).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(add(&["-n"]), "put /new\nremove /etc/passwd\n");
    assert_eq!(fs::read(layout.join("index.json")).unwrap(), before);
    add(&["--compress", "none", "--tag", "plain"]);
    assert_eq!(fs::read(last(&layout, "plain").1).unwrap(), archive);
    add(&["--compress", "zstd"]);
    assert_eq!(last(&layout, "odd").0, "application/vnd.oci.image.layer.v1.tar+zstd");
    let manifest = ocicle(["mtree", &at(&layout, "odd")]);
    assert!(manifest.contains("new type=file") && !manifest.contains("passwd type"), "{manifest}");
}

#[test]
fn invalid_layers_are_refused() {
    let Some(fixture) = ODD.layout() else { return };
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let files = |dir: &str| fs::read_dir(layout.join(dir)).unwrap().count();
    let before = (fs::read(layout.join("index.json")).unwrap(), files("blobs/sha256"), files("."));
    let cases = [
        (4, Archive::new().file("a/.wh.", "").end(), ", entry \"a/.wh.\": "),
        (4, Archive::new().file("cut", "off").unfinished()[..514].to_vec(), ".tar"),
        (4, b"no archive at all".to_vec(), ".tar"),
        (4, Vec::new(), ".tar: is empty: "),
    ];
    let file = temp.path().join("bad.tar");
    for (code, archive, message) in cases {
        fs::write(&file, archive).unwrap();
        for dry_run in [None, Some("--dry-run")] {
            let reference = at(&layout, "odd");
            let args = ["raw", "add-layer", &reference, text(&file)];
            let error = fails(code, args.into_iter().chain(dry_run));
            assert!(error.contains(message), "{error}");
        }
    }
    fails(1, ["raw", "add-layer", &at(&layout, "odd"), text(&temp.path().join("missing.tar"))]);
    fails(3, ["raw", "add-layer", &at(&layout, "nothing"), text(&file)]);
    assert_eq!((fs::read(layout.join("index.json")).unwrap(), files("blobs/sha256"), files(".")), before);
}
