//! Registries over the network: how they are reached, and what does it. A sandbox of WASI preview 1 has no
//! sockets: there, everything but the options is a stand-in that says so.

#![cfg_attr(not(unix), allow(dead_code, reason = "a sandbox has no network"))]

#[cfg(not(unix))]
mod absent;
#[cfg(unix)]
mod native;

use std::path::PathBuf;

use clap::{ArgAction, Args};

#[cfg(not(unix))]
pub(crate) use absent::{Remote, log_in, log_out, logged_in};
#[cfg(unix)]
pub(crate) use native::{Remote, log_in, log_out, logged_in};

/// How registries are reached.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Settings {
    /// Whether the certificate of a registry must be that of its name and signed by a trusted authority;
    /// `false` accepts any.
    #[arg(
        long,
        global = true,
        action = ArgAction::Set,
        default_value_t = true,
        value_name = "true|false"
    )]
    tls_verify: bool,
    /// Talk to registries without encryption.
    #[arg(long, global = true)]
    plain_http: bool,
}

/// Whether the mirrors of a repository are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mirrors {
    /// First, since it is only read.
    Asked,
    /// They may be behind: an edit is one of what the repository itself has.
    Ignored,
}

/// Whether certificates of servers are verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verify {
    /// They must be signed by a trusted authority, for the name of the server.
    Certificates,
    /// Any is accepted.
    Nothing,
}

/// The first scheme that a registry is asked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encryption {
    Https,
    /// Plain HTTP, since the user asked for it.
    PlainHttp,
}

impl Settings {
    pub(crate) fn verify(self) -> Verify {
        if self.tls_verify { Verify::Certificates } else { Verify::Nothing }
    }

    pub(crate) fn encryption(self) -> Encryption {
        if self.plain_http { Encryption::PlainHttp } else { Encryption::Https }
    }
}

/// Certificates are verified, and everything is encrypted.
impl Default for Settings {
    fn default() -> Self {
        Self { tls_verify: true, plain_http: false }
    }
}

/// The credentials that a login stores.
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

/// The file of credentials that `login` and `logout` change.
#[derive(Debug, Clone, Default)]
pub(crate) struct AuthFileChoice(pub(crate) Option<PathBuf>);

/// The credentials that `logout` removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forget<'a> {
    All,
    Host(&'a str),
}
