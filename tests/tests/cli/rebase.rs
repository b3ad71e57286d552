//! `ocicle rebase`, `layers drop` and `layers reorder`.

use std::{fs, path::Path};

use ocicle_tests::{
    ocicle::{at, fails, json, layers, ocicle, text, try_ocicle},
    temp::TempDir,
    tools::{have, run},
};

/// Puts a file with this content into an image.
fn put(temp: &TempDir, image: &str, path: &str, content: &str) {
    let source = temp.path().join("source");
    fs::write(&source, content).unwrap();
    ocicle(["insert", image, text(&source), path]);
}

/// `base#1`, `base#2` with a patch, and `app#v1` on the first.
fn images(temp: &TempDir) -> [String; 3] {
    let (base, app) = (temp.path().join("base"), temp.path().join("app"));
    for layout in [&base, &app] {
        ocicle(["init", text(layout)]);
    }
    let [one, two, v1] = [at(&base, "1"), at(&base, "2"), at(&app, "v1")];
    ocicle(["new", &one]);
    put(temp, &one, "/usr/lib/libc", "1");
    put(temp, &one, "/etc/conf", "base");
    ocicle(["tag", &one, "2"]);
    put(temp, &two, "/usr/lib/libc", "2");
    put(temp, &two, "/usr/lib/new", "new");
    ocicle(["copy", &one, &v1]);
    put(temp, &v1, "/app/program", "program");
    ocicle(["config", &v1, "--entrypoint", "/app/program"]);
    [one, two, v1]
}

#[test]
fn an_application_gets_a_patched_base() {
    let temp = TempDir::new().unwrap();
    let [one, two, v1] = images(&temp);
    let before = layers(&v1);
    assert!(fails(2, ["rebase", &v1, "--onto", &two]).contains("--old-base"));
    assert_eq!(ocicle(["rebase", &v1, "--onto", &two, "--old-base", &one, "--dry-run"]), "");
    assert_eq!(layers(&v1), before);
    ocicle(["rebase", &v1, "--onto", &two, "--old-base", &one, "--tag", "v2"]);
    let v2 = v1.replace("#v1", "#v2");
    assert_eq!(layers(&v2), [&layers(&two)[..], &before[2..]].concat());
    for (path, content) in [("/usr/lib/libc", "2"), ("/usr/lib/new", "new"), ("/app/program", "program")] {
        assert_eq!(ocicle(["cat", &v2, path]), content);
    }
    assert!(ocicle(["stat", &v2]).contains("ocicle rebase"));
    assert_eq!(json(&["stat", &v2])["config"]["config"]["Entrypoint"][0], "/app/program");
    let layout = Path::new(v1.trim_end_matches("#v1"));
    ocicle(["check", text(layout)]);
    // Now the image names its base, so the old base need not be given.
    ocicle(["rebase", &v2, "--onto", &one]);
    assert_eq!(layers(&v2), before);
    if have(&["umoci"]) {
        let bundle = temp.path().join("bundle");
        run("umoci", ["unpack", "--rootless", "--image", &v2.replace('#', ":"), text(&bundle)]);
        assert_eq!(fs::read_to_string(bundle.join("rootfs/usr/lib/libc")).unwrap(), "1");
    }
    assert!(fails(2, ["rebase", &v2, "--onto", &one, "--old-base", &two]).contains("is not the base of"));
}

#[test]
fn conflicts_are_listed_and_nothing_is_written() {
    let temp = TempDir::new().unwrap();
    let [one, two, v1] = images(&temp);
    put(&temp, &v1, "/usr/lib/libc", "patched by the application");
    let index = Path::new(v1.trim_end_matches("#v1")).join("index.json");
    let before = fs::read(&index).unwrap();
    let output = try_ocicle(["rebase", &v1, "--onto", &two, "--old-base", &one]);
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "/usr/lib/libc: changed below, replaced above\n");
    assert!(String::from_utf8_lossy(&output.stderr).contains("--on-conflict upper"));
    assert_eq!(fs::read(&index).unwrap(), before);
    ocicle(["rebase", &v1, "--onto", &two, "--old-base", &one, "--on-conflict", "upper"]);
    assert_eq!(ocicle(["cat", &v1, "/usr/lib/libc"]), "patched by the application");
    assert_eq!(ocicle(["cat", &v1, "/usr/lib/new"]), "new");
}

#[test]
fn layers_are_dropped_and_reordered_where_that_is_safe() {
    let temp = TempDir::new().unwrap();
    let [_, two, _] = images(&temp);
    // libc 1, conf, libc 2, new.
    let all = layers(&two);
    let output = try_ocicle(["layers", "drop", &two, "1"]);
    assert_eq!(output.status.code(), Some(5));
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("/usr/lib/libc: removed below, replaced above"),
        "{output:?}"
    );
    assert_eq!(layers(&two), all);
    ocicle(["layers", "drop", &two, "2", "--tag", "less"]);
    let less = two.replace("#2", "#less");
    assert_eq!(layers(&less), [all[0].clone(), all[2].clone(), all[3].clone()]);
    assert!(fails(3, ["cat", &less, "/etc/conf"]).contains("/etc/conf"));
    assert!(fails(2, ["layers", "reorder", &two, "3", "2", "1", "4"]).contains("/usr/lib/libc would differ"));
    assert!(fails(2, ["layers", "reorder", &two, "1", "2"]).contains("4 layers"));
    assert!(fails(2, ["layers", "reorder", &two, "0", "1", "2", "3"]).contains("4 layers"));
    assert!(fails(3, ["layers", "drop", &two, "9"]).contains("layers 1 to 4"));
    let same = ocicle(["mtree", &two]);
    ocicle(["layers", "reorder", &two, "1", "3", "2", "4"]);
    assert_eq!(layers(&two), [1, 3, 2, 4].map(|number| all[number - 1].clone()));
    assert_eq!(ocicle(["mtree", &two]), same);
    ocicle(["check", text(Path::new(two.trim_end_matches("#2")))]);
}
