//! Every command as a user sees it: output, exit codes, `--json`, `--dry-run`.

use std::{fs, path::Path};

use ocicle_tests::{
    fixtures::{ODD, copy_of},
    ocicle::{at, command, fails, ocicle, text, try_ocicle},
    temp::TempDir,
    tools::{have, run},
};
use serde_json::Value;

fn json(output: &str) -> Value {
    serde_json::from_str(output).unwrap()
}

/// Creates a layout with one blank image, tagged `v1`.
fn blank(temp: &TempDir) -> std::path::PathBuf {
    let layout = temp.path().join("images");
    ocicle(["init", text(&layout)]);
    let made = command()
        .env("SOURCE_DATE_EPOCH", "0")
        .args(["new", "--platform", "linux/arm64", &at(&layout, "v1")])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    layout
}

#[test]
fn init_creates_a_layout_and_changes_no_existing_one() {
    let temp = TempDir::new().unwrap();
    let layout = temp.path().join("images");
    assert_eq!(ocicle(["init", text(&layout)]), "");
    let written: Value = json(&fs::read_to_string(layout.join("oci-layout")).unwrap());
    assert_eq!(written["imageLayoutVersion"], "1.0.0");
    let index = fs::read(layout.join("index.json")).unwrap();
    assert!(fails(1, ["init", text(&layout)]).contains("already exists"));
    assert_eq!(fs::read(layout.join("index.json")).unwrap(), index);
    let other = temp.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("mine"), "kept").unwrap();
    fails(1, ["init", text(&other)]);
    assert_eq!(fs::read_dir(&other).unwrap().count(), 1);
}

#[test]
fn new_makes_an_image_that_skopeo_and_umoci_accept() {
    let temp = TempDir::new().unwrap();
    let layout = blank(&temp);
    let stat = json(&ocicle(["stat", "--json", &at(&layout, "v1")]));
    assert_eq!(stat["config"]["architecture"], "arm64");
    assert_eq!(stat["config"]["created"], "1970-01-01T00:00:00Z");
    assert_eq!(stat["manifest"]["layers"], serde_json::json!([]));
    assert!(ocicle(["stat", &at(&layout, "v1")]).contains("linux/arm64"));
    // The same inputs, the same bytes.
    let again = TempDir::new().unwrap();
    let digest = |layout: &Path| json(&ocicle(["resolve", "--json", &at(layout, "v1")]))["digest"].clone();
    assert_eq!(digest(&layout), digest(&blank(&again)));
    if have(&["skopeo"]) {
        let inspected = run("skopeo", ["inspect", "--config", &format!("oci:{}:v1", layout.display())]);
        assert_eq!(json(&String::from_utf8(inspected).unwrap())["os"], "linux");
    }
    // Without --platform it is this machine's.
    ocicle(["new", &at(&layout, "here")]);
    let here = json(&ocicle(["stat", "--json", &at(&layout, "here")]));
    assert_eq!(here["config"]["os"], std::env::consts::OS);
    assert_eq!(
        ocicle(["check", text(&layout)]).lines().last().unwrap().split(": ").last(),
        Some("nothing wrong")
    );
}

#[test]
fn tags_are_added_and_removed() {
    let temp = TempDir::new().unwrap();
    let layout = blank(&temp);
    let before = fs::read(layout.join("index.json")).unwrap();
    ocicle(["tag", "--dry-run", &at(&layout, "v1"), "v2"]);
    assert_eq!(ocicle(["rm", "-n", &at(&layout, "v1")]), "remove tag v1\n");
    let new = ocicle(["new", "-n", "--platform", "linux/arm64", &at(&layout, "v3")]);
    assert_eq!(new, "new image for linux/arm64, tag v3\n");
    assert_eq!(fs::read(layout.join("index.json")).unwrap(), before);

    let digest = ocicle(["tag", &at(&layout, "v1"), "v2"]);
    assert!(digest.starts_with("sha256:") && digest.ends_with('\n'), "{digest}");
    let listed = ocicle(["ls", text(&layout)]);
    assert!(listed.contains("v1") && listed.contains("v2"), "{listed}");
    ocicle(["rm", &at(&layout, "v1")]);
    let listed = ocicle(["ls", text(&layout)]);
    assert!(!listed.contains("v1") && listed.contains("v2"), "{listed}");
    let error = fails(3, ["rm", &at(&layout, "v1")]);
    assert!(error.contains("v1") && error.contains("v2"), "{error}");
    fails(2, ["tag", &at(&layout, "v2"), "not a tag"]);
}

