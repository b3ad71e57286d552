//! Authentication: passwords and tokens that a registry wants to see before it answers (RFC 9110, section
//! 11; distribution's "Token Authentication Specification").

use std::{
    collections::HashMap,
    io::{self, Read as _},
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{
    Body, Client, Credentials, Method, Request, Response, Scheme, Secret, Transport, Url,
    challenge::{self, Bearer, Challenge},
    http::{Answer, Repeat, follow, may_pass, refused},
    url::encode,
};
use crate::error::{Error, Result};

/// The bytes that are read of a token server's answer.
const LONGEST: u64 = 1 << 20;
/// The time for which a token is valid at least, whatever the server says.
const SHORTEST: Duration = Duration::from_secs(60);
/// The time before its end at which a token is not used any more.
const MARGIN: Duration = Duration::from_secs(10);

/// The facts about a registry that it was asked for.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) base: Url,
    pub(super) challenge: Option<Challenge>,
}

#[derive(Clone)]
pub(super) struct Token {
    pub(super) text: String,
    expires: Duration,
}

/// The rights that a request needs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Access<'a> {
    Pull,
    Push,
    /// Writing, and reading of another repository.
    Mount(&'a str),
    Delete,
}

impl<T: Transport, C: Credentials> Client<T, C> {
    /// Sends a request with what the registry wants to know about us; once more if it wanted more.
    pub(super) fn authorised<B>(
        &self,
        request: &Request<'_>,
        access: Access<'_>,
        send: impl Fn(&Request<'_>) -> Result<Answer<B>>,
    ) -> Result<Answer<B>> {
        let Session { base, challenge } = self.session()?;
        // Where an upload or a download goes elsewhere, what it needs is in its address.
        if !request.url.same_origin(&base) {
            return send(request);
        }
        let scopes = self.scopes(access);
        let with = |header: Option<(&'static str, String)>| {
            let mut request = request.clone();
            request.headers.extend(header);
            request
        };
        let header = match &challenge {
            None => None,
            Some(Challenge::Basic) => self.basic()?,
            Some(Challenge::Bearer(bearer)) => Some(self.bearer(&base, bearer, &scopes)?),
        };
        let answer = send(&with(header))?;
        // Another server may not ask for our credentials.
        if answer.response.status != 401 || !answer.url.same_origin(&base) {
            return Ok(answer);
        }
        // Either a token expired early, or this needs more than was asked for.
        let header = match challenge::parse(answer.response.all("www-authenticate")) {
            Some(Challenge::Bearer(bearer)) => {
                let scopes = bearer.scope.clone().map_or(scopes, |scope| vec![scope]);
                self.tokens().remove(&scopes.join(" "));
                Some(self.bearer(&base, &bearer, &scopes)?)
            }
            Some(Challenge::Basic) if challenge.is_none() => self.basic()?,
            _ => return Ok(answer),
        };
        send(&with(header))
    }

    fn scopes(&self, access: Access<'_>) -> Vec<String> {
        let repository = self.name.repository();
        match access {
            Access::Pull => vec![format!("repository:{repository}:pull")],
            Access::Push => vec![format!("repository:{repository}:pull,push")],
            Access::Delete => vec![format!("repository:{repository}:pull,push,delete")],
            Access::Mount(from) => {
                vec![format!("repository:{repository}:pull,push"), format!("repository:{from}:pull")]
            }
        }
    }

    /// Asks the registry, once, where its API is and what it wants to know (distribution-spec, "Determining
    /// support").
    pub(super) fn session(&self) -> Result<Session> {
        let mut known = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = &*known {
            return Ok(session.clone());
        }
        let root = |scheme: &str| format!("{scheme}://{}/v2/", self.name.authority()).parse::<Url>();
        let https = root("https")?;
        let session = match self.scheme {
            Scheme::Plain => self.ask(root("http")?)?,
            Scheme::Usual | Scheme::Either if self.scheme == Scheme::Either || https.is_loopback() => {
                match self.ask_once(&https) {
                    Ok(response) if may_pass(response.status) => self.ask(https)?,
                    Ok(response) => self.answer(https, response)?,
                    Err(error) => match self.ask_once(&root("http")?) {
                        Ok(response) if may_pass(response.status) => self.ask(root("http")?)?,
                        // A server that wants HTTPS says that the request is bad.
                        Ok(response) if response.status != 400 => self.answer(root("http")?, response)?,
                        _ => return Err(Error::io(format_args!("GET {https}"))(error)),
                    },
                }
            }
            Scheme::Usual | Scheme::Either => self.ask(https)?,
        };
        Ok(known.insert(session).clone())
    }

    fn ask_once(&self, url: &Url) -> io::Result<Response> {
        self.http.send(&Request::new(Method::Get, url), Body::Empty, Repeat::Never)
    }

    fn ask(&self, url: Url) -> Result<Session> {
        let request = Request::new(Method::Get, &url);
        let response = self
            .http
            .send(&request, Body::Empty, Repeat::Safe)
            .map_err(Error::io(format_args!("GET {url}")))?;
        self.answer(url, response)
    }

    fn answer(&self, base: Url, response: Response) -> Result<Session> {
        match response.status {
            200 => Ok(Session { base, challenge: None }),
            401 => match challenge::parse(response.all("www-authenticate")) {
                Some(challenge) => Ok(Session { base, challenge: Some(challenge) }),
                None => Err(refused(&base, 401, "asks for credentials of no known kind")),
            },
            404 => Err(refused(&base, 404, "not a registry")),
            _ => Err(Answer { response, url: base, body: () }.failure()),
        }
    }

    fn tokens(&self) -> MutexGuard<'_, HashMap<String, Token>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn secret(&self) -> Result<Option<Secret>> {
        self.credentials.find(self.name.host(), self.name.repository())
    }

