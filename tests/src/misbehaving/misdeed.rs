//! The ways to misbehave, and plans of when to.

use std::sync::atomic::{AtomicBool, Ordering};

/// The purpose of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "tests")]
pub enum Purpose {
    /// `GET /v2/`.
    Root,
    /// A token.
    Token,
    /// A page of the tags.
    Tags,
    /// The list of what is about an object.
    Referrers,
    /// A manifest.
    Manifest,
    /// A blob.
    Blob,
    /// A blob of more than a million bytes.
    Large,
    /// The head of a manifest or blob.
    Head,
    /// The start of an upload.
    Start,
    /// A part of a blob that is sent.
    Part,
    /// The question how much of a blob arrived.
    Progress,
    /// The end of an upload.
    Finish,
    /// A manifest that is sent.
    Put,
    /// Anything else, such as the end of an upload that failed.
    Other,
}

/// A way to misbehave. Bodies are broken in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "tests")]
pub enum Misdeed {
    /// A status in place of the answer, and `retry-after`.
    Status(u16, Option<&'static str>),
    /// A 401 as if the credentials were not there.
    Expired,
    /// The connection ends while the request is read. Of a blob, half has arrived.
    HangUp,
    /// The connection ends after the request was done, without an answer.
    Unheard,
    /// The connection ends, and the upload is forgotten.
    LostSession,
    /// The body breaks off.
    Cut,
    /// Ranges are ignored.
    NoRanges,
    /// Another range than was asked for.
    OtherRange,
    /// Less than all of the content, as if it were all.
    Short,
    /// More than the content.
    Long,
    /// One byte is another.
    WrongByte,
    /// A redirect to the other port, with this query.
    Redirect(&'static str),
    /// A 401 that names this token server.
    Realm(&'static str),
    /// The next page is there.
    Link(&'static str),
    /// A page with that many tags, and always a next one.
    Endless(usize),
    /// An upload goes on there; `OTHER` is the other port.
    Location(&'static str),
    /// It is not said where an upload goes on.
    NoLocation,
    /// Parts must have that many bytes, but for the last.
    Shortest(usize),
}

/// A request as a plan sees it.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "tests")]
pub struct Sight<'a> {
    /// The purpose.
    pub purpose: Purpose,
    /// Method and address.
    pub line: &'a str,
    /// The number of times that the same was asked for before.
    pub before: usize,
}

/// Decides how a request is answered.
pub type Misconduct = Box<dyn Fn(&Sight<'_>) -> Option<Misdeed> + Send + Sync>;

/// Misbehaves at the first request for a purpose.
#[must_use]
pub fn first(purpose: Purpose, misdeed: Misdeed) -> Misconduct {
    let done = AtomicBool::new(false);
    Box::new(move |sight| {
        let now = sight.purpose == purpose && !done.swap(true, Ordering::Relaxed);
        now.then_some(misdeed)
    })
}

/// Misbehaves at every request for a purpose.
#[must_use]
pub fn every(purpose: Purpose, misdeed: Misdeed) -> Misconduct {
    Box::new(move |sight| (sight.purpose == purpose).then_some(misdeed))
}

/// Misbehaves as the first of these plans that does.
#[must_use]
pub fn mixed(plans: Vec<Misconduct>) -> Misconduct {
    Box::new(move |sight| plans.iter().find_map(|plan| plan(sight)))
}

/// Misbehaves at random, as far as a client can get over it; the same way for the same seed, but for the
/// order of what is sent at the same time. A client waits half a second after a misdeed without
/// `retry-after`: there is one of these at most. `in_parts` is whether blobs are sent in parts.
#[must_use]
pub fn random(seed: u64, in_parts: bool) -> Misconduct {
    let waited = AtomicBool::new(false);
    Box::new(move |sight| {
        let drawn = draw(seed, &format!("{} {}", sight.line, sight.before));
        if sight.before > 2 || drawn.is_multiple_of(3) {
            return None;
        }
        let (quick, slow) = bearable(sight.purpose, in_parts);
        let at = (drawn >> 8) as usize % (quick.len() + slow.len()).max(1);
        // Each wait for the same is longer, and a second 401 is believed.
        let is_new = sight.before == 0;
        match quick.get(at) {
            Some(misdeed) => Some(*misdeed).filter(|misdeed| is_new || *misdeed != Misdeed::Expired),
            None if is_new && !waited.swap(true, Ordering::Relaxed) => slow.get(at - quick.len()).copied(),
            None => None,
        }
    })
}

/// Returns the misdeeds that a client can get over: those without a wait, and those with one.
fn bearable(purpose: Purpose, in_parts: bool) -> (Vec<Misdeed>, Vec<Misdeed>) {
    use Misdeed::*;
    const PAST: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    let busy = [Status(429, Some("0")), Status(429, Some(PAST)), Status(503, Some("0"))];
    let later = [Status(429, None), Status(503, None), HangUp, Unheard];
    let (quick, slow): (&[Misdeed], &[Misdeed]) = match purpose {
        // One is asked over HTTPS first. Others are not sent again.
        Purpose::Root => return (busy.to_vec(), Vec::new()),
        Purpose::Other => return Default::default(),
        Purpose::Tags | Purpose::Manifest => (&[Expired], &[Cut]),
        Purpose::Blob => (&[Redirect(""), Redirect("?sig=signed"), NoRanges, Long], &[]),
        Purpose::Large => (&[Redirect(""), Redirect("?sig=signed"), NoRanges, Long], &[Cut]),
        // The other port takes no parts.
        Purpose::Start if in_parts => (&[Shortest(100)], &[]),
        Purpose::Start => (&[Shortest(100), Location("http://OTHER/store?sig=signed")], &[]),
        Purpose::Part => (&[Expired], &[Status(416, None)]),
        Purpose::Finish if !in_parts => (&[Expired], &[LostSession]),
        _ => (&[], &[]),
    };
    ([&busy, quick].concat(), [&later, slow].concat())
}

/// Returns a number that looks random, by splitmix64.
fn draw(seed: u64, text: &str) -> u64 {
    let mut state = seed;
    let mut mixed = 0;
    for byte in text.bytes() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ u64::from(byte);
        mixed = (state ^ mixed ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
    }
    mixed
}
