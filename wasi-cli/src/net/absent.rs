//! The stand-in for the network in a sandbox, which has no sockets. Nothing in it can be made.

use std::{convert::Infallible, io, path::PathBuf, time::Duration};

use ocicle::{
    Error, Result,
    remote::{Body, Credentials, Request, Response, Secret, Transport},
};

use super::{AuthFileChoice, Forget, Login, Settings};
use crate::failure::Failure;

const NO_NETWORK: &str = "this build has no network: WASI preview 1 has no sockets";

fn no_network() -> Failure {
    Failure::failed(NO_NETWORK).hint("use the native command for registries")
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

/// A transport that cannot be made.
pub(crate) struct NativeTransport(Infallible);

impl NativeTransport {
    pub(crate) fn new(_: Settings) -> Result<Self, Failure> {
        Err(no_network())
    }

    pub(crate) fn trusting(self, _: &str) -> Self {
        self
    }
}

impl Transport for NativeTransport {
    fn send(&self, _: &Request<'_>, _: Body<'_>) -> io::Result<Response> {
        match self.0 {}
    }

    fn now(&self) -> Duration {
        match self.0 {}
    }

    fn pause(&self, _: Duration) -> io::Result<()> {
        match self.0 {}
    }
}

/// Credentials of a sandbox: none.
#[derive(Debug)]
pub(crate) struct FileCredentials;

impl FileCredentials {
    pub(crate) fn of_user() -> Self {
        Self
    }

    pub(crate) fn reading(self, _: Option<PathBuf>) -> Self {
        self
    }
}

impl Credentials for FileCredentials {
    fn find(&self, _: &str, _: &str) -> Result<Option<Secret>> {
        Ok(None)
    }
}

/// Settings of registries that cannot be read.
pub(crate) struct RegistriesConf(Infallible);

impl RegistriesConf {
    pub(crate) fn of_user() -> Result<Self> {
        Err(Error::Unsupported(NO_NETWORK.into()))
    }

    pub(crate) fn lookup(&self, _: &str) -> Result<Endpoints> {
        match self.0 {}
    }
}

/// Where an image is.
pub(crate) struct Endpoints {
    pub(crate) primary: Endpoint,
    pub(crate) mirrors: Vec<Endpoint>,
}

/// One place of an image.
pub(crate) struct Endpoint {
    pub(crate) name: String,
    pub(crate) security: Security,
}

/// How much a registry is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Security {
    Required,
    Insecure,
}
