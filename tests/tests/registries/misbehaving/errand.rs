//! One run of the command with a registry that misbehaves, and all that must be true after it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use ocicle_tests::{
    handmade::{self, Archive, Layer},
    misbehaving::{CANARY, CANARY_BASE64, MisbehavingRegistry, Proof, misdeed::Misconduct, served::Served},
    ocicle::{at, command, ocicle, text},
    temp::{TempDir, names},
};

/// The bytes of the large layers: one that is sent at once, and one in parts.
const LARGE: usize = 3_000_000;
const IN_PARTS: usize = 9_000_000;

/// Something to do with the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    Pull,
    /// With what is about the image.
    PullAll,
    Push,
    PushInParts,
    List,
}

/// The end of an errand: all is well, or an exit code and a part of the message.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ending {
    Done,
    Fails(i32, &'static str),
}

/// The images that are copied, each tagged `t`.
pub(super) struct Originals {
    dir: TempDir,
}

impl Originals {
    pub(super) fn make() -> Self {
        let dir = TempDir::new().unwrap();
        for (name, size) in [("large", LARGE), ("parts", IN_PARTS)] {
            let small = Layer::plain(Archive::new().file("small", "small").end());
            let large: String = (0..size / 8).map(|number| format!("{number:08}")).collect();
            let large = Layer::plain(Archive::new().file("large", &large).end());
            handmade::layout(&dir.path().join(name), &[small, large]);
        }
        Self { dir }
    }

    fn layout(&self, errand: Errand) -> PathBuf {
        self.dir.path().join(if errand == Errand::PushInParts { "parts" } else { "large" })
    }
}

/// Does an errand, and checks its outcome. Returns the requests at the other port.
pub(super) fn run(
    images: &Originals,
    name: &str,
    errand: Errand,
    proof: Proof,
    plan: Misconduct,
    outcome: Ending,
) -> Vec<String> {
    let source = images.layout(errand);
    let is_push = matches!(errand, Errand::Push | Errand::PushInParts);
    let registry = MisbehavingRegistry::start((!is_push).then_some(&*source), proof, plan);
    let home = TempDir::new().unwrap();
    let target = home.path().join("target");
    // A layout with another image under this tag.
    handmade::layout(&target, &[]);
    let before = fs::read(target.join("index.json")).unwrap();

    let auth = format!(r#"{{"auths":{{"{}":{{"auth":"{CANARY_BASE64}"}}}}}}"#, registry.host());
    fs::write(home.path().join("auth.json"), auth).unwrap();
    let (remote, to) = (format!("docker://{}/app", registry.host()), format!("oci:{}", text(&target)));
    let tagged = format!("{remote}:t");
    let args: &[&str] = match errand {
        Errand::Pull => &["copy", &tagged, &to],
        Errand::PullAll => &["copy", "--referrers", &tagged, &to],
        Errand::Push | Errand::PushInParts => &["copy", &at(&source, "t"), &tagged],
        Errand::List => &["ls", &remote, "--tags", "*"],
    };
    let proxy = format!("http://{}", registry.other());
    let mut ocicle_there = command();
    for name in ["XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG", "NO_PROXY", "no_proxy"] {
        ocicle_there.env_remove(name);
    }
    for name in ["http_proxy", "https_proxy"] {
        ocicle_there.env(name, &proxy);
    }
    let auth_file = home.path().join("auth.json");
    ocicle_there.env("HOME", home.path()).env("REGISTRY_AUTH_FILE", auth_file).args(args);
    let output = ocicle_there.output().unwrap();
    let told = format!(
        "{name}: {:?}: {}\n{}faults: {:#?}",
        output.status.code(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
        registry.faults(),
    );
    assert!(!registry.faults().is_empty(), "nothing was tested: {told}");
    check_outcome(&output, outcome, &told);
    if is_push {
        check_pushed(&registry, &source, output.status.success(), &told);
    } else {
        check_pulled(&target, &source, &before, errand != Errand::List && output.status.success(), &told);
    }
    let overheard = registry.overheard();
    for request in &overheard {
        let secret = [CANARY, CANARY_BASE64, "authorization"].iter().any(|text| request.contains(text));
        assert!(!secret, "{told}\n{request}");
    }
    overheard
}

fn check_outcome(output: &Output, outcome: Ending, told: &str) {
    let error = String::from_utf8_lossy(&output.stderr);
    for secret in [CANARY, CANARY_BASE64, "signed"] {
        assert!(!error.contains(secret), "a secret is shown: {told}");
    }
    let (code, message) = match outcome {
        Ending::Done => (0, ""),
        Ending::Fails(code, message) => (code, message),
    };
    assert_eq!(output.status.code(), Some(code), "{told}");
    let errors: Vec<_> = error.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), usize::from(code != 0), "{told}");
    assert!(errors.iter().all(|line| line.contains(message)), "expected {message:?}: {told}");
}

/// Checks that the repository has all of the image, or not the tag.
fn check_pushed(registry: &MisbehavingRegistry, source: &Path, done: bool, told: &str) {
    let (there, all) = (registry.content(), Served::read(source));
    assert_eq!(there.manifests.contains_key("t"), done, "{told}");
    if done {
        assert!(there.manifests == all.manifests && there.blobs == all.blobs, "{told}");
    }
}

/// Checks that a layout has all of the image, or is as it was.
fn check_pulled(target: &Path, source: &Path, before: &[u8], done: bool, told: &str) {
    ocicle(["check", text(target)]);
    if done {
        for file in fs::read_dir(source.join("blobs/sha256")).unwrap() {
            let name = Path::new("blobs/sha256").join(file.unwrap().file_name());
            assert!(fs::read(target.join(&name)).unwrap() == fs::read(source.join(&name)).unwrap(), "{told}");
        }
        assert_eq!(ocicle(["resolve", &at(target, "t")]), ocicle(["resolve", &at(source, "t")]), "{told}");
    } else {
        assert!(fs::read(target.join("index.json")).unwrap() == before, "{told}");
    }
    let names = names(target);
    assert_eq!(names, ["blobs", "index.json", "oci-layout"], "{told}");
}
