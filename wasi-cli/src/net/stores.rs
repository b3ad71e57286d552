//! Stores on other machines: repositories of registries, and layouts and archives on web servers.

use std::path::Path;

use ocicle::{
    Limits, Result,
    graph::selector::{Clause, Selector},
    remote::{Client, HttpFiles, Listed, RegistryStore, RemoteName, Scheme, Url, http_file},
    store::{archive::Archive, files::FileStore},
};

use super::{
    Encryption, Settings,
    credentials::FileCredentials,
    registries_conf::{RegistriesConf, Security},
    transport::NativeTransport,
};

/// A repository of a registry.
pub(crate) type Registry = RegistryStore<NativeTransport, FileCredentials>;

/// Opens a repository of a registry, where `registries.conf` says that it is. Nothing is sent yet.
pub(crate) fn open_registry(name: &str, settings: Settings, limits: &Limits) -> Result<Registry> {
    let asked: RemoteName = name.parse()?;
    let place = RegistriesConf::of_user()?.lookup(&asked.to_string())?.primary;
    let insecure = place.security == Security::Insecure;
    let scheme = match settings.encryption() {
        Encryption::PlainHttp => Scheme::Plain,
        Encryption::Https if insecure => Scheme::Either,
        Encryption::Https => Scheme::Usual,
    };
    let name: RemoteName = place.name.parse()?;
    let mut transport = NativeTransport::new(settings);
    if insecure {
        transport = transport.trusting(name.authority());
    }
    let client = Client::new(name, transport, FileCredentials::of_user(), limits).over(scheme);
    Ok(RegistryStore::new(client, Listed::All))
}

/// Returns what must be listed of a repository so that a selector can be resolved.
pub(crate) fn listed(selector: &Selector) -> Listed {
    let first = selector.steps().first().and_then(|step| step.first());
    match first {
        Some(Clause::Tag(tag)) => Listed::Tags(vec![tag.clone()]),
        Some(Clause::Digest(digest)) => digest.parse().map_or(Listed::All, Listed::Digest),
        _ => Listed::All,
    }
}

/// A layout or archive on a web server.
pub(crate) enum Web {
    Layout(FileStore<HttpFiles<NativeTransport>>),
    Archive(Archive),
}

/// Opens a layout or archive on a web server: an archive where the address is that of a file.
pub(crate) fn open_web(address: &str, settings: Settings, limits: &Limits) -> Result<Web> {
    let url: Url = address.parse()?;
    let transport = NativeTransport::new(settings);
    let path = url.path_and_query().split('?').next().unwrap_or_default();
    if Path::new(path).extension().is_some_and(|end| end.eq_ignore_ascii_case("tar")) {
        return Ok(Web::Archive(Archive::open(http_file(&url, transport)?, None, limits)?));
    }
    Ok(Web::Layout(FileStore::open(HttpFiles::new(&url, transport), limits)?))
}
