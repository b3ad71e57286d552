//! A registry in memory that misbehaves over real connections.

pub mod misdeed;
pub mod served;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::Read,
    path::Path,
    sync::{Arc, Mutex},
};

use self::{
    misdeed::{Misconduct, Misdeed, Purpose, Sight},
    served::Served,
};
use crate::http_server::{HttpAsked, HttpReply, HttpServer};

/// The only password that is accepted, of the user `ann`. Nobody else may see it.
pub const CANARY: &str = "canary";
/// `ann:canary` in base64.
pub const CANARY_BASE64: &str = "YW5uOmNhbmFyeQ==";

/// The proof that the registry wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "tests")]
pub enum Proof {
    /// The password.
    Password,
    /// A token, which the same server gives for the password.
    Token,
}

/// A running registry with one repository, `app`, and a second port that is another server to a client.
#[derive(Debug)]
pub struct MisbehavingRegistry {
    server: HttpServer,
    other: HttpServer,
    shared: Arc<Conduct>,
}

struct Conduct {
    proof: Proof,
    plan: Misconduct,
    content: Mutex<Served>,
    /// The number of times that each thing was asked for.
    times: Mutex<BTreeMap<String, usize>>,
    /// How requests were answered otherwise than they should.
    faults: Mutex<Vec<String>>,
    /// The requests at the other port, with their headers.
    overheard: Mutex<Vec<String>>,
}

impl MisbehavingRegistry {
    /// Starts it, with the images of a layout.
    #[must_use]
    pub fn start(layout: Option<&Path>, proof: Proof, plan: Misconduct) -> Self {
        let content = Mutex::new(layout.map(Served::read).unwrap_or_default());
        let (times, faults, overheard) = Default::default();
        let shared = Arc::new(Conduct { proof, plan, content, times, faults, overheard });
        let theirs = Arc::clone(&shared);
        let other = HttpServer::start(move |asked, body| theirs.answer_other(asked, body));
        let (ours, place) = (Arc::clone(&shared), other.host());
        let server = HttpServer::start(move |asked, body| ours.answer(asked, body, &place));
        Self { server, other, shared }
    }

    /// Returns `localhost:PORT`.
    #[must_use]
    pub fn host(&self) -> String {
        self.server.host()
    }

    /// Returns the other port, as `localhost:PORT`. It is a proxy for hosts that are not there, too.
    #[must_use]
    pub fn other(&self) -> String {
        self.other.host()
    }

    /// Returns what was done wrong so far.
    ///
    /// # Panics
    /// If a request could not be answered.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        self.shared.faults.lock().unwrap().clone()
    }

    /// Returns the requests at the other port so far.
    ///
    /// # Panics
    /// If a request could not be answered.
    #[must_use]
    pub fn overheard(&self) -> Vec<String> {
        self.shared.overheard.lock().unwrap().clone()
    }

    /// Returns what is in the repository.
    ///
    /// # Panics
    /// If a request could not be answered.
    #[must_use]
    pub fn content(&self) -> Served {
        self.shared.content.lock().unwrap().clone()
    }
}

impl std::fmt::Debug for Conduct {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conduct").field("proof", &self.proof).finish_non_exhaustive()
    }
}

impl Conduct {
    fn answer(&self, asked: &HttpAsked, body: &mut dyn Read, other: &str) -> HttpReply {
        let line = line(asked);
        let purpose = self.content.lock().unwrap().purpose(asked);
        let before = {
            let mut times = self.times.lock().unwrap();
            let count = times.entry(line.clone()).or_default();
            *count += 1;
            *count - 1
        };
        let reply = match (self.plan)(&Sight { purpose, line: &line, before }) {
            None => self.answer_well(asked, body),
            Some(misdeed) => {
                self.faults.lock().unwrap().push(format!("{line}: {misdeed:?}"));
                self.answer_badly(asked, body, purpose, misdeed, other)
            }
        };
        if asked.method == "HEAD" { reply.head() } else { reply }
    }

    fn is_allowed(&self, asked: &HttpAsked) -> bool {
        let proof = match self.proof {
            Proof::Token if asked.path() != "/token" => "Bearer t0k3n".to_owned(),
            _ => format!("Basic {CANARY_BASE64}"),
        };
        asked.header("authorization") == Some(&proof)
    }

