//! The stand-in for the network in a sandbox, which has no sockets.

use ocicle::{
    Descriptor, Digest, Limits, Result,
    graph::{reference::StoreKind, selector::Selector},
    store::{Collector, Store},
};

use super::{AuthFileChoice, Forget, Login, Mirrors, Settings};
use crate::failure::Failure;

fn no_network() -> Failure {
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

/// A store on another machine, which there is none of.
pub(crate) enum Remote {}

impl Remote {
    pub(crate) fn open(_: StoreKind, _: &str, _: Settings, _: Mirrors, _: &Limits) -> Result<Self, Failure> {
        Err(no_network())
    }

    pub(crate) fn store(&self) -> &dyn Store {
        match *self {}
    }

    pub(crate) fn is_registry(&self) -> bool {
        match *self {}
    }

    pub(crate) fn collect(&self) -> Result<Box<dyn Collector + '_>> {
        match *self {}
    }

    pub(crate) fn look_for(&self, _: &Selector) {
        match *self {}
    }

    pub(crate) fn look_for_tags(&self, _: Vec<String>) {
        match *self {}
    }

    pub(crate) fn choose_tags(&self, _: Option<&str>, _: Option<usize>) -> Result<()> {
        match *self {}
    }

    pub(crate) fn referrers(&self, _: &Digest) -> Result<Vec<Descriptor>> {
        match *self {}
    }

    pub(crate) fn mount_from(&self, _: &Self, _: &[&Descriptor]) -> Result<u64> {
        match *self {}
    }
}
