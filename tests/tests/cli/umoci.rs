//! umoci's command line, run by ocicle, and by umoci itself where it is installed.

mod suite;

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use ocicle_tests::{
    fixtures::{ODD, copy_of},
    ocicle::{at, binary, ocicle, stat, text},
    rootfs::assert_same,
    temp::TempDir,
    tools::{have, run, try_run},
};
use serde_json::Value;

/// ocicle under the name of umoci, in a directory to work in.
struct Front {
    temp: TempDir,
    link: PathBuf,
}

impl Front {
    fn new() -> Self {
        let temp = TempDir::new().unwrap();
        let link = temp.path().join("umoci");
        symlink(binary(), &link).unwrap();
        Self { temp, link }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    fn try_run(&self, words: &[&str]) -> Output {
        Command::new(&self.link).args(words).current_dir(self.temp.path()).output().unwrap()
    }

    /// Runs a command that must succeed and print nothing on standard error. Returns its standard output.
    fn run(&self, words: &[&str]) -> String {
        let output = self.try_run(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that must fail with status 1. Returns the message without prefix and suffix.
    fn fails(&self, words: &[&str]) -> String {
        let output = self.try_run(words);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words:?}: {error}");
        let line = error.lines().last().unwrap();
        line.strip_prefix("   ⨯ ").unwrap_or_else(|| panic!("{line}")).trim_end().into()
    }

    fn layout(&self) -> Option<PathBuf> {
        Some(copy_of(&ODD.layout()?, self.temp.path()))
    }
}

fn config(layout: &Path, tag: &str) -> Value {
    let stat: Value = stat(&at(layout, tag));
    stat["config"].clone()
}

#[test]
fn an_image_from_scratch() {
    let front = Front::new();
    let silent = |words: &[&str]| assert_eq!(front.run(words), "", "{words:?}");
    silent(&["init", "--layout", "a/b/images"]);
    silent(&["new", "--image", "a/b/images:base"]);
    fs::create_dir_all(front.path("src/sub")).unwrap();
    fs::write(front.path("src/sub/file"), "content").unwrap();
    silent(&["insert", "--image", "a/b/images:base", "-tag=new", "--history.author", "me", "src", "/opt/x"]);
    silent(&["insert", "--image=a/b/images:new", "--whiteout", "/opt/x/sub"]);
    silent(&[
        "config",
        "-image",
        "a/b/images:new",
        "--config.cmd",
        "-c",
        "--config.cmd",
        "a, b",
        "--config.env",
        "A=1",
        "--config.env",
        "A=2",
        "--config.label=x=y=z",
        "--config.user",
        "first",
        "--config.user",
        "1:2",
        "--config.entrypoint=",
        "--os",
        "linux",
        "--architecture=arm64",
        "--platform.variant",
        "v8",
        "--config.volume",
        "/with, comma",
        "--config.exposedports",
        "80/tcp",
        "--config.workingdir",
        "/",
        "--config.stopsignal",
        "SIGINT",
        "--author",
        "An Author",
        "--created",
        "2020-01-02T03:04:05.5Z",
        "--manifest.annotation",
        "k=v",
        "--history.comment",
        "-note",
    ]);
    let layout = front.path("a/b/images");
    let config = config(&layout, "new");
    let run = serde_json::json!({
        "User": "1:2", "ExposedPorts": {"80/tcp": {}}, "Env": ["A=2"], "Entrypoint": [""],
        "Cmd": ["-c", "a, b"], "Volumes": {"/with, comma": {}}, "WorkingDir": "/", "Labels": {"x": "y=z"},
        "StopSignal": "SIGINT",
    });
    assert_eq!(config["config"], run);
    assert_eq!(
        [&config["architecture"], &config["variant"], &config["author"], &config["created"]],
        ["arm64", "v8", "An Author", "2020-01-02T03:04:05.5Z"]
    );
    let history: Vec<_> =
        config["history"].as_array().unwrap().iter().map(|entry| &entry["created_by"]).collect();
    assert_eq!(history, ["umoci insert", "umoci insert", "umoci config"]);
    assert_eq!(
        (&config["history"][0]["author"], &config["history"][2]["comment"]),
        (&"me".into(), &"-note".into())
    );

    // Nothing to change is a change of the history all the same.
    silent(&["config", "--image", "a/b/images:new"]);
    assert_eq!(self::config(&layout, "new")["history"].as_array().unwrap().len(), 4);
    silent(&[
        "config",
        "--image",
        "a/b/images:new",
        "--clear",
        "config.env",
        "--clear=config.labels",
        "--no-history",
    ]);
    let cleared = self::config(&layout, "new");
    assert_eq!((cleared["config"].get("Env"), cleared["config"].get("Labels")), (None, None));
    silent(&["tag", "--image", "a/b/images:new", "reg.io/x:1.2"]);
    assert_eq!(front.run(&["ls", "--layout", "a/b/images"]), "base\nnew\nreg.io/x:1.2\n");
    silent(&["rm", "--image", "a/b/images:new"]);
    silent(&["remove", "--image", "a/b/images:new"]);
    silent(&["gc", "--layout", "a/b/images"]);
    assert_eq!(front.run(&["list", "--layout", "a/b/images"]), "base\nreg.io/x:1.2\n");
    ocicle(["check", text(&layout)]);
}

#[test]
fn bundles_go_both_ways() {
    let front = Front::new();
    let Some(layout) = front.layout() else { return };
    if !have(&["umoci", "mtree", "getfattr"]) {
        return;
    }
    let image = |tag: &str| format!("{}:{tag}", text(&layout));
    assert_eq!(front.run(&["unpack", "--image", &image("odd"), "bundle"]), "");
    let bundle = front.path("bundle");
    fs::write(bundle.join("rootfs/etc/newest"), "new").unwrap();
    run(
        "touch",
        ["-d", "@1700000000", text(&bundle.join("rootfs/etc/newest")), text(&bundle.join("rootfs/etc"))],
    );
    assert_eq!(front.run(&["repack", "--image", &image("front"), "--mask-path", "/nothing", "bundle"]), "");
    run("umoci", ["repack", "--image", &image("real"), text(&bundle)]);
    for tag in ["front", "real"] {
        ocicle(["unpack", &at(&layout, tag), text(&front.path(tag))]);
    }
    assert_same(&front.path("front/rootfs"), &front.path("real/rootfs"));
    // An untouched one: no layer, but an entry in the history, as umoci has it.
    let output = front.try_run(&["unpack", "--image", &image("odd"), "bundle"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(bundle.join("rootfs/etc/newest").exists());
    assert_eq!(front.run(&["raw", "unpack", "--image", &image("odd"), "some/where/rootfs"]), "");
    assert!(front.path("some/where/rootfs/bin/setuid").exists());
    assert_eq!(
        front.run(&[
            "raw",
            "runtime-config",
            "--image",
            &image("odd"),
            "--rootfs",
            "some/where/rootfs",
            "config.json"
        ]),
        ""
    );
    let spec: Value = serde_json::from_slice(&fs::read(front.path("config.json")).unwrap()).unwrap();
    assert_eq!(spec["process"]["user"]["uid"], 1000);

    let manifest = fs::read_dir(&bundle).unwrap().map(|entry| entry.unwrap().path());
    let manifest = manifest.into_iter().find(|path| path.extension() == Some("mtree".as_ref())).unwrap();
    let validate = ["raw", "mtree-validate", "-f", text(&manifest), "-p", "bundle/rootfs"];
    let output = front.try_run(&validate);
    let lines = String::from_utf8(output.stdout).unwrap();
    assert!(lines.contains("\"etc/newest\": unexpected path\n"), "{lines}");
    assert!(lines.contains("\"etc\": keyword \"tar_time\": expected "), "{lines}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("validation failed: "));
    assert_eq!(front.fails(&[&validate[..], &["-k", "sha1"]].concat()), "keyword \"sha1\" cannot be checked");
}

#[test]
fn output_is_that_of_umoci() {
    let front = Front::new();
    let Some(layout) = front.layout() else { return };
    if !have(&["umoci"]) {
        return;
    }
    let image = format!("{}:odd", text(&layout));
    for words in [&["ls", "--layout", text(&layout)][..], &["list", "--layout", text(&layout)]] {
        assert_eq!(front.run(words).as_bytes(), run("umoci", words));
    }
    let json = ["stat", "--json", "--image", &image];
    let (ours, theirs): (Value, Value) = (
        serde_json::from_str(&front.run(&json)).unwrap(),
        serde_json::from_slice(&run("umoci", json)).unwrap(),
    );
    assert_eq!(ours["history"], theirs["history"]);
    assert_eq!(ours["manifest"]["blob"]["layers"].as_array().unwrap().len(), 3);
    assert_eq!(ours["config"]["blob"]["author"], "An odd author");
    let words = ["stat", "--image", &image];
    // Debian's umoci prints the table only.
    let table = String::from_utf8(run("umoci", words)).unwrap();
    let text = front.run(&words);
    assert!(text.starts_with("== MANIFEST ==\nSchema Version: 2\n"), "{text}");
    assert!(text.ends_with(&format!("\n== HISTORY ==\n{table}")), "{text}\n{table}");
}

#[test]
fn errors_are_those_of_umoci() {
    let front = Front::new();
    let Some(layout) = front.layout() else { return };
    if !have(&["umoci"]) {
        return;
    }
    let layout = text(&layout);
    let (odd, missing) = (format!("{layout}:odd"), format!("{layout}:nope"));
    let cases: &[(&[&str], &str)] = &[
        (&["stat"], "missing mandatory argument: --image"),
        (&["ls"], "missing mandatory argument: --layout"),
        (&["stat", "--image", &missing], "tag not found: nope"),
        (&["config", "--image", &missing, "--author", "a"], "tag not found: nope"),
        (&["unpack", "--image", &missing, "b"], "tag is not found: nope"),
        (&["unpack", "--image", &odd], "invalid number of positional arguments: expected <bundle>"),
        (
            &["stat", "--image", &format!("{layout}:a b")],
            "invalid --image: tag contains invalid characters: \"a b\"",
        ),
        (&["stat", "--image", ":x"], "invalid --image: path is empty"),
        (&["gc", "--layout", "a:b"], "invalid --layout: path contains ':' character"),
        (&["init", "--layout", layout], "image layout creation: path already exists: "),
        (&["tag", "--image", &odd, "a b"], "new tag is an invalid reference"),
        (&["config", "--image", &odd, "--config.env", "x"], "config.env: must contain '=': x"),
        (&["config", "--image", &odd, "--clear", "x"], "unknown key to --clear: x"),
        (&["config", "--image", &odd, "--clear", "rootfs.diffids"], "--clear=rootfs.diffids is not safe"),
        (
            &["config", "--image", &odd, "--no-history", "--history.author", "x"],
            "--no-history and --history.author may not be specified together",
        ),
        (&["stat", "--bar"], "flag provided but not defined: -bar"),
        (&["--log", "x", "ls", "--layout", layout], "parsing log level: invalid level"),
    ];
    let index = fs::read(Path::new(layout).join("index.json")).unwrap();
    for (words, message) in cases {
        let error = front.fails(words);
        assert!(error.starts_with(message), "{words:?}: {error}");
        let theirs = try_run("umoci", *words);
        assert_eq!(theirs.status.code(), Some(1), "umoci {words:?}");
    }
    for words in [&["foo"][..], &["raw", "foo"]] {
        let (ours, theirs) = (front.try_run(words), try_run("umoci", words));
        assert_eq!((ours.status.code(), ours.stderr), (Some(3), theirs.stderr));
    }
    assert_eq!(fs::read(Path::new(layout).join("index.json")).unwrap(), index);
}

#[test]
fn damage_is_reported_with_umocis_messages() {
    let front = Front::new();
    let Some(layout) = front.layout() else { return };
    let stat = ocicle(["resolve", "--format", "plain", &at(&layout, "odd")]);
    let digest = stat.split_whitespace().find_map(|word| word.strip_prefix("sha256:")).unwrap();
    let blob = layout.join("blobs/sha256").join(digest);
    let damaged =
        fs::read_to_string(&blob).unwrap().replacen("sha256:", "sha256:".to_uppercase().as_str(), 1);
    fs::remove_file(&blob).unwrap(); // it may be shared with the fixture
    fs::write(&blob, damaged).unwrap();
    let error = front.fails(&["unpack", "--image", &format!("{}:odd", text(&layout)), "bundle"]);
    assert!(error.contains("verified reader digest mismatch"), "{error}");
    assert!(!front.path("bundle").exists());
}

#[test]
fn umoci_is_a_subcommand_of_ocicle() {
    let version = ocicle(["umoci", "--version"]);
    assert!(version.starts_with("umoci version "), "{version}");
    assert!(ocicle(["umoci", "help"]).starts_with("NAME:\n   umoci - "));
    assert!(ocicle(["umoci", "repack", "--help"]).starts_with("NAME:\n   umoci repack - "));
}