#[test]
fn references_that_are_not_found_or_ambiguous_exit_with_3() {
    let temp = TempDir::new().unwrap();
    let layout = blank(&temp);
    ocicle(["new", "--platform", "linux/amd64", &at(&layout, "v2")]);
    let missing = fails(3, ["resolve", &at(&layout, "v3")]);
    assert!(missing.contains("v1") && missing.contains("v2"), "{missing}");
    let several = fails(3, ["stat", text(&layout)]);
    assert!(several.contains("v1") && several.contains("v2"), "{several}");
    let ambiguous = fails(3, ["resolve", &at(&layout, "type=manifest")]);
    assert!(ambiguous.contains("linux/arm64") || ambiguous.contains("v1"), "{ambiguous}");
    ocicle(["tag", &at(&layout, "v2"), "latest"]);
    let default = json(&ocicle(["resolve", "--json", text(&layout)]));
    assert_eq!(default["digest"], json(&ocicle(["resolve", "--json", &at(&layout, "v2")]))["digest"]);
    fails(2, ["resolve", &at(&layout, "nonsense=")]);
    fails(2, ["check", &at(&layout, "v1")]);
    fails(2, ["nonsense"]);
    let proposal = fails(2, ["resolve", "oci:images:v1"]);
    assert!(proposal.contains("oci:images#v1"), "{proposal}");
    assert!(fails(3, ["ls", text(temp.path())]).contains("ocicle init"));
    assert!(fails(1, ["ls", "/nonexistent/layout"]).contains("ocicle init /nonexistent/layout"));
    assert!(fails(1, ["stat", "/nonexistent/layout:v1"]).contains("/nonexistent/layout#v1"));
    assert!(fails(2, ["ls", "docker://nonexistent"]).contains("docker.io/library/nonexistent"));
    assert!(fails(1, ["ls", "ftp://nonexistent"]).contains("docker:// for registries"));
    assert!(fails(2, ["repack", &at(&layout, "v1"), "bundle"]).contains("BUNDLE REF"));
}

#[test]
fn json_states_its_version() {
    let temp = TempDir::new().unwrap();
    let layout = blank(&temp);
    for command in [
        &["ls", "--json", text(&layout)][..],
        &["ls", "--format", "json", text(&layout)],
        &["stat", "--json", &at(&layout, "v1")],
        &["resolve", "--json", &at(&layout, "v1")],
        &["check", "--json", text(&layout)],
    ] {
        assert_eq!(json(&ocicle(command))["schemaVersion"], 1, "{command:?}");
    }
}

#[test]
fn plain_lines_have_fields_between_tabs() {
    let temp = TempDir::new().unwrap();
    let layout = blank(&temp);
    let digest =
        json(&ocicle(["resolve", "--json", &at(&layout, "v1")]))["digest"].as_str().unwrap().to_owned();
    let listed = ocicle(["ls", "--format", "plain", text(&layout)]);
    let fields: Vec<&str> = listed.trim_end().split('\t').collect();
    assert_eq!((fields.len(), &fields[1..5]), (7, &["v1", "manifest", "linux/arm64", digest.as_str()][..]));
    assert_eq!(fields[0], format!("pos=0,digest={digest}"));
    let resolved = ocicle(["resolve", "--format", "plain", &at(&layout, "v1")]);
    assert_eq!(resolved.split('\t').nth(3), Some(digest.as_str()));
    let stat = ocicle(["stat", "--format", "plain", &at(&layout, "v1")]);
    assert!(
        stat.contains(&format!("Manifest\t{digest}\n")) && stat.contains("Platform\tlinux/arm64\n"),
        "{stat}"
    );
    assert_eq!(ocicle(["check", "--format", "plain", text(&layout)]), "");
}

