//! Certificates for one host, of a directory `certs.d/HOST[:PORT]` (containers-certs.d(5)): `*.crt` are
//! authorities that are trusted besides those of the system, `NAME.cert` and `NAME.key` are ours.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use ocicle::remote::Url;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};

use super::{crypto::key_of, environment::Environment, http_error::invalid};

/// A certificate with those above it, and its key.
type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The largest file of certificates that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// The certificates for one host.
#[derive(Default)]
pub(crate) struct HostCertificates {
    pub(crate) authorities: Vec<CertificateDer<'static>>,
    /// The first pair, by name.
    pub(crate) ours: Option<Pair>,
}

impl HostCertificates {
    /// Reads the first directory there is for a host.
    pub(crate) fn find(url: &Url, environment: &Environment) -> io::Result<Self> {
        let places = [
            environment.in_home(".config/containers/certs.d"),
            Some(environment.in_etc("containers/certs.d")),
            Some(environment.in_etc("docker/certs.d")),
        ];
        for place in places.into_iter().flatten() {
            for name in names(url) {
                let dir = place.join(name);
                match fs::read_dir(&dir) {
                    Ok(entries) => {
                        let files = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
                        return Self::read(files);
                    }
                    // The system's directories may be for others.
                    Err(error)
                        if matches!(
                            error.kind(),
                            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
                        ) => {}
                    Err(error) => return Err(at(&dir, &error)),
                }
            }
        }
        Ok(Self::default())
    }

    fn read(mut files: Vec<PathBuf>) -> io::Result<Self> {
        files.sort();
        let mut found = Self::default();
        for file in files {
            match file.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => found.authorities.extend(certificates(&file)?),
                Some("cert") => {
                    let pair = pair(&file, &file.with_extension("key"))?;
                    found.ours.get_or_insert(pair);
                }
                Some("key") if !file.with_extension("cert").is_file() => {
                    return Err(at(&file, &invalid("no .cert beside it")));
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

/// Returns the names that the directory of a host can have.
fn names(url: &Url) -> Vec<String> {
    let mut names = vec![url.authority().to_owned(), format!("{}:{}", url.host(), url.port())];
    if url.host() == "registry-1.docker.io" {
        names.push("docker.io".into());
    }
    names.dedup();
    names
}

fn pair(certificate: &Path, key: &Path) -> io::Result<Pair> {
    let chain = certificates(certificate)?;
    let key = key_of(&chain, &read(key)?).map_err(|error| at(certificate, &error))?;
    Ok((chain, key))
}

fn certificates(file: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let text = read(file)?;
    let found = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|_| at(file, &invalid("malformed PEM")))?;
    if found.is_empty() { Err(at(file, &invalid("no certificate in PEM"))) } else { Ok(found) }
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let read = File::open(file).and_then(|opened| opened.take(MAX_FILE + 1).read_to_end(&mut text));
    read.map_err(|error| at(file, &error))?;
    match text.len() as u64 > MAX_FILE {
        true => Err(at(file, &invalid(format!("more than {MAX_FILE} bytes")))),
        false => Ok(text),
    }
}

/// Adds a path to an error. Trying again does not help.
fn at(path: &Path, error: &io::Error) -> io::Error {
    invalid(format!("{}: {error}", path.display()))
}
