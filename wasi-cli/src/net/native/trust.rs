//! Which certificates are accepted: settings of rustls.

use std::{io, sync::Arc, sync::OnceLock};

use ocicle::remote::Url;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};

use super::{
    Verify,
    certs_d::HostCertificates,
    crypto::provider,
    environment::Environment,
    http_error::{invalid, tls},
};

/// Returns the settings for one host.
pub(super) fn client_config(
    url: &Url,
    verify: Verify,
    environment: &Environment,
) -> io::Result<Arc<ClientConfig>> {
    let HostCertificates { authorities, ours } = HostCertificates::find(url, environment)?;
    let verifier: Arc<dyn ServerCertVerifier> = match verify {
        Verify::Certificates => Arc::new(Trusted::new(authorities)?),
        Verify::Nothing => Arc::new(Anything(provider())),
    };
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| tls(&error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match ours {
        Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(|error| tls(&error))?,
        None => builder.with_no_client_auth(),
    };
    Ok(Arc::new(config))
}

/// Returns the authorities that the system trusts: `SSL_CERT_FILE` and `SSL_CERT_DIR`, else its own. Those
/// that cannot be read are left out.
fn system_roots() -> &'static [CertificateDer<'static>] {
    static ROOTS: OnceLock<Vec<CertificateDer<'static>>> = OnceLock::new();
    ROOTS.get_or_init(|| rustls_native_certs::load_native_certs().certs)
}

/// Accepts what the system or a directory of the host trusts.
#[derive(Debug)]
struct Trusted {
    by_authority: Arc<WebPkiServerVerifier>,
    /// The certificates of the directory of the host.
    own: Vec<CertificateDer<'static>>,
}

impl Trusted {
    fn new(own: Vec<CertificateDer<'static>>) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(system_roots().iter().cloned());
        for certificate in &own {
            roots.add(certificate.clone()).map_err(|error| tls(&error))?;
        }
        let by_authority = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
        let by_authority = by_authority
            .map_err(|_| invalid("this system has no list of trusted certificate authorities"))?;
        Ok(Self { by_authority, own })
    }
}

impl ServerCertVerifier for Trusted {
    /// Accepts also a certificate that signed itself and is in the directory of the host, as Docker's manual
    /// says to make one: it is marked as that of an authority, which webpki refuses for a server.
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified =
            self.by_authority.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match &verified {
            // Its times were checked before.
            Err(Error::InvalidCertificate(CertificateError::Other(reason)))
                if reason.to_string() == "CaUsedAsEndEntity" && self.own.contains(end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            _ => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_authority.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_authority.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.by_authority.supported_verify_schemes()
    }
}

/// Accepts every certificate, for `--tls-verify=false`.
#[derive(Debug)]
struct Anything(Arc<CryptoProvider>);

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
