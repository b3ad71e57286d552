//! The same command in three places: native, in a WASI sandbox, and as a JavaScript package in Node. The same bytes.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use ocicle::{digest::Algorithm, hash::digest_of};
use ocicle_tests::{
    fixtures::{ODD, copy_of},
    ocicle::try_ocicle,
    temp::TempDir,
    tools::have,
};
use serde_json::{Value, json};

/// The odd image, and under the tag `deep` an index with it and with an index of its GNU variant.
fn layout(temp: &TempDir) -> Option<PathBuf> {
    let layout = copy_of(&ODD.layout()?, temp.path());
    let index_json = layout.join("index.json");
    let mut root: Value = serde_json::from_slice(&fs::read(&index_json).unwrap()).unwrap();
    let bare = |position: usize, platform: Value| {
        let mut entry = root["manifests"][position].clone();
        entry.as_object_mut().unwrap().remove("annotations");
        entry["platform"] = platform;
        entry
    };
    let inner =
        index(&layout, &[bare(1, json!({ "os": "linux", "architecture": "arm64", "variant": "v8" }))]);
    let mut deep = index(&layout, &[bare(0, json!({ "os": "linux", "architecture": "amd64" })), inner]);
    deep["annotations"] =
        json!({ "org.opencontainers.image.ref.name": "deep", "org.example": "a\u{1b}[31mb" });
    root["manifests"].as_array_mut().unwrap().push(deep);
    fs::write(&index_json, serde_json::to_vec(&root).unwrap()).unwrap();
    Some(layout)
}

