//! `login` and `logout`: what is stored where, and what is said when a registry refuses.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

use ocicle_tests::{ocicle::command, temp::TempDir};
use serde_json::{Value, json};

/// `ann:geheim` in base64.
const ANN: &str = "YW5uOmdlaGVpbQ==";

/// Starts a registry that knows ann's password, and returns its address.
fn registry(challenge: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let mut known = false;
            // A handshake of TLS is not text.
            while let Some(Ok(line)) = lines.next() {
                known |= line.eq_ignore_ascii_case(&format!("authorization: Basic {ANN}"));
                if line.is_empty() {
                    break;
                }
            }
            let head = match known {
                true => "HTTP/1.1 200 OK\r\n".to_owned(),
                false => format!("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\n"),
            };
            let _ =
                stream.write_all(format!("{head}Connection: close\r\nContent-Length: 0\r\n\r\n").as_bytes());
        }
    });
    address
}

/// Returns the command with an empty home directory and no settings of this machine.
fn at_home(home: &Path) -> Command {
    let mut command = command();
    for name in ["REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG"] {
        command.env_remove(name);
    }
    command.env("HOME", home);
    command
}

fn with_input(command: &mut Command, input: &str) -> Output {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn log_in(home: &Path, host: &str, password: &str, more: &[&str]) -> Output {
    let mut command = at_home(home);
    with_input(command.args(["login", host, "-u", "ann", "--password-stdin"]).args(more), password)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn read(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

#[test]
fn a_verified_password_is_stored_for_its_owner_alone() {
    let home = TempDir::new().unwrap();
    let host = registry("Basic realm=\"x\"");
    let file = home.path().join(".config/containers/auth.json");

    let refused = log_in(home.path(), &host, "wrong\n", &["--plain-http"]);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(stderr(&refused), format!("error: log in to {host}: wrong user name or password\n"));
    assert!(!file.exists());

    let done = log_in(home.path(), &host, "geheim\n", &["--plain-http"]);
    assert!(done.status.success() && done.stdout.is_empty(), "{}", stderr(&done));
    assert_eq!(read(&file), json!({ "auths": { &host: { "auth": ANN } } }));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let user = at_home(home.path()).args(["login", "--get-login", &host]).output().unwrap();
    assert_eq!(user.stdout, b"ann\n");
    let nobody = at_home(home.path()).args(["login", "--get-login", "example.com"]).output().unwrap();
    assert_eq!(stderr(&nobody), "error: not logged in to example.com\n");

    assert!(at_home(home.path()).args(["logout", &host]).status().unwrap().success());
    assert_eq!(read(&file), json!({ "auths": {} }));
    let again = at_home(home.path()).args(["logout", &host]).output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).starts_with(&format!("error: not logged in to {host} by ")), "{}", stderr(&again));
}

#[test]
fn the_file_is_the_one_that_podman_chooses() {
    let home = TempDir::new().unwrap();
    let host = registry("Basic realm=\"x\"");
    let run = home.path().join("run");
    fs::create_dir(&run).unwrap();
    let log_in = |name: &str, value: &Path, more: &[&str]| {
        let mut command = at_home(home.path());
        command.env(name, value).args(["login", &host, "-u", "ann", "--password-stdin", "--plain-http"]);
        let output = with_input(command.args(more), "geheim");
        assert!(output.status.success(), "{}", stderr(&output));
    };
    log_in("XDG_RUNTIME_DIR", &run, &[]);
    assert!(run.join("containers/auth.json").is_file());
    log_in("XDG_RUNTIME_DIR", &home.path().join("missing"), &[]);
    assert!(home.path().join(".config/containers/auth.json").is_file());
    log_in("XDG_CONFIG_HOME", &home.path().join("config"), &[]);
    assert!(home.path().join("config/containers/auth.json").is_file());
    log_in("REGISTRY_AUTH_FILE", &home.path().join("own.json"), &[]);
    assert!(home.path().join("own.json").is_file());
    let given = home.path().join("given.json");
    log_in("REGISTRY_AUTH_FILE", &home.path().join("own2.json"), &["--authfile", given.to_str().unwrap()]);
    assert!(given.is_file() && !home.path().join("own2.json").exists());
}

#[test]
fn helpers_keep_passwords() {
    let home = TempDir::new().unwrap();
    let host = registry("Basic realm=\"x\"");
    let bin = home.path().join("bin");
    fs::create_dir(&bin).unwrap();
    let helper = bin.join("docker-credential-test");
    let script = "#!/bin/sh\ncd \"$HOME\"\ncase $1 in\nstore) cat >kept ;;\n\
                  get) if test -e kept; then sed 's/\"ServerURL\":\"[^\"]*\",//' kept; \
                  else echo credentials not found in native keychain; exit 1; fi ;;\n\
                  erase) cat >erased; rm -f kept ;;\nesac\n";
    fs::write(&helper, script).unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    let file = home.path().join(".config/containers/auth.json");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let content = json!({ "credHelpers": { &host: "test" } }).to_string();
    fs::write(&file, &content).unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let run = |args: &[&str], input: &str| {
        with_input(at_home(home.path()).env("PATH", &path).args(args).args(["--plain-http"]), input)
    };
    let done = run(&["login", &host, "-u", "ann", "--password-stdin"], "geheim");
    assert!(done.status.success(), "{}", stderr(&done));
    assert_eq!(
        read(&home.path().join("kept")),
        json!({ "ServerURL": &host, "Username": "ann", "Secret": "geheim" })
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), content);
    assert_eq!(run(&["login", "--get-login", &host], "").stdout, b"ann\n");
    assert!(run(&["logout", &host], "").status.success());
    assert_eq!(fs::read_to_string(home.path().join("erased")).unwrap(), host);
    assert_eq!(run(&["logout", &host], "").status.code(), Some(1));

    // What a helper prints is never shown.
    fs::write(&helper, "#!/bin/sh\necho geheim\nexit 3\n").unwrap();
    let failed = run(&["login", "--get-login", &host], "");
    let message = stderr(&failed);
    assert!(message.contains("docker-credential-test get: exit status: 3"), "{message}");
    assert!(!message.contains("geheim"), "{message}");
    fs::write(&helper, "#!/bin/sh\necho geheim\n").unwrap();
    let message = stderr(&run(&["login", "--get-login", &host], ""));
    assert!(message.contains("docker-credential-test get: malformed answer"), "{message}");
    assert!(!message.contains("geheim"), "{message}");
}

