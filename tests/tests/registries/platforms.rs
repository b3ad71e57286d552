//! Copies of some platforms, without what they leave out, and lists of copies.

use std::fs;

use ocicle_tests::{
    ocicle::{at, ocicle, text},
    registry::{Protection, Registry},
    tools::{have, run},
};

#[test]
fn an_index_of_some_platforms_is_valid() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    let layout = registry.layout();
    let v1 = at(&layout, "v1");
    let [amd64, v7] = ["amd64", "arm/v7"].map(|of| registry.digest(&format!("{v1}//platform=linux/{of}")));
    let two = registry.at("app:two");
    registry.run(["copy", &v1, &two, "--platform", "linux/amd64", "--platform", "linux/arm/v7"]);
    let listing = registry.run(["ls", "--json", &two]);
    assert!(listing.contains(&amd64) && listing.contains(&v7), "{listing}");
    assert!(!listing.contains("linux/arm/v6") && !listing.contains("unreadable"), "{listing}");
    // One platform: the image itself, under the same tag.
    registry.run(["copy", &v1, &registry.at("app:one"), "--platform", "linux/amd64"]);
    assert_eq!(registry.digest(&registry.at("app:one")), amd64);
    let local = registry.path("local");
    registry.run(["copy", &two, &format!("oci:{}", text(&local)), "--platform", "linux/arm/v7"]);
    assert_eq!(registry.digest(&at(&local, "two")), v7);
    ocicle(["check", text(&local)]);
    let error =
        registry.fails(3, ["copy", &v1, &two, "--platform", "linux/s390x", "--platform", "linux/amd64"]);
    assert!(error.contains("no image for linux/s390x"), "{error}");
    // A tool that reads whole indexes only, and none that are nested.
    if have(&["skopeo"]) {
        let image = |platform: &str| at(&layout, &format!("v1//platform=linux/{platform}"));
        ocicle(["tag", "--merge", &image("amd64"), &image("arm/v6"), &image("arm/v7"), "flat"]);
        let flat = registry.at("app:flat");
        let platforms = ["--platform", "linux/amd64", "--platform", "linux/arm/v6"];
        registry.run(["copy", &at(&layout, "flat"), &flat].iter().chain(&platforms));
        let to = format!("oci:{}:flat", text(&registry.path("theirs")));
        run("skopeo", ["copy", "--all", "--preserve-digests", "-q", "--src-tls-verify=false", &flat, &to]);
        assert_eq!(registry.digest(&at(&registry.path("theirs"), "flat")), registry.digest(&flat));
        assert_eq!(registry.run(["ls", &flat]).lines().count(), 4, "two images below the index");
    }
}

#[test]
fn a_dry_run_says_what_would_be_sent() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    let layout = registry.layout();
    let (v1, remote) = (at(&layout, "v1"), registry.at("app:v1"));
    let preview = |to: &str| {
        let output = registry.command().args(["copy", "-n", &v1, to]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (blobs, said) = preview(&remote);
    assert!(said.contains(&format!("would copy {} blobs", blobs.lines().count())), "{said}");
    registry.fails(3, ["stat", &remote]);
    let output = registry.command().args(["copy", &v1, &remote]).output().unwrap();
    let copied = String::from_utf8(output.stderr).unwrap();
    assert!(copied.contains(&said.trim_start_matches("would copy")[..20]), "{copied} {said}");
    assert_eq!(preview(&remote).0, "");
    for new in ["oci:new", "oci-archive:new.tar"] {
        let new = new.replace("new", text(&registry.path("new")));
        assert_eq!(preview(&new).0.lines().count(), blobs.lines().count());
    }
    assert!(!registry.path("new").exists() && !registry.path("new.tar").exists());
}

#[test]
fn a_list_of_copies_goes_on_after_errors() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    let layout = registry.layout();
    let list = registry.path("list");
    let lines = [
        "# mirrored every night".to_owned(),
        format!("{} {}", at(&layout, "v1"), registry.at("a:v1")),
        format!("{} {}", at(&layout, "no"), registry.at("a:no")),
        String::new(),
        format!("{} {}", registry.at("a:v1"), registry.at("b:v1")),
    ];
    fs::write(&list, lines.join("\n")).unwrap();
    for _ in 0..2 {
        let error = registry.fails(1, ["copy", "--from-file", text(&list)]);
        let place = format!("{}:3: copy {}", text(&list), at(&layout, "no"));
        assert!(error.contains(&place) && error.contains("1 of 3 copies failed"), "{error}");
        assert_eq!(registry.digest(&registry.at("b:v1")), registry.digest(&at(&layout, "v1")));
    }
    fs::write(&list, "a b c\n").unwrap();
    let error = registry.fails(2, ["copy", "--from-file", text(&list)]);
    assert!(error.contains("line 1: expected a reference and a store"), "{error}");
}

