//! The cryptography of TLS, by ring.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use rustls::{
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};

use super::http_error::invalid;

pub(super) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(ring::default_provider())).clone()
}

/// Returns the key in a text in PEM, which must be that of a certificate.
pub(super) fn key_of(chain: &[CertificateDer<'static>], pem: &[u8]) -> io::Result<PrivateKeyDer<'static>> {
    let key =
        PrivateKeyDer::from_pem_slice(pem).map_err(|_| invalid("no private key in the .key beside it"))?;
    match CertifiedKey::from_der(chain.to_vec(), key.clone_key(), &provider()) {
        Ok(_) => Ok(key),
        Err(rustls::Error::InconsistentKeys(_)) => Err(invalid("the .key beside it is not its key")),
        Err(error) => Err(invalid(format!("cannot be used with the .key beside it: {error}"))),
    }
}
