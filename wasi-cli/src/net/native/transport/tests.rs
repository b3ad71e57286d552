#![allow(clippy::unwrap_used, reason = "tests may")]

use std::{
    fs,
    io::Write,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    thread,
};

use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};

use super::*;

/// A server on this machine, which serves until the test ends.
struct Server {
    port: u16,
    /// Each request, with the number of its connection, from 0.
    seen: Arc<Mutex<Vec<(usize, String)>>>,
}

impl Server {
    fn start(tls: Option<ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::<Mutex<Vec<_>>>::default();
        let (all, tls) = (seen.clone(), tls.map(Arc::new));
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let (stream, all, tls) = (stream.unwrap(), all.clone(), tls.clone());
                thread::spawn(move || match tls {
                    Some(config) => {
                        let connection = ServerConnection::new(config).unwrap();
                        serve(StreamOwned::new(connection, stream), |text| {
                            all.lock().unwrap().push((number, text));
                        });
                    }
                    None => serve(stream, |text| all.lock().unwrap().push((number, text))),
                });
            }
        });
        Self { port, seen }
    }

    fn url(&self, scheme: &str, path: &str) -> Url {
        format!("{scheme}://localhost:{}{path}", self.port).parse().unwrap()
    }

    fn seen(&self) -> Vec<(usize, String)> {
        self.seen.lock().unwrap().clone()
    }
}

/// Answers requests of one connection, until it ends.
fn serve<S: Read + Write>(mut stream: S, seen: impl Fn(String)) {
    loop {
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"\r\n\r\n") {
            match stream.read(&mut byte) {
                Ok(1) => request.push(byte[0]),
                _ => return,
            }
        }
        let mut text = String::from_utf8(request).unwrap().to_ascii_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body).unwrap();
        text.push_str(&String::from_utf8(body).unwrap());
        let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
        seen(text);
        let answer: &[u8] = match path.as_str() {
            "/redirect" => b"HTTP/1.1 307 x\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n",
            "/500" => b"HTTP/1.1 500 x\r\nContent-Length: 4\r\n\r\nsick",
            "/401" => b"HTTP/1.1 401 x\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n",
            "/gzip" => b"HTTP/1.1 200 x\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08",
            "/cut" => b"HTTP/1.1 200 x\r\nContent-Length: 100\r\n\r\npart",
            "/cut-chunks" => b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n64\r\npart",
            "/cut-head" => b"HTTP/1.1 200 x\r\nContent-Le",
            "/malformed" => b"220 smtp\r\n\r\n",
            _ => b"HTTP/1.1 200 x\r\nContent-Length: 5\r\nX-A: 1\r\nX-A: 2\r\n\r\nhello",
        };
        stream.write_all(answer).unwrap();
        stream.flush().unwrap();
        if path.starts_with("/cut") {
            return;
        }
    }
}

fn plain_transport() -> NativeTransport {
    NativeTransport::with(Verify::Certificates, Environment::of(&[], Path::new("/nowhere")))
}

fn get(transport: &NativeTransport, url: &Url) -> io::Result<(u16, String)> {
    let mut response = transport.send(&Request::new(Method::Get, url), Body::Empty)?;
    let mut text = Vec::new();
    response.body.read_to_end(&mut text)?;
    Ok((response.status, String::from_utf8_lossy(&text).into_owned()))
}

