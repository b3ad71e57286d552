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
use ureq::tls::Certificate;

use super::http_error::invalid;

pub(super) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(ring::default_provider())).clone()
}

/// Checks that a key, in PEM, can be used and is that of a certificate: ureq panics where it is not.
pub(super) fn check_pair(chain: &[Certificate<'static>], key: &[u8]) -> io::Result<()> {
    let chain = chain.iter().map(|certificate| CertificateDer::from(certificate.der().to_vec())).collect();
    let key =
        PrivateKeyDer::from_pem_slice(key).map_err(|_| invalid("no private key in the .key beside it"))?;
    match CertifiedKey::from_der(chain, key, &provider()) {
        Ok(_) => Ok(()),
        Err(rustls::Error::InconsistentKeys(_)) => Err(invalid("the .key beside it is not its key")),
        Err(error) => Err(invalid(format!("cannot be used with the .key beside it: {error}"))),
    }
}
