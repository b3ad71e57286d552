//! Where `login` and `logout` store credentials: the helper that the file names, else the file itself.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ocicle::{
    Error, Limits,
    remote::{Client, Credentials, RemoteName, Scheme, Secret, Url},
    spec::json::{self, Object},
};
use serde_json::json;

use super::{
    AuthFileChoice, Encryption, Forget, Login, Settings,
    auth_file::{self, AuthFile, HUB, HUB_SERVER, is_whole_host, normal_host, servers},
    credentials::FileCredentials,
    environment::Environment,
    transport::NativeTransport,
};
use crate::{failure::Failure, new_file::NewFile, system};

/// Verifies and stores credentials. `key` is a host, or a part of one (`HOST/NAMESPACE`).
pub(crate) fn log_in(
    key: &str,
    login: &Login,
    file: &AuthFileChoice,
    settings: Settings,
) -> Result<(), Failure> {
    let key = checked(key)?;
    let Login { user, password } = login;
    let secret = Secret::Password { user: user.clone(), password: password.clone() };
    verify(normal_host(&key), &secret, settings)?;
    let path = place(file, &Environment::of_process())?;
    store(&path, &key, login).map_err(|error| failed("store credentials in", &path, &error))
}

/// Removes credentials.
pub(crate) fn log_out(what: Forget<'_>, file: &AuthFileChoice) -> Result<(), Failure> {
    let path = place(file, &Environment::of_process())?;
    let removed = match what {
        Forget::All => forget_all(&path),
        Forget::Host(key) => {
            let key = checked(key)?;
            match forget(&path, &key) {
                Ok(false) => {
                    let message = format!("not logged in to {key} by {}", path.display());
                    return Err(elsewhere(&key, file, Failure::failed(message)));
                }
                removed => removed.map(drop),
            }
        }
    };
    removed.map_err(|error| failed("remove credentials from", &path, &error))
}

/// Returns the user that is logged in to a host, if there is one.
pub(crate) fn logged_in(key: &str, file: &AuthFileChoice) -> Result<Option<String>, Failure> {
    let key = checked(key)?;
    let repository = key.split_once('/').map_or("", |(_, repository)| repository);
    let credentials = FileCredentials::of_user().reading(file.0.clone());
    Ok(credentials.find(normal_host(&key), repository)?.map(|secret| match secret {
        Secret::Password { user, .. } => user,
        _ => "<token>".into(),
    }))
}

/// The credentials of a login.
struct Given<'a>(&'a Secret);

impl Credentials for Given<'_> {
    fn find(&self, _: &str, _: &str) -> ocicle::Result<Option<Secret>> {
        Ok(Some(self.0.clone()))
    }
}

/// Asks the registry whether it accepts credentials, before they are stored.
///
/// # Errors
/// Fails if the host cannot be reached, is not a registry, or refuses the credentials.
fn verify(host: &str, secret: &Secret, settings: Settings) -> Result<(), Failure> {
    // What may be done in a repository is not asked.
    let name: RemoteName = format!("{host}/login").parse()?;
    let scheme = match settings.encryption() {
        Encryption::PlainHttp => Scheme::Plain,
        Encryption::Https => Scheme::Usual,
    };
    let transport = NativeTransport::new(settings);
    let client = Client::new(name, transport, Given(secret), &Limits::default()).over(scheme);
    client.check_login().map_err(|error| match error {
        Error::Refused { status: 401 | 403, .. } => {
            Failure::failed(format!("log in to {host}: wrong user name or password"))
        }
        Error::Io { source, .. } => unreachable(host, &source),
        error => Failure::failed(format!("log in to {host}: {error}")),
    })
}

fn unreachable(host: &str, error: &io::Error) -> Failure {
    let failure = Failure::failed(format!("log in to {host}: {error}"));
    match error.kind() {
        io::ErrorKind::InvalidData => failure.hint(format!(
            "put the certificate of its authority into ~/.config/containers/certs.d/{host}/ca.crt; \
             for tests, --tls-verify=false or --plain-http"
        )),
        _ => failure,
    }
}

