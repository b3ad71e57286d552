//! Files about an image: attached, found and pulled.

use std::{fs, path::Path};

use ocicle_tests::{
    ocicle::{at, command, fails, json, ocicle, text},
    temp::TempDir,
};

/// Makes a layout with an image `v1` and two files.
fn layout(temp: &TempDir) -> std::path::PathBuf {
    let layout = temp.path().join("layout");
    ocicle(["init", text(&layout)]);
    ocicle(["new", &at(&layout, "v1")]);
    fs::write(temp.path().join("sbom.json"), "{\"spdxVersion\": \"SPDX-2.3\"}").unwrap();
    fs::write(temp.path().join("a:b.md"), "notes\n").unwrap();
    layout
}

fn attach(temp: &TempDir, args: &[&str]) -> String {
    let output = command().current_dir(temp.path()).arg("attach").args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn attached_files_are_found_and_pulled() {
    let temp = TempDir::new().unwrap();
    let layout = layout(&temp);
    let v1 = at(&layout, "v1");
    let sbom = attach(&temp, &[&v1, "sbom.json:application/spdx+json", "--type", "application/spdx+json"]);
    assert_eq!(
        attach(&temp, &[&v1, "sbom.json:application/spdx+json", "--type", "application/spdx+json"]),
        sbom
    );
    let about_sbom = at(&layout, &format!("digest={sbom}"));
    let dry = attach(&temp, &[&about_sbom, "a:b.md", "--artifact-type", "a/notes", "-a", "x=y", "--dry-run"]);
    let notes = attach(&temp, &[&about_sbom, "a:b.md", "--artifact-type", "a/notes", "-a", "x=y"]);
    assert_eq!(dry, notes);
    ocicle(["check", text(&layout)]);

    let found = json(&["discover", &v1]);
    let [first] = &found["referrers"].as_array().unwrap()[..] else { panic!("{found}") };
    assert_eq!(
        (first["digest"].as_str(), first["artifactType"].as_str()),
        (Some(&*sbom), Some("application/spdx+json"))
    );
    let second = &first["referrers"][0];
    assert_eq!((second["digest"].as_str(), second["annotations"]["x"].as_str()), (Some(&*notes), Some("y")));
    let none = json(&["discover", &v1, "--type", "a/notes"]);
    assert_eq!(none["referrers"].as_array().map(Vec::len), Some(0), "only what is about the image itself");

    let out = temp.path().join("out");
    assert_eq!(ocicle(["pull", &about_sbom, "-o", text(&out)]), "sbom.json\n");
    assert_eq!(fs::read(out.join("sbom.json")).unwrap(), fs::read(temp.path().join("sbom.json")).unwrap());
    ocicle(["pull", &at(&layout, &format!("digest={notes}")), "-o", text(&out), "*.md"]);
    assert_eq!(fs::read(out.join("a:b.md")).unwrap(), b"notes\n");
    assert_eq!(fs::read_dir(&out).unwrap().count(), 2, "nothing else is left");

    let copied = temp.path().join("copied");
    ocicle(["copy", "--referrers", &v1, text(&copied)]);
    let below = &json(&["discover", &at(&copied, "v1")])["referrers"];
    assert_eq!(below[0]["referrers"].as_array().map(Vec::len), Some(1), "{below}");
    // An edited image may take along what is about it.
    ocicle(["config", &v1, "--author", "somebody", "--referrers", "copy"]);
    assert_eq!(json(&["discover", &v1])["referrers"].as_array().map(Vec::len), Some(1));
}

#[test]
fn two_files_of_one_name_are_refused() {
    let temp = TempDir::new().unwrap();
    let v1 = at(&layout(&temp), "v1");
    fs::create_dir(temp.path().join("other")).unwrap();
    fs::write(temp.path().join("other/sbom.json"), "x").unwrap();
    let files = ["sbom.json", "other/sbom.json"].map(|name| text(&temp.path().join(name)).to_owned());
    let error = fails(2, ["attach", &v1, &files[0], &files[1], "--type", "a/b"]);
    assert!(error.contains("two files of the artifact have the name sbom.json"), "{error}");
    assert_eq!(json(&["discover", &v1])["referrers"].as_array().map(Vec::len), Some(0));
}

#[test]
fn files_stay_below_the_directory() {
    let temp = TempDir::new().unwrap();
    let layout = layout(&temp);
    let tree = |title: &str, tag: &str| {
        let description = temp.path().join("tree.toml");
        let blob = format!(
            "media_type = \"text/plain\"\nblob = {{ text = \"new\" }}\nannotations = {{ \"org.opencontainers.image.title\" = {title:?} }}"
        );
        let text_of = format!(
            "[[root]]\ntag = \"{tag}\"\n[root.manifest]\nartifact_type = \"a/b\"\n[[root.manifest.layers]]\n{blob}\n"
        );
        fs::write(&description, text_of).unwrap();
        ocicle(["tree", "apply", text(&description), text(&layout)]);
    };
    let out = temp.path().join("out");
    for (number, title) in ["/etc/passwd", "../up", "a/../../up", "..", ".", ""].into_iter().enumerate() {
        let tag = format!("bad{number}");
        tree(title, &tag);
        let error = fails(4, ["pull", &at(&layout, &tag), "-o", text(&out)]);
        assert!(error.contains("is not the path of a file below a directory"), "{title}: {error}");
    }
    assert!(!out.exists());

    tree("sub/file", "good");
    let good = at(&layout, "good");
    let outside = temp.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::create_dir(&out).unwrap();
    std::os::unix::fs::symlink(&outside, out.join("sub")).unwrap();
    fails(1, ["pull", &good, "-o", text(&out)]);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);

    fs::remove_file(out.join("sub")).unwrap();
    let content = |path: &Path| fs::read_to_string(path).unwrap();
    fs::create_dir(out.join("sub")).unwrap();
    fs::write(out.join("sub/file"), "old").unwrap();
    let error = fails(1, ["pull", &good, "-o", text(&out), "--keep-old-files"]);
    assert!(error.contains("sub/file already exists"), "{error}");
    assert_eq!(content(&out.join("sub/file")), "old");
    ocicle(["pull", &good, "-o", text(&out)]);
    assert_eq!(content(&out.join("sub/file")), "new");
    // A link in the place of the file is replaced, not followed.
    fs::remove_file(out.join("sub/file")).unwrap();
    std::os::unix::fs::symlink(outside.join("target"), out.join("sub/file")).unwrap();
    ocicle(["pull", &good, "-o", text(&out)]);
    assert_eq!((content(&out.join("sub/file")).as_str(), outside.join("target").exists()), ("new", false));

    let error = fails(1, ["pull", &at(&layout, "v1"), "-o", text(&out)]);
    assert!(error.contains("no layer has a title") && error.contains("ocicle unpack"), "{error}");
    let error = fails(1, ["pull", &good, "-o", text(&out), "*.json"]);
    assert!(error.contains("matches *.json"), "{error}");
}