#[test]
fn concurrent_writers_lose_nothing() {
    let temp = TempDir::new().unwrap();
    let layout = blank(&temp);
    let tags: Vec<String> = (0..16).map(|number| format!("t{number}")).collect();
    let writers: Vec<_> =
        tags.iter().map(|tag| command().args(["tag", &at(&layout, "v1"), tag]).spawn().unwrap()).collect();
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    let listed = ocicle(["ls", "--json", text(&layout)]);
    for tag in tags {
        assert!(listed.contains(&format!("\"{tag}\"")), "{tag} is lost: {listed}");
    }
    let left: Vec<_> = fs::read_dir(&layout).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

#[test]
fn check_reports_everything_that_is_wrong() {
    let Some(fixture) = ODD.layout() else { return };
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let stat = json(&ocicle(["stat", "--json", &at(&layout, "gnu")]));
    let blob = |digest: &Value| layout.join("blobs").join(digest.as_str().unwrap().replace(':', "/"));
    let layers = stat["manifest"]["layers"].as_array().unwrap();
    fs::remove_file(blob(&layers[0]["digest"])).unwrap();
    let second = blob(&layers[1]["digest"]);
    let content = fs::read(&second).unwrap();
    fs::remove_file(&second).unwrap();
    fs::write(&second, &content[..content.len() - 1]).unwrap();
    let output = try_ocicle(["check", "--json", text(&layout)]);
    assert_eq!(output.status.code(), Some(4));
    let report = json(&String::from_utf8(output.stdout).unwrap());
    let problems: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["problem"].as_str().unwrap())
        .collect();
    assert!(problems.iter().any(|problem| problem.contains("not in the store")), "{problems:?}");
    assert!(problems.iter().any(|problem| problem.contains("size mismatch")), "{problems:?}");
}

#[test]
fn repack_writes_to_the_given_destination() {
    let Some(fixture) = ODD.layout() else { return };
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let bundle = temp.path().join("bundle");
    ocicle(["unpack", &at(&layout, "odd"), text(&bundle)]);
    assert!(fails(1, ["unpack", &at(&layout, "odd"), text(&bundle)]).contains("already exists"));
    let digest_of =
        |fragment: &str| json(&ocicle(["resolve", "--json", &at(&layout, fragment)]))["digest"].clone();
    let base = digest_of("odd");

    fs::write(bundle.join("rootfs/new"), "1").unwrap();
    ocicle(["repack", "--dry-run", text(&bundle), text(&layout)]);
    assert_eq!(digest_of("odd"), base);
    // With a new tag, the old one does not change.
    let made = ocicle(["repack", text(&bundle), &at(&layout, "mine")]);
    assert_eq!((digest_of("odd"), digest_of("mine").as_str()), (base.clone(), Some(made.trim())));
    // In place: only while it still is what was unpacked.
    ocicle(["repack", text(&bundle), &at(&layout, "tag=odd,pos=0")]);
    assert_ne!(digest_of("odd"), base);
    let error = fails(1, ["repack", text(&bundle), &at(&layout, "tag=odd,pos=0")]);
    assert!(error.contains("unpacked from"), "{error}");
    // Nothing said: the tag it came from.
    let made = ocicle(["repack", text(&bundle), text(&layout)]);
    assert_eq!(digest_of("odd").as_str(), Some(made.trim()));
    assert!(fails(1, ["repack", text(temp.path()), text(&layout)]).contains("not a bundle"));
    let other = temp.path().join("other");
    ocicle(["init", text(&other)]);
    assert!(fails(1, ["repack", text(&bundle), &at(&other, "mine")]).contains("unpacked from"));
}

