//! The same command in three places: native, and in the WASI sandboxes of two runtimes. The same bytes.
//! `browser/package.rs` compares the npm package.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ocicle::{digest::Algorithm, hash::digest_of};
use ocicle_tests::{
    fixtures::{ODD, copy_of},
    hosts::{Answer, Host},
    ocicle::text,
    temp::TempDir,
};
use serde_json::{Value, json};

/// Returns the odd image, and under the tag `deep` an index with it and with an index of its GNU variant.
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

/// Runs a command on something in the layout, whose directory is the current one, and returns its answer.
fn said(host: Host, layout: &Path, command: &str, options: &[&str], fragment: &str) -> Answer {
    host.run(layout.parent().unwrap(), &[&[command], options, &[&format!("layout{fragment}")]].concat())
}

#[test]
fn archives_are_read_and_edited_the_same() {
    let temp = TempDir::new().unwrap();
    let Some(layout) = ODD.layout() else { return };
    let mut expected = None;
    for host in Host::all() {
        let dir = temp.path().join(host.name());
        fs::create_dir(&dir).unwrap();
        for kind in ["oci", "docker"] {
            Host::Native.done(&dir, &["copy", text(&layout), &format!("{kind}-archive:{kind}")]);
        }
        let before = fs::read(dir.join("oci")).unwrap();
        let mut answers = Vec::new();
        for name in ["oci", "docker"] {
            answers.extend([["ls", name], ["check", name]].map(|words| host.run(&dir, &words)));
            answers.push(host.run(&dir, &["mtree", &format!("{name}#pos=0")]));
        }
        // An edit writes the archive again, and leaves no other file.
        answers.push(host.run(&dir, &["rm", "oci#gnu"]));
        let after = fs::read(dir.join("oci")).unwrap();
        assert_ne!(after, before);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 2);
        let (answers_before, after_before) = expected.get_or_insert((answers.clone(), after.clone()));
        for (found, expected) in answers.iter().zip(answers_before) {
            found.assert_same(expected, host.name());
        }
        assert!(after == *after_before, "{}", host.name());
    }
}

#[test]
fn edits_give_the_same_bytes_on_every_host() {
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
        let expected = said(Host::Native, &layout, command, options, fragment);
        assert_eq!(expected.code, Some(0), "{expected:?}");
        assert!(expected.output.len() > 100, "{expected:?}");
        for host in Host::sandboxes() {
            let what = format!("{}, {command} {options:?} {fragment}", host.name());
            said(host, &layout, command, options, fragment).assert_same(&expected, &what);
        }
    }
}

#[test]
fn failures_are_the_same_on_every_host() {
    let temp = TempDir::new().unwrap();
    let Some(layout) = layout(&temp) else { return };
    for (command, fragment) in
        [("resolve", "#nothing"), ("mtree", "#deep"), ("resolve", "#deep//platform=plan9/mips")]
    {
        let expected = said(Host::Native, &layout, command, &[], fragment);
        assert_eq!(expected.code, Some(3), "{expected:?}");
        for host in Host::sandboxes() {
            said(host, &layout, command, &[], fragment).assert_same(&expected, host.name());
        }
    }
}
