//! Stores and files with names that have a meaning of their own, or that are not UTF-8.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt as _};

use ocicle_tests::{
    fixtures::ODD,
    handmade::{Archive, Layer, layout},
    ocicle::{at, command, fails, json, ocicle, text},
    temp::TempDir,
};

#[test]
fn every_path_of_a_store_can_be_written() {
    let temp = TempDir::new().unwrap();
    let made = temp.path().join("made");
    fs::create_dir(&made).unwrap();
    layout(&made, &[Layer::plain(Archive::new().file("a", "one").end())]);
    for (name, written) in
        [("a#b.tar", "a#b.tar"), ("oci:z.tar", "./oci:z.tar"), ("oci-archive:#", "./oci-archive:#")]
    {
        let file = temp.path().join("saved.tar");
        ocicle(["copy", text(&made), &format!("oci-archive:{}", text(&file))]);
        fs::rename(&file, temp.path().join(name)).unwrap();
        for selector in ["#t", "#", "#pos=0"] {
            let reference = format!("{written}{selector}");
            let output = command().args(["cat", &reference, "a"]).current_dir(temp.path()).output().unwrap();
            assert_eq!(output.stdout, b"one", "{reference}: {output:?}");
        }
    }
    // As a new store, and with a tag.
    let odd = format!("oci:{}", text(&temp.path().join("new#1")));
    ocicle(["copy", text(&made), &format!("{odd}#")]);
    ocicle(["tag", &format!("{odd}#t"), "u"]);
    assert_eq!(ocicle(["cat", &format!("{odd}#u"), "a"]), "one");
    fails(1, ["ls", &odd]);
}

#[test]
fn paths_in_images_need_not_be_utf8() {
    let Some(fixture) = ODD.layout() else { return };
    let image = at(&fixture, "odd");
    for (command_name, more) in [("cat", &[][..]), ("cat", &["--layer", "1"]), ("files", &[]), ("why", &[])] {
        let path = OsStr::from_bytes(b"/latin-\xe9");
        let output = command().arg(command_name).args(more).arg(&image).arg(path).output().unwrap();
        assert!(output.status.success() && !output.stdout.is_empty(), "{output:?}");
    }
}

#[test]
fn a_pattern_can_ignore_case() {
    let temp = TempDir::new().unwrap();
    layout(
        temp.path(),
        &[
            Layer::plain(Archive::new().file("d/Key.PEM", "x").file("d/[a].pem", "y").end()),
            Layer::plain(Archive::new().file("d/.wh.Key.PEM", "").end()),
        ],
    );
    let image = at(temp.path(), "t");
    let find = |words: &[&str]| {
        let found = json(&[&["find", &image], words].concat())["found"].as_array().unwrap().clone();
        found.iter().map(|found| found["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(find(&["--name", "*.pem"]), ["/d/[a].pem"]);
    assert_eq!(find(&["--name", "*.pem", "--ignore-case"]), ["/d/Key.PEM", "/d/[a].pem"]);
    assert_eq!(find(&["--name", "*\\[A]*", "--ignore-case"]), ["/d/[a].pem"]);
    assert_eq!(find(&["--name", "D/*", "--ignore-case"]), ["/d/Key.PEM", "/d/[a].pem"]);
    fails(2, ["find", &image, "--ignore-case"]);
}
