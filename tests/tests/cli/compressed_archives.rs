//! Archives that cannot be read in place: compressed ones, and those from a pipe.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use ocicle_tests::{
    docker_save::DockerSave,
    ocicle::{at, command, fails, json, ocicle, text},
    temp::{TempDir, names},
    tools::{have, run},
};

/// Writes an archive, and the same compressed by a program; returns both.
fn saved(dir: &Path, program: &str) -> (PathBuf, PathBuf) {
    let (plain, packed) = (dir.join("saved.tar"), dir.join("packed"));
    DockerSave::new().image("a", &["a:latest"]).image("b", &["b:latest"]).write(&plain);
    fs::write(&packed, run(program, ["-c", text(&plain)])).unwrap();
    (plain, packed)
}

/// Runs the command with an archive on standard input.
fn piped(archive: &Path, args: &[&str]) -> Output {
    let mut cat = Command::new("cat").arg(archive).stdout(Stdio::piped()).spawn().unwrap();
    let output = command().args(args).stdin(cat.stdout.take().unwrap()).output().unwrap();
    cat.wait().unwrap();
    output
}

fn printed(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn compressed_archives_are_read_whatever_their_names() {
    if !have(&["gzip", "zstd"]) {
        return;
    }
    for program in ["gzip", "zstd"] {
        let temp = TempDir::new().unwrap();
        let (plain, packed) = saved(temp.path(), program);
        for kind in ["", "oci-archive:", "docker-archive:"] {
            let list = |file: &Path| ocicle(["ls", "--json", &format!("{kind}{}", text(file))]);
            assert_eq!(list(&packed), list(&plain), "{kind} {program}");
        }
        assert_eq!(ocicle(["cat", &at(&packed, "b:latest"), "/file"]), "b");
        assert!(ocicle(["check", text(&packed)]).ends_with("nothing wrong\n"));
        let layout = temp.path().join("layout");
        ocicle(["copy", text(&packed), &format!("oci:{}", text(&layout))]);
        assert_eq!(ocicle(["cat", &at(&layout, "a:latest"), "/file"]), "a");
    }
}

#[test]
fn standard_input_and_pipes_are_archives() {
    if !have(&["gzip"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let (plain, packed) = saved(temp.path(), "gzip");
    let expected = ocicle(["ls", text(&plain)]);
    for archive in [&plain, &packed] {
        for reference in ["-", "oci-archive:-", "/dev/stdin", "oci-archive:/dev/stdin"] {
            assert_eq!(printed(piped(archive, &["ls", reference])), expected, "{reference}");
        }
        assert_eq!(printed(piped(archive, &["cat", "docker-archive:-#b:latest", "/file"])), "b");
        // A file is not a pipe, but can be standard input all the same.
        let file = File::open(archive).unwrap();
        let output = command().args(["cat", "oci-archive:-#a:latest", "/file"]).stdin(file).output().unwrap();
        assert_eq!(printed(output), "a");
    }
    let output = piped(&plain, &["diff", "oci-archive:-#a:latest", "oci-archive:-#b:latest"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("standard input can be read only once"), "{error}");
    let error = fails(2, ["copy", text(&plain), "-"]);
    assert!(error.contains("cannot copy to `-`"), "{error}");
    // A directory of that name is one with `oci:` or `./`.
    let output = command().args(["init", "./-"]).current_dir(temp.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    for reference in ["./-", "oci:-"] {
        let output = command().args(["ls", reference]).current_dir(temp.path()).output().unwrap();
        assert!(output.status.success(), "{reference}: {output:?}");
    }
}

#[test]
fn they_are_not_edited_and_leave_nothing_behind() {
    if !have(&["gzip"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let (_, packed) = saved(temp.path(), "gzip");
    let temporary = temp.path().join("temporary");
    fs::create_dir(&temporary).unwrap();
    let before = fs::read(&packed).unwrap();
    let image = at(&packed, "a:latest");
    let another = format!("{}/another", text(temp.path()));
    ocicle(["init", &another]);
    ocicle(["new", &format!("{another}#new")]);
    for args in [
        vec!["tag", &image, "v2"],
        vec!["config", &image, "--user", "x"],
        vec!["rm", &image],
        vec!["gc", text(&packed)],
        vec!["copy", &another, text(&packed)],
    ] {
        let output = command().args(&args).env("TMPDIR", &temporary).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {error}");
        let message = "a compressed archive is read-only\nhint: copy it first, with `ocicle copy ";
        assert!(error.contains(message), "{args:?}: {error}");
        assert!(names(&temporary).is_empty());
    }
    assert!(fs::read(&packed).unwrap() == before);
    assert_eq!(names(temp.path()), ["another", "packed", "saved.tar", "temporary"]);
    let missing = temp.path().join("missing");
    let output = command().args(["ls", text(&packed)]).env("TMPDIR", &missing).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains(&format!("create a temporary file in {}", text(&missing))), "{error}");
}

#[test]
fn the_size_is_limited_and_damage_is_reported() {
    if !have(&["gzip", "xz"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let (plain, packed) = saved(temp.path(), "gzip");
    let size = fs::metadata(&plain).unwrap().len();
    ocicle(["ls", text(&packed), "--limit", &format!("archive_size={size}")]);
    let less = format!("archive_size={}", size - 1);
    let error = fails(1, ["ls", text(&packed), "--limit", &less]);
    assert!(error.contains(&format!("more than the limit of {} (archive_size)", size - 1)), "{error}");
    assert!(error.contains("raise it: --limit archive_size=…"), "{error}");
    let cut = fs::read(&packed).unwrap();
    fs::write(&packed, &cut[..cut.len() / 2]).unwrap();
    let error = fails(4, ["ls", text(&packed)]);
    assert!(error.contains(&format!("{}: the archive: ", text(&packed))), "{error}");
    let other = temp.path().join("other");
    fs::write(&other, run("xz", ["-c", text(&plain)])).unwrap();
    let error = fails(1, ["ls", text(&other)]);
    assert!(error.contains("compressed with xz") && error.contains("`xz -d`"), "{error}");
    let output = piped(&other, &["ls", "-"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("standard input: the archive: unsupported compression: xz"), "{error}");
}

#[test]
fn several_images_go_into_one_archive() {
    let temp = TempDir::new().unwrap();
    let (first, docker) = (temp.path().join("first.tar"), temp.path().join("docker.tar"));
    DockerSave::new().image("a", &["a:latest"]).image("b", &["b:latest"]).write(&first);
    let to = format!("docker-archive:{}", text(&docker));
    let tags = || -> Vec<String> {
        let listing = json(&["ls", text(&docker)]);
        let entries = listing["entries"].as_array().unwrap();
        entries.iter().map(|entry| entry["tag"].as_str().unwrap_or("-").to_owned()).collect()
    };
    // One after another: the archive is written again with both.
    ocicle(["copy", &at(&first, "b:latest"), &to]);
    ocicle(["copy", &at(&first, "a:latest"), &to]);
    assert_eq!(tags(), ["b:latest", "a:latest"]);
    assert_eq!(ocicle(["cat", &at(&docker, "b:latest"), "/file"]), "b");
    // A tag moves.
    ocicle(["copy", &at(&first, "a:latest"), &format!("{to}#b:latest")]);
    assert_eq!(ocicle(["cat", &at(&docker, "b:latest"), "/file"]), "a");
    assert!(ocicle(["check", text(&docker)]).ends_with("nothing wrong\n"));
    assert_eq!(names(temp.path()), ["docker.tar", "first.tar"]);
    if have(&["skopeo"]) {
        run("skopeo", ["inspect", &format!("docker-archive:{}:b:latest", text(&docker))]);
    }
    // One that is an OCI archive, too, stays one.
    ocicle(["copy", &at(&docker, "b:latest"), &format!("docker-archive:{}#c:1", text(&first))]);
    let members = String::from_utf8(run("tar", ["-tf", text(&first)])).unwrap();
    assert!(members.contains("index.json") && members.contains("manifest.json"), "{members}");
    assert_eq!(json(&["ls", text(&first)])["entries"].as_array().unwrap().len(), 3);
    // What cannot be read is not replaced.
    fs::write(&docker, "no tar").unwrap();
    fails(4, ["copy", &at(&first, "a:latest"), &to]);
    assert_eq!(fs::read(&docker).unwrap(), b"no tar");
}
