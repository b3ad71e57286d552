//! Debian's `docker-registry`, on this machine alone.

use std::{
    ffi::OsStr,
    fs,
    io::Write as _,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    nested,
    ocicle::{command, text},
    temp::TempDir,
    token_server::{ISSUER, SERVICE, TokenServer},
    tools::{self, run},
};

/// How the registry protects itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "tests")]
pub enum Protection {
    /// Not at all: plain HTTP, without passwords.
    None,
    /// By the password `geheim` of `ann`.
    Password,
    /// By a certificate that an authority of the test's own signed: `ca.crt` in [`Registry::path`].
    Certificate,
}

/// A running registry, which ends with this value.
#[derive(Debug)]
pub struct Registry {
    process: Child,
    port: u16,
    dir: TempDir,
}

impl Registry {
    /// Starts an empty registry; `None` if it is not installed, see [`tools::require`].
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(protection: Protection) -> Option<Self> {
        let dir = TempDir::new().unwrap();
        let at = |name: &str| dir.path().join(name).display().to_string();
        let settings = match protection {
            Protection::None => String::new(),
            Protection::Password => {
                tools::require("htpasswd")?;
                let line = run("htpasswd", ["-Bbn", "ann", "geheim"]);
                fs::write(at("passwords"), line).unwrap();
                format!("auth:\n  htpasswd: {{realm: test, path: {}}}\n", at("passwords"))
            }
            Protection::Certificate => {
                tools::require("openssl")?;
                certificates(dir.path());
                format!("  tls: {{certificate: {}, key: {}}}\n", at("server.crt"), at("server.key"))
            }
        };
        Self::start_in(dir, &settings)
    }

    /// Starts an empty registry that pages of any origin may read; `None` if it is not installed, see
    /// [`tools::require`].
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start_for_pages() -> Option<Self> {
        let settings = "  headers:\n    \
            Access-Control-Allow-Origin: ['*']\n    \
            Access-Control-Allow-Headers: [Accept, Authorization, Range]\n    \
            Access-Control-Expose-Headers: [Content-Range, Docker-Content-Digest, Link, WWW-Authenticate]\n";
        Self::start_in(TempDir::new().unwrap(), settings)
    }

    /// Starts an empty registry that wants tokens of a server; `None` if it is not installed.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start_with_tokens(server: &TokenServer) -> Option<Self> {
        let (realm, certificate) = (server.realm(), server.certificate());
        let settings = format!(
            "auth:\n  token: {{realm: \"{realm}\", service: {SERVICE}, issuer: {ISSUER}, rootcertbundle: {}}}\n",
            certificate.display()
        );
        Self::start_in(TempDir::new().unwrap(), &settings)
    }

    /// Starts a registry; `more` is the rest of its settings, after those of `http`.
    fn start_in(dir: TempDir, more: &str) -> Option<Self> {
        let program = tools::require("docker-registry")?;
        // It is free now, and seldom taken before the registry has it.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let at = |name: &str| dir.path().join(name).display().to_string();
        let settings = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem: {{rootdirectory: {}}}\n  delete: {{enabled: true}}\n\
             http:\n  addr: 127.0.0.1:{port}\n{more}",
            at("data")
        );
        fs::write(at("config.yml"), settings).unwrap();
        let log = fs::File::create(at("log")).unwrap();
        let process = Command::new(program)
            .args(["serve", &at("config.yml")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let registry = Self { process, port, dir };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(60), "the registry does not answer");
            thread::sleep(Duration::from_millis(20));
        }
        Some(registry)
    }

    /// Returns its port on `127.0.0.1`.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns `localhost:PORT`.
    #[must_use]
    pub fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Returns a reference: `docker://localhost:PORT/NAME`.
    #[must_use]
    pub fn at(&self, name: &str) -> String {
        format!("docker://{}/{name}", self.host())
    }

    /// Returns a path in the directory of the test, the home directory of [`Registry::command`].
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes the layout of [`nested::layout`] and returns its path.
    ///
    /// # Panics
    /// If it cannot be written.
    #[must_use]
    pub fn layout(&self) -> PathBuf {
        let layout = self.path("layout");
        fs::create_dir(&layout).unwrap();
        nested::layout(&layout);
        layout
    }

    /// Runs the command, which must succeed, and returns its standard output.
    ///
    /// # Panics
    /// If it fails.
    pub fn run<I: IntoIterator<Item: AsRef<OsStr>>>(&self, args: I) -> String {
        let output = self.command().args(args).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "ocicle: {}\n{error}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Returns the digest of the object that a reference means.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn digest(&self, reference: &str) -> String {
        let path = self.run(["resolve", reference]);
        let last = path.lines().last().unwrap_or_default();
        last.split(' ').find(|word| word.starts_with("sha256:")).unwrap().to_owned()
    }

    /// Runs the command, which must fail with this code, and returns its standard error.
    ///
    /// # Panics
    /// If it succeeds, or fails with another code.
    pub fn fails<I: IntoIterator<Item: AsRef<OsStr>>>(&self, code: i32, args: I) -> String {
        let output = self.command().args(args).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{error}");
        error
    }

    /// Logs `ann` in to a host.
    ///
    /// # Panics
    /// If the command cannot be started.
    #[must_use]
    pub fn log_in(&self, host: &str, password: &str) -> Output {
        let mut command = self.command();
        command.args(["login", host, "-u", "ann", "--password-stdin"]);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Returns the command, without the settings of this machine.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = command();
        for name in ["XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG"] {
            command.env_remove(name);
        }
        command.env("HOME", self.dir.path()).env("REGISTRY_AUTH_FILE", self.path("auth.json"));
        command
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Makes an authority and a certificate of this machine.
fn certificates(dir: &Path) {
    let at = |name: &str| dir.join(name);
    fs::write(at("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
    let new = |args: &[&str]| drop(run("openssl", args));
    let (ca, ca_key) = (at("ca.crt"), at("ca.key"));
    let (ca, ca_key) = (text(&ca), text(&ca_key));
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let authority =
        ["req", "-x509", "-days", "2", "-subj", "/CN=test authority", "-keyout", ca_key, "-out", ca];
    new(&[&authority[..], &key].concat());
    let (server, server_key, request, names) =
        (at("server.crt"), at("server.key"), at("server.csr"), at("names"));
    let request = text(&request);
    let asked = ["req", "-subj", "/CN=localhost", "-keyout", text(&server_key), "-out", request];
    new(&[&asked[..], &key].concat());
    new(&[
        "x509",
        "-req",
        "-days",
        "2",
        "-in",
        request,
        "-CA",
        ca,
        "-CAkey",
        ca_key,
        "-CAcreateserial",
        "-extfile",
        text(&names),
        "-out",
        text(&server),
    ]);
}
