//! The stand-in for the network in a sandbox, which has no sockets.

use super::{AuthFileChoice, Forget, Login, Settings};
use crate::failure::Failure;

pub(crate) fn no_network() -> Failure {
    Failure::failed("this build has no network: WASI preview 1 has no sockets")
        .hint("use the native command for registries")
}

pub(crate) fn log_in(_: &str, _: &Login, _: &AuthFileChoice, _: Settings) -> Result<(), Failure> {
    Err(no_network())
}

pub(crate) fn log_out(_: Forget<'_>, _: &AuthFileChoice) -> Result<(), Failure> {
    Err(no_network())
}

pub(crate) fn logged_in(_: &str, _: &AuthFileChoice) -> Result<Option<String>, Failure> {
    Err(no_network())
}
