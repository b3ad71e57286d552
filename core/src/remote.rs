//! Images on registries (distribution-spec 1.1) and layouts on web servers, over a [`Transport`] that the
//! caller hands in: this crate opens no sockets, and neither follows redirects nor keeps passwords where it
//! was not told to.
//!
//! A [`RegistryStore`] is one repository of a registry as a store: its root index has the tags.

mod auth;
mod transport;
mod url;

pub use self::{
    auth::{Anonymous, Credentials, Secret},
    transport::{Body, Method, Request, Response, Transport},
    url::Url,
};
