//! Images in archives: archives of other tools are read, edited and copied, and ours are read by them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ocicle_tests::{
    fixtures::{DEBIAN, ODD, copy_of},
    ocicle::{at, fails, json, ocicle, text},
    temp::{TempDir, names},
    tools::{have, root, run},
};
use serde_json::Value;

fn manifest(image: &str) -> String {
    ocicle(["mtree", image])
}

fn skopeo(from: &str, to: &str) {
    run("skopeo", ["copy", "--quiet", from, to]);
}

#[test]
fn archives_of_skopeo_are_read_in_place() {
    let Some(layout) = ODD.layout() else { return };
    if !have(&["skopeo"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let source = format!("oci:{}:odd", text(&layout));
    let expected = manifest(&at(&layout, "odd"));
    for (kind, tag) in
        [("oci-archive", ""), ("oci-archive", ":v1"), ("docker-archive", ":docker.io/example/odd:v1")]
    {
        let file = temp.path().join(format!("{kind}{}.tar", tag.len()));
        skopeo(&source, &format!("{kind}:{}{tag}", text(&file)));
        for reference in [text(&file).to_owned(), format!("{kind}:{}", text(&file))] {
            assert_eq!(manifest(&reference), expected, "{reference}");
            ocicle(["check", &reference]);
        }
        let image = format!("{}#{}", text(&file), tag.trim_start_matches(':'));
        assert_eq!(ocicle(["cat", &image, "twice"]), "second\n");
        if root() && !tag.is_empty() {
            let bundle = temp.path().join(format!("bundle{}", tag.len()));
            ocicle(["unpack", &image, text(&bundle)]);
            assert_eq!(ocicle(["repack", "--dry-run", text(&bundle), &image]), "");
        }
    }
    assert!(!names(temp.path()).iter().any(|name| name.contains("ocicle")));
}

#[test]
fn archives_are_exchanged_with_buildah() {
    let Some(layout) = DEBIAN.layout() else { return };
    if !root() || !have(&["buildah"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let storage = [
        "--root".to_owned(),
        text(&temp.path().join("s")).into(),
        "--runroot".into(),
        text(&temp.path().join("r")).into(),
        "--storage-driver".into(),
        "vfs".into(),
    ];
    let buildah = |words: &[&str]| {
        let words: Vec<&str> = storage.iter().map(String::as_str).chain(words.iter().copied()).collect();
        String::from_utf8(run("buildah", words)).unwrap()
    };
    let expected = manifest(&at(&layout, "debian"));
    let file = |name: &str| temp.path().join(name);
    ocicle([
        "copy",
        &at(&layout, "debian"),
        &format!("docker-archive:{}#example/debian:1", text(&file("ours.tar"))),
    ]);
    ocicle(["copy", &at(&layout, "debian"), &format!("oci-archive:{}", text(&file("ours-oci.tar")))]);
    buildah(&["pull", "--quiet", &format!("docker-archive:{}", text(&file("ours.tar")))]);
    buildah(&["pull", "--quiet", &format!("oci-archive:{}", text(&file("ours-oci.tar")))]);
    for kind in ["oci-archive", "docker-archive"] {
        let pushed = file(&format!("{kind}.tar"));
        buildah(&[
            "push",
            "--quiet",
            "example/debian:1",
            &format!("{kind}:{}:example/debian:2", text(&pushed)),
        ]);
        assert_eq!(manifest(&at(&pushed, "pos=0")), expected, "{kind}");
        ocicle(["check", text(&pushed)]);
    }
}

#[test]
fn copies_are_the_same_in_every_kind_of_store() {
    let Some(layout) = DEBIAN.layout() else { return };
    if !have(&["skopeo"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let file = |name: &str| text(&temp.path().join(name)).to_owned();
    let image = at(&layout, "debian");
    let expected = manifest(&image);
    let digest = ocicle(["copy", &image, &format!("oci-archive:{}", file("a.tar"))]);
    ocicle(["copy", &file("a.tar"), &format!("docker-archive:{}#example/debian:12", file("d.tar"))]);
    ocicle(["copy", &file("d.tar"), &format!("oci:{}", file("from-docker"))]);
    assert_eq!(ocicle(["copy", &file("a.tar"), &file("from-oci")]), digest);
    for store in ["a.tar", "d.tar", "from-docker", "from-oci"] {
        assert_eq!(manifest(&file(store)), expected, "{store}");
        ocicle(["check", &file(store)]);
    }
    // A second copy writes the same file, and copies no blob that is there already.
    ocicle(["copy", &image, &format!("oci-archive:{}", file("again.tar"))]);
    assert_eq!(fs::read(file("a.tar")).unwrap(), fs::read(file("again.tar")).unwrap());
    let again = ocicle_tests::ocicle::command().args(["copy", &image, &file("from-oci")]).output().unwrap();
    assert!(String::from_utf8_lossy(&again.stderr).contains("copied 0 blobs"), "{again:?}");
    // skopeo takes both.
    skopeo(&format!("oci-archive:{}", file("a.tar")), &format!("oci:{}:x", file("skopeo-a")));
    skopeo(&format!("docker-archive:{}", file("d.tar")), &format!("oci:{}:x", file("skopeo-d")));
    assert_eq!(manifest(&format!("{}#x", file("skopeo-a"))), expected);
    assert_eq!(manifest(&format!("{}#x", file("skopeo-d"))), expected);
    let inspected: Value =
        serde_json::from_slice(&run("skopeo", ["inspect", &format!("oci-archive:{}", file("a.tar"))]))
            .unwrap();
    assert_eq!(inspected["Digest"], digest.trim_end());
}

/// Creates an archive with skopeo.
fn archive(temp: &TempDir) -> Option<PathBuf> {
    let layout = ODD.layout()?;
    if !have(&["skopeo"]) {
        return None;
    }
    let file = temp.path().join("images.tar");
    skopeo(&format!("oci:{}:odd", text(&layout)), &format!("oci-archive:{}:odd", text(&file)));
    Some(file)
}

#[test]
fn an_archive_is_edited_like_a_layout() {
    let temp = TempDir::new().unwrap();
    let Some(file) = archive(&temp) else { return };
    let layout = temp.path().join("layout");
    ocicle(["copy", text(&file), text(&layout)]);
    let source = temp.path().join("source");
    fs::write(&source, "new\n").unwrap();
    for store in [&file, &layout] {
        let image = at(store, "odd");
        let edit = |words: &[&str]| {
            let output = ocicle_tests::ocicle::command()
                .args(words)
                .env("SOURCE_DATE_EPOCH", "1700000000")
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
        };
        edit(&["config", &image, "--user", "www", "--label", "a=b"]);
        edit(&["insert", &image, text(&source), "/etc/new-file", "--tag", "v2"]);
        edit(&["annotate", &image, "example=1"]);
        edit(&["tag", &image, "gone"]);
        edit(&["rm", &at(store, "gone")]);
        edit(&["squash", &at(store, "v2"), "--tag", "flat"]);
        edit(&["recompress", &at(store, "v2"), "--compress", "none", "--tag", "plain"]);
    }
    // Both stores have the same images now.
    let index = |store: &Path| json(&["ls", text(store)]);
    assert_eq!(index(&file), index(&layout));
    for tag in ["odd", "v2", "flat", "plain"] {
        assert_eq!(ocicle(["stat", &at(&file, tag)]), ocicle(["stat", &at(&layout, tag)]));
        skopeo(
            &format!("oci-archive:{}:{tag}", text(&file)),
            &format!("oci:{}:{tag}", text(&temp.path().join("skopeo"))),
        );
    }
    ocicle(["check", text(&file)]);
    // An archive that was written again has no unreferenced members.
    assert_eq!(json(&["gc", text(&file)])["blobs"], Value::Array(Vec::new()));
    assert_eq!(names(temp.path()), ["images.tar", "layout", "skopeo", "source"]);
}

#[test]
fn unreferenced_members_of_archives_are_collected() {
    let temp = TempDir::new().unwrap();
    let Some(file) = archive(&temp) else { return };
    let dir = temp.path().join("x");
    fs::create_dir_all(dir.join("blobs/sha256")).unwrap();
    run("tar", ["-C", text(&dir), "-xf", text(&file)]);
    let garbage = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    fs::write(dir.join("blobs/sha256").join(garbage), "").unwrap();
    run("tar", ["-C", text(&dir), "-cf", text(&file), "oci-layout", "index.json", "blobs"]);
    let found = json(&["gc", "--dry-run", text(&file)]);
    assert_eq!(found["blobs"][0]["digest"], format!("sha256:{garbage}"));
    let before = fs::read(&file).unwrap();
    ocicle(["gc", text(&file)]);
    assert_ne!(fs::read(&file).unwrap(), before);
    assert_eq!(json(&["gc", text(&file)])["blobs"], Value::Array(Vec::new()));
    ocicle(["check", text(&file)]);
}

/// Its lock ended with the process that made it.
#[test]
fn what_a_killed_edit_left_is_taken_over() {
    let temp = TempDir::new().unwrap();
    let Some(file) = archive(&temp) else { return };
    let left = temp.path().join(".images.tar.ocicle-edit");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("half"), "an archive").unwrap();
    ocicle(["check", text(&file)]);
    ocicle(["config", &at(&file, "odd"), "--user", "x"]);
    ocicle(["check", text(&file)]);
    assert_eq!(names(temp.path()), ["images.tar"]);
}

#[test]
fn a_failed_edit_leaves_the_archive_unchanged() {
    let temp = TempDir::new().unwrap();
    let Some(file) = archive(&temp) else { return };
    let before = fs::read(&file).unwrap();
    fails(3, ["config", &at(&file, "absent"), "--user", "x"]);
    fails(1, ["insert", &at(&file, "odd"), "absent", "/x"]);
    let docker = temp.path().join("docker.tar");
    ocicle(["copy", &at(&file, "odd"), &format!("docker-archive:{}#a:1", text(&docker))]);
    let error = fails(1, ["config", text(&docker), "--user", "x"]);
    assert!(error.contains("ocicle copy"), "{error}");
    // A copy adds to it.
    ocicle(["copy", &at(&file, "odd"), &format!("docker-archive:{}#b:1", text(&docker))]);
    assert_eq!(json(&["ls", text(&docker)])["entries"].as_array().unwrap().len(), 2);
    assert!(fails(2, ["copy", text(&file), text(&temp.path().join("new.tar"))]).contains("oci-archive:"));
    assert_eq!(fs::read(&file).unwrap(), before);
    assert_eq!(names(temp.path()), ["docker.tar", "images.tar"]);
}

#[test]
fn damage_is_found_and_not_copied() {
    let temp = TempDir::new().unwrap();
    let Some(file) = archive(&temp) else { return };
    let mut bytes = fs::read(&file).unwrap();
    let cut = temp.path().join("cut.tar");
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let error = fails(4, ["ls", text(&cut)]);
    assert!(error.contains("cut.tar") && error.contains("cut off"), "{error}");
    // A byte in the middle of a layer.
    let layer =
        json(&["stat", &at(&file, "odd")])["manifest"]["layers"][0]["digest"].as_str().unwrap().to_owned();
    let name = format!("blobs/sha256/{}", layer.trim_start_matches("sha256:"));
    let at_name = bytes.windows(name.len()).position(|window| window == name.as_bytes()).unwrap();
    bytes[at_name + 512 + 40] ^= 1;
    let damaged = temp.path().join("damaged.tar");
    fs::write(&damaged, &bytes).unwrap();
    assert!(fails(4, ["check", text(&damaged)]).is_empty());
    for to in ["oci-archive:new.tar", "docker-archive:new.tar", "oci:new"] {
        let (kind, name) = to.split_once(':').unwrap();
        let target = temp.path().join(name);
        let error = fails(4, ["copy", text(&damaged), &format!("{kind}:{}", text(&target))]);
        assert!(error.contains("mismatch"), "{error}");
        if kind != "oci" {
            assert!(!target.exists());
        } else {
            assert_eq!(json(&["ls", text(&target)])["entries"], Value::Array(Vec::new()));
        }
    }
    let zipped = temp.path().join("zipped.tar");
    fs::write(&zipped, run("gzip", ["-c", text(&file)])).unwrap();
    assert_eq!(ocicle(["ls", text(&zipped)]), ocicle(["ls", text(&file)]));
    fs::write(&zipped, "no tar").unwrap();
    assert!(fails(4, ["ls", text(&zipped)]).contains("not a tar"));
}

/// Creates a layout with an index for two platforms under the tag `multi`, with Docker's media types.
fn multi(temp: &TempDir) -> Option<PathBuf> {
    let layout = copy_of(&ODD.layout()?, temp.path());
    let one = at(&layout, "odd");
    ocicle(["config", &one, "--arch", "arm64", "--tag", "arm"]);
    Some(layout)
}

#[test]
fn one_platform_alone_or_with_its_index() {
    let temp = TempDir::new().unwrap();
    let Some(layout) = multi(&temp) else { return };
    let entry = |tag: &str, architecture: &str| {
        let found = json(&["resolve", &at(&layout, tag)]);
        serde_json::json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": found["digest"], "size": found["size"],
            "platform": {"os": "linux", "architecture": architecture}, "x-unknown": 1
        })
    };
    let index = serde_json::to_vec(&serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json",
        "manifests": [entry("odd", "amd64"), entry("arm", "arm64")]
    }))
    .unwrap();
    let digest = ocicle::hash::digest_of(ocicle::digest::Algorithm::Sha256, &index);
    fs::write(layout.join("blobs/sha256").join(digest.encoded()), &index).unwrap();
    let root = layout.join("index.json");
    let mut document: Value = serde_json::from_slice(&fs::read(&root).unwrap()).unwrap();
    document["manifests"].as_array_mut().unwrap().push(serde_json::json!({
        "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json", "digest": digest.as_str(),
        "size": index.len(), "annotations": {"org.opencontainers.image.ref.name": "multi"}
    }));
    fs::write(&root, document.to_string()).unwrap();

    let arm = format!("{}//platform=linux/arm64", at(&layout, "multi"));
    let to = |name: &str| text(&temp.path().join(name)).to_owned();
    // Alone, with its descriptor as it was.
    ocicle(["copy", &arm, &to("alone")]);
    let alone: Value =
        serde_json::from_slice(&fs::read(temp.path().join("alone/index.json")).unwrap()).unwrap();
    assert_eq!(alone["manifests"], serde_json::json!([entry("arm", "arm64")]));
    // With the index, whose bytes do not change.
    ocicle(["copy", "--sparse", &arm, &to("sparse")]);
    assert_eq!(fs::read(temp.path().join("sparse/blobs/sha256").join(digest.encoded())).unwrap(), index);
    assert_eq!(manifest(&format!("{}#multi//platform=linux/arm64", to("sparse"))), manifest(&arm));
    let odd = json(&["resolve", &at(&layout, "odd")])["digest"].as_str().unwrap().to_owned();
    assert!(!temp.path().join("sparse/blobs").join(odd.replace(':', "/")).exists());
    ocicle(["gc", &to("sparse")]);
    // All of it, in the words of OCI; unknown fields stay.
    ocicle(["copy", "--format", "oci", &at(&layout, "multi"), &to("oci")]);
    let found = json(&["resolve", &format!("{}#multi", to("oci"))]);
    assert_eq!(found["mediaType"], "application/vnd.oci.image.index.v1+json");
    let path = temp.path().join("oci/blobs").join(found["digest"].as_str().unwrap().replace(':', "/"));
    let converted: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert_eq!(converted["manifests"], serde_json::json!([entry("odd", "amd64"), entry("arm", "arm64")]));
    // Everything, the index as it was.
    ocicle(["copy", text(&layout), &to("all")]);
    assert_eq!(fs::read(temp.path().join("all/index.json")).unwrap(), fs::read(&root).unwrap());
    if have(&["skopeo"]) {
        run(
            "skopeo",
            [
                "copy",
                "--quiet",
                "--all",
                &format!("oci:{}:multi", to("oci")),
                &format!("oci:{}:x", to("theirs")),
            ],
        );
    }
    // An index is nothing for Docker's format.
    let error = fails(1, ["copy", &at(&layout, "multi"), &format!("docker-archive:{}", to("d.tar"))]);
    assert!(error.contains("choose one image"), "{error}");
    assert!(!temp.path().join("d.tar").exists());
    ocicle(["copy", &arm, &format!("docker-archive:{}#a/b:1", to("d.tar"))]);
    assert_eq!(manifest(&format!("{}#a/b:1", to("d.tar"))), manifest(&arm));
}