/// An unprivileged user cannot change owners, but sees them.
#[test]
fn mtree_check_compares_owners_without_root_too() {
    use std::os::unix::fs::MetadataExt as _;

    if !have(&["setpriv"]) || fs::metadata("/proc/self").unwrap().uid() != 0 {
        return; // only root can become another user
    }
    let temp = TempDir::new().unwrap();
    let (manifest, root) = (temp.path().join("manifest"), temp.path().join("root"));
    fs::create_dir(&root).unwrap();
    fs::write(root.join("file"), "").unwrap();
    fs::write(&manifest, "#mtree\n. type=dir\n./file type=file uid=4711\n").unwrap();
    for path in [temp.path(), &root] {
        run("chmod", ["755", text(path)]);
    }
    // The program is handed in open: the user need not be able to reach it.
    let output = std::process::Command::new("sh")
        .args([
            "-c",
            "exec 9<\"$0\" && exec setpriv --reuid 65534 --regid 65534 --clear-groups \
            /proc/self/fd/9 mtree check \"$1\" \"$2\"",
        ])
        .args([command().get_program(), manifest.as_os_str(), root.as_os_str()])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "file: uid expected 4711, found 0\n", "{errors}");
    assert_eq!((output.status.code(), errors.as_ref()), (Some(5), ""));
}

