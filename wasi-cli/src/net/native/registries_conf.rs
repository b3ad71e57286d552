//! `registries.conf` (containers-registries.conf(5)): other locations, mirrors, and what is blocked. Short
//! names are not supported: a name that anybody can register would mean another image.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use ocicle::{Error, Result};
use serde::Deserialize;

use super::environment::Environment;

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// The entries of all files; each prefix once.
#[derive(Debug, Default)]
pub(crate) struct RegistriesConf {
    entries: Vec<Entry>,
}

/// Where an image is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Host and repository, such as `example.com:5000/a/b`.
    pub(crate) name: String,
    pub(crate) security: Security,
    /// Where it is looked for first, to read it.
    pub(crate) mirrors: Vec<MirrorEndpoint>,
}

/// Where a mirror of an image is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MirrorEndpoint {
    pub(crate) name: String,
    pub(crate) security: Security,
    pub(crate) pull: Pull,
}

/// The references that are read from a mirror.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum Pull {
    #[default]
    #[serde(rename = "all")]
    All,
    #[serde(rename = "digest-only")]
    Digests,
    #[serde(rename = "tag-only")]
    Tags,
}

/// How much a registry is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Security {
    /// Encryption and a certificate are required.
    Required,
    /// Any certificate is accepted, and plain HTTP where there is no encryption.
    Insecure,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Content {
    registry: Vec<Entry>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Entry {
    prefix: String,
    location: String,
    insecure: bool,
    blocked: bool,
    /// Mirrors are read from for digests only.
    #[serde(rename = "mirror-by-digest-only")]
    mirror_by_digest_only: bool,
    mirror: Vec<MirrorEntry>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct MirrorEntry {
    location: String,
    insecure: bool,
    #[serde(rename = "pull-from-mirror")]
    pull: Pull,
}

impl MirrorEntry {
    fn endpoint(&self, rest: &str, of: &Entry) -> MirrorEndpoint {
        MirrorEndpoint {
            name: format!("{}{rest}", self.location.trim_end_matches('/')),
            security: security(self.insecure),
            pull: if of.mirror_by_digest_only { Pull::Digests } else { self.pull },
        }
    }
}

fn security(insecure: bool) -> Security {
    if insecure { Security::Insecure } else { Security::Required }
}

impl RegistriesConf {
    /// Reads the files of the user and the system.
    pub(crate) fn of_user() -> Result<Self> {
        Self::read(&Environment::of_process())
    }

    fn read(environment: &Environment) -> Result<Self> {
        let mut conf = Self::default();
        for file in files(environment)? {
            conf.add(&file)?;
        }
        Ok(conf)
    }

    /// Returns where an image is. `name` is host and repository, without a tag.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if it is blocked.
    pub(crate) fn lookup(&self, name: &str) -> Result<Endpoint> {
        let found = self.entries.iter().filter_map(|entry| Some((entry, matched(&entry.prefix, name)?)));
        // With the same length, a name goes before a wildcard.
        let found = found.max_by_key(|(entry, length)| (*length, !is_wildcard(&entry.prefix)));
        let Some((entry, length)) = found else {
            return Ok(Endpoint { name: name.into(), security: Security::Required, mirrors: Vec::new() });
        };
        if entry.blocked {
            let prefix = &entry.prefix;
            return Err(Error::Unsupported(format!("{name}: registries.conf blocks {prefix}")));
        }
        let rest = &name[length..];
        let location = &entry.location;
        Ok(Endpoint {
            name: if location.is_empty() { name.into() } else { format!("{location}{rest}") },
            security: security(entry.insecure),
            mirrors: entry.mirror.iter().map(|mirror| mirror.endpoint(rest, entry)).collect(),
        })
    }

    /// Adds the entries of a file; they replace those with the same prefix.
    fn add(&mut self, file: &Path) -> Result<()> {
        let shown = file.display();
        let text = read(file).map_err(Error::io(format_args!("read {shown}")))?;
        let invalid = |reason: &str| {
            let reason = io::Error::new(io::ErrorKind::InvalidData, reason.to_owned());
            Error::io(format_args!("read {shown}"))(reason)
        };
        let content: Content = toml::from_str(&text).map_err(|error| invalid(error.message()))?;
        for mut entry in content.registry {
            entry.location.truncate(entry.location.trim_end_matches('/').len());
            entry.prefix.truncate(entry.prefix.trim_end_matches('/').len());
            if entry.prefix.is_empty() {
                entry.prefix.clone_from(&entry.location);
            }
            if entry.mirror.iter().any(|mirror| mirror.location.is_empty()) {
                return Err(invalid("a mirror has no `location`"));
            }
            if entry.prefix.is_empty() {
                return Err(invalid("a registry has neither `prefix` nor `location`"));
            }
            self.entries.retain(|old| old.prefix != entry.prefix);
            self.entries.push(entry);
        }
        Ok(())
    }
}

/// Returns the files, the least important first: the main one, which the user's own replaces, and the
/// directories of the system and the user.
fn files(environment: &Environment) -> Result<Vec<PathBuf>> {
    let main = match environment.path("CONTAINERS_REGISTRIES_CONF") {
        Some(chosen) => Some(chosen.to_owned()),
        None => environment
            .in_home(".config/containers/registries.conf")
            .filter(|path| path.is_file())
            .or_else(|| Some(environment.in_etc("containers/registries.conf")).filter(|path| path.is_file())),
    };
    let mut files = Vec::from_iter(main);
    let dirs = [
        Some(environment.in_etc("containers/registries.conf.d")),
        environment.in_home(".config/containers/registries.conf.d"),
    ];
    for dir in dirs.into_iter().flatten() {
        let found = match fs::read_dir(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect()),
        };
        let mut found: Vec<PathBuf> = found.map_err(Error::io(format_args!("read {}", dir.display())))?;
        found.retain(|path| path.extension().is_some_and(|extension| extension == "conf"));
        found.sort();
        files.append(&mut found);
    }
    Ok(files)
}

fn read(file: &Path) -> io::Result<String> {
    if fs::metadata(file)?.len() > MAX_FILE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("more than {MAX_FILE} bytes")));
    }
    fs::read_to_string(file)
}

fn is_wildcard(prefix: &str) -> bool {
    prefix.starts_with("*.")
}

/// Returns how many bytes of a name a prefix means, if it means it at all. It ends where a part of the name
/// does; a wildcard `*.example.com` means the host below it.
fn matched(prefix: &str, name: &str) -> Option<usize> {
    let length = match prefix.strip_prefix('*') {
        Some(domain) if is_wildcard(prefix) => {
            let host = name.split(['/', ':']).next().unwrap_or_default();
            // `*.example.com/team` as well.
            let (domain, path) = domain.split_at(domain.find(['/', ':']).unwrap_or(domain.len()));
            let below = host.strip_suffix(domain)?;
            if below.is_empty() || !name[host.len()..].starts_with(path) {
                return None;
            }
            host.len() + path.len()
        }
        _ => name.starts_with(prefix).then_some(prefix.len())?,
    };
    let rest = &name[length..];
    (rest.is_empty() || rest.starts_with(['/', ':', '@'])).then_some(length)
}

#[cfg(test)]
mod tests;
