//! A token server, as distribution's "Token Authentication Specification" wants one.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use crate::{
    http_server::{HttpAsked, HttpReply, HttpServer},
    ocicle::text,
    temp::TempDir,
    tools::{self, run},
};

/// The name of the registry that tokens are for.
pub const SERVICE: &str = "registry.test";
/// The name of the token server.
pub const ISSUER: &str = "tokens.test";

/// A request for a token.
#[derive(Debug, Clone)]
#[allow(clippy::exhaustive_structs, reason = "tests")]
pub struct AskedToken {
    /// The rights that were asked for, such as `repository:app:pull`.
    pub scopes: Vec<String>,
    /// Whether the password of `ann` was with it.
    pub by_password: bool,
}

/// A running token server. It gives `ann`, whose password is `geheim`, every right; and everybody else those
/// to read repositories in `public`.
#[derive(Debug)]
pub struct TokenServer {
    server: HttpServer,
    dir: Arc<TempDir>,
    asked: Arc<Mutex<Vec<AskedToken>>>,
}

impl TokenServer {
    /// Starts it with a key of its own; `None` if openssl is not installed, see [`tools::require`].
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        tools::require("openssl")?;
        let dir = Arc::new(TempDir::new().unwrap());
        let at = |name: &str| text(&dir.path().join(name)).to_owned();
        let key =
            ["-newkey", "rsa:2048", "-nodes", "-keyout", &at("key.pem"), "-out", &at("certificate.pem")];
        run("openssl", ["req", "-x509", "-days", "2", "-subj", "/CN=tokens"].into_iter().chain(key));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (kept, files) = (Arc::clone(&asked), Arc::clone(&dir));
        let server = HttpServer::start(move |request, _| answer(request, files.path(), &kept));
        Some(Self { server, dir, asked })
    }

    /// Returns its address.
    #[must_use]
    pub fn realm(&self) -> String {
        format!("http://{}/token", self.server.host())
    }

    /// Returns the file with the certificate of its key.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.dir.path().join("certificate.pem")
    }

    /// Returns the requests since it was last asked for them.
    ///
    /// # Panics
    /// If a request could not be answered.
    #[must_use]
    pub fn asked(&self) -> Vec<AskedToken> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn answer(request: &HttpAsked, dir: &Path, kept: &Mutex<Vec<AskedToken>>) -> HttpReply {
    let authorization = request.header("authorization");
    let by_password = authorization == Some(&format!("Basic {}", base64(b"ann:geheim", STANDARD)));
    let scopes = request.query("scope");
    kept.lock().unwrap().push(AskedToken { scopes: scopes.clone(), by_password });
    if request.path() != "/token" || request.query("service") != [SERVICE] {
        return HttpReply::new(404, &[], b"");
    }
    if authorization.is_some() && !by_password {
        return HttpReply::new(
            401,
            &[],
            br#"{"errors":[{"code":"UNAUTHORIZED","message":"wrong password"}]}"#,
        );
    }
    let access: Vec<_> = scopes.iter().filter_map(|scope| granted(scope, by_password)).collect();
    let body = json!({ "token": token(dir, &access), "expires_in": 300 });
    HttpReply::new(200, &[("content-type", "application/json")], body.to_string().as_bytes())
}

/// Returns what of a scope is given.
fn granted(scope: &str, by_password: bool) -> Option<Value> {
    let (kind, rest) = scope.split_once(':')?;
    let (name, actions) = rest.rsplit_once(':')?;
    let public = name.starts_with("public/");
    let actions: Vec<_> =
        actions.split(',').filter(|action| by_password || public && *action == "pull").collect();
    Some(json!({ "type": kind, "name": name, "actions": actions }))
}

/// Returns a JSON web token (RFC 7519), with the certificate of its key in its head.
fn token(dir: &Path, access: &[Value]) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let certificate = fs::read_to_string(dir.join("certificate.pem")).unwrap();
    // The text between the lines that begin with dashes is the certificate in base64.
    let certificate: String = certificate.lines().filter(|line| !line.starts_with('-')).collect();
    let head = json!({ "typ": "JWT", "alg": "RS256", "x5c": [certificate] });
    let claims = json!({
        "iss": ISSUER, "sub": "ann", "aud": SERVICE, "jti": format!("{now}"),
        "iat": now, "nbf": now - 10, "exp": now + 300, "access": access,
    });
    let part = |bytes: &[u8]| base64(bytes, FOR_URLS).trim_end_matches('=').to_owned();
    let signed = format!("{}.{}", part(head.to_string().as_bytes()), part(claims.to_string().as_bytes()));
    let signature = part(&sign(&dir.join("key.pem"), signed.as_bytes()));
    format!("{signed}.{signature}")
}

fn sign(key: &Path, bytes: &[u8]) -> Vec<u8> {
    let mut openssl = Command::new("openssl")
        .args(["dgst", "-sha256", "-sign", text(key)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    openssl.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = openssl.wait_with_output().unwrap();
    assert!(output.status.success(), "openssl dgst: {}", output.status);
    output.stdout
}

/// The last two letters of base64 (RFC 4648, sections 4 and 5).
const STANDARD: [char; 2] = ['+', '/'];
const FOR_URLS: [char; 2] = ['-', '_'];

fn base64(bytes: &[u8], last: [char; 2]) -> String {
    let letters: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(last).collect();
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let letter = letters[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= three.len() { letter } else { '=' });
        }
    }
    text
}