fn index(layout: &Path, entries: &[Value]) -> Value {
    let media_type = "application/vnd.oci.image.index.v1+json";
    let text =
        serde_json::to_vec(&json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": entries }))
            .unwrap();
    let digest = digest_of(Algorithm::Sha256, &text);
    fs::write(layout.join("blobs/sha256").join(digest.encoded()), &text).unwrap();
    json!({ "mediaType": media_type, "digest": digest.as_str(), "size": text.len() })
}

/// What a world says: exit code (0 or not for JavaScript), standard output, standard error.
#[derive(Debug, PartialEq, Eq)]
struct Answer(Option<i32>, Vec<u8>, String);

fn native(command: &str, options: &[&str], reference: &str) -> Answer {
    let output = try_ocicle([&[command], options, &[reference]].concat());
    Answer(output.status.code(), output.stdout, String::from_utf8(output.stderr).unwrap())
}

fn wasi(layout: &Path, command: &str, options: &[&str], fragment: &str) -> Option<Answer> {
    let (runner, module) = (variable("OCICLE_WASI_RUNNER")?, variable("OCICLE_WASI")?);
    let output = Command::new(runner)
        .args(["--dir", &format!("{}::/layout", layout.display()), &module, command])
        .args(options)
        .arg(format!("/layout{fragment}"))
        .output()
        .unwrap();
    Some(Answer(output.status.code(), output.stdout, String::from_utf8(output.stderr).unwrap()))
}

fn javascript(layout: &Path, command: &str, options: &[&str], fragment: &str) -> Option<Answer> {
    let package = variable("OCICLE_WASM_PKG")?;
    if !have(&["node"]) {
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("node/slice.cjs");
    let output = Command::new("node")
        .arg(script)
        .args([&package, layout.to_str().unwrap(), command, fragment.trim_start_matches('#')])
        .args(options)
        .output()
        .unwrap();
    Some(Answer(output.status.code(), output.stdout, String::from_utf8(output.stderr).unwrap()))
}

fn variable(name: &str) -> Option<String> {
    let value = env::var(name).ok();
    if value.is_none() {
        assert!(env::var_os("OCICLE_REQUIRE_TOOLS").is_none(), "{name} is not set");
        println!("not run: {name} is not set; `cargo xtask test` sets it");
    }
    value
}

#[test]
fn archives_are_read_and_edited_alike() {
    let temp = TempDir::new().unwrap();
    let Some(layout) = ODD.layout() else { return };
    let dir = |name: &str| {
        let dir = temp.path().join(name);
        fs::create_dir(&dir).unwrap();
        for kind in ["oci", "docker"] {
            let to = format!("{kind}-archive:{}", dir.join(kind).display());
            assert!(try_ocicle(["copy", layout.to_str().unwrap(), &to]).status.success());
        }
        dir
    };
    let (here, there) = (dir("here"), dir("there"));
    let file = |name: &str| here.join(name).to_str().unwrap().to_owned();
    for name in ["oci", "docker"] {
        for command in ["ls", "check"] {
            let Some(answer) = wasi(&there, command, &[], &format!("/{name}")) else { return };
            assert_eq!(answer, native(command, &[], &file(name)), "{command} {name}");
        }
        assert_eq!(
            wasi(&there, "mtree", &[], &format!("/{name}#pos=0")),
            Some(native("mtree", &[], &format!("{}#pos=0", file(name))))
        );
    }
    // An edit writes the archive anew; and it leaves nothing beside it.
    let before = fs::read(here.join("oci")).unwrap();
    assert_eq!(wasi(&there, "rm", &[], "/oci#gnu"), Some(native("rm", &[], &format!("{}#gnu", file("oci")))));
    let after = fs::read(here.join("oci")).unwrap();
    assert_ne!(after, before);
    assert!(fs::read(there.join("oci")).unwrap() == after);
    assert_eq!(fs::read_dir(&there).unwrap().count(), 2);
}

#[test]
fn three_worlds_give_the_same_bytes() {
    let temp = TempDir::new().unwrap();
    let Some(layout) = layout(&temp) else { return };
    let cases: &[(&str, &[&str], &str)] = &[
        ("ls", &[], ""),
        ("ls", &["--json"], ""),
        ("ls", &["--format", "plain"], ""),
        ("resolve", &[], "#odd"),
        ("resolve", &[], "#deep//platform=linux/arm64"),
        ("resolve", &["--json"], "#deep//platform=linux/arm64"),
        ("mtree", &[], "#odd"),
        ("mtree", &[], "#deep//platform=linux/arm64"),
        ("mtree", &["--dialect", "portable"], "#gnu"),
        ("mtree", &["--dialect", "bsd"], "#gnu"),
        ("mtree", &["--dialect", "umoci"], "#gnu"),
    ];
    for (command, options, fragment) in cases {
        let expected = native(command, options, &format!("{}{fragment}", layout.display()));
        assert_eq!(expected.0, Some(0), "{expected:?}");
        assert!(expected.1.len() > 100, "{expected:?}");
        let Some(sandbox) = wasi(&layout, command, options, fragment) else { return };
        assert!(
            sandbox == expected,
            "WASI, {command} {options:?} {fragment}: {}",
            difference(&sandbox, &expected)
        );
        let Some(script) = javascript(&layout, command, options, fragment) else { return };
        assert!(
            script == expected,
            "JavaScript, {command} {options:?} {fragment}: {}",
            difference(&script, &expected)
        );
    }
}

#[test]
fn three_worlds_fail_alike() {
    let temp = TempDir::new().unwrap();
    let Some(layout) = layout(&temp) else { return };
    for (command, fragment) in
        [("resolve", "#nothing"), ("mtree", "#deep"), ("resolve", "#deep//platform=plan9/mips")]
    {
        let expected = native(command, &[], &format!("{}{fragment}", layout.display()));
        assert_eq!(expected.0, Some(3), "{expected:?}");
        let Some(sandbox) = wasi(&layout, command, &[], fragment) else { return };
        assert_eq!(sandbox, expected);
        let Some(script) = javascript(&layout, command, &[], fragment) else { return };
        assert_eq!((script.0, script.2), (Some(1), expected.2));
    }
}

fn difference(found: &Answer, expected: &Answer) -> String {
    let at = found
        .1
        .iter()
        .zip(&expected.1)
        .position(|(a, b)| a != b)
        .unwrap_or(found.1.len().min(expected.1.len()));
    let piece = |bytes: &[u8]| {
        String::from_utf8_lossy(&bytes[at.saturating_sub(40)..bytes.len().min(at + 60)]).into_owned()
    };
    format!(
        "at byte {at}: {:?} where {:?} is expected; {:?} {}",
        piece(&found.1),
        piece(&expected.1),
        found.0,
        found.2
    )
}
