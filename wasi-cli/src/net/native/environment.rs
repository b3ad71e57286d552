//! The variables and directories that settings of registries are read from.

use std::{
    collections::BTreeMap,
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

/// The environment of this process, or that of a test.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    variables: BTreeMap<OsString, OsString>,
    etc: PathBuf,
}

impl Environment {
    pub(crate) fn of_process() -> Self {
        Self { variables: env::vars_os().collect(), etc: "/etc".into() }
    }

    /// Returns an environment of these variables, with another directory instead of `/etc`.
    #[cfg(test)]
    pub(crate) fn of(variables: &[(&str, &str)], etc: &Path) -> Self {
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { variables, etc: etc.into() }
    }

    /// Returns a variable that is set and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// Returns a variable that is set, not empty, and UTF-8.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.to_str()
    }

    /// Returns the path that a variable names.
    pub(crate) fn path(&self, name: &str) -> Option<&Path> {
        self.get(name).map(Path::new)
    }

    /// Returns a path below the user's home directory.
    pub(crate) fn in_home(&self, path: &str) -> Option<PathBuf> {
        Some(self.path("HOME")?.join(path))
    }

    /// Returns a path below the user's directory of settings.
    pub(crate) fn in_config(&self, path: &str) -> Option<PathBuf> {
        match self.path("XDG_CONFIG_HOME") {
            Some(config) => Some(config.join(path)),
            None => Some(self.in_home(".config")?.join(path)),
        }
    }

    /// Returns a path below the system's directory of settings.
    pub(crate) fn in_etc(&self, path: &str) -> PathBuf {
        self.etc.join(path)
    }
}