#[test]
fn every_status_is_a_response() {
    let server = Server::start(None);
    let transport = plain_transport();
    let send = |method, path: &str, body: Body<'_>| {
        let url = server.url("http", path);
        let request = Request::new(method, &url).header("x-test", "1");
        let mut response = transport.send(&request, body).unwrap();
        let mut text = Vec::new();
        response.body.read_to_end(&mut text).unwrap();
        (response.status, response.header("location").map(String::from), text)
    };
    assert_eq!(send(Method::Get, "/redirect", Body::Empty), (307, Some("/ok".into()), Vec::new()));
    assert_eq!(send(Method::Post, "/redirect", Body::Bytes(b"x")).0, 307);
    assert_eq!(send(Method::Get, "/500", Body::Empty), (500, None, b"sick".to_vec()));
    assert_eq!(send(Method::Get, "/401", Body::Empty).0, 401);
    assert_eq!(send(Method::Get, "/gzip", Body::Empty), (200, None, b"\x1f\x8b\x08".to_vec()));
    assert_eq!(send(Method::Post, "/a", Body::Empty).0, 200);
    assert_eq!(send(Method::Put, "/a", Body::Bytes(b"content")).0, 200);
    assert_eq!(send(Method::Delete, "/a", Body::Empty).0, 200);
    let url = server.url("http", "/a");
    let refused = transport.send(&Request::new(Method::Get, &url), Body::Bytes(b"x")).unwrap_err();
    assert_eq!(refused.to_string(), "GET has no body");

    let seen: Vec<_> = server.seen().into_iter().map(|(_, text)| text).collect();
    assert_eq!(seen.len(), 8);
    for text in &seen {
        let version = concat!("user-agent: ocicle/", env!("CARGO_PKG_VERSION"), "\r\n");
        assert!(text.contains("accept-encoding: identity\r\n") && text.contains(version), "{text}");
        assert!(text.contains("x-test: 1\r\n") && text.contains("host: localhost:"), "{text}");
        assert!(!text.contains("accept: ") && !text.contains("cookie") && !text.contains("expect"), "{text}");
    }
    assert!(!seen[0].contains("content-length") && !seen[0].contains("transfer-encoding"), "{}", seen[0]);
    assert!(seen[5].contains("content-length: 0\r\n") && !seen[5].contains("chunked"), "{}", seen[5]);
    assert!(seen[6].contains("content-length: 7\r\n") && seen[6].ends_with("\r\n\r\ncontent"), "{}", seen[6]);
    assert!(!seen[7].contains("content-length") && !seen[7].contains("chunked"), "{}", seen[7]);
    assert!(server.seen().iter().all(|(number, _)| *number == 0), "one connection for all");
}

#[test]
fn headers_come_in_order() {
    let server = Server::start(None);
    let response =
        plain_transport().send(&Request::new(Method::Head, &server.url("http", "/")), Body::Empty).unwrap();
    let values = response.headers.iter().filter(|(name, _)| name == "x-a").map(|(_, value)| value.as_str());
    assert_eq!(values.collect::<Vec<_>>(), ["1", "2"]);
}

#[test]
fn what_is_cut_off_can_be_tried_again() {
    let server = Server::start(None);
    for path in ["/cut", "/cut-chunks", "/cut-head"] {
        let error = get(&plain_transport(), &server.url("http", path)).unwrap_err();
        let retry = [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset];
        assert!(retry.contains(&error.kind()), "{path}: {:?} {error}", error.kind());
    }
    let error = get(&plain_transport(), &server.url("http", "/malformed")).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
    // Nothing listens at a port that was just given back.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nowhere = format!("http://127.0.0.1:{port}/").parse().unwrap();
    assert_eq!(get(&plain_transport(), &nowhere).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    let nobody = "http://does-not-exist.invalid/?sig=geheim".parse().unwrap();
    let error = get(&plain_transport(), &nobody).unwrap_err();
    assert!(!error.to_string().contains("geheim"), "{error}");
}

#[test]
fn proxies_are_asked() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://ann:geheim@{}", proxy.local_addr().unwrap());
    let asked = thread::spawn(move || {
        let (mut stream, _): (TcpStream, _) = proxy.accept().unwrap();
        let mut text = Vec::new();
        let mut byte = [0];
        while !text.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
            text.push(byte[0]);
        }
        stream.write_all(b"HTTP/1.1 403 x\r\ncontent-length: 0\r\n\r\n").unwrap();
        String::from_utf8_lossy(&text).to_ascii_lowercase()
    });
    let environment = Environment::of(&[("https_proxy", &address)], Path::new("/nowhere"));
    let transport = NativeTransport::with(Verify::Nothing, environment);
    let error = get(&transport, &"https://example.invalid/v2/".parse().unwrap()).unwrap_err();
    let text = asked.join().unwrap();
    assert!(text.starts_with("connect example.invalid:443 http/1.1\r\n"), "{text}");
    assert!(text.contains("proxy-authorization: basic "), "{text}");
    assert_eq!(error.to_string(), "the proxy cannot connect: proxy server responded 403/403");

    let environment = Environment::of(&[("ALL_PROXY", "geheim://:@")], Path::new("/nowhere"));
    let transport = NativeTransport::with(Verify::Nothing, environment);
    let error = get(&transport, &"https://example.invalid/v2/".parse().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "ALL_PROXY is not the address of a proxy");

    let environment = Environment::of(&[("ALL_PROXY", "socks5://ann:geheim@a")], Path::new("/nowhere"));
    let transport = NativeTransport::with(Verify::Nothing, environment);
    let error = get(&transport, &"https://example.invalid/v2/".parse().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "ALL_PROXY: unsupported kind of proxy: expected http or https");
}

