//! Requests and responses, with ureq. Each host has a client of its own, since certificates and proxies
//! differ; connections are used again.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ocicle::remote::{Body, Method, Request, Response, Transport, Url};
use ureq::{
    Agent, BodyReader, Proxy, ProxyProtocol, http,
    unversioned::{
        resolver::DefaultResolver,
        transport::{ConnectProxyConnector, Connector as _, TcpConnector},
    },
};

use super::{
    Settings, Verify,
    connector::TlsConnector,
    environment::Environment,
    http_error::{invalid, plain, plain_io},
    proxy::proxy_for,
    trust::client_config,
};
use crate::system;

/// The time to resolve a name, connect, and agree on encryption.
const CONNECT: Duration = Duration::from_secs(30);
/// The time for the head of a response, and for each part of a body. A body has no other limit of time.
const WAIT: Duration = Duration::from_secs(300);

/// HTTP of this system. Only the body of a response, and a pause, end early for a signal.
pub(crate) struct NativeTransport {
    verify: Verify,
    /// The hosts, with their ports, whose certificates are not verified.
    insecure: BTreeSet<String>,
    environment: Environment,
    /// By scheme, host and port.
    agents: Mutex<BTreeMap<(bool, String), Agent>>,
}

impl NativeTransport {
    /// Returns the transport, which reads settings of hosts when they are first asked.
    pub(crate) fn new(settings: Settings) -> Self {
        Self::with(settings.verify(), Environment::of_process())
    }

    fn with(verify: Verify, environment: Environment) -> Self {
        Self { verify, insecure: BTreeSet::new(), environment, agents: Mutex::default() }
    }

    /// Accepts any certificate of one host, as [`Url::authority`] returns it.
    pub(crate) fn trusting(mut self, authority: &str) -> Self {
        self.insecure.insert(authority.to_owned());
        self
    }

    fn verify(&self, url: &Url) -> Verify {
        if self.insecure.contains(url.authority()) { Verify::Nothing } else { self.verify }
    }

    /// Returns the client for a host.
    fn agent(&self, url: &Url) -> io::Result<Agent> {
        let key = (url.is_https(), url.authority().to_owned());
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(agent) = agents.get(&key) {
            return Ok(agent.clone());
        }
        let proxy = match proxy_for(url, &self.environment) {
            Some((name, proxy)) => Some(parse_proxy(name, proxy)?),
            None => None,
        };
        let config = Agent::config_builder()
            .proxy(proxy)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("ocicle/", env!("CARGO_PKG_VERSION")))
            .accept("")
            .accept_encoding("identity")
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(WAIT))
            .timeout_per_read(Some(WAIT))
            .timeout_per_write(Some(WAIT))
            .build();
        let tls = match url.is_https() {
            true => Some(client_config(url, self.verify(url), &self.environment)?),
            false => None,
        };
        let connector = ().chain(ConnectProxyConnector::default()).chain(TcpConnector::default());
        let connector = connector.chain(TlsConnector(tls));
        let agent = Agent::with_parts(config, connector, DefaultResolver::default());
        agents.insert(key, agent.clone());
        Ok(agent)
    }
}

impl Transport for NativeTransport {
    fn send(&self, request: &Request<'_>, body: Body<'_>) -> io::Result<Response> {
        system::check_caught()?;
        let agent = self.agent(request.url)?;
        let takes_body = matches!(request.method, Method::Patch | Method::Post | Method::Put);
        let sent = match body {
            Body::Bytes(bytes) if takes_body => agent.run(head(request)?.body(bytes).map_err(malformed)?),
            Body::Bytes(_) => return Err(invalid(format!("{} has no body", request.method.as_str()))),
            // It has a `content-length: 0`.
            Body::Empty if takes_body => agent.run(head(request)?.body(&[][..]).map_err(malformed)?),
            Body::Empty => agent.run(head(request)?.body(()).map_err(malformed)?),
        };
        let (head, body) = sent.map_err(plain)?.into_parts();
        // A value that is not text is none that a registry sends.
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
        Ok(Response::new(head.status.as_u16(), headers.collect(), Incoming(body.into_reader())))
    }

    fn now(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    fn pause(&self, time: Duration) -> io::Result<()> {
        system::pause(time)
    }
}

/// Parses the address of a proxy. It may have a password, so that no error shows it.
fn parse_proxy(variable: &str, proxy: &str) -> io::Result<Proxy> {
    let parsed =
        Proxy::new(proxy).map_err(|_| invalid(format!("{variable} is not the address of a proxy")))?;
    match parsed.protocol() {
        ProxyProtocol::Http | ProxyProtocol::Https => Ok(parsed),
        _ => Err(invalid(format!("{variable}: unsupported kind of proxy: expected http or https"))),
    }
}

fn head(request: &Request<'_>) -> io::Result<http::request::Builder> {
    let head = http::Request::builder().method(request.method.as_str()).uri(request.url.as_str());
    let head = request.headers.iter().fold(head, |head, (name, value)| head.header(*name, value));
    match head.headers_ref() {
        Some(_) => Ok(head),
        None => head.body(()).map_err(malformed).and(Err(invalid("malformed request"))),
    }
}

/// Returns the error for a request that cannot be written, without its headers.
fn malformed(_: http::Error) -> io::Error {
    invalid("cannot send the request: malformed address or header")
}

/// The body of a response.
struct Incoming(BodyReader<'static>);

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        system::check_caught()?;
        self.0.read(buffer).map_err(plain_io)
    }
}

#[cfg(test)]
mod tests;
