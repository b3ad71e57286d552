//! HTTP, who is trusted, who we are, and the stores that are made of these.
//!
//! | file | what it is |
//! |---|---|
//! | `transport.rs` | requests and responses, with one client for each host |
//! | `connector.rs`, `trust.rs`, `certs_d.rs`, `crypto.rs` | whose certificates are accepted, and those that we show |
//! | `proxy.rs` | the proxy for a host |
//! | `http_error.rs` | errors of the HTTP library, in plain words |
//! | `credentials.rs`, `auth_file.rs`, `helper.rs` | who we are to a registry |
//! | `login.rs` | where credentials are stored |
//! | `stores.rs` | the stores on other machines |
//! | `blob_cache.rs` | blobs that are kept, if the user wants it |
//! | `registries_conf.rs`, `mirrored.rs` | other locations of images, mirrors, and hosts that are blocked |
//! | `environment.rs` | the variables and directories that all of it is read from |

mod auth_file;
mod blob_cache;
mod certs_d;
mod connector;
mod credentials;
mod crypto;
mod environment;
mod helper;
mod http_error;
mod login;
mod mirrored;
mod proxy;
mod registries_conf;
mod stores;
mod transport;
mod trust;

use super::{AuthFileChoice, Encryption, Forget, Login, Mirrors, Settings, Verify};

pub(crate) use self::{
    login::{log_in, log_out, logged_in},
    stores::Remote,
};
