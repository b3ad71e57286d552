//! Every command on an image that another tool made, as root and as an ordinary user; what comes out is read
//! by skopeo, buildah, umoci and runc.

use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use ocicle_tests::{
    fixtures::DEBIAN,
    ocicle::{USER, at, command, command_of_user, ocicle, text},
    temp::TempDir,
    tools::{have, run},
};

/// A user with a home directory that has `layout` in it.
struct Who {
    home: PathBuf,
    is_root: bool,
}

impl Who {
    /// Runs a command and returns its standard output.
    fn ocicle(&self, words: &[&str]) -> String {
        let mut command = if self.is_root { command() } else { command_of_user(&self.home) };
        let output = command
            .args(words)
            .current_dir(&self.home)
            .env("SOURCE_DATE_EPOCH", "1700000000")
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "root {}: {words:?}: {error}", self.is_root);
        assert_eq!(error, "", "{words:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs what needs `--rootless` of an ordinary user.
    fn with_owners(&self, words: &[&str]) -> String {
        let rootless: &[&str] = if self.is_root { &[] } else { &["--rootless"] };
        self.ocicle(&[words, rootless].concat())
    }

    /// Returns the output of a container that runs the bundle.
    fn runc(&self, bundle: &Path, name: &str) -> String {
        let state = self.home.join("runc");
        let mut command = Command::new("runc");
        command.args(["--root", text(&state), "run", "--no-pivot", "--bundle", text(bundle), name]);
        command.env("XDG_RUNTIME_DIR", &self.home);
        if !self.is_root {
            command.uid(USER).gid(USER);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "runc: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

fn digest(printed: &str) -> &str {
    let digest = printed.trim_end();
    assert!(digest.starts_with("sha256:") && digest.len() == 71, "{printed:?}");
    digest
}

fn every_command(who: &Who) {
    let image = |tag: &str| format!("layout#{tag}");
    let base = image("debian");

    // Looking.
    assert!(who.ocicle(&["ls", "layout"]).contains("debian"));
    assert!(who.ocicle(&["stat", &base]).contains("linux/"));
    assert!(who.ocicle(&["resolve", &base]).contains("#debian"));
    assert!(who.ocicle(&["check", "layout"]).contains("nothing wrong"));

    // Editing.
    digest(&who.ocicle(&["new", &image("empty"), "--platform", "linux/amd64"]));
    digest(&who.ocicle(&["tag", &base, "again"]));
    digest(&who.ocicle(&[
        "config",
        &image("again"),
        "--label",
        "who=any",
        "--cmd",
        "/usr/bin/id",
        "--tag",
        "config",
    ]));
    fs::write(who.home.join("file"), "content").unwrap();
    run("chmod", ["644", text(&who.home.join("file"))]);
    if !who.is_root {
        run("chown", [&format!("{USER}:{USER}"), text(&who.home.join("file"))]);
    }
    digest(&who.with_owners(&["insert", &image("config"), "file", "/srv/file", "--tag", "insert"]));
    digest(&who.ocicle(&["insert", &image("insert"), "--whiteout", "/usr/share/doc"]));
    run(
        "tar",
        [
            "-C",
            text(&who.home),
            "--owner=0",
            "--mtime=@1",
            "--group=0",
            "--transform=s,^,opt/,",
            "-cf",
            text(&who.home.join("layer.tar")),
            "file",
        ],
    );
    digest(&who.ocicle(&["raw", "add-layer", &image("insert"), "layer.tar", "--tag", "layer"]));

    // Bundles.
    assert_eq!(who.with_owners(&["unpack", &image("layer"), "bundle"]), "");
    let rootfs = who.home.join("bundle/rootfs");
    assert_eq!(fs::read_to_string(rootfs.join("opt/file")).unwrap(), "content");
    assert!(!rootfs.join("usr/share/doc").exists());
    assert_eq!(who.ocicle(&["repack", "--dry-run", "bundle", &image("new")]), "");
    let id = who.runc(&who.home.join("bundle"), if who.is_root { "root" } else { "user" });
    assert!(id.starts_with("uid=0(root) gid=0(root)"), "{id}");
    // The container may leave files that it needs to start.
    fs::write(rootfs.join("srv/file"), "changed").unwrap();
    digest(&who.ocicle(&["repack", "--refresh-bundle", "bundle", &image("repack")]));
    assert_eq!(who.ocicle(&["repack", "--dry-run", "bundle", &image("new")]), "");
    assert_eq!(who.ocicle(&["mtree", "check", "bundle/rootfs.mtree", "bundle/rootfs"]), "");
    assert!(who.with_owners(&["mtree", &image("repack")]).contains("srv"));
    assert_eq!(who.with_owners(&["raw", "unpack", &image("repack"), "raw"]), "");
    who.with_owners(&["raw", "runtime-config", &image("repack"), "raw.json", "--rootfs", "raw"]);
    assert_eq!(who.with_owners(&["unpack", "--format", "umoci", &image("repack"), "umoci"]), "");
    assert_eq!(who.ocicle(&["repack", "umoci", &image("same")]).len(), 72);

    // Removing.
    who.ocicle(&["rm", &image("empty")]);
    assert!(who.ocicle(&["gc", "layout"]).contains("removed "));
    assert!(who.ocicle(&["check", "layout"]).contains("nothing wrong"));
}

/// Checks that other tools read all tags of a layout.
fn others_read(layout: &Path, temp: &Path) {
    for tag in ["debian", "config", "insert", "layer", "repack", "same"] {
        let image = format!("oci:{}:{tag}", text(layout));
        run(
            "skopeo",
            ["copy", "--quiet", &image, &format!("dir:{}", text(&temp.join(format!("skopeo-{tag}"))))],
        );
    }
    run("umoci", ["unpack", "--image", &format!("{}:repack", text(layout)), text(&temp.join("umoci"))]);
    assert_eq!(fs::read_to_string(temp.join("umoci/rootfs/srv/file")).unwrap(), "changed");
    let (storage, state) = (temp.join("storage"), temp.join("run"));
    let image = format!("oci:{}:repack", text(layout));
    let buildah = |words: &[&str]| {
        let place = ["--storage-driver", "vfs", "--root", text(&storage), "--runroot", text(&state)];
        String::from_utf8(run("buildah", [&place, words].concat())).unwrap()
    };
    let container = buildah(&["from", "--quiet", &image]);
    let root = buildah(&["mount", container.trim_end()]);
    assert_eq!(fs::read_to_string(Path::new(root.trim_end()).join("srv/file")).unwrap(), "changed");
}

#[test]
fn every_command_works_for_root_and_an_ordinary_user() {
    let Some(fixture) = DEBIAN.layout() else { return };
    if !have(&["skopeo", "umoci", "buildah", "runc"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let mut digests = Vec::new();
    for is_root in [true, false] {
        let who = Who { home: temp.path().join(if is_root { "root" } else { "user" }), is_root };
        fs::create_dir(&who.home).unwrap();
        run("cp", ["-r", text(&fixture), text(&who.home.join("layout"))]);
        if !is_root {
            run("chown", ["-R", &format!("{USER}:{USER}"), text(&who.home)]);
        }
        every_command(&who);
        let layout = who.home.join("layout");
        let digest = |tag| {
            ocicle(["resolve", "--format", "plain", &at(&layout, tag)]).split('\t').nth(3).map(str::to_owned)
        };
        digests.push(["config", "insert", "layer"].map(digest));
    }
    // Both layouts are the same, so one is enough for the other tools.
    assert_eq!(digests[0], digests[1]);
    others_read(&temp.path().join("user/layout"), temp.path());
}
