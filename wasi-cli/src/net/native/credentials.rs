//! Credentials of files and helpers. The first file that has some for a repository wins.

use std::path::PathBuf;

use ocicle::{
    Error, Result,
    remote::{Credentials, Secret},
};

use super::{
    auth_file::{AuthFile, places},
    environment::Environment,
};

/// The credentials in the files of podman, skopeo and Docker, and of the helpers that they name.
#[derive(Debug)]
pub(crate) struct FileCredentials {
    places: Vec<PathBuf>,
}

impl FileCredentials {
    pub(crate) fn of_user() -> Self {
        Self::with(&Environment::of_process())
    }

    fn with(environment: &Environment) -> Self {
        Self { places: places(environment) }
    }

    /// Reads one file alone, if a file is chosen.
    pub(crate) fn reading(self, only: Option<PathBuf>) -> Self {
        match only {
            Some(only) => Self { places: vec![only] },
            None => self,
        }
    }
}

impl Credentials for FileCredentials {
    fn find(&self, host: &str, repository: &str) -> Result<Option<Secret>> {
        for place in &self.places {
            let doing = || format!("read credentials of {}", place.display());
            let Some(file) = AuthFile::read(place).map_err(|error| Error::io(doing())(error))? else {
                continue;
            };
            let found = file.find(host, repository).map_err(|error| Error::io(doing())(error))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