/// Returns the key that a host means in a file: without a scheme and a slash at the end.
fn checked(host: &str) -> Result<String, Failure> {
    let key = host.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
    let key = match key {
        "index.docker.io" | "index.docker.io/v1" | "registry-1.docker.io" => HUB,
        key => key,
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:/[]".contains(&byte);
    if key.is_empty() || !key.bytes().all(plain) || format!("https://{key}").parse::<Url>().is_err() {
        return Err(Failure::usage(format!("not a registry: {host:?}: expected HOST[:PORT][/NAMESPACE]")));
    }
    Ok(key.into())
}

/// Returns the file that is written, as podman chooses it.
fn place(file: &AuthFileChoice, environment: &Environment) -> Result<PathBuf, Failure> {
    if let Some(path) = file.0.as_deref().or_else(|| environment.path("REGISTRY_AUTH_FILE")) {
        return Ok(path.into());
    }
    if let Some(dir) = environment.path("XDG_RUNTIME_DIR").filter(|dir| dir.is_dir()) {
        return Ok(dir.join("containers/auth.json"));
    }
    environment.in_config("containers/auth.json").ok_or_else(|| {
        Failure::failed("no place for credentials: HOME is not set").hint("name a file with --authfile")
    })
}

/// Returns the key as a file has it: Docker's own has an address for Docker Hub.
fn key_in<'a>(path: &Path, key: &'a str) -> &'a str {
    let is_dockers = path.file_name().is_some_and(|name| name == "config.json");
    if is_dockers && key == HUB { HUB_SERVER } else { key }
}

fn store(path: &Path, key: &str, Login { user, password }: &Login) -> io::Result<()> {
    let _lock = lock(path)?;
    if let Some(helper) =
        AuthFile::read(path)?.map(|file| file.helper(normal_host(key))).transpose()?.flatten()
    {
        let server = if key == HUB { HUB_SERVER } else { normal_host(key) };
        return helper.store(server, user, password);
    }
    let auth = STANDARD.encode(format!("{user}:{password}"));
    write(path, |root| {
        root.edit_object("auths", |auths| auths.set(key_in(path, key), &json!({ "auth": auth })))
    })
}

/// Removes the credentials of a key, and returns whether there were some.
fn forget(path: &Path, key: &str) -> io::Result<bool> {
    let _lock = lock(path)?;
    let Some(file) = AuthFile::read(path)? else { return Ok(false) };
    let host = normal_host(key);
    let mut had = false;
    if let Some(helper) = file.helper(host)? {
        for server in servers(host) {
            had |= helper.get(server)?.is_some();
            helper.erase(server)?;
        }
    }
    // All ways to write a whole host; a part of it only as it is.
    let meant = |found: &&str| {
        *found == key || !key.contains('/') && normal_host(found) == key && is_whole_host(found)
    };
    let keys: Vec<&str> = file.keys().filter(meant).collect();
    if keys.is_empty() {
        return Ok(had);
    }
    remove(path, &keys)?;
    Ok(true)
}

fn forget_all(path: &Path) -> io::Result<()> {
    let _lock = lock(path)?;
    let Some(file) = AuthFile::read(path)? else { return Ok(()) };
    let hosts = file.keys().chain(file.helped()).map(normal_host);
    for host in hosts.collect::<std::collections::BTreeSet<_>>() {
        if let Some(helper) = file.helper(host)? {
            servers(host).into_iter().try_for_each(|server| helper.erase(server))?;
        }
    }
    remove(file.path(), &file.keys().collect::<Vec<_>>())
}

fn remove(path: &Path, keys: &[&str]) -> io::Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    write(path, |root| {
        root.edit_object("auths", |auths| {
            for key in keys {
                auths.remove(key);
            }
            Ok(())
        })
    })
}

/// Edits a file as text, so that everything else in it is kept.
fn write(path: &Path, edit: impl FnOnce(&mut Object) -> ocicle::Result<()>) -> io::Result<()> {
    let old = auth_file::read(path)?.filter(|bytes| !bytes.trim_ascii().is_empty());
    let new = json::edit("JSON", old.as_deref().unwrap_or(b"{}"), edit)?;
    let mut file = NewFile::create_private(&system::follow(path)?)?;
    file.file.write_all(&new)?;
    file.place()
}

/// Locks the directory of a file, which is created if there is none. Other programs do not know of it.
fn lock(path: &Path) -> io::Result<File> {
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    if !dir.is_dir() {
        if let Some(above) = dir.parent() {
            fs::create_dir_all(above)?;
        }
        match system::create_private_dir(dir) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => created?,
        }
    }
    let dir = File::open(dir)?;
    dir.lock()?;
    Ok(dir)
}

/// Adds a hint if other files have credentials for a host.
fn elsewhere(key: &str, file: &AuthFileChoice, failure: Failure) -> Failure {
    let environment = Environment::of_process();
    let others = if file.0.is_some() { Vec::new() } else { auth_file::places(&environment) };
    let other = others.into_iter().find(|path| {
        let file = AuthFile::read(path).ok().flatten();
        file.is_some_and(|file| file.find(normal_host(key), "").is_ok_and(|found| found.is_some()))
    });
    match other {
        Some(path) => failure.hint(format!("{} has credentials: --authfile", path.display())),
        None => failure,
    }
}

fn failed(doing: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("{doing} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
