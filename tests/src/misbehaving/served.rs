//! A repository in memory, which keeps to the rules (distribution-spec).

use std::{collections::BTreeMap, fs, path::Path};

use ocicle::{digest::Algorithm, hash::digest_of};
use serde_json::Value;

use super::misdeed::Purpose;
use crate::http_server::{HttpAsked, HttpReply};

/// The bytes of a blob that is large.
const LARGE: usize = 1_000_000;

/// The content of the repository `app`.
#[derive(Debug, Clone, Default)]
#[allow(clippy::exhaustive_structs, reason = "tests")]
pub struct Served {
    /// Media types and manifests, by tags and digests.
    pub manifests: BTreeMap<String, (String, Vec<u8>)>,
    /// Blobs by digest.
    pub blobs: BTreeMap<String, Vec<u8>>,
    /// The blobs that are being sent, by path.
    sessions: BTreeMap<String, HalfSent>,
    started: usize,
}

/// A blob that is being sent.
#[derive(Debug, Clone, Default)]
struct HalfSent {
    bytes: Vec<u8>,
    shortest: usize,
    /// Whether a part was shorter than it may be, unless it is the last.
    ended: bool,
}

impl Served {
    /// Reads the images of a layout, which have tags and no indexes.
    ///
    /// # Panics
    /// If it is not such a layout.
    #[must_use]
    pub fn read(layout: &Path) -> Self {
        let mut content = Self::default();
        for file in fs::read_dir(layout.join("blobs/sha256")).unwrap() {
            let file = file.unwrap();
            let digest = format!("sha256:{}", file.file_name().into_string().unwrap());
            content.blobs.insert(digest, fs::read(file.path()).unwrap());
        }
        let index: Value = serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
        for entry in index["manifests"].as_array().unwrap() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let digest = text(&entry["digest"]);
            let manifest = (text(&entry["mediaType"]), content.blobs.remove(&digest).unwrap());
            content.manifests.insert(digest, manifest.clone());
            let tag = text(&entry["annotations"]["org.opencontainers.image.ref.name"]);
            content.manifests.insert(tag, manifest);
        }
        content
    }

    /// Returns what a request is for.
    #[must_use]
    pub fn purpose(&self, asked: &HttpAsked) -> Purpose {
        let path = asked.path();
        let below = path.strip_prefix("/v2/app/").unwrap_or_default();
        match (asked.method.as_str(), below.split('/').next().unwrap_or_default()) {
            ("GET", "") if path == "/v2/" => Purpose::Root,
            ("GET", "") if path == "/token" => Purpose::Token,
            ("GET", "tags") => Purpose::Tags,
            ("GET", "referrers") => Purpose::Referrers,
            ("GET", "manifests") => Purpose::Manifest,
            ("HEAD", _) => Purpose::Head,
            ("POST", _) => Purpose::Start,
            ("PATCH", _) => Purpose::Part,
            ("GET", "blobs") if below.starts_with("blobs/uploads/") => Purpose::Progress,
            ("GET", "blobs") => match self.blobs.get(name(asked)).is_some_and(|blob| blob.len() > LARGE) {
                true => Purpose::Large,
                false => Purpose::Blob,
            },
            ("PUT", "blobs") => Purpose::Finish,
            ("PUT", "manifests") => Purpose::Put,
            _ => Purpose::Other,
        }
    }

    /// Answers a request.
    #[must_use]
    pub fn answer(&mut self, asked: &HttpAsked, body: &[u8]) -> HttpReply {
        match (asked.method.as_str(), self.purpose(asked)) {
            (_, Purpose::Root) => HttpReply::new(200, &[], b"{}"),
            (_, Purpose::Tags) => {
                let tags = self.manifests.keys().filter(|name| !name.contains(':'));
                let tags: Vec<_> = tags.map(|tag| format!("\"{tag}\"")).collect();
                HttpReply::new(200, &[], format!("{{\"tags\":[{}]}}", tags.join(",")).as_bytes())
            }
            ("HEAD", _) if asked.path().contains("/blobs/") => self.blob(asked, <[u8]>::to_vec),
            (_, Purpose::Manifest | Purpose::Head) => match self.manifests.get(name(asked)) {
                Some((kind, bytes)) => {
                    let digest = digest_of(Algorithm::Sha256, bytes);
                    let headers =
                        [("content-type", kind.as_str()), ("docker-content-digest", digest.as_str())];
                    HttpReply::new(200, &headers, bytes)
                }
                None => HttpReply::new(404, &[], b""),
            },
            (_, Purpose::Blob | Purpose::Large) => self.blob(asked, <[u8]>::to_vec),
            (_, Purpose::Start) => self.start(0),
            (_, Purpose::Part) => self.part(asked, body),
            (_, Purpose::Progress) => self.progress(asked),
            (_, Purpose::Finish) => match self.sessions.remove(asked.path()) {
                Some(session) => self.store(asked, [&session.bytes, body].concat()),
                None => HttpReply::new(404, &[], br#"{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}"#),
            },
            (_, Purpose::Put) => self.put(asked, body),
            ("DELETE", _) => HttpReply::new(if self.forget(asked.path()) { 204 } else { 404 }, &[], b""),
            // It keeps no lists of referrers.
            _ => HttpReply::new(404, &[], b""),
        }
    }

    /// Answers with a blob, or a range of it, after it was changed.
    #[must_use]
    pub fn blob(&self, asked: &HttpAsked, change: impl Fn(&[u8]) -> Vec<u8>) -> HttpReply {
        let Some(bytes) = self.blobs.get(name(asked)).map(|bytes| change(bytes)) else {
            return HttpReply::new(404, &[], b"");
        };
        let range = asked.header("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
        let last = bytes.len() - 1;
        match range.map(|(from, to)| (from.parse().unwrap_or(0), to.parse().unwrap_or(last).min(last))) {
            None => HttpReply::new(200, &[], &bytes),
            Some((from, to)) if from <= to => {
                let range = format!("bytes {from}-{to}/{}", bytes.len());
                HttpReply::new(206, &[("content-range", &range)], &bytes[from..=to])
            }
            Some(_) => HttpReply::new(416, &[], b""),
        }
    }

    /// Starts an upload.
    #[must_use]
    pub fn start(&mut self, shortest: usize) -> HttpReply {
        self.started += 1;
        let location = format!("/v2/app/blobs/uploads/{}-0", self.started);
        self.sessions.insert(location.clone(), HalfSent { shortest, ..HalfSent::default() });
        let bytes = shortest.to_string();
        let headers = [("location", location.as_str()), ("oci-chunk-min-length", &bytes)];
        HttpReply::new(202, &headers[..if shortest > 0 { 2 } else { 1 }], b"")
    }

    /// Adds bytes to an upload.
    pub fn add(&mut self, path: &str, bytes: &[u8]) {
        if let Some(session) = self.sessions.get_mut(path) {
            session.bytes.extend_from_slice(bytes);
        }
    }

    /// Ends an upload, and returns whether there was one.
    pub fn forget(&mut self, path: &str) -> bool {
        self.sessions.remove(path).is_some()
    }

    /// Stores a blob, whose digest is in the query.
    #[must_use]
    pub fn store(&mut self, asked: &HttpAsked, bytes: Vec<u8>) -> HttpReply {
        let digest = digest_of(Algorithm::Sha256, &bytes).to_string();
        if asked.query("digest") != [digest.as_str()] {
            return HttpReply::new(400, &[], br#"{"errors":[{"code":"DIGEST_INVALID"}]}"#);
        }
        self.blobs.insert(digest, bytes);
        HttpReply::new(201, &[], b"")
    }

    /// Adds a part, after which an upload is at another address: the old one is not known any more.
    fn part(&mut self, asked: &HttpAsked, body: &[u8]) -> HttpReply {
        let Some(session) = self.sessions.get_mut(asked.path()) else { return HttpReply::new(404, &[], b"") };
        let start = session.bytes.len();
        let range = format!("{start}-{}", (start + body.len()).saturating_sub(1));
        if asked.header("content-range") != Some(&range) || session.ended {
            return HttpReply::new(416, &[], b"");
        }
        session.bytes.extend_from_slice(body);
        session.ended = body.len() < session.shortest;
        let (stem, count) = asked.path().rsplit_once('-').unwrap();
        let next = format!("{stem}-{}", count.parse::<usize>().unwrap() + 1);
        let session = self.sessions.remove(asked.path()).unwrap();
        self.sessions.insert(next.clone(), session);
        HttpReply::new(202, &[("location", &next)], b"")
    }

    /// Says how much of an upload is there, and where it goes on. It is found by any of its addresses.
    fn progress(&self, asked: &HttpAsked) -> HttpReply {
        let stem = |path: &str| path.rsplit_once('-').map(|(stem, _)| stem.to_owned());
        match self.sessions.iter().find(|(path, _)| stem(path) == stem(asked.path())) {
            Some((path, session)) => {
                let range = format!("0-{}", session.bytes.len().saturating_sub(1));
                HttpReply::new(204, &[("range", &range), ("location", path)], b"")
            }
            None => HttpReply::new(404, &[], b""),
        }
    }

    /// Stores a manifest whose blobs are there.
    fn put(&mut self, asked: &HttpAsked, body: &[u8]) -> HttpReply {
        let manifest: Value = serde_json::from_slice(body).unwrap_or_default();
        let layers = manifest["layers"].as_array().into_iter().flatten();
        let mut parts = layers.chain([&manifest["config"]]).map(|part| &part["digest"]);
        if !parts.all(|digest| digest.as_str().is_some_and(|digest| self.blobs.contains_key(digest))) {
            return HttpReply::new(400, &[], br#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}"#);
        }
        let kind = asked.header("content-type").unwrap_or_default().to_owned();
        for name in [digest_of(Algorithm::Sha256, body).as_str(), name(asked)] {
            self.manifests.insert(name.into(), (kind.clone(), body.to_vec()));
        }
        HttpReply::new(201, &[], b"")
    }
}

/// Returns the last part of the path: a tag, or a digest.
fn name(asked: &HttpAsked) -> &str {
    asked.path().rsplit('/').next().unwrap_or_default()
}
