//! The packages of Debian that make a compiler for wasm.

use std::{fs, path::Path, process::Command};

use crate::{
    run::{Result, at, output, run},
    tools,
};

/// The packages to download. The names of some carry a version.
pub(crate) struct Packages {
    /// The version of `rustc-web`.
    pub(crate) version: String,
    names: Vec<String>,
}

impl Packages {
    /// Asks apt, after an update of its lists if need be.
    pub(crate) fn look_up() -> Result<Self> {
        let mut version = candidate("rustc-web")?;
        if version.is_none() && tools::is_root() {
            run(tools::apt_get().args(["update", "-qq"]))?;
            version = candidate("rustc-web")?;
        }
        let version = version.ok_or(
            "apt knows no package rustc-web: run `apt-get update` as root, with bookworm-security or a later Debian \
             among the sources",
        )?;
        let std = dependency("libstd-rust-web-dev", "libstd-rust-web-")?;
        let llvm = dependency(&std, "libllvm")?;
        let fixed = ["rustc-web", "libstd-rust-web-dev", "rust-web-src", "wasi-libc"];
        let names = fixed.into_iter().map(String::from).chain([std, llvm]).collect();
        Ok(Self { version, names })
    }

    /// Downloads and unpacks; nothing is installed, so rustup's compiler is still found first.
    pub(crate) fn unpack(&self, directory: &Path) -> Result<()> {
        let archives = directory.join("archives");
        at(&archives, fs::create_dir_all(&archives))?;
        run(Command::new("apt-get").args(["download", "-q"]).args(&self.names).current_dir(&archives))?;
        for archive in at(&archives, fs::read_dir(&archives))? {
            let archive = at(&archives, archive)?.path();
            run(Command::new("dpkg-deb").arg("--extract").arg(archive).arg(directory))?;
        }
        Ok(())
    }
}

/// Returns the version of a package that apt would install.
fn candidate(package: &str) -> Result<Option<String>> {
    let policy = output(Command::new("apt-cache").args(["policy", package]).env("LC_ALL", "C"))?;
    Ok(candidate_in(&policy).map(String::from))
}

fn candidate_in(policy: &str) -> Option<&str> {
    let version = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate:"))?.trim();
    (version != "(none)").then_some(version)
}

/// Returns the dependency of a package that has a number in its name.
fn dependency(package: &str, prefix: &str) -> Result<String> {
    let depends = output(Command::new("apt-cache").args(["depends", package]).env("LC_ALL", "C"))?;
    let name = numbered_in(&depends, prefix).map(String::from);
    name.ok_or_else(|| format!("{package} depends on no {prefix}NUMBER: has Debian renamed it?"))
}

fn numbered_in<'a>(depends: &'a str, prefix: &str) -> Option<&'a str> {
    let mut names = depends.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    let starts_with_digit = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    names.find(|name| name.strip_prefix(prefix).is_some_and(starts_with_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_candidate() {
        let policy = "rustc-web:\n  Installed: (none)\n  Candidate: 1.96.0+dfsg1-1\n  Version table:\n";
        assert_eq!(candidate_in(policy), Some("1.96.0+dfsg1-1"));
        assert_eq!(candidate_in(&policy.replace("1.96.0+dfsg1-1", "(none)")), None);
        assert_eq!(candidate_in(""), None);
    }

    #[test]
    fn finds_the_numbered_dependency() {
        let depends = "libstd-rust-web-dev\n  Depends: libc6\n  Depends: libstd-rust-web-dev\n  Depends: libstd-rust-web-1.96\n  \
                       Conflicts: libstd-rust-web-1.85\n";
        assert_eq!(numbered_in(depends, "libstd-rust-web-"), Some("libstd-rust-web-1.96"));
        assert_eq!(numbered_in(depends, "libllvm"), None);
    }
}
