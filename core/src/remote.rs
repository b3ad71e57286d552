//! Images on registries (distribution-spec 1.1) and layouts on web servers, over a [`Transport`] that the
//! caller hands in: this crate opens no sockets. Who sees a password or a token, and which redirects are
//! followed, is decided here, for every transport.
//!
//! A [`RegistryStore`] is one repository of a registry as a store: its root index has the tags, and to
//! replace the root index is to push.
//!
//! ```no_run
//! use ocicle::{
//!     Limits, Repository, Result,
//!     remote::{Anonymous, Client, Listed, RegistryStore, Transport},
//! };
//!
//! /// Returns the architecture of an image on a registry.
//! fn architecture(transport: impl Transport) -> Result<String, Box<dyn std::error::Error>> {
//!     let limits = Limits::default();
//!     let client = Client::new("registry.example/app".parse()?, transport, Anonymous, &limits);
//!     let store = RegistryStore::new(client, Listed::Tags(vec!["v1".into()]));
//!     let image = Repository::new(store, limits).image(&"v1".parse()?)?;
//!     Ok(image.config.view().architecture.clone())
//! }
//! ```
//!
//! | file | what it is |
//! |---|---|
//! | `transport.rs`, `url.rs` | requests and responses, addresses |
//! | `http.rs` | requests that are sent again, redirects |
//! | `access.rs`, `challenge.rs`, `auth.rs` | tokens and passwords |
//! | `name.rs`, `client.rs`, `upload.rs`, `referrers.rs` | the distribution API |
//! | `blob.rs` | content over a connection that may break |
//! | `store.rs`, `push.rs` | a repository as a store, and what it can keep |
//! | `files.rs` | files on a web server |

mod access;
mod auth;
mod blob;
mod challenge;
mod client;
mod date;
mod files;
mod http;
mod name;
mod push;
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
    push::check_entries,
    store::{Listed, RegistryStore},
    transport::{Body, Method, Request, Response, Transport},
    url::Url,
};
