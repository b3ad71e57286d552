//! Errors of the HTTP library, in plain words. Neither headers nor queries are in them.

use std::io;

use rustls::{AlertDescription, CertificateError};
use ureq::Timeout;

/// Returns the error of the system for one of the library. Where trying again does not help, the kind is
/// `InvalidData` or `PermissionDenied`; see [`Transport::send`](ocicle::remote::Transport::send).
pub(super) fn plain(error: ureq::Error) -> io::Error {
    match error {
        ureq::Error::Io(error) => plain_io(error),
        ureq::Error::Timeout(timeout) => io::Error::new(io::ErrorKind::TimedOut, timed_out(timeout)),
        ureq::Error::HostNotFound => io::Error::new(io::ErrorKind::NotFound, "host not found"),
        ureq::Error::ConnectionFailed => io::Error::new(io::ErrorKind::NotConnected, "no connection"),
        // The reason has the status alone.
        ureq::Error::ConnectProxyFailed(reason) => {
            io::Error::new(io::ErrorKind::ConnectionRefused, format!("the proxy cannot connect: {reason}"))
        }
        ureq::Error::Protocol(_) => invalid("malformed HTTP response"),
        ureq::Error::LargeResponseHeader(_, limit) => {
            invalid(format!("the headers of the response are more than {limit} bytes"))
        }
        ureq::Error::Tls(reason) => invalid(format!("TLS: {reason}")),
        // Some others have the address in their text.
        ureq::Error::Http(_) | ureq::Error::BadUri(_) => invalid("cannot send the request: malformed header"),
        _ => io::Error::other("HTTP failed"),
    }
}

/// Returns the error of the system for one that the library wrapped.
pub(super) fn plain_io(error: io::Error) -> io::Error {
    let kind = error.kind();
    match error.downcast::<rustls::Error>() {
        Ok(error) => tls(&error),
        Err(error) => match error.downcast::<ureq::Error>() {
            Ok(error) => plain(error),
            Err(_) if kind == io::ErrorKind::UnexpectedEof => {
                io::Error::new(kind, "the server closed the connection too early")
            }
            Err(error) => error,
        },
    }
}

fn timed_out(timeout: Timeout) -> &'static str {
    match timeout {
        Timeout::Resolve | Timeout::Connect => "timed out while connecting",
        Timeout::SendRequest | Timeout::SendBody | Timeout::PerWrite => "timed out while sending the request",
        _ => "timed out while waiting for the server",
    }
}

/// The hint for a certificate of an authority of one's own.
const TRUST: &str = "\nhint: put the certificate of the authority into \
    ~/.config/containers/certs.d/HOST/ca.crt; for tests, --tls-verify=false";

/// Returns the error of the system for one of rustls.
pub(super) fn tls(error: &rustls::Error) -> io::Error {
    use AlertDescription as Alert;
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            let reason = "it is signed by an unknown authority";
            invalid(format!("the certificate of the server is not trusted: {reason}{TRUST}"))
        }
        rustls::Error::InvalidCertificate(reason) => {
            invalid(format!("the certificate of the server is not trusted: {reason}"))
        }
        rustls::Error::InvalidMessage(_) => invalid("the server does not speak TLS"),
        rustls::Error::AlertReceived(Alert::CertificateRequired) => {
            let reason = "the server wants a client certificate";
            io::Error::new(io::ErrorKind::PermissionDenied, reason)
        }
        rustls::Error::AlertReceived(
            alert @ (Alert::BadCertificate
            | Alert::UnknownCA
            | Alert::CertificateUnknown
            | Alert::CertificateExpired
            | Alert::CertificateRevoked
            | Alert::AccessDenied),
        ) => {
            let reason = format!("the server refuses the client certificate: {alert:?}");
            io::Error::new(io::ErrorKind::PermissionDenied, reason)
        }
        error => invalid(format!("TLS: {error}")),
    }
}

pub(super) fn invalid(reason: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.into())
}
