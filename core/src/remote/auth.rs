//! Credentials for registries.

use std::fmt;

use crate::error::Result;

/// Finds credentials. A registry is asked without them first.
pub trait Credentials: Send + Sync {
    /// Returns the credentials for a repository of a host; `None` to go on without. `host` is as it stands in
    /// references, with a port that is not the usual one, and `docker.io` for Docker Hub; `repository` is
    /// such as `library/debian`.
    ///
    /// # Errors
    /// Errors of reading them. Credentials that are there and cannot be read must not be taken as none.
    fn find(&self, host: &str, repository: &str) -> Result<Option<Secret>>;
}

/// No credentials.
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Anonymous;

impl Credentials for Anonymous {
    fn find(&self, _: &str, _: &str) -> Result<Option<Secret>> {
        Ok(None)
    }
}

impl<C: Credentials + ?Sized> Credentials for &C {
    fn find(&self, host: &str, repository: &str) -> Result<Option<Secret>> {
        (**self).find(host, repository)
    }
}

/// A proof of who we are, for a registry or its token server. Never printed.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Secret {
    /// A name and a password.
    Password {
        /// User name.
        user: String,
        /// Password.
        password: String,
    },
    /// A refresh token of OAuth 2, which the token server takes in place of a password (`identitytoken` in
    /// Docker's file).
    Identity(String),
    /// A token that goes to the registry as it is (`registrytoken` in Docker's file).
    Bearer(String),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password { .. } => "Password",
            Self::Identity(_) => "Identity",
            Self::Bearer(_) => "Bearer",
        })
    }
}