#[test]
fn what_cannot_be_asked_is_a_mistake_of_usage() {
    let home = TempDir::new().unwrap();
    let output = at_home(home.path()).args(["login", "example.com", "-u", "ann"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        stderr(&output),
        "error: no terminal to ask for the password\n\
         hint: ocicle login example.com -u ann --password-stdin\n"
    );
    for (args, input) in [
        (&["login", "example.com", "--password-stdin"][..], "x"),
        (&["login", "example.com", "-u", "ann", "--password-stdin"], "\n"),
        (&["login", "example.com", "-u", "a:b", "--password-stdin"], "x"),
        (&["login", "exa mple.com", "-u", "ann", "--password-stdin"], "x"),
        (&["login", "user@example.com", "-u", "ann", "--password-stdin"], "x"),
        (&["logout"], ""),
        (&["logout", "example.com", "--all"], ""),
    ] {
        let output = with_input(at_home(home.path()).args(args), input);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
    }
    assert!(fs::read_dir(home.path()).unwrap().next().is_none());
}

#[test]
fn a_registry_on_this_machine_needs_no_encryption() {
    let home = TempDir::new().unwrap();
    let host = registry("Basic realm=\"x\"");
    let done = log_in(home.path(), &host, "geheim", &[]);
    assert!(done.status.success(), "{}", stderr(&done));
}
