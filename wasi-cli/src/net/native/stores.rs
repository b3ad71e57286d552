//! Stores on other machines: repositories of registries, and layouts and archives on web servers.

use std::path::Path;

use ocicle::{
    Descriptor, Digest, Error, Limits, Result,
    graph::{
        reference::StoreKind,
        selector::{Clause, Selector},
    },
    remote::{Client, HttpFiles, Listed, RegistryStore, RemoteName, Scheme, Url, http_file},
    store::{Collect as _, Collector, Store, archive::Archive, files::FileStore},
};

use super::{
    Encryption, Mirrors, Settings,
    blob_cache::{BlobCache, Cached},
    credentials::FileCredentials,
    mirrored::{Mirror, Mirrored, Registry},
    registries_conf::{RegistriesConf, Security},
    transport::NativeTransport,
};
use crate::failure::Failure;

/// A store on another machine.
pub(crate) enum Remote {
    Registry(Box<Cached<Mirrored>>),
    Layout(Box<Cached<FileStore<HttpFiles<NativeTransport>>>>),
    Archive(Box<Archive>),
}

impl Remote {
    /// Opens the store with a name or address. A registry is not asked yet.
    pub(crate) fn open(
        kind: StoreKind,
        name: &str,
        settings: Settings,
        mirrors: Mirrors,
        limits: &Limits,
    ) -> Result<Self, Failure> {
        let opened = match kind {
            StoreKind::Registry => open_registry(name, settings, mirrors, limits)
                .and_then(|store| Ok(Self::Registry(Box::new(Cached::new(store, BlobCache::of_user()?))))),
            _ => open_web(name, settings, limits),
        };
        Ok(opened?)
    }

    pub(crate) fn store(&self) -> &dyn Store {
        match self {
            Self::Registry(store) => &**store,
            Self::Layout(store) => &**store,
            Self::Archive(store) => &**store,
        }
    }

    pub(crate) fn is_registry(&self) -> bool {
        matches!(self, Self::Registry(_))
    }

    pub(crate) fn collect(&self) -> Result<Box<dyn Collector + '_>> {
        match self {
            Self::Registry(store) => store.inner.collect(),
            _ => Err(Error::Unsupported("a web server is only read from".into())),
        }
    }

    /// Sets the tags that a registry is asked for: those that a selector needs.
    pub(crate) fn look_for(&self, selector: &Selector) {
        if let Self::Registry(store) = self {
            store.inner.show(&listed(selector));
        }
    }

    /// Sets the tags that a registry is asked for.
    pub(crate) fn look_for_tags(&self, tags: Vec<String>) {
        if let Self::Registry(store) = self {
            store.inner.show(&Listed::Tags(tags));
        }
    }

    /// Chooses the tags of a registry that are looked at: those that match a pattern, and of these the last.
    pub(crate) fn choose_tags(&self, pattern: Option<&str>, last: Option<usize>) -> Result<()> {
        let Self::Registry(store) = self else { return Ok(()) };
        let mut tags = store.inner.primary().client().tags()?;
        tags.retain(|tag| pattern.is_none_or(|pattern| fast_glob::glob_match(pattern, tag)));
        tags.drain(..tags.len().saturating_sub(last.unwrap_or(usize::MAX)));
        store.inner.show(&Listed::Tags(tags));
        Ok(())
    }

    /// Returns what a registry has about an object.
    pub(crate) fn referrers(&self, digest: &Digest) -> Result<Vec<Descriptor>> {
        let Self::Registry(store) = self else { return Ok(Vec::new()) };
        let mut found = store.inner.primary().client().referrers(digest)?;
        found.extend(store.inner.primary().client().cosign_tags(digest)?);
        Ok(found)
    }

    /// Makes blobs of another repository of the same registry blobs of this one. Returns how many.
    pub(crate) fn mount_from(&self, source: &Self, blobs: &[&Descriptor]) -> Result<u64> {
        let (Self::Registry(to), Self::Registry(from)) = (self, source) else { return Ok(0) };
        let (to, from) = (to.inner.primary(), from.inner.primary());
        let (from, to_name) = (from.client().name(), to.client().name());
        match from.host() == to_name.host() && from != to_name {
            true => to.mount(blobs.iter().copied(), from.repository()),
            false => Ok(0),
        }
    }
}

/// Opens a repository of a registry, where `registries.conf` says that it is.
fn open_registry(name: &str, settings: Settings, mirrors: Mirrors, limits: &Limits) -> Result<Mirrored> {
    let asked: RemoteName = name.parse()?;
    let place = RegistriesConf::of_user()?.lookup(&asked.to_string())?;
    let open =
        |name: &str, security, encryption| open_repository(name, security, encryption, settings, limits);
    let mirrors = place.mirrors.iter().filter(|_| mirrors == Mirrors::Asked).map(|mirror| {
        // `--plain-http` is about the repository: a password of a mirror does not go in the clear for it.
        let store = open(&mirror.name, mirror.security, Encryption::Https)?;
        Ok(Mirror { store, pull: mirror.pull })
    });
    Ok(Mirrored::new(
        open(&place.name, place.security, settings.encryption())?,
        mirrors.collect::<Result<_>>()?,
    ))
}

fn open_repository(
    name: &str,
    security: Security,
    encryption: Encryption,
    settings: Settings,
    limits: &Limits,
) -> Result<Registry> {
    let insecure = security == Security::Insecure;
    let scheme = match encryption {
        Encryption::PlainHttp => Scheme::Plain,
        Encryption::Https if insecure => Scheme::Either,
        Encryption::Https => Scheme::Usual,
    };
    let name: RemoteName = name.parse()?;
    let mut transport = NativeTransport::new(settings);
    if insecure {
        transport = transport.trusting(name.authority());
    }
    let client = Client::new(name, transport, FileCredentials::of_user(), limits).over(scheme);
    Ok(RegistryStore::new(client, Listed::All))
}

/// Returns what must be listed of a repository so that a selector can be resolved.
fn listed(selector: &Selector) -> Listed {
    let first = selector.steps().first().and_then(|step| step.first());
    match first {
        Some(Clause::Tag(tag)) => Listed::Tags(vec![tag.clone()]),
        Some(Clause::Digest(digest)) => digest.parse().map_or(Listed::All, Listed::Digest),
        _ => Listed::All,
    }
}

/// Opens a layout or archive on a web server: an archive where the address is that of a file.
fn open_web(address: &str, settings: Settings, limits: &Limits) -> Result<Remote> {
    let url: Url = address.parse()?;
    let transport = NativeTransport::new(settings);
    let path = url.path_and_query().split('?').next().unwrap_or_default();
    if Path::new(path).extension().is_some_and(|end| end.eq_ignore_ascii_case("tar")) {
        let archive = Archive::open(http_file(&url, transport)?, None, limits)?;
        return Ok(Remote::Archive(Box::new(archive)));
    }
    let store = FileStore::open(HttpFiles::new(&url, transport), limits)?;
    Ok(Remote::Layout(Box::new(Cached::new(store, BlobCache::of_user()?))))
}