#[test]
fn masked_paths_and_volumes_stay_out_of_the_layer() {
    let Some(fixture) = ODD.layout() else { return };
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let bundle = temp.path().join("bundle");
    ocicle(["unpack", &at(&layout, "odd"), text(&bundle)]);
    let root = bundle.join("rootfs");
    for path in ["volume", "cache"] {
        fs::create_dir(root.join(path)).unwrap();
        fs::write(root.join(path).join("file"), "x").unwrap();
    }
    fs::write(root.join("kept"), "x").unwrap();
    let changes = |options: &[&str]| {
        let target = at(&layout, "new");
        let output = ocicle([&["repack", "--dry-run"], options, &[text(&bundle), &target]].concat());
        output.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(changes(&[]), ["put /", "put /cache", "put /cache/file", "put /kept"]);
    assert_eq!(changes(&["--mask-path", "/cache"]), ["put /", "put /kept"]);
    assert_eq!(changes(&["--mask-path", "/cache", "--mask-path", "kept"]), Vec::<String>::new());
    assert_eq!(
        changes(&["--no-mask-volumes", "--mask-path", "cache"]),
        ["put /", "put /kept", "put /volume", "put /volume/file"]
    );
    ocicle(["repack", "--mask-path", "/cache", text(&bundle), &at(&layout, "new")]);
    let manifest = ocicle(["mtree", &at(&layout, "new")]);
    assert!(manifest.contains("kept type=file") && !manifest.contains("cache"), "{manifest}");
}

#[test]
fn config_edits_are_read_by_skopeo_and_umoci() {
    let Some(fixture) = ODD.layout() else { return };
    if !have(&["skopeo", "umoci"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let digest_of =
        |fragment: &str| json(&ocicle(["resolve", "--json", &at(&layout, fragment)]))["digest"].clone();
    let before = digest_of("odd");
    ocicle(["config", &at(&layout, "odd"), "--env", "A=1", "--dry-run"]);
    assert_eq!(digest_of("odd"), before);
    let made = ocicle([
        "config",
        &at(&layout, "odd"),
        "--tag",
        "new",
        "--clear",
        "labels",
        "--label",
        "x=y",
        "--env",
        "A=1",
        "--cmd",
        "/bin/setuid",
        "--cmd",
        "-x",
        "--workdir",
        "/links",
        "--annotation",
        "made.by=ocicle",
    ]);
    assert_eq!((digest_of("odd"), digest_of("new").as_str()), (before.clone(), Some(made.trim())));
    let image = format!("oci:{}:new", layout.display());
    let config = json(&String::from_utf8(run("skopeo", ["inspect", "--config", &image])).unwrap());
    assert_eq!(config["config"]["Labels"], serde_json::json!({ "x": "y" }));
    assert_eq!(config["config"]["Cmd"], serde_json::json!(["/bin/setuid", "-x"]));
    assert_eq!(config["config"]["WorkingDir"], "/links");
    assert_eq!(config["config"]["User"], "odd", "unchanged fields are kept");
    let history = config["history"].as_array().unwrap();
    assert_eq!(history.last().unwrap()["created_by"], "ocicle config");
    let manifest = json(&String::from_utf8(run("skopeo", ["inspect", "--raw", &image])).unwrap());
    assert_eq!(manifest["annotations"]["made.by"], "ocicle");
    run("umoci", ["stat", "--image", &format!("{}:new", layout.display())]);
    assert!(ocicle(["check", text(&layout)]).ends_with("nothing wrong\n"));

    ocicle(["config", &at(&layout, "odd"), "--author", "me", "--no-history"]);
    assert_ne!(digest_of("odd"), before);
    fails(2, ["config", &at(&layout, "odd")]);
    fails(2, ["config", &at(&layout, "odd"), "--env", "A"]);
    fails(2, ["config", &at(&layout, "odd"), "--port", "eighty"]);
    fails(2, ["config", &at(&layout, "odd"), "--created", "yesterday"]);
    fails(3, ["config", &at(&layout, "missing"), "--author", "me"]);
}

/// Returns the commands below a command, as its help lists them.
fn names(command: &str) -> Vec<String> {
    let help = ocicle(command.split_whitespace().chain(["--help"]));
    let list =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names =
        list.filter_map(|line| line.strip_prefix("  ")?.split(' ').next().filter(|name| !name.is_empty()));
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn every_command_has_help_with_an_example() {
    let commands: Vec<String> = names("");
    assert!(commands.len() > 15, "{commands:?}");
    let nested = ["raw", "mtree"]
        .iter()
        .flat_map(|name| names(name).into_iter().map(move |below| format!("{name} {below}")));
    for name in
        commands.iter().cloned().chain(nested).filter(|name| !["raw", "help"].contains(&name.as_str()))
    {
        let words: Vec<&str> = name.split(' ').collect();
        let help = ocicle(words.iter().chain(&["--help"]));
        let example = if name == "umoci" { "umoci unpack" } else { &format!("ocicle {name}") };
        assert!(help.to_lowercase().contains("example") && help.contains(example), "{name}: {help}");
        let page = ocicle(["man"].iter().chain(&words));
        assert!(page.contains(&format!(".TH ocicle-{} 1", words.join("-"))), "{name}: {page}");
    }
    assert!(ocicle(["man"]).contains(".TH ocicle 1"));
    fails(2, ["man", "nothing"]);
    fails(2, ["man", "raw", "nothing"]);
    for shell in ["bash", "zsh", "fish"] {
        assert!(ocicle(["completions", shell]).contains("compress"), "{shell}");
    }
    assert!(ocicle(["--version"]).starts_with("ocicle "));
}

#[test]
fn health_checks_are_those_of_docker() {
    let temp = TempDir::new().unwrap();
    let layout = blank(&temp);
    let check =
        || json(&ocicle(["stat", "--json", &at(&layout, "v1")]))["config"]["config"]["Healthcheck"].clone();
    let config = |more: &[&str]| ocicle(["config", &at(&layout, "v1")].iter().chain(more));
    config(&[
        "--healthcheck",
        "curl",
        "--healthcheck",
        "-f",
        "--health-interval",
        "1m30s",
        "--health-retries",
        "2",
    ]);
    let expected =
        serde_json::json!({ "Test": ["CMD", "curl", "-f"], "Interval": 90_000_000_000_i64, "Retries": 2 });
    assert_eq!(check(), expected);
    config(&["--no-healthcheck"]);
    assert_eq!(check(), serde_json::json!({ "Test": ["NONE"] }));
    config(&["--clear", "healthcheck"]);
    assert_eq!(check(), Value::Null);
    let error = fails(2, ["config", &at(&layout, "v1"), "--health-timeout", "30"]);
    assert!(error.contains("expected a time with its unit"), "{error}");
    fails(2, ["config", &at(&layout, "v1"), "--no-healthcheck", "--health-retries", "1"]);
    fails(2, ["config", &at(&layout, "v1"), "--health-retries", "0"]);
}
