//! The programs that ocicle is compared with.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::run::{Result, at, find, output, search_path};

/// The programs that `--peer` can replace, with the option that makes them print their version.
const PEERS: [(&str, &[&str]); 6] = [
    ("umoci", &["--version"]),
    ("skopeo", &["--version"]),
    ("docker-registry", &["--version"]),
    ("bsdtar", &["--version"]),
    ("tar", &["--version"]),
    // It has no such option.
    ("mtree", &[]),
];

/// The programs of the caller's choice, the rest being those of the system.
#[derive(Debug, Default)]
pub(crate) struct Peers(Vec<(String, PathBuf)>);

impl Peers {
    /// Adds `NAME=PATH`.
    pub(crate) fn add(&mut self, peer: &str) -> Result<()> {
        let known = || PEERS.map(|(name, _)| name).join(", ");
        let (name, path) = peer
            .split_once('=')
            .filter(|(name, _)| PEERS.iter().any(|(known, _)| known == name))
            .ok_or_else(|| format!("--peer {peer}: expected NAME=PATH, and as name one of {}", known()))?;
        let path = at(Path::new(path), fs::canonicalize(path))?;
        self.0.push((name.into(), path));
        Ok(())
    }

    /// Returns the `PATH` by which they are found first. The links to them are made in a directory.
    pub(crate) fn search_path(&self, dir: &Path) -> Result<OsString> {
        at(dir, fs::create_dir(dir))?;
        for (name, path) in &self.0 {
            let link = dir.join(name);
            at(&link, std::os::unix::fs::symlink(path, &link))?;
        }
        let mut all = dir.as_os_str().to_owned();
        all.push(":");
        all.push(search_path());
        Ok(all)
    }

    /// Returns the versions of all, and of the command, as they call themselves.
    pub(crate) fn versions(&self, ocicle: &Path) -> Result<Vec<String>> {
        let mut versions = vec![version(ocicle, &["--version"])?];
        for (name, options) in PEERS.iter().filter(|(_, options)| !options.is_empty()) {
            let chosen = self.0.iter().find(|(chosen, _)| chosen == name).map(|(_, path)| path.clone());
            let program = chosen.or_else(|| find(name)).ok_or_else(|| format!("{name} is not installed"))?;
            versions.push(version(&program, options)?);
        }
        Ok(versions)
    }
}

/// Returns the first line of what a program says of its version, up to a comma or a dash with more.
fn version(program: &Path, options: &[&str]) -> Result<String> {
    let said = output(Command::new(program).args(options))?;
    let line = said.lines().next().unwrap_or_default();
    Ok(line.split([',', '(']).next().unwrap_or_default().replace(" version", "").trim().to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use super::Peers;

    #[test]
    fn a_peer_has_a_known_name_and_a_file() {
        let mut peers = Peers::default();
        for wrong in ["umoci", "umoci=/no/such/file", "docker=/bin/sh"] {
            assert!(peers.add(wrong).is_err(), "{wrong}");
        }
        peers.add("umoci=/bin/sh").unwrap();
        assert_eq!(peers.0.len(), 1);
    }
}