    fn answer_well(&self, asked: &HttpAsked, body: &mut dyn Read) -> HttpReply {
        if !self.is_allowed(asked) {
            return self.unauthorized(asked);
        }
        if asked.path() == "/token" {
            return HttpReply::new(200, &[], br#"{"token":"t0k3n","expires_in":300}"#);
        }
        let mut bytes = Vec::new();
        // A client that breaks off sent nothing.
        match body.read_to_end(&mut bytes) {
            Ok(_) => self.content.lock().unwrap().answer(asked, &bytes),
            Err(_) => HttpReply::hang_up(),
        }
    }

    fn unauthorized(&self, asked: &HttpAsked) -> HttpReply {
        let challenge = match self.proof {
            Proof::Password => "Basic realm=\"test\"".to_owned(),
            Proof::Token => {
                let host = asked.header("host").unwrap_or_default();
                format!("Bearer realm=\"http://{host}/token\",service=\"test\"")
            }
        };
        HttpReply::new(401, &[("www-authenticate", &challenge)], b"")
    }

    fn answer_badly(
        &self,
        asked: &HttpAsked,
        body: &mut dyn Read,
        purpose: Purpose,
        misdeed: Misdeed,
        other: &str,
    ) -> HttpReply {
        let mut half = || {
            let all = asked.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0_u64);
            let mut bytes = Vec::new();
            let _ = body.take(all / 2).read_to_end(&mut bytes);
            bytes
        };
        let content = || self.content.lock().unwrap();
        match misdeed {
            Misdeed::Status(status, after) => {
                let after: Vec<_> = after.iter().map(|after| ("retry-after", *after)).collect();
                HttpReply::new(status, &after, b"")
            }
            Misdeed::Expired if self.proof == Proof::Token => self.unauthorized(asked),
            Misdeed::Expired => self.answer_well(asked, body),
            Misdeed::HangUp => {
                let bytes = half();
                if matches!(purpose, Purpose::Part | Purpose::Finish) {
                    content().add(asked.path(), &bytes);
                }
                HttpReply::hang_up()
            }
            Misdeed::LostSession => {
                half();
                content().forget(asked.path());
                HttpReply::hang_up()
            }
            Misdeed::Unheard => {
                self.answer_well(asked, body);
                HttpReply::hang_up()
            }
            Misdeed::Cut => {
                let reply = self.answer_well(asked, body);
                let half = reply.length() / 2;
                reply.cut(half)
            }
            Misdeed::NoRanges => {
                content().blob(&HttpAsked { headers: Vec::new(), ..asked.clone() }, <[u8]>::to_vec)
            }
            Misdeed::OtherRange => HttpReply::new(206, &[("content-range", "bytes 7-9/100000")], b"abc"),
            Misdeed::Short => content().blob(asked, |bytes| bytes[..bytes.len() / 2].to_vec()),
            Misdeed::Long => content().blob(asked, |bytes| [bytes, &[0; 5000]].concat()),
            Misdeed::WrongByte => content().blob(asked, |bytes| {
                let mut bytes = bytes.to_vec();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                bytes
            }),
            Misdeed::Redirect(query) => {
                let to = format!("http://{other}{}{query}", asked.path());
                HttpReply::new(307, &[("location", &to)], b"")
            }
            Misdeed::Realm(realm) => {
                let challenge = format!("Bearer realm=\"{}\"", realm.replace("OTHER", other));
                HttpReply::new(401, &[("www-authenticate", &challenge)], b"")
            }
            Misdeed::Link(to) => {
                let link = format!("<{}>; rel=\"next\"", to.replace("OTHER", other));
                HttpReply::new(200, &[("link", &link)], br#"{"tags":["a"]}"#)
            }
            Misdeed::Endless(count) => {
                let page = asked.query("page").first().and_then(|page| page.parse().ok()).unwrap_or(0_u64);
                let mut tags = String::new();
                for tag in 0..count {
                    write!(tags, "{}\"a{page}-{tag}\"", if tag == 0 { "" } else { "," }).unwrap();
                }
                let link = format!("<{}?page={}>; rel=\"next\"", asked.path(), page + 1);
                HttpReply::new(200, &[("link", &link)], format!("{{\"tags\":[{tags}]}}").as_bytes())
            }
            Misdeed::Location(to) => HttpReply::new(202, &[("location", &to.replace("OTHER", other))], b""),
            Misdeed::NoLocation => HttpReply::new(202, &[], b""),
            Misdeed::Shortest(bytes) => content().start(bytes),
        }
    }

    /// Answers at the other port, where blobs are read and stored without a password.
    fn answer_other(&self, asked: &HttpAsked, body: &mut dyn Read) -> HttpReply {
        self.overheard.lock().unwrap().push(format!("{asked:?}"));
        let mut bytes = Vec::new();
        if body.read_to_end(&mut bytes).is_err() {
            return HttpReply::hang_up();
        }
        let mut content = self.content.lock().unwrap();
        let reply = match (asked.method.as_str(), asked.path()) {
            // A proxy: what follows is for another host, and stays here.
            ("CONNECT", _) => HttpReply::new(200, &[], b""),
            ("PUT", "/store") => content.store(asked, bytes),
            ("GET" | "HEAD", path) if path.starts_with("/v2/app/blobs/sha256:") => {
                content.blob(asked, <[u8]>::to_vec)
            }
            _ => HttpReply::new(404, &[], b""),
        };
        if asked.method == "HEAD" { reply.head() } else { reply }
    }
}

/// Returns the method and the address. Uploads have numbers, which differ from run to run: what they are
/// about stands in their place.
fn line(asked: &HttpAsked) -> String {
    if !asked.path().contains("/uploads/") {
        return format!("{} {}", asked.method, asked.target);
    }
    let about = asked.query("digest").join("") + asked.header("content-range").unwrap_or_default();
    format!("{} upload {about}", asked.method)
}
