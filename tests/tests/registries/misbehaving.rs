//! A registry that misbehaves. The command gets over what it can, and says what it cannot; the password goes
//! nowhere else, and nothing is left half-written.

use std::{
    fs,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    process::Output,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use ocicle_tests::{
    handmade::{self, Archive, Layer},
    misbehaving::{
        CANARY, CANARY_BASE64, MisbehavingRegistry, Proof,
        misdeed::{Misconduct, Misdeed, Purpose, Sight, every, first, mixed, random},
    },
    ocicle::{at, command, ocicle, text},
    temp::TempDir,
};

/// The bytes of the large layers: one that is sent at once, and one in parts.
const LARGE: usize = 3_000_000;
const IN_PARTS: usize = 9_000_000;

/// Something to do with the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Errand {
    Pull,
    /// With what is about the image.
    PullAll,
    Push,
    PushInParts,
    List,
}

/// The end of an errand: all is well, or an exit code and a part of the message.
#[derive(Debug, Clone, Copy)]
enum Ending {
    Done,
    Fails(i32, &'static str),
}

/// The images that are copied, each tagged `t`.
struct Originals {
    dir: TempDir,
}

impl Originals {
    fn make() -> Self {
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
fn run(
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
    let (there, all) = (registry.content(), ocicle_tests::misbehaving::served::Served::read(source));
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
    let names = ocicle_tests::temp::names(target);
    assert_eq!(names, ["blobs", "index.json", "oci-layout"], "{told}");
}

/// Does some work several times at once: most of it is waiting. All that fails is shown.
fn at_once(count: usize, work: impl Fn(usize) + Sync) {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some(number) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < count) {
                    if panic::catch_unwind(AssertUnwindSafe(|| work(number))).is_err() {
                        failed.lock().unwrap().push(number);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "failed: {failed:?}; see above");
}

type ErrandRow = (Errand, Misconduct, Ending);

#[test]
fn what_can_be_got_over_is() {
    use Misdeed::*;
    let past = Some("Sun, 06 Nov 1994 08:49:37 GMT");
    let rows: Vec<(Errand, Misconduct)> = vec![
        (Errand::Pull, first(Purpose::Root, Status(429, Some("0")))),
        (Errand::Pull, first(Purpose::Token, Status(503, Some("0")))),
        (Errand::Pull, first(Purpose::Manifest, Status(429, Some("0")))),
        (Errand::Pull, first(Purpose::Manifest, Status(429, past))),
        (Errand::Pull, first(Purpose::Manifest, Status(429, None))),
        (Errand::Pull, first(Purpose::Manifest, Status(503, Some("1")))),
        (Errand::Pull, first(Purpose::Manifest, Expired)),
        (Errand::Pull, first(Purpose::Manifest, Cut)),
        (Errand::Pull, first(Purpose::Manifest, HangUp)),
        (Errand::Pull, first(Purpose::Large, Expired)),
        (Errand::Pull, first(Purpose::Large, HangUp)),
        (Errand::Pull, first(Purpose::Large, Cut)),
        (Errand::Pull, mixed(vec![first(Purpose::Large, Cut), every(Purpose::Large, NoRanges)])),
        (
            Errand::Pull,
            mixed(vec![first(Purpose::Large, Cut), first(Purpose::Large, Redirect("?sig=signed"))]),
        ),
        (Errand::Pull, every(Purpose::Large, Long)),
        (Errand::Pull, every(Purpose::Blob, Redirect(""))),
        (Errand::Pull, every(Purpose::Large, Redirect("?sig=signed"))),
        (Errand::PullAll, first(Purpose::Referrers, Status(503, Some("0")))),
        (Errand::PullAll, first(Purpose::Head, Status(429, Some("0")))),
        (Errand::List, first(Purpose::Tags, Cut)),
        (Errand::List, first(Purpose::Tags, Status(503, Some("0")))),
        (Errand::Push, first(Purpose::Head, Expired)),
        (Errand::Push, first(Purpose::Start, Status(429, Some("0")))),
        (Errand::Push, first(Purpose::Start, Unheard)),
        (Errand::Push, first(Purpose::Start, Expired)),
        (Errand::Push, every(Purpose::Start, Location("http://OTHER/store?sig=signed"))),
        (Errand::Push, every(Purpose::Start, Shortest(2_000_000))),
        (Errand::Push, first(Purpose::Finish, HangUp)),
        (Errand::Push, first(Purpose::Finish, LostSession)),
        (Errand::Push, first(Purpose::Start, Location("/v2/app/blobs/uploads/9-9"))),
        (Errand::Push, first(Purpose::Finish, Unheard)),
        (Errand::Push, first(Purpose::Finish, Expired)),
        (Errand::Push, first(Purpose::Finish, Status(503, Some("0")))),
        (Errand::Push, first(Purpose::Put, HangUp)),
        (Errand::Push, first(Purpose::Put, Unheard)),
        (Errand::PushInParts, first(Purpose::Part, HangUp)),
        (Errand::PushInParts, first(Purpose::Part, Unheard)),
        (Errand::PushInParts, first(Purpose::Part, LostSession)),
        (Errand::PushInParts, first(Purpose::Part, Status(416, None))),
        (Errand::PushInParts, first(Purpose::Part, Status(429, Some("0")))),
        (Errand::PushInParts, first(Purpose::Part, Expired)),
        (Errand::PushInParts, every(Purpose::Start, Shortest(1_000_000))),
        (Errand::PushInParts, every(Purpose::Start, Shortest(8_500_000))),
        (Errand::PushInParts, every(Purpose::Start, Shortest(20_000_000))),
        (Errand::PushInParts, mixed(vec![first(Purpose::Part, HangUp), first(Purpose::Progress, HangUp)])),
    ];
    table(rows.into_iter().map(|(errand, plan)| (errand, plan, Ending::Done)).collect());
}

#[test]
fn what_cannot_be_got_over_is_said() {
    use Ending::Fails;
    use Misdeed::*;
    let elsewhere = "http://elsewhere.invalid/x";
    table(vec![
        (Errand::Pull, every(Purpose::Manifest, Status(429, Some("0"))), Fails(1, "too many requests")),
        (Errand::Pull, every(Purpose::Large, Status(503, Some("0"))), Fails(1, "the server failed")),
        (Errand::Pull, every(Purpose::Large, Status(404, None)), Fails(4, "is not in the store")),
        (Errand::Pull, every(Purpose::Large, Status(416, None)), Fails(1, "range")),
        (Errand::Pull, every(Purpose::Large, OtherRange), Fails(1, "range")),
        (Errand::Pull, every(Purpose::Large, Short), Fails(4, "size mismatch")),
        (Errand::Pull, every(Purpose::Blob, Short), Fails(4, "size mismatch")),
        (Errand::Pull, every(Purpose::Large, WrongByte), Fails(4, "digest mismatch")),
        (Errand::Pull, every(Purpose::Blob, WrongByte), Fails(4, "digest mismatch")),
        (Errand::Pull, every(Purpose::Manifest, Expired), Fails(1, "(status 401)")),
        (Errand::Pull, every(Purpose::Manifest, Status(401, None)), Fails(1, "(status 401)")),
        (Errand::Pull, every(Purpose::Root, Status(401, None)), Fails(1, "no known kind")),
        (Errand::Pull, every(Purpose::Root, Realm(elsewhere)), Fails(1, "will not send credentials")),
        (Errand::Pull, every(Purpose::Root, Realm("http://10.0.0.1/")), Fails(1, "will not send")),
        (Errand::Pull, every(Purpose::Manifest, Realm(elsewhere)), Fails(1, "will not send credentials")),
        (Errand::List, every(Purpose::Tags, Link(elsewhere)), Fails(1, "the next page is elsewhere")),
        (Errand::List, every(Purpose::Tags, Link("http://OTHER/x")), Fails(1, "the next page is elsewhere")),
        (Errand::List, every(Purpose::Tags, Endless(5000)), Fails(1, "descriptors")),
        (Errand::List, every(Purpose::Tags, Endless(0)), Fails(1, "nothing on it")),
        (Errand::Push, every(Purpose::Start, NoLocation), Fails(1, "does not say where to send the blob")),
        (
            Errand::Push,
            every(Purpose::Start, Location("/v2/app/blobs/uploads/9-9")),
            Fails(1, "(status 404)"),
        ),
        (Errand::Push, every(Purpose::Start, Location("http://OTHER/x")), Fails(1, "not found")),
        (Errand::Push, every(Purpose::Start, Location("http://ann@OTHER/store")), Fails(1, "user name")),
        (Errand::Push, every(Purpose::Start, Location("gopher://OTHER/store")), Fails(1, "http or https")),
        (Errand::Push, every(Purpose::Finish, Status(413, None)), Fails(1, "too large")),
        (Errand::Push, every(Purpose::Put, Status(403, None)), Fails(1, "access is denied")),
        (Errand::PushInParts, every(Purpose::Part, Status(404, None)), Fails(1, "not found")),
        (Errand::PushInParts, Box::new(second_part_lost), Fails(1, "PATCH")),
        (Errand::PushInParts, every(Purpose::Start, Location(elsewhere)), Fails(1, "not found")),
    ]);
}

/// Loses an upload when some of it is not in the memory of the client any more.
fn second_part_lost(sight: &Sight<'_>) -> Option<Misdeed> {
    let second = sight.purpose == Purpose::Part && !sight.line.contains("upload 0-");
    second.then_some(Misdeed::LostSession)
}

fn table(rows: Vec<ErrandRow>) {
    let images = Originals::make();
    let names: Vec<_> = rows.iter().map(|(errand, _, outcome)| (*errand, *outcome)).collect();
    let plans: Vec<_> = rows.into_iter().map(|(_, plan, _)| Mutex::new(Some(plan))).collect();
    at_once(names.len(), |row| {
        let plan = plans[row].lock().unwrap().take().unwrap();
        let (errand, outcome) = names[row];
        let start = Instant::now();
        run(&images, &format!("row {row}: {errand:?}"), errand, Proof::Token, plan, outcome);
        eprintln!("row {row}: {errand:?}: {:?}", start.elapsed());
    });
}

#[test]
fn a_password_goes_nowhere_else() {
    use Ending::{Done, Fails};
    use Misdeed::*;
    let images = Originals::make();
    let elsewhere = "http://elsewhere.invalid/x";
    // The last says whether the other port is asked at all.
    let rows: [(Errand, Purpose, Misdeed, Ending, bool); 8] = [
        (Errand::Pull, Purpose::Large, Redirect("?sig=signed"), Done, true),
        (Errand::Pull, Purpose::Large, Status(401, None), Fails(1, "(status 401)"), false),
        (Errand::Pull, Purpose::Manifest, Realm(elsewhere), Fails(1, "will not send credentials"), false),
        (Errand::Pull, Purpose::Root, Realm(elsewhere), Fails(1, "will not send credentials"), false),
        (Errand::List, Purpose::Tags, Link(elsewhere), Fails(1, "the next page is elsewhere"), false),
        (Errand::Push, Purpose::Start, Location("http://OTHER/store?sig=signed"), Done, true),
        (Errand::Push, Purpose::Start, Location(elsewhere), Fails(1, "not found"), true),
        (Errand::PushInParts, Purpose::Start, Location(elsewhere), Fails(1, "not found"), true),
    ];
    for (row, (errand, purpose, misdeed, outcome, asked)) in rows.into_iter().enumerate() {
        let name = format!("row {row}: {errand:?}");
        let overheard = run(&images, &name, errand, Proof::Password, every(purpose, misdeed), outcome);
        assert_eq!(!overheard.is_empty(), asked, "{name}: {overheard:#?}");
    }
}

#[test]
fn faults_at_random() {
    let images = Originals::make();
    let errands = [Errand::Pull, Errand::Push, Errand::PullAll, Errand::List, Errand::PushInParts];
    at_once(50, |number| {
        let seed = number as u64;
        let errand = errands[number % errands.len()];
        let proof = if seed.is_multiple_of(3) { Proof::Password } else { Proof::Token };
        let mut plans = vec![random(seed, errand == Errand::PushInParts)];
        let mut outcome = Ending::Done;
        if seed % 4 == 3 {
            // One more, which cannot be got over.
            let (purpose, misdeed, failure) = match errand {
                Errand::Pull => (Purpose::Large, Misdeed::WrongByte, Ending::Fails(4, "digest mismatch")),
                Errand::PullAll => (Purpose::Blob, Misdeed::Short, Ending::Fails(4, "size mismatch")),
                Errand::List => (Purpose::Tags, Misdeed::Link("ftp://x/"), Ending::Fails(1, "http or https")),
                Errand::Push => (Purpose::Put, Misdeed::Status(403, None), Ending::Fails(1, "denied")),
                Errand::PushInParts => {
                    (Purpose::Part, Misdeed::Status(400, None), Ending::Fails(1, "bad request"))
                }
            };
            plans.insert(0, every(purpose, misdeed));
            outcome = failure;
        }
        let start = Instant::now();
        run(&images, &format!("seed {seed}: {errand:?}"), errand, proof, mixed(plans), outcome);
        eprintln!("seed {seed}: {errand:?}: {:?}", start.elapsed());
    });
}
