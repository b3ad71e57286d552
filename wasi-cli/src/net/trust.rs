//! Which certificates are accepted: settings of rustls.

use std::{io, sync::OnceLock};

use ocicle::remote::Url;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

use super::{
    Verify, certs_d::HostCertificates, crypto::provider, environment::Environment, http_error::invalid,
};

/// Returns the settings for one host.
pub(crate) fn tls_config(url: &Url, verify: Verify, environment: &Environment) -> io::Result<TlsConfig> {
    let HostCertificates { mut authorities, ours } = match url.is_https() {
        true => HostCertificates::find(url, environment)?,
        false => HostCertificates::default(),
    };
    let unverified = verify == Verify::Nothing;
    if url.is_https() && !unverified {
        authorities.extend(system_roots().iter().cloned());
        if authorities.is_empty() {
            return Err(invalid("no trusted certificate authorities found on this system"));
        }
    }
    Ok(TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(provider())
        .root_certs(RootCerts::from(authorities))
        .client_cert(ours)
        .disable_verification(unverified)
        .build())
}

/// Returns the authorities that the system trusts: `SSL_CERT_FILE` and `SSL_CERT_DIR`, else its own. Those
/// that cannot be read are left out.
fn system_roots() -> &'static [Certificate<'static>] {
    static ROOTS: OnceLock<Vec<Certificate<'static>>> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs().certs;
        found.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect()
    })
}
