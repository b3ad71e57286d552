//! A registry in memory, which can misbehave.

use std::{
    collections::BTreeMap,
    io::{self, Cursor, Read},
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{Body, Method, Request, Response, Transport};
use crate::{digest::Algorithm, hash::digest_of};

/// An answer in place of that of the registry.
pub(super) type Fault = dyn Fn(&Request<'_>, usize) -> Option<io::Result<Response>> + Send + Sync;

/// A registry at `https://reg.example` and `https://other.example`.
#[derive(Default)]
pub(super) struct FakeRegistry {
    pub(super) state: Mutex<State>,
    /// Is asked first, with the number of the request from 0.
    pub(super) fault: Option<Box<Fault>>,
    /// Whether a token is needed.
    pub(super) secured: bool,
    /// Whether it keeps lists of referrers.
    pub(super) referrers: bool,
    /// Whether ranges are ignored.
    pub(super) no_ranges: bool,
    /// The bytes after which each body breaks off.
    pub(super) breaks_after: Option<usize>,
    pub(super) shortest: usize,
    /// The files of `web.example`.
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) manifests: BTreeMap<String, (String, Vec<u8>)>,
    pub(super) blobs: BTreeMap<String, Vec<u8>>,
    uploads: BTreeMap<String, Vec<u8>>,
    next: usize,
    /// Methods, addresses and the authorization of each request.
    pub(super) log: Vec<String>,
    pub(super) waited: Vec<Duration>,
    /// The time since the registry began.
    pub(super) later: Duration,
}

pub(super) fn response(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    Response::new(status, headers, Cursor::new(body.to_vec()))
}

/// A body that breaks off.
struct Broken(Cursor<Vec<u8>>, usize);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.1 == 0 {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let most = buffer.len().min(self.1);
        let got = self.0.read(&mut buffer[..most])?;
        self.1 -= got;
        Ok(got)
    }
}

