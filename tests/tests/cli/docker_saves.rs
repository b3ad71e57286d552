//! Archives that Docker saved: image names beside ref names, and two lists of the same images.

use std::path::Path;

use ocicle::{digest::Algorithm, hash::digest_of};
use ocicle_tests::{
    docker_save::DockerSave,
    handmade::{self, Archive, Layer},
    ocicle::{at, command, fails, json, ocicle, text},
    temp::TempDir,
    tools::run,
};
use serde_json::{Value, json};

fn tags(store: &Path) -> Vec<Value> {
    json(&["ls", text(store)])["entries"].as_array().unwrap().iter().map(|one| one["tag"].clone()).collect()
}

fn names(store: &Path) -> Vec<Value> {
    let list = json(&["ls", text(store)]);
    let entries = list["entries"].as_array().unwrap().iter();
    entries.map(|entry| entry["annotations"]["io.containerd.image.name"].clone()).collect()
}

fn manifest_json(archive: &Path) -> Value {
    serde_json::from_slice(&run("tar", ["-xOf", text(archive), "manifest.json"])).unwrap()
}

#[test]
fn image_names_tell_saved_images_apart() {
    let temp = TempDir::new().unwrap();
    let file = temp.path().join("saved.tar");
    DockerSave::new().image("a", &["a:latest"]).image("b", &["b:latest"]).write(&file);
    assert_eq!(tags(&file), ["a:latest", "b:latest"]);
    assert!(ocicle(["ls", text(&file)]).contains("b:latest"));
    for name in ["b:latest", "docker.io/library/b:latest"] {
        assert_eq!(ocicle(["cat", &at(&file, name), "/file"]), "b");
    }
    // The tag alone is ambiguous, and the error names both.
    for command in ["stat", "rm"] {
        let error = fails(3, [command, &at(&file, "latest")]);
        assert!(error.contains("#a:latest") && error.contains("#b:latest"), "{error}");
    }
    // Copies into a store with images lose none of them.
    let layout = temp.path().join("layout");
    ocicle(["init", text(&layout)]);
    ocicle(["new", &at(&layout, "new")]);
    for _ in 0..2 {
        ocicle(["copy", text(&file), text(&layout)]);
        assert_eq!(tags(&layout), ["new", "a:latest", "b:latest"]);
    }
    // Removed is what is named, by tag or position.
    ocicle(["rm", &at(&layout, "b:latest")]);
    ocicle(["rm", &at(&layout, "pos=0")]);
    assert_eq!(tags(&layout), ["a:latest"]);
    let docker = temp.path().join("docker.tar");
    ocicle(["copy", text(&file), &format!("docker-archive:{}", text(&docker))]);
    let images = manifest_json(&docker);
    assert_eq!(
        [&images[0]["RepoTags"], &images[1]["RepoTags"]],
        [&json!(["a:latest"]), &json!(["b:latest"])]
    );
}

#[test]
fn new_tags_do_not_share_an_image_name() {
    let temp = TempDir::new().unwrap();
    let file = temp.path().join("saved.tar");
    DockerSave::new().image("a", &["a:latest"]).write(&file);
    let layout = temp.path().join("layout");
    ocicle(["copy", text(&file), text(&layout)]);
    let image = at(&layout, "latest");
    ocicle(["tag", &image, "v1"]);
    ocicle(["config", &image, "--user", "x", "--tag", "v2"]);
    ocicle(["squash", &image, "--tag", "other:1"]);
    ocicle(["copy", &image, &at(&layout, "odd/name")]);
    let bundle = temp.path().join("bundle");
    ocicle(["unpack", "--rootless", &image, text(&bundle)]);
    ocicle(["repack", text(&bundle), &at(&layout, "reg.example/a:2")]);
    assert_eq!(
        names(&layout),
        [
            json!("docker.io/library/a:latest"),
            json!("docker.io/library/a:v1"),
            json!("docker.io/library/a:v2"),
            json!("docker.io/library/other:1"),
            Value::Null,
            json!("reg.example/a:2"),
        ]
    );
}

