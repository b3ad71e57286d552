//! The distribution API (distribution-spec 1.1).

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex},
};

use serde_json::Value;

use super::{
    Body, Credentials, Method, RemoteName, Request, Response, Transport, Url,
    access::{Access, Session, Token},
    challenge::Challenge,
    http::{Answer, Http, Repeat, follow, refused},
};
use crate::{
    digest::{Algorithm, Digest},
    error::{Error, Result},
    hash::digest_of,
    limits::Limits,
    spec::{
        Descriptor, MediaType,
        media_type::{DOCKER_INDEX, DOCKER_MANIFEST, INDEX, MANIFEST},
    },
};

/// How connections are made to hosts that do not say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Scheme {
    /// HTTPS; this machine itself may also answer plain HTTP.
    #[default]
    Usual,
    /// HTTPS, or plain HTTP where that fails: for a registry that is known to be insecure.
    Either,
    /// HTTP, to any host: everything is sent in the clear, passwords included.
    Plain,
}

/// One repository of a registry.
pub struct Client<T, C> {
    pub(super) http: Arc<Http<T>>,
    pub(super) credentials: C,
    pub(super) name: RemoteName,
    pub(super) scheme: Scheme,
    pub(super) limits: Limits,
    /// The root of the API, once the registry was asked.
    pub(super) session: Mutex<Option<Session>>,
    pub(super) tokens: Mutex<HashMap<String, Token>>,
}

/// A manifest or index, as the registry has it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ManifestFound {
    /// Media type, digest and size.
    pub descriptor: Descriptor,
    /// Content.
    pub bytes: Vec<u8>,
}

impl<T, C> fmt::Debug for Client<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<T: Transport, C: Credentials> Client<T, C> {
    /// Returns a client. Nothing is sent before the first request.
    pub fn new(name: RemoteName, transport: T, credentials: C, limits: &Limits) -> Self {
        Self {
            http: Arc::new(Http::new(transport)),
            credentials,
            name,
            scheme: Scheme::Usual,
            limits: *limits,
            session: Mutex::default(),
            tokens: Mutex::default(),
        }
    }

    /// Sets how connections are made.
    #[must_use]
    pub fn over(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self
    }

    /// Returns the name of the repository.
    pub fn name(&self) -> &RemoteName {
        &self.name
    }

    /// Asks the registry whether it accepts the credentials.
    ///
    /// # Errors
    /// [`Error::Refused`] if it does not; [`Error::Io`].
    pub fn check_login(&self) -> Result<()> {
        let Session { base, challenge } = self.session()?;
        let mut request = Request::new(Method::Get, &base);
        match &challenge {
            None => return Ok(()),
            Some(Challenge::Basic) => request.headers.extend(self.basic()?),
            Some(Challenge::Bearer(bearer)) => {
                let token = self.fetch_token(&base, bearer, &[])?;
                request = request.header("authorization", format!("Bearer {}", token.text));
            }
        }
        let answer = self.http.read(&request)?;
        match answer.response.status {
            200 => Ok(()),
            _ => Err(answer.failure()),
        }
    }

    /// Returns the manifest or index of a tag, or that with a digest; `None` if there is none. Content that
    /// was asked for by its digest is verified.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Mismatch`]; [`Error::Limit`] past [`Limits::document`]; [`Error::Io`].
    pub fn manifest(&self, reference: &str) -> Result<Option<ManifestFound>> {
        let url = self.url(&format!("manifests/{reference}"))?;
        let request = Request::new(Method::Get, &url).header("accept", ACCEPT);
        let answer = self.read_all(&request, Access::Pull, self.limits.document)?;
        match answer.response.status {
            200 => {}
            404 => return Ok(None),
            _ => return Err(answer.failure()),
        }
        let Answer { response, url, body: bytes } = answer;
        let asked = reference.parse::<Digest>().ok();
        let algorithm = asked.as_ref().and_then(Digest::algorithm).unwrap_or(Algorithm::Sha256);
        let digest = digest_of(algorithm, &bytes);
        if let Some(asked) = asked.filter(|asked| *asked != digest) {
            let (expected, actual) = (asked.to_string(), digest.to_string());
            return Err(Error::Mismatch { subject: url.to_string(), property: "digest", expected, actual });
        }
        let media_type = media_type_of(&response, &bytes)
            .ok_or_else(|| refused(&url, response.status, "the answer is not a manifest or an index"))?;
        let descriptor = Descriptor::new(media_type, digest, bytes.len() as u64);
        Ok(Some(ManifestFound { descriptor, bytes }))
    }

