//! Images on registries (distribution-spec 1.1) and layouts on web servers, over a [`Transport`] that the
//! caller hands in: this crate opens no sockets, and neither follows redirects nor keeps passwords where it
//! was not told to.
//!
//! A [`RegistryStore`] is one repository of a registry as a store: its root index has the tags.

mod access;
mod auth;
mod blob;
mod challenge;
mod client;
mod date;
mod files;
mod http;
mod name;
mod referrers;
mod store;
mod transport;
mod upload;
mod url;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use self::{
    auth::{Anonymous, Credentials, Secret},
    client::{Client, ManifestFound, Scheme},
    files::{HttpFiles, http_file},
    name::RemoteName,
    store::{Listed, RegistryStore},
    transport::{Body, Method, Request, Response, Transport},
    url::Url,
};
