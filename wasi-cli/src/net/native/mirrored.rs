//! A repository that has mirrors (containers-registries.conf(5)): reading asks them first, in order, and
//! stays with the first that has all that is looked for. What is written goes to the repository itself, but
//! an edit is opened without mirrors.

use std::{io::Read, sync::OnceLock};

use ocicle::{
    Descriptor, Digest, Result,
    remote::{Listed, RegistryStore},
    spec::{Index, Raw},
    store::{BlobRead, BlobWrite, Collect, Collector, NewBlob, Pending, ReadSeek, RootIndex},
};

use super::{credentials::FileCredentials, registries_conf::Pull, transport::NativeTransport};

/// A repository of a registry.
pub(crate) type Registry = RegistryStore<NativeTransport, FileCredentials>;

/// A mirror, and what may be read from it.
pub(crate) struct Mirror {
    pub(crate) store: Registry,
    pub(crate) pull: Pull,
}

/// A repository, with its mirrors.
pub(crate) struct Mirrored {
    primary: Registry,
    mirrors: Vec<Mirror>,
    /// The mirror that is read from, by its position; `None` inside if it is none.
    chosen: OnceLock<Option<usize>>,
}

impl Mirrored {
    pub(crate) fn new(primary: Registry, mirrors: Vec<Mirror>) -> Self {
        Self { primary, mirrors, chosen: OnceLock::new() }
    }

    /// Returns the repository itself.
    pub(crate) fn primary(&self) -> &Registry {
        &self.primary
    }

    /// Sets the tags of the root index, which is read again.
    pub(crate) fn show(&self, listed: &Listed) {
        for store in self.mirrors.iter().map(|mirror| &mirror.store).chain([&self.primary]) {
            store.show(listed.clone());
        }
    }

    /// Returns the mirror that is read from, if one was chosen.
    fn mirror(&self) -> Option<&Registry> {
        let chosen = self.chosen.get().copied().flatten()?;
        self.mirrors.get(chosen).map(|mirror| &mirror.store)
    }

    /// Chooses the first mirror that has what is looked for. One that fails is passed over.
    fn choose(&self) -> Option<usize> {
        let (is_digest, wanted) = match self.primary.listed() {
            Listed::Digest(_) => (true, 1),
            Listed::Tags(tags) => (false, tags.len()),
            // A mirror may have a part of a repository.
            _ => return None,
        };
        self.mirrors.iter().position(|mirror| {
            let may_have = match mirror.pull {
                Pull::All => true,
                Pull::Digests => is_digest,
                Pull::Tags => !is_digest,
            };
            may_have && mirror.store.load().is_ok_and(|index| index.view().manifests.len() == wanted)
        })
    }
}

impl BlobRead for Mirrored {
    fn try_open(&self, blob: &Descriptor) -> Result<Option<Box<dyn Read + Send + '_>>> {
        match self.mirror().map(|mirror| mirror.try_open(blob)) {
            Some(Ok(Some(found))) => Ok(Some(found)),
            _ => self.primary.try_open(blob),
        }
    }

    fn try_seek(&self, blob: &Descriptor) -> Result<Option<Box<dyn ReadSeek + '_>>> {
        // It may have dropped the blob since.
        let has =
            |mirror: &&Registry| matches!(mirror.client().find_blob(&blob.digest, blob.size), Ok(Some(_)));
        self.mirror().filter(has).unwrap_or(&self.primary).try_seek(blob)
    }

    fn try_size(&self, blob: &Descriptor) -> Result<Option<u64>> {
        match self.mirror().map(|mirror| mirror.try_size(blob)) {
            Some(Ok(Some(size))) => Ok(Some(size)),
            _ => self.primary.try_size(blob),
        }
    }
}

impl BlobWrite for Mirrored {
    fn hold(&self) -> Result<()> {
        self.primary.hold()
    }

    fn begin(&self, blob: &NewBlob<'_>) -> Result<Box<dyn Pending + '_>> {
        self.primary.begin(blob)
    }
}

impl RootIndex for Mirrored {
    fn load(&self) -> Result<Raw<Index>> {
        self.chosen.get_or_init(|| self.choose());
        self.mirror().unwrap_or(&self.primary).load()
    }

    fn replace(&self, expected: &Digest, new: &Raw<Index>) -> Result<()> {
        self.primary.replace(expected, new)
    }
}

impl Collect for Mirrored {
    fn collect(&self) -> Result<Box<dyn Collector + '_>> {
        self.primary.collect()
    }
}