    /// Returns the descriptor of a tag or digest without its content, if the registry tells it by a head;
    /// `None` if there is no such manifest.
    ///
    /// # Errors
    /// Those of [`Client::manifest`].
    pub fn find_manifest(&self, reference: &str) -> Result<Option<Descriptor>> {
        let url = self.url(&format!("manifests/{reference}"))?;
        let request = Request::new(Method::Head, &url).header("accept", ACCEPT);
        let answer = self.read(&request, Access::Pull)?;
        match answer.response.status {
            200 => {}
            404 => return Ok(None),
            // Not every server knows it.
            405 => return Ok(self.manifest(reference)?.map(|found| found.descriptor)),
            _ => return Err(answer.failure()),
        }
        let response = answer.response;
        let told = |name: &str| response.header(name).map(str::trim);
        let size = told("content-length").and_then(|size| size.parse().ok());
        let digest = told("docker-content-digest").and_then(|digest| digest.parse().ok());
        let media_type = media_type_of(&response, b"");
        match (media_type, digest, size) {
            (Some(media_type), Some(digest), Some(size)) => {
                Ok(Some(Descriptor::new(media_type, digest, size)))
            }
            _ => Ok(self.manifest(reference)?.map(|found| found.descriptor)),
        }
    }

    /// Returns the size of a blob in bytes; `None` if the repository does not have it.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Io`].
    pub fn find_blob(&self, digest: &Digest, size: u64) -> Result<Option<u64>> {
        let url = self.url(&format!("blobs/{digest}"))?;
        let answer = self.read(&Request::new(Method::Head, &url), Access::Pull)?;
        match answer.response.status {
            200 => {
                let told = answer.response.header("content-length").and_then(|size| size.trim().parse().ok());
                Ok(Some(told.unwrap_or(size)))
            }
            404 => Ok(None),
            _ => Err(answer.failure()),
        }
    }

    /// Returns all tags, in the order of the server, up to [`Limits::descriptors`].
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such repository; [`Error::Refused`]; [`Error::Limit`].
    pub fn tags(&self) -> Result<Vec<String>> {
        let first = self.url("tags/list")?.with_query("n", "1000");
        let mut tags = Vec::new();
        self.pages(first, None, |answer| {
            match answer.response.status {
                200 => {}
                404 => return Err(Error::NotFound(format!("{} not found", self.name))),
                _ => return Err(answer.failure()),
            }
            let list: Value = serde_json::from_slice(&answer.body)
                .map_err(|error| Error::document(answer.url.to_string(), error.to_string()))?;
            let invalid = || Error::document(answer.url.to_string(), "expected a list of tags");
            let some = match list.get("tags") {
                None | Some(Value::Null) => &[][..],
                Some(some) => some.as_array().ok_or_else(invalid)?,
            };
            for tag in some {
                tags.push(tag.as_str().ok_or_else(invalid)?.to_owned());
            }
            Ok(tags.len())
        })?;
        Ok(tags)
    }

    /// Reads an answer that may have several pages (RFC 8288, `rel="next"`). `add` returns how much there is
    /// so far.
    pub(super) fn pages(
        &self,
        mut url: Url,
        accept: Option<&str>,
        mut add: impl FnMut(&Answer<Vec<u8>>) -> Result<usize>,
    ) -> Result<()> {
        let limit = self.limits.descriptors;
        let (mut known, mut empty) = (0, 0);
        for _ in 0..=limit {
            let mut request = Request::new(Method::Get, &url);
            request.headers.extend(accept.map(|accept| ("accept", accept.to_owned())));
            let answer = self.read_all(&request, Access::Pull, self.limits.document)?;
            let count = add(&answer)?;
            if count > limit {
                break;
            }
            empty = if count > known { 0 } else { empty + 1 };
            known = count;
            let Some(next) = answer.response.all("link").find_map(next_page) else { return Ok(()) };
            if empty > EMPTY_PAGES {
                return Err(refused(&url, 200, "one page after another has nothing on it"));
            }
            let next = follow(&url, 200, next)?;
            if !next.same_origin(&url) || next == url {
                return Err(refused(&url, 200, "the next page is elsewhere"));
            }
            url = next;
        }
        Err(Error::limit(url.to_string(), "descriptors", limit as u64))
    }

