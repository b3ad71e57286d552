//! A repository of a registry that answers without credentials.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ocicle::{
    Error, Limits, Result,
    digest::InvalidDigest,
    graph::selector::{Clause, Selector},
    remote::{Anonymous, Client, Listed, RegistryStore},
    spec::{Index, Raw},
    store::RootIndex as _,
};

use crate::transport::HostTransport;

/// A repository.
pub(crate) type Remote = RegistryStore<HostTransport, Anonymous>;

/// A repository, or one tag or object of it.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) store: Remote,
    /// The tags that the reference means.
    opened: Listed,
    root: Mutex<Root>,
}

/// The root index.
#[derive(Debug)]
enum Root {
    NotRead,
    /// A call reads as much of it as it needs.
    Narrowed,
    Read(Box<Raw<Index>>),
}

impl Registry {
    /// Opens `docker://HOST/REPOSITORY[:TAG][@DIGEST]`. A repository without a tag is not asked yet.
    pub(crate) fn open(reference: &str, limits: &Limits) -> Result<Self> {
        let (name, opened) = parse(reference)?;
        let registry = Self { store: remote(name, limits)?, opened, root: Mutex::new(Root::NotRead) };
        if registry.opened != Listed::All && registry.load()?.view().manifests.is_empty() {
            return Err(Error::NotFound(format!("{reference} not found")));
        }
        Ok(registry)
    }

    pub(crate) fn load(&self) -> Result<Raw<Index>> {
        match &*self.root() {
            Root::Read(index) => return Ok(Raw::clone(index)),
            Root::Narrowed => return self.store.load(),
            Root::NotRead => {}
        }
        self.store.show(self.opened.clone());
        let index = self.store.load()?;
        *self.root() = Root::Read(Box::new(index.clone()));
        Ok(index)
    }

    /// Resolves a selector. Unless the tags were read, only those that it needs are asked for.
    pub(crate) fn narrowed<X>(&self, selector: &Selector, resolve: impl FnOnce() -> X) -> X {
        if self.opened != Listed::All || !matches!(*self.root(), Root::NotRead) {
            return resolve();
        }
        let needed = listed(selector);
        if needed == Listed::All {
            return resolve();
        }
        self.store.show(needed);
        *self.root() = Root::Narrowed;
        let found = resolve();
        *self.root() = Root::NotRead;
        found
    }

    fn root(&self) -> MutexGuard<'_, Root> {
        self.root.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the repository that a reference names. It is not asked yet.
pub(crate) fn repository(reference: &str, limits: &Limits) -> Result<Remote> {
    remote(parse(reference)?.0, limits)
}

/// Returns the name of a repository, and the tags that the reference means. Who names both a tag and a digest
/// means the digest: the tag may be another image by now.
fn parse(reference: &str) -> Result<(&str, Listed)> {
    let text = reference.strip_prefix("docker://").unwrap_or(reference);
    if text.contains("//") || text.contains('#') {
        return Err(Error::Misuse(format!(
            "{reference}: expected docker://HOST/REPOSITORY[:TAG][@DIGEST]; a selector is an argument of \
             `image`"
        )));
    }
    let (name, digest) = text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest)));
    let (name, tag) = match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains(['/', ']']) => (name, Some(tag)),
        _ => (name, None),
    };
    let opened = match (digest, tag) {
        (Some(digest), _) => Listed::Digest(
            digest.parse().map_err(|error: InvalidDigest| Error::Misuse(format!("{reference}: {error}")))?,
        ),
        (None, Some(tag)) => Listed::Tags(vec![tag.to_owned()]),
        (None, None) => Listed::All,
    };
    Ok((name, opened))
}

fn remote(name: &str, limits: &Limits) -> Result<Remote> {
    let client = Client::new(name.parse()?, HostTransport::default(), Anonymous, limits);
    Ok(RegistryStore::new(client, Listed::All))
}

/// Returns the tags that a selector needs.
fn listed(selector: &Selector) -> Listed {
    match selector.steps().first().map(Vec::as_slice) {
        Some([Clause::Tag(tag)]) => Listed::Tags(vec![tag.clone()]),
        Some([Clause::Digest(digest)]) => digest.parse().map_or(Listed::All, Listed::Digest),
        _ => Listed::All,
    }
}