impl FakeRegistry {
    pub(super) fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().log)
    }

    fn content(&self, request: &Request<'_>, kind: &str, bytes: &[u8]) -> Response {
        let size = bytes.len();
        let digest = digest_of(Algorithm::Sha256, bytes).to_string();
        let range =
            request.headers.iter().find(|(name, _)| *name == "range").map(|(_, value)| value.as_str());
        let range = range.filter(|_| !self.no_ranges).and_then(|range| {
            let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
            Some((first.parse::<usize>().ok()?, last.parse().unwrap_or(size - 1).min(size - 1)))
        });
        let (status, part, told) = match range {
            Some((first, _)) if first >= size => return response(416, &[], b""),
            Some((first, last)) => (206, &bytes[first..=last], Some(format!("bytes {first}-{last}/{size}"))),
            None => (200, bytes, None),
        };
        let length = part.len().to_string();
        let mut headers =
            vec![("content-type", kind), ("content-length", &length), ("docker-content-digest", &digest)];
        headers.extend(told.as_deref().map(|range| ("content-range", range)));
        let body: &[u8] = if request.method == Method::Head { b"" } else { part };
        let mut response = response(status, &headers, body);
        if let Some(most) = self.breaks_after
            && request.method == Method::Get
        {
            response.body = Box::new(Broken(Cursor::new(part.to_vec()), most));
        }
        response
    }

    fn answer(&self, request: &Request<'_>, body: &[u8]) -> Response {
        let url = request.url;
        let path = url.path_and_query();
        if path.starts_with("/token") {
            return response(200, &[], br#"{"token":"t0k3n","expires_in":300}"#);
        }
        if url.host() == "web.example" {
            return match self.files.get(path) {
                Some(bytes) => self.content(request, "application/octet-stream", bytes),
                None => response(404, &[], b""),
            };
        }
        let authorization = request.headers.iter().find(|(name, _)| *name == "authorization");
        if self.secured && authorization.is_none_or(|(_, value)| value != "Bearer t0k3n") {
            let challenge = r#"Bearer realm="https://auth.example/token",service="reg""#;
            return response(401, &[("www-authenticate", challenge)], b"");
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let query: BTreeMap<_, _> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let decode = |text: &str| text.replace("%3A", ":").replace("%2F", "/");
        let mut state = self.state.lock().unwrap();
        let header = |name: &str| {
            request.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
        };
        let parts: Vec<_> = path.trim_matches('/').split('/').collect();
        match (request.method, &parts[..]) {
            (Method::Get, ["v2"]) => response(200, &[], b"{}"),
            (Method::Get, ["v2", repository, "tags", "list"]) => {
                let start = format!("{repository}/");
                let all = state.manifests.keys().filter_map(|name| name.strip_prefix(&start));
                let tags: Vec<_> = all.filter(|tag| !tag.contains(':')).collect();
                let first: usize = query.get("last").and_then(|last| last.parse().ok()).unwrap_or(0);
                let page = serde_json::json!({ "tags": tags.iter().skip(first).take(2).collect::<Vec<_>>() });
                let next = format!("</v2/{repository}/tags/list?n=2&last={}>; rel=\"next\"", first + 2);
                let more = first + 2 < tags.len();
                let links: &[_] = if more { &[("link", next.as_str())] } else { &[] };
                response(200, links, page.to_string().as_bytes())
            }
            (Method::Get | Method::Head, ["v2", repository, "manifests", reference]) => {
                match state.manifests.get(&format!("{repository}/{reference}")) {
                    Some((kind, bytes)) => self.content(request, kind, bytes),
                    None => response(404, &[], br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no"}]}"#),
                }
            }
            (Method::Put, ["v2", repository, "manifests", reference]) => {
                let kind = header("content-type").unwrap();
                let value: serde_json::Value = serde_json::from_slice(body).unwrap();
                let digests = |name: &str| -> Vec<String> {
                    let all = value[name].as_array().into_iter().flatten();
                    all.map(|part| part["digest"].as_str().unwrap().to_owned()).collect()
                };
                let mut blobs =
                    digests("layers").into_iter().chain(value["config"]["digest"].as_str().map(Into::into));
                let has = |digest: &String| format!("{repository}/{digest}");
                let whole = blobs.all(|digest| state.blobs.contains_key(&has(&digest)))
                    && digests("manifests").iter().all(|digest| state.manifests.contains_key(&has(digest)));
                if !whole {
                    let why = br#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown"}]}"#;
                    return response(400, &[], why);
                }
                let digest = digest_of(Algorithm::Sha256, body).to_string();
                for name in [digest.as_str(), reference] {
                    state.manifests.insert(format!("{repository}/{name}"), (kind.clone(), body.to_vec()));
                }
                let subject = [("oci-subject", "yes")];
                response(201, if self.referrers { &subject } else { &[] }, b"")
            }
            (Method::Delete, ["v2", repository, "manifests", reference]) => {
                state.manifests.remove(&format!("{repository}/{reference}"));
                response(202, &[], b"")
            }
            (Method::Get | Method::Head, ["v2", repository, "blobs", digest]) => {
                match state.blobs.get(&format!("{repository}/{digest}")) {
                    Some(bytes) => self.content(request, "application/octet-stream", bytes),
                    None => response(404, &[], b""),
                }
            }
            (Method::Post, ["v2", repository, "blobs", "uploads"]) => {
                if let (Some(digest), Some(from)) = (query.get("mount"), query.get("from")) {
                    let digest = decode(digest);
                    if let Some(bytes) = state.blobs.get(&format!("{}/{digest}", decode(from))).cloned() {
                        state.blobs.insert(format!("{repository}/{digest}"), bytes);
                        return response(201, &[], b"");
                    }
                }
                state.next += 1;
                let location = format!("/v2/{repository}/blobs/uploads/{}", state.next);
                state.uploads.insert(location.clone(), Vec::new());
                let shortest = self.shortest.to_string();
                response(202, &[("location", &location), ("oci-chunk-min-length", &shortest)], b"")
            }
            (Method::Patch, _) => {
                let Some(upload) = state.uploads.get_mut(path) else { return response(404, &[], b"") };
                let range = header("content-range").unwrap();
                let expected = format!("{}-{}", upload.len(), upload.len() + body.len() - 1);
                if range != expected {
                    return response(416, &[], b"");
                }
                upload.extend_from_slice(body);
                response(202, &[("location", path)], b"")
            }
            (Method::Get, ["v2", _, "blobs", "uploads", _]) => match state.uploads.get(path) {
                Some(upload) => {
                    let range = format!("0-{}", upload.len().saturating_sub(1));
                    response(204, &[("range", &range), ("location", path)], b"")
                }
                None => response(404, &[], b""),
            },
            (Method::Put, ["v2", repository, "blobs", "uploads", _]) => {
                let Some(mut upload) = state.uploads.remove(path) else { return response(404, &[], b"") };
                upload.extend_from_slice(body);
                let digest = decode(query["digest"]);
                if digest_of(Algorithm::Sha256, &upload).as_str() != digest {
                    return response(
                        400,
                        &[],
                        br#"{"errors":[{"code":"DIGEST_INVALID","message":"wrong"}]}"#,
                    );
                }
                state.blobs.insert(format!("{repository}/{digest}"), upload);
                response(201, &[], b"")
            }
            (Method::Delete, ["v2", _, "blobs", "uploads", _]) => {
                state.uploads.remove(path);
                response(204, &[], b"")
            }
            _ => response(404, &[], b""),
        }
    }
}

impl Transport for FakeRegistry {
    fn send(&self, request: &Request<'_>, body: Body<'_>) -> io::Result<Response> {
        let number = {
            let mut state = self.state.lock().unwrap();
            let authorization = request.headers.iter().find(|(name, _)| *name == "authorization");
            let shown = authorization.map_or(String::new(), |(_, value)| format!(" {value}"));
            state.log.push(format!("{} {}{shown}", request.method.as_str(), request.url.as_str()));
            state.log.len() - 1
        };
        if let Some(answer) = self.fault.as_ref().and_then(|fault| fault(request, number)) {
            return answer;
        }
        let body = match body {
            Body::Empty => &[],
            Body::Bytes(bytes) => bytes,
        };
        Ok(self.answer(request, body))
    }

    fn now(&self) -> Duration {
        Duration::from_secs(1_000_000) + self.state.lock().unwrap().later
    }

    fn pause(&self, time: Duration) -> io::Result<()> {
        self.state.lock().unwrap().waited.push(time);
        Ok(())
    }
}

/// A password, which must be seen by nobody but the token server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Canary;

impl super::Credentials for Canary {
    fn find(&self, host: &str, _: &str) -> crate::Result<Option<super::Secret>> {
        assert_eq!(host, "reg.example");
        Ok(Some(super::Secret::Password { user: "u".into(), password: "canary".into() }))
    }
}

/// Returns a client of a repository.
pub(super) fn client(registry: &Arc<FakeRegistry>, name: &str) -> super::Client<Arc<FakeRegistry>, Canary> {
    let limits = crate::Limits::default();
    super::Client::new(name.parse().unwrap(), Arc::clone(registry), Canary, &limits)
}