    /// Stores a manifest or index under its digest or a tag. Returns whether the registry keeps a list of
    /// what is about its `subject`.
    pub(super) fn put_manifest(&self, reference: &str, media_type: &MediaType, bytes: &[u8]) -> Result<bool> {
        let url = self.url(&format!("manifests/{reference}"))?;
        let request = Request::new(Method::Put, &url).header("content-type", media_type.as_str());
        let answer = self.write(&request, Body::Bytes(bytes), Access::Push)?;
        match answer.response.status {
            200..=299 => Ok(answer.response.header("oci-subject").is_some()),
            _ => Err(answer.failure()),
        }
    }

    /// Removes a tag, and nothing else.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if the server can remove only whole manifests; [`Error::Refused`].
    pub fn remove_tag(&self, tag: &str) -> Result<()> {
        let url = self.url(&format!("manifests/{tag}"))?;
        let answer = self.write(&Request::new(Method::Delete, &url), Body::Empty, Access::Delete)?;
        match answer.response.status {
            200..=299 | 404 => Ok(()),
            400 | 405 => Err(Error::Unsupported(format!(
                "{} cannot remove the tag {tag}: it removes manifests only, with all their tags",
                self.name.host()
            ))),
            _ => Err(answer.failure()),
        }
    }

    /// Returns the address of a part of the repository.
    pub(super) fn url(&self, path: &str) -> Result<Url> {
        Ok(self.session()?.base.with_path(&format!("/v2/{}/{path}", self.name.repository())))
    }

    /// Sends a request that reads, with credentials if the registry wants some.
    pub(super) fn read(&self, request: &Request<'_>, access: Access<'_>) -> Result<Answer<()>> {
        self.authorised(request, access, |request| self.http.read(request))
    }

    /// Sends a request, and reads all of the answer.
    pub(super) fn read_all(
        &self,
        request: &Request<'_>,
        access: Access<'_>,
        most: u64,
    ) -> Result<Answer<Vec<u8>>> {
        self.authorised(request, access, |request| self.http.read_all(request, most))
    }

    /// Sends a request that writes; again where that may help, but for parts of an upload.
    pub(super) fn write(
        &self,
        request: &Request<'_>,
        body: Body<'_>,
        access: Access<'_>,
    ) -> Result<Answer<()>> {
        let repeat = if request.method == Method::Patch { Repeat::Never } else { Repeat::Safe };
        self.send(request, body, access, repeat)
    }

    pub(super) fn send(
        &self,
        request: &Request<'_>,
        body: Body<'_>,
        access: Access<'_>,
        repeat: Repeat,
    ) -> Result<Answer<()>> {
        self.authorised(request, access, |request| {
            let (method, url) = (request.method.as_str(), request.url.clone());
            let sent = self.http.send(request, body, repeat);
            Ok(Answer { response: sent.map_err(Error::io(format_args!("{method} {url}")))?, url, body: () })
        })
    }
}

/// The number of pages in a row that may have nothing on them: a list without an end would take hours.
const EMPTY_PAGES: u32 = 10;

/// The types that are asked for: a registry calls an index of another type not found.
const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// Returns the media type that a response says, or else the document in it.
fn media_type_of(response: &Response, bytes: &[u8]) -> Option<MediaType> {
    let known = |text: &str| {
        let found = [INDEX, MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST].into_iter().find(|known| *known == text);
        found.map(MediaType::literal)
    };
    let told = response.header("content-type").and_then(|text| text.split(';').next()).map(str::trim);
    told.and_then(known).or_else(|| {
        let document: Value = serde_json::from_slice(bytes).ok()?;
        match document.get("mediaType").filter(|media_type| !media_type.is_null()) {
            Some(media_type) => known(media_type.as_str()?),
            None if document.get("manifests").is_some() => known(INDEX),
            None => document.get("layers").and(known(MANIFEST)),
        }
    })
}

/// Returns the target of `<…>; rel="next"` (RFC 8288).
fn next_page(link: &str) -> Option<&str> {
    let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
    let is_next = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or_default();
        name.trim().eq_ignore_ascii_case("rel") && value.trim().trim_matches('"') == "next"
    };
    parameters.split(';').any(is_next).then_some(target)
}