    pub(super) fn basic(&self) -> Result<Option<(&'static str, String)>> {
        Ok(match self.secret()? {
            Some(Secret::Password { user, password }) => Some(basic(&user, &password)),
            _ => None,
        })
    }

    fn bearer(&self, base: &Url, bearer: &Bearer, scopes: &[String]) -> Result<(&'static str, String)> {
        let key = scopes.join(" ");
        let valid = |token: &Token| token.expires > self.http.now() + MARGIN;
        let cached = self.tokens().get(&key).filter(|token| valid(token)).cloned();
        let token = match cached {
            Some(token) => token,
            None => {
                let token = self.fetch_token(base, bearer, scopes)?;
                self.tokens().insert(key, token.clone());
                token
            }
        };
        Ok(("authorization", format!("Bearer {}", token.text)))
    }

    /// Gets a token (distribution's "Token Authentication Specification" and "OAuth2").
    pub(super) fn fetch_token(&self, base: &Url, bearer: &Bearer, scopes: &[String]) -> Result<Token> {
        let secret = self.secret()?;
        if let Some(Secret::Bearer(text)) = secret {
            return Ok(Token { text, expires: Duration::MAX });
        }
        let realm = realm(base, &bearer.realm)?;
        let asked_at = self.http.now();
        let response = match &secret {
            Some(Secret::Identity(identity)) => {
                let mut form = String::from("grant_type=refresh_token&client_id=ocicle&refresh_token=");
                encode(identity, &mut form);
                let service = bearer.service.iter().map(|service| ("service", service.as_str()));
                let scope = scopes.join(" ");
                for (name, value) in service.chain([("scope", scope.as_str())]) {
                    form.push_str(&format!("&{name}="));
                    encode(value, &mut form);
                }
                let request = Request::new(Method::Post, &realm)
                    .header("content-type", "application/x-www-form-urlencoded");
                self.http.send(&request, Body::Bytes(form.as_bytes()), Repeat::Safe)
            }
            _ => {
                let mut url = realm.clone();
                if let Some(service) = &bearer.service {
                    url = url.with_query("service", service);
                }
                for scope in scopes {
                    url = url.with_query("scope", scope);
                }
                let mut request = Request::new(Method::Get, &url);
                if let Some(Secret::Password { user, password }) = &secret {
                    request.headers.push(basic(user, password));
                }
                self.http.send(&request, Body::Empty, Repeat::Safe)
            }
        };
        let mut response: Response = response.map_err(Error::io(format_args!("get a token from {realm}")))?;
        if response.status != 200 {
            return Err(Answer { response, url: realm, body: () }.failure());
        }
        let mut bytes = Vec::new();
        (&mut response.body)
            .take(LONGEST)
            .read_to_end(&mut bytes)
            .map_err(Error::io(format_args!("read {realm}")))?;
        // The error of the parser could quote the token.
        let granted: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let text = ["token", "access_token"].into_iter().find_map(|name| granted.get(name)?.as_str());
        let text = text.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()));
        let text = text.ok_or_else(|| refused(&realm, 200, "the answer has no token"))?;
        let told = granted.get("expires_in").and_then(Value::as_u64).map(Duration::from_secs);
        let lasts = told.unwrap_or(SHORTEST).max(SHORTEST).min(Duration::from_secs(86400));
        Ok(Token { text: text.to_owned(), expires: asked_at + lasts })
    }
}

fn basic(user: &str, password: &str) -> (&'static str, String) {
    ("authorization", format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
}

/// Returns the address of a token server. It gets our password, so a registry cannot name any: the connection
/// must be encrypted, and a server without a name must be the registry itself. On this machine both may be
/// otherwise.
fn realm(base: &Url, realm: &str) -> Result<Url> {
    let url = follow(base, 401, realm)?;
    let own = url.same_origin(base) || base.is_loopback() && url.is_loopback();
    match own || url.is_https() && url.ip().is_none() && !url.is_private() {
        true => Ok(url),
        false => Err(refused(base, 401, format!("will not send credentials to {url}"))),
    }
}
