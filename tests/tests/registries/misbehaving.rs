//! A registry that misbehaves. The command gets over what it can, and says what it cannot; the password goes
//! nowhere else, and nothing is left half-written.

mod errand;

use std::{
    panic::{self, AssertUnwindSafe},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use ocicle_tests::misbehaving::{
    Proof,
    misdeed::{Misconduct, Misdeed, Purpose, Sight, every, first, mixed, random},
};

use self::errand::{Ending, Errand, Originals, run};

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