#[test]
fn one_platform_of_an_image_and_of_an_attested_one() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    let layout = registry.layout();
    let plain = registry.path("plain");
    ocicle(["init", text(&plain)]);
    ocicle(["new", "--platform", "linux/amd64", &at(&plain, "v1")]);
    let copy = |from: &str, to: &str, options: &[&str]| {
        let to = format!("oci:{}", text(&registry.path(to)));
        registry.run(["copy", "--platform", "linux/amd64", from, &to].iter().chain(options))
    };
    copy(&at(&plain, "v1"), "one", &[]);
    assert_eq!(registry.digest(&at(&registry.path("one"), "v1")), registry.digest(&at(&plain, "v1")));
    let none = registry.path("none");
    let error = registry.fails(3, ["copy", "--platform", "linux/arm64", &at(&plain, "v1"), text(&none)]);
    assert!(error.contains("no image for linux/arm64\nhint: there is linux/amd64"), "{error}");
    // With what BuildKit says about it, which is beside it in the index.
    let v1 = at(&layout, "v1");
    let about = |store: &std::path::Path| {
        let image = at(store, "v1//platform=linux/amd64");
        let found: serde_json::Value =
            serde_json::from_str(&registry.run(["discover", "--json", &image])).unwrap();
        found["referrers"].as_array().unwrap().len()
    };
    copy(&v1, "attested", &["--referrers"]);
    assert_eq!(about(&registry.path("attested")), about(&layout));
    ocicle(["check", text(&registry.path("attested"))]);
}

#[test]
fn a_dry_run_ends_as_the_copy_does() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    let layout = registry.layout();
    let path = |name: &str| text(&registry.path(name)).to_owned();
    let (v1, alone) = (at(&layout, "v1"), at(&layout, "v1//platform=linux/amd64"));
    fs::create_dir(registry.path("empty")).unwrap();
    registry.run(["copy", &alone, &format!("oci-archive:{}#a/b:1", path("o.tar"))]);
    for (from, to) in [
        (&v1, format!("oci:{}", path("empty"))),
        (&alone, format!("docker-archive:{}#a/b:2", path("o.tar"))),
        (&v1, path("new.tar")),
        (&v1, format!("oci:{}", path("no/such"))),
        (&v1, format!("oci-archive:{}", path("no/such.tar"))),
        (&v1, format!("docker-archive:{}#a/b:1", path("d.tar"))),
        (&alone, registry.at("app")),
        (&v1, format!("{}#a/b", registry.at("app"))),
        (&v1, "https://localhost/x".to_owned()),
    ] {
        let run = |args: &[&str]| registry.command().args(args).output().unwrap();
        let preview = run(&["copy", "-n", from, &to]);
        let copied = run(&["copy", from, &to]);
        let said = String::from_utf8_lossy(&preview.stderr).into_owned();
        assert_eq!(preview.status.code(), copied.status.code(), "{from} {to}: {said}");
    }
    // Nothing was sent of what a registry cannot keep.
    assert!(!registry.path("data/docker/registry/v2/repositories").exists());
}
