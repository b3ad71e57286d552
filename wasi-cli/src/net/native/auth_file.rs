//! Files of credentials: those of podman and skopeo (containers-auth.json(5)) and Docker's `config.json`.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ocicle::remote::Secret;
use serde::Deserialize;

use super::{environment::Environment, helper::Helper};

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// The name of Docker Hub in references.
pub(super) const HUB: &str = "docker.io";
/// The name of Docker Hub in Docker's files, and for helpers.
pub(super) const HUB_SERVER: &str = "https://index.docker.io/v1/";

/// A file of credentials as it was read.
pub(super) struct AuthFile {
    path: PathBuf,
    content: Content,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    auths: Option<BTreeMap<String, Option<Entry>>>,
    cred_helpers: Option<BTreeMap<String, String>>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

/// Returns the files that are read, the most important first.
pub(super) fn places(environment: &Environment) -> Vec<PathBuf> {
    if let Some(only) = environment.path("REGISTRY_AUTH_FILE") {
        return vec![only.into()];
    }
    let docker = match environment.path("DOCKER_CONFIG") {
        Some(dir) => Some(dir.join("config.json")),
        None => environment.in_home(".docker/config.json"),
    };
    let places = [
        environment.path("XDG_RUNTIME_DIR").map(|dir| dir.join("containers/auth.json")),
        environment.in_config("containers/auth.json"),
        docker,
    ];
    places.into_iter().flatten().collect()
}

/// Returns the content of a file of credentials, if it is there.
pub(super) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        opened => opened?,
    };
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(invalid(format!("more than {MAX_FILE} bytes")));
    }
    Ok(Some(bytes))
}

impl AuthFile {
    /// Reads a file, if it is there. An empty file has no credentials.
    pub(super) fn read(path: &Path) -> io::Result<Option<Self>> {
        let Some(bytes) = read(path)? else { return Ok(None) };
        let content = match bytes.trim_ascii().is_empty() {
            true => Content::default(),
            // The parser's own message may have a password.
            false => serde_json::from_slice(&bytes).map_err(|error| {
                invalid(format!("malformed: line {}, column {}", error.line(), error.column()))
            })?,
        };
        Ok(Some(Self { path: path.into(), content }))
    }

    /// Returns the credentials for a repository of a host. A helper goes before what the file itself has.
    pub(super) fn find(&self, host: &str, repository: &str) -> io::Result<Option<Secret>> {
        if let Some(helper) = self.helper(host)? {
            for server in servers(host) {
                if let Some(secret) = helper.get(server)? {
                    return Ok(Some(secret));
                }
            }
        }
        self.entry(host, repository)
    }

    /// Returns the helper for a host: its own, or the one for all.
    pub(super) fn helper(&self, host: &str) -> io::Result<Option<Helper>> {
        let own = self.content.cred_helpers.iter().flatten().find(|(key, _)| normal_host(key) == host);
        let name = own.map(|(_, name)| name).or(self.content.creds_store.as_ref());
        name.filter(|name| !name.is_empty()).map(|name| Helper::new(name)).transpose()
    }

    /// Returns the entries of the file that are for a host as a whole or for a part of it.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.content.auths.iter().flatten().map(|(key, _)| key.as_str())
    }

    /// Returns the hosts that have a helper of their own.
    pub(super) fn helped(&self) -> impl Iterator<Item = &str> {
        self.content.cred_helpers.iter().flatten().map(|(key, _)| key.as_str())
    }

    /// Returns the path of the file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn entry(&self, host: &str, repository: &str) -> io::Result<Option<Secret>> {
        let auths = self.content.auths.iter().flatten();
        let auths: Vec<_> = auths.filter_map(|(key, entry)| Some((key, entry.as_ref()?))).collect();
        // `host/a/b`, `host/a`, `host`: as it is written, the longest first.
        let whole = if repository.is_empty() { host.to_owned() } else { format!("{host}/{repository}") };
        let mut wanted = Some(whole.as_str());
        while let Some(key) = wanted {
            for (found, entry) in &auths {
                if found.as_str() == key
                    && let Some(secret) =
                        entry.secret().map_err(|error| invalid(format!("{found}: {error}")))?
                {
                    return Ok(Some(secret));
                }
            }
            wanted = key.rsplit_once('/').map(|(above, _)| above);
        }
        // Then as others write hosts: `https://host/v1/`.
        for (found, entry) in auths {
            if normal_host(found) == host
                && is_whole_host(found)
                && let Some(secret) = entry.secret().map_err(|error| invalid(format!("{found}: {error}")))?
            {
                return Ok(Some(secret));
            }
        }
        Ok(None)
    }
}

impl Entry {
    /// Returns the credentials; an empty entry, as Docker leaves it for a helper, has none.
    fn secret(&self) -> Result<Option<Secret>, &'static str> {
        let set = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        if let Some(token) = set(&self.identitytoken) {
            return Ok(Some(Secret::Identity(token)));
        }
        if let Some(token) = set(&self.registrytoken) {
            return Ok(Some(Secret::Bearer(token)));
        }
        if let Some(auth) = set(&self.auth) {
            let bytes = STANDARD.decode(auth.trim()).map_err(|_| "`auth` is not base64")?;
            let text = String::from_utf8(bytes).map_err(|_| "`auth` is not UTF-8")?;
            let (user, password) = text.split_once(':').ok_or("`auth` is not USER:PASSWORD in base64")?;
            let (user, password) = (user.to_owned(), password.trim_end_matches('\0').to_owned());
            return Ok(Some(Secret::Password { user, password }));
        }
        let password = set(&self.password).unwrap_or_default();
        Ok(set(&self.username).map(|user| Secret::Password { user, password }))
    }
}

/// Returns the host that a key of a file means, as it is in references.
pub(super) fn normal_host(key: &str) -> &str {
    let host = key.trim_start_matches("https://").trim_start_matches("http://");
    let host = host.split('/').next().unwrap_or_default();
    match host {
        "index.docker.io" | "registry-1.docker.io" => HUB,
        host => host,
    }
}

/// Returns whether a key of a file means a whole host, not a part of one.
pub(super) fn is_whole_host(key: &str) -> bool {
    key.contains("://") || !key.contains('/') || key.ends_with("/v1/") || key.ends_with("/v2/")
}

/// Returns the names of a host that helpers know.
pub(super) fn servers(host: &str) -> Vec<&str> {
    if host == HUB { vec![HUB_SERVER, HUB] } else { vec![host] }
}

pub(super) fn invalid(reason: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.into())
}