#[test]
fn pauses_end() {
    let before = plain_transport().now();
    plain_transport().pause(Duration::from_millis(150)).unwrap();
    assert!(plain_transport().now() - before >= Duration::from_millis(150));
}

/// Certificates that openssl made: `ca.crt`, and `NAME.crt` and `NAME.key` of `server`, `client` and `other`
/// (which signed itself). It is removed on drop.
struct Certificates(PathBuf);

impl Certificates {
    fn make(name: &str) -> Option<Self> {
        let dir = std::env::temp_dir().join(format!("ocicle-net-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let made = Self(dir);
        fs::write(made.0.join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
        for command in [
            format!("req -x509 {key} -keyout ca.key -out ca.crt -subj /CN=ca"),
            format!("req -x509 {key} -keyout self.key -out self.crt -subj /CN=x -addext subjectAltName=DNS:localhost"),
            format!("req -x509 {key} -keyout other.key -out other.crt -subj /CN=other -extensions v3_ca"),
            format!("req {key} -keyout server.key -out server.csr -subj /CN=localhost"),
            "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -set_serial 2 -days 2 -out server.crt -extfile names"
                .into(),
            format!("req {key} -keyout client.key -out client.csr -subj /CN=ann"),
            "x509 -req -in client.csr -CA ca.crt -CAkey ca.key -set_serial 3 -days 2 -out client.crt -extfile names"
                .into(),
        ] {
            let command = Command::new("openssl").args(command.split(' ')).current_dir(&made.0).output();
            match command {
                Ok(output) => {
                    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                }
                Err(_) => {
                    let required = std::env::var_os("OCICLE_REQUIRE_TOOLS").is_some();
                    assert!(!required, "openssl is not installed, and OCICLE_REQUIRE_TOOLS is set");
                    // As `ocicle_tests::tools::not_run` does, which this crate cannot use.
                    crate::stream::message("NOT RUN: openssl is not installed");
                    if let Some(list) = std::env::var_os("OCICLE_NOT_RUN") {
                        let mut list = fs::OpenOptions::new().create(true).append(true).open(list).unwrap();
                        let line = format!("net::transport::{name}\topenssl is not installed\n");
                        list.write_all(line.as_bytes()).unwrap();
                    }
                    return None;
                }
            }
        }
        Some(made)
    }

    fn text(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }

    /// Returns a server that wants a client certificate, or does not.
    fn server(&self, name: &str, client: Client) -> Server {
        let provider = Arc::new(ring::default_provider());
        let certificate = |name: &str| CertificateDer::from_pem_slice(&self.text(name)).unwrap();
        let builder = ServerConfig::builder_with_provider(provider.clone());
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = match client {
            Client::Certificate => {
                let mut roots = RootCertStore::empty();
                roots.add(certificate("ca.crt")).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
            Client::Anybody => builder.with_no_client_auth(),
        };
        let key = PrivateKeyDer::from_pem_slice(&self.text(&format!("{name}.key"))).unwrap();
        Server::start(Some(builder.with_single_cert(vec![certificate(&format!("{name}.crt"))], key).unwrap()))
    }

    /// Returns a transport that finds these files for a server.
    fn transport(&self, server: &Server, files: &[(&str, &str)], verify: Verify) -> NativeTransport {
        let etc = self.0.join(format!("etc-{}", server.port));
        let dir = etc.join(format!("containers/certs.d/localhost:{}", server.port));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        for (from, to) in files {
            fs::copy(self.0.join(from), dir.join(to)).unwrap();
        }
        NativeTransport::with(verify, Environment::of(&[], &etc))
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The clients that a server lets in.
#[derive(Clone, Copy)]
enum Client {
    Anybody,
    Certificate,
}

#[test]
fn a_certificate_that_signed_itself() {
    let Some(made) = Certificates::make("self") else { return };
    let server = made.server("self", Client::Anybody);
    let get = |files: &[(&str, &str)]| {
        get(&made.transport(&server, files, Verify::Certificates), &server.url("https", "/ok"))
    };
    assert_eq!(get(&[("self.crt", "ca.crt")]).unwrap(), (200, "hello".into()));
    for other in ["ca.crt", "other.crt"] {
        assert_eq!(get(&[(other, "ca.crt")]).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}

#[test]
fn certificates_of_servers() {
    let Some(made) = Certificates::make("servers") else { return };
    let server = made.server("server", Client::Anybody);
    let get = |files: &[(&str, &str)], verify| {
        get(&made.transport(&server, files, verify), &server.url("https", "/ok"))
    };
    let refused = get(&[], Verify::Certificates).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::InvalidData, "{refused}");
    assert!(refused.to_string().contains("unknown authority"), "{refused}");
    let refused = get(&[("other.crt", "ca.crt")], Verify::Certificates).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::InvalidData, "{refused}");
    assert_eq!(get(&[("ca.crt", "ca.crt")], Verify::Certificates).unwrap(), (200, "hello".into()));
    assert_eq!(get(&[], Verify::Nothing).unwrap(), (200, "hello".into()));
    let trusting = made.transport(&server, &[], Verify::Certificates);
    let trusting = trusting.trusting(&format!("localhost:{}", server.port));
    assert_eq!(tests::get(&trusting, &server.url("https", "/ok")).unwrap().0, 200);

    // Another name of the same machine.
    let other: Url = format!("https://127.0.0.2:{}/ok", server.port).parse().unwrap();
    let transport = made.transport(&server, &[("ca.crt", "ca.crt")], Verify::Certificates);
    let named = made.0.join(format!("etc-{}/containers/certs.d", server.port));
    let (own, copy) = (format!("localhost:{}", server.port), format!("127.0.0.2:{}", server.port));
    fs::rename(named.join(own), named.join(copy)).unwrap();
    match tests::get(&transport, &other) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {} // no such address here
        Err(error) => assert!(error.to_string().contains("not trusted"), "{error}"),
        Ok(_) => panic!("the certificate is not for this name"),
    }
}

#[test]
fn two_requests_share_a_connection_with_tls() {
    let Some(made) = Certificates::make("shared") else { return };
    let server = made.server("server", Client::Anybody);
    let transport = made.transport(&server, &[("ca.crt", "ca.crt")], Verify::Certificates);
    for _ in 0..3 {
        get(&transport, &server.url("https", "/ok")).unwrap();
    }
    assert!(server.seen().iter().all(|(number, _)| *number == 0), "{:?}", server.seen());
}

#[test]
fn certificates_of_clients() {
    let Some(made) = Certificates::make("clients") else { return };
    let server = made.server("server", Client::Certificate);
    let get = |files: &[(&str, &str)]| {
        get(&made.transport(&server, files, Verify::Certificates), &server.url("https", "/ok"))
    };
    let ca = ("ca.crt", "ca.crt");
    let error = get(&[ca]).unwrap_err();
    assert_eq!(error.to_string(), "the server wants a client certificate");
    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    let pair = [ca, ("client.crt", "a.cert"), ("client.key", "a.key")];
    assert_eq!(get(&pair).unwrap(), (200, "hello".into()));

    for (files, reason) in [
        (&[ca, ("client.crt", "a.cert"), ("other.key", "a.key")][..], "the .key beside it is not its key"),
        (&[ca, ("client.crt", "a.cert")], "a.key: No such file"),
        (&[ca, ("client.key", "a.key")], "a.key: no .cert beside it"),
        (&[("names", "ca.crt")], "ca.crt: no certificate in PEM"),
        (&[ca, ("client.crt", "a.cert"), ("client.crt", "a.key")], "no private key"),
    ] {
        let error = get(files).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}

#[test]
fn plain_servers_do_not_speak_tls() {
    let server = Server::start(None);
    // `serve` waits for an empty line, which a handshake hardly has: it is closed from here.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 2000]);
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        thread::sleep(Duration::from_millis(200));
    });
    let url = format!("https://localhost:{port}/").parse().unwrap();
    let transport = NativeTransport::with(Verify::Nothing, Environment::of(&[], Path::new("/nowhere")));
    let error = get(&transport, &url).unwrap_err();
    assert_eq!(error.to_string(), "the server does not speak TLS");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    drop(server);
}
