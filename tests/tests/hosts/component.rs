//! The component in hosts made by others: it returns and makes the same as the command.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use ocicle_tests::{
    fixtures::ODD,
    hosts::{Host, NOW},
    tools::{root, run, variable},
};

/// Returns the hosts: wasmtime, and Node by way of jco.
fn hosts() -> Vec<PathBuf> {
    ["OCICLE_COMPONENT_WASMTIME", "OCICLE_COMPONENT_NODE"].into_iter().filter_map(variable).collect()
}

/// Calls a function of the component, which sees one directory.
fn call(host: &Path, dir: &Path, words: &[&str]) -> Output {
    Command::new(host).arg(dir).args(words).output().unwrap()
}

fn done(host: &Path, dir: &Path, words: &[&str]) -> String {
    let output = call(host, dir, words);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{}: {words:?}: {error}", host.display());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_component_returns_what_the_command_prints() {
    let Some(temp) = ODD.images() else { return };
    for host in hosts() {
        for (function, command) in [
            (&["ls", "images"][..], &["ls", "--json", "images"][..]),
            (&["ls", "images#odd"], &["ls", "--json", "images#odd"]),
            (&["stat", "images#odd"], &["stat", "--json", "images#odd"]),
            (&["files", "images#odd", "/etc"], &["files", "--json", "images#odd", "/etc"]),
            (&["cat", "images#odd", "/absolute"], &["cat", "images#odd", "/absolute"]),
            (&["mtree", "images#odd", "native"], &["mtree", "images#odd"]),
            (&["mtree", "images#gnu", "umoci"], &["mtree", "--dialect", "umoci", "images#gnu"]),
        ] {
            let expected = Host::Native.done(temp.path(), command);
            assert_eq!(done(&host, temp.path(), function), expected, "{}: {function:?}", host.display());
        }
    }
}

#[test]
fn component_errors_have_hints() {
    let Some(temp) = ODD.images() else { return };
    fs::create_dir(temp.path().join("empty")).unwrap();
    let blobs = temp.path().join("images/blobs/sha256");
    for host in hosts() {
        let fails = |words: &[&str]| {
            let output = call(&host, temp.path(), words);
            assert_eq!(output.status.code(), Some(1), "{}: {words:?}: {output:?}", host.display());
            let error = String::from_utf8(output.stderr).unwrap();
            error.split(':').next().unwrap().to_owned()
        };
        for (kind, words) in [
            ("not-found", &["stat", "images#nothing"][..]),
            ("not-found", &["cat", "images#odd", "/nothing"]),
            ("ambiguous", &["stat", "images"]),
            ("misuse", &["ls", "images#tag="]),
            ("misuse", &["mtree", "images#odd", "nonsense"]),
            ("unsupported", &["ls", "oci-archive:images"]),
            ("not-found", &["ls", "empty"]),
            ("io", &["ls", "../images"]),
            ("io", &["unpack", "images#odd", "../bundle"]),
        ] {
            assert_eq!(fails(words), kind, "{}: {words:?}", host.display());
        }
        let layer = fs::read_dir(&blobs).unwrap().map(|entry| entry.unwrap().path());
        let layer = layer.max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
        let content = fs::read(&layer).unwrap();
        let replace = |content: &[u8]| {
            fs::remove_file(&layer).unwrap(); // the fixture has it too
            fs::write(&layer, content).unwrap();
        };
        replace(&content[..content.len() / 2]);
        assert_eq!(fails(&["files", "images#odd", "/"]), "corrupt");
        replace(&content);
    }
}

/// In wasmtime. What jco has for Node's files drops times that are set through a handle, and takes `\` in a
/// name for `/`.
#[test]
fn the_component_makes_the_same_image_as_the_command() {
    let host = variable("OCICLE_COMPONENT_WASMTIME");
    let (Some(host), Some(command), Some(component)) = (host, ODD.images(), ODD.images()) else { return };
    if !root() {
        return;
    }
    let edit = |dir: &Path| {
        let etc = dir.join("bundle/rootfs/etc");
        fs::write(etc.join("added"), "new").unwrap();
        run("chmod", [Path::new("0644"), &etc.join("added")]);
        run("touch", [Path::new("-d"), Path::new("@1600000000"), &etc.join("added"), &etc]);
    };
    let dir = command.path();
    Host::Native.done(dir, &["unpack", "images#odd", "bundle"]);
    edit(dir);
    let expected = Host::Native.done(dir, &["repack", "bundle", "images#new"]);

    let dir = component.path();
    assert_eq!(done(&host, dir, &["unpack", "images#odd", "bundle"]), "");
    edit(dir);
    assert_eq!(done(&host, dir, &["repack", "bundle", "images", "new", NOW]) + "\n", expected);
    run("diff", [Path::new("-r"), &command.path().join("images"), &dir.join("images")]);
}