#[test]
fn an_image_saved_by_digest_is_read() {
    let temp = TempDir::new().unwrap();
    let file = temp.path().join("saved.tar");
    DockerSave::new().image("a", &[]).write(&file);
    let layout = temp.path().join("layout");
    assert_eq!(ocicle(["cat", text(&file), "/file"]), "a");
    ocicle(["copy", text(&file), text(&layout)]);
    assert_eq!(ocicle(["cat", text(&layout), "/file"]), "a");
    // What is empty is not copied, and nothing is created.
    let (empty, new) = (temp.path().join("empty.tar"), temp.path().join("new"));
    DockerSave::new().write(&empty);
    let oci = format!("oci-archive:{}", text(&file));
    for source in [text(&empty), &oci] {
        for to in ["oci:", "oci-archive:", "docker-archive:"] {
            let error = fails(3, ["copy", source, &format!("{to}{}", text(&new))]);
            assert!(error.contains("nothing to copy"), "{error}");
            assert!(!new.exists());
        }
    }
}

#[test]
fn an_edit_keeps_the_lists_of_docker() {
    let temp = TempDir::new().unwrap();
    let file = temp.path().join("saved.tar");
    let list = |name: &str| run("tar", ["-xOf", text(&file), name]);
    let mut saved = DockerSave::new().image("a", &["a:latest", "a:1"]).image("b", &["b:latest"]);
    saved.repositories = Some(json!({}));
    saved.write(&file);
    ocicle(["config", &at(&file, "a:1"), "--user", "x", "--tag", "v2"]);
    ocicle(["rm", &at(&file, "b:latest")]);
    let images = manifest_json(&file);
    assert_eq!(images.as_array().unwrap().len(), 2);
    assert_eq!(images[0]["RepoTags"], json!(["a:latest", "a:1"]));
    assert_eq!(images[1]["RepoTags"], json!(["a:v2"]));
    for image in images.as_array().unwrap() {
        assert!(list(image["Config"].as_str().unwrap()).starts_with(b"{"));
        assert!(!list(image["Layers"][0].as_str().unwrap()).is_empty());
    }
    let repositories: Value = serde_json::from_slice(&list("repositories")).unwrap();
    assert_eq!(repositories["a"].as_object().unwrap().len(), 3);
    // Docker's reader sees the same image.
    let docker = format!("docker-archive:{}#a:v2", text(&file));
    assert_eq!(json(&["stat", &docker])["config"]["config"]["User"], "x");
    // An archive without the lists gets none.
    let plain = temp.path().join("plain.tar");
    ocicle(["copy", text(&file), &format!("oci-archive:{}", text(&plain))]);
    ocicle(["tag", &at(&plain, "v2"), "v3"]);
    assert!(!String::from_utf8(run("tar", ["-tf", text(&plain)])).unwrap().contains("manifest.json"));
}

#[test]
fn layers_with_long_digests_fit_into_a_docker_archive() {
    let temp = TempDir::new().unwrap();
    let (layout, docker) = (temp.path().join("layout"), temp.path().join("docker.tar"));
    let archive = Archive::new().file("file", "x").end();
    let diff_id = digest_of(Algorithm::Sha512, &archive);
    handmade::layout(&layout, &[Layer { diff_id, ..Layer::plain(archive) }]);
    ocicle(["copy", text(&layout), &format!("docker-archive:{}#a:1", text(&docker))]);
    assert_eq!(ocicle(["cat", text(&docker), "/file"]), "x");
}

#[test]
fn an_image_out_of_an_index_keeps_its_name_for_docker() {
    let temp = TempDir::new().unwrap();
    let layout = temp.path().join("layout");
    ocicle(["init", text(&layout)]);
    ocicle(["new", &at(&layout, "amd"), "--platform", "linux/amd64"]);
    ocicle(["new", &at(&layout, "arm"), "--platform", "linux/arm64"]);
    ocicle(["tag", "--merge", &at(&layout, "amd"), &at(&layout, "arm"), "example/app:1"]);
    ocicle(["tag", &at(&layout, "example/app:1"), "v1"]);
    for (tag, tags, warning) in
        [("example/app:1", json!(["example/app:1"]), ""), ("v1", json!([]), "skipping tag v1")]
    {
        let docker = temp.path().join("docker.tar");
        let image = format!("{}//platform=linux/arm64", at(&layout, tag));
        let output =
            command().args(["copy", &image, &format!("docker-archive:{}", text(&docker))]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && said.contains(warning), "{said}");
        assert_eq!(manifest_json(&docker)[0]["RepoTags"], tags);
        std::fs::remove_file(docker).unwrap();
    }
}
