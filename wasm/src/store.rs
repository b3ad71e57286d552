//! An open store, and its edits, which stay in memory.

use std::{io::Read, sync::Arc};

use js_sys::{Array, Function, Uint8Array};
use ocicle::{
    Limits, Repository,
    digest::Digest,
    graph::{
        archive::rewrite_archive,
        copy::{Plan, What},
        resolve::Want,
        selector::Selector,
    },
    image::look::{read_file, read_layer_file},
    layer,
    spec::{Compression, Descriptor, Index, MediaType, Raw},
    store::{
        BlobRead, BlobWriter, Collect as _, ReadAt, ReadSeek, RootIndex,
        archive::{self, Archive, ArchiveKind},
        files::FileStore,
        memory::MemoryStore,
        overlay::Overlay,
        reader,
    },
};
use wasm_bindgen::prelude::*;

use crate::{
    args::{layer_number, limits_of, parse_path},
    failure::{Failure, Result},
    host::{HostFiles, Pieces, Source},
    image::Image,
    json,
    layers::{LayerBlob, Place, Slots},
    registry::Registry,
    report,
};

/// The store that was opened; it is only read.
#[derive(Debug)]
pub(crate) enum Lower {
    Layout(FileStore<HostFiles>),
    Archive(Archive),
    Registry(Box<Registry>),
}

/// An OCI layout, an archive, or a repository of a registry.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Store {
    pub(crate) repository: Repository<Overlay<Lower, MemoryStore>>,
    slots: Slots,
}

#[wasm_bindgen]
impl Store {
    /// Opens the archive in a source, the repository of a reference, or the layout whose files the host
    /// finds.
    pub fn open(
        archive: Option<u32>,
        registry: Option<String>,
        kind: Option<String>,
        limits: &str,
    ) -> Result<Store> {
        let limits = limits_of(limits)?;
        let lower = match registry {
            Some(reference) => Lower::open_registry(&reference, kind.as_deref(), &limits)?,
            None => Lower::open(archive, kind.as_deref(), &limits)?,
        };
        let content = Overlay::new(lower, MemoryStore::new()?, &limits);
        Ok(Self { repository: Repository::new(content, limits), slots: Slots::default() })
    }

    /// `oci`, `oci-archive`, `docker-archive` or `registry`.
    #[wasm_bindgen(getter)]
    pub fn kind(&self) -> String {
        match self.repository.store().lower() {
            Lower::Layout(_) => "oci".into(),
            Lower::Registry(_) => "registry".into(),
            Lower::Archive(archive) => archive.kind().to_string(),
        }
    }

    /// Returns the JSON of `ocicle ls`.
    pub fn list(&self) -> Result<String> {
        report(&self.repository.list(None)?)
    }

    /// Returns the JSON of `ocicle resolve`.
    pub fn resolve(&self, fragment: Option<String>) -> Result<String> {
        // Positions are those in the whole list.
        let found = self.repository.resolve(&selector(fragment.as_deref())?, Want::Any)?;
        report(&found.describe(&self.repository))
    }

    /// Opens an image.
    pub fn image(&mut self, fragment: Option<String>) -> Result<Image> {
        let selector = selector(fragment.as_deref())?;
        let image = match self.repository.store().lower() {
            Lower::Registry(registry) => registry.narrowed(&selector, || self.repository.image(&selector)),
            _ => self.repository.image(&selector),
        }?;
        let slots = self.slots.of(&image);
        Ok(Image::new(image, slots, *self.repository.limits()))
    }

    /// Returns the layers of an image, the base first, as JSON: see `LayerBlob` in TypeScript.
    pub fn layers(&self, image: &Image) -> Result<String> {
        json(&LayerBlob::list(&image.image, |digest| self.place(digest))?)
    }

    /// Passes the content of a file of an image to `piece`, as `ocicle cat`; of a layer, as `cat --layer`.
    pub fn read(&self, image: &Image, path: &str, layer: Option<usize>, piece: &Function) -> Result<()> {
        let path = parse_path(path, self.repository.limits())?;
        let (look, out) = (image.seen()?, &mut Pieces(piece));
        let Some(layer) = layer else {
            return Ok(read_file(&self.repository, &image.image, look, &path, out)?);
        };
        let layer = layer_number(layer, image.image.layers().len())?;
        Ok(read_layer_file(&self.repository, &image.image, look, layer, &path, out)?)
    }

    /// Returns the number of different layers that the open images have.
    #[wasm_bindgen(getter)]
    pub fn kept(&self) -> usize {
        self.slots.count()
    }

    /// Returns the bytes of a blob, not verified. Blobs larger than documents are refused, except those of
    /// edits.
    pub fn blob(&self, digest: &str) -> Result<Vec<u8>> {
        let digest: Digest = digest.parse()?;
        // The store is not damaged: no document has to name this blob.
        let missing = || ocicle::Error::NotFound(format!("blob {digest} is not in the store"));
        let (store, named) = (self.repository.store(), self.find(&digest)?.ok_or_else(missing)?);
        let mut blob = store.try_open(&named)?.ok_or_else(missing)?;
        let limit = self.repository.limits().document;
        if named.size > limit && store.upper().try_size(&named)?.is_none() {
            let name = "document";
            return Err(ocicle::Error::limit(format!("blob {digest}"), name, limit).into());
        }
        let mut bytes = Vec::new();
        blob.read_to_end(&mut bytes).map_err(ocicle::Error::io(format_args!("read blob {digest}")))?;
        Ok(bytes)
    }

    /// Returns the JSON of `ocicle check`.
    pub fn check(&self) -> Result<String> {
        report(&self.repository.check()?)
    }

    /// Passes the whole store to `piece`, as an `oci-archive`: as a copy, or if an archive was edited, as
    /// that edit writes it, with its lists for Docker.
    pub fn archive(&self, piece: &Function) -> Result<()> {
        let plan = Plan::new(&self.repository, What::Everything)?;
        let (blobs, _) = plan.blobs(&self.repository)?;
        let mut out = std::io::BufWriter::with_capacity(PIECE, Pieces(piece));
        let (store, index) = (self.repository.store(), plan.index());
        match store.lower() {
            Lower::Archive(old) if old.load()?.digest() != index.digest() => {
                Ok(rewrite_archive(old, &self.repository, index, blobs, &mut out)?)
            }
            _ => Ok(archive::write_archive(store, index, blobs, &mut out)?),
        }
    }

    /// Returns the edits: the bytes of `index.json`, and pairs of a digest and a blob.
    pub fn changes(&self) -> Result<Array> {
        let found = Array::of1(&Uint8Array::from(self.repository.index()?.bytes()));
        let upper = self.repository.store().upper();
        for (digest, _) in upper.collect()?.blobs()? {
            let pair =
                Array::of2(&digest.as_str().into(), &Uint8Array::from(&self.blob_in_memory(&digest)?[..]));
            found.push(&pair);
        }
        Ok(found)
    }

    /// Applies the edits of another worker's store.
    pub fn replay(&mut self, changes: &Array) -> Result<()> {
        let bytes = |value: JsValue| Uint8Array::new(&value).to_vec();
        for pair in changes.iter().skip(1) {
            let pair = Array::from(&pair);
            let mut blob = BlobWriter::new(self.repository.store().upper(), octets())?;
            std::io::Write::write_all(&mut blob, &bytes(pair.get(1)))
                .map_err(ocicle::Error::io("copy a blob"))?;
            blob.finish()?;
        }
        let index: Raw<Index> = Raw::parse("index.json", bytes(changes.get(0)), None)?;
        Ok(self.repository.store().replace(&self.repository.index()?.digest(), &index)?)
    }
}

/// Passes the content of a compressed archive to `piece`. Returns whether the archive is compressed; if not,
/// it is read in place.
#[wasm_bindgen]
pub fn decompress(source: u32, limits: &str, piece: &Function) -> Result<bool> {
    let limits = limits_of(limits)?;
    let source: Arc<dyn ReadAt> = Arc::new(Source::new(source));
    let read = |error| ocicle::Error::io("read the archive")(error);
    let mut start = Vec::new();
    reader(&source).map_err(read)?.take(START).read_to_end(&mut start).map_err(read)?;
    if Compression::of_start(&start) == Compression::None {
        return Ok(false);
    }
    let mut out = std::io::BufWriter::with_capacity(PIECE, Pieces(piece));
    layer::decompress::decompress(reader(&source).map_err(read)?, &limits, &mut out)?;
    std::io::Write::flush(&mut out).map_err(read)?;
    Ok(true)
}

/// The bytes at the start of an archive that tell its compression.
const START: u64 = 10;

/// Bytes passed at a time.
const PIECE: usize = 1 << 20;

impl Store {
    /// Returns a descriptor for reading a blob of which only the digest is known.
    fn find(&self, digest: &Digest) -> Result<Option<Descriptor>> {
        let (store, blob) = (self.repository.store(), any_blob(digest));
        if let Some(size) = store.try_size(&blob)? {
            return Ok(Some(Descriptor::new(blob.media_type, blob.digest, size)));
        }
        match store.lower() {
            Lower::Registry(registry) => Ok(registry.store.client().find_manifest(digest.as_str())?),
            _ => Ok(None),
        }
    }

    /// Returns the place of a blob; `None` if the store does not have it. If that cannot be determined,
    /// reading the blob fails with the reason.
    fn place(&self, digest: &Digest) -> Option<Place> {
        let (store, blob) = (self.repository.store(), any_blob(digest));
        if matches!(store.upper().try_size(&blob), Ok(Some(_))) {
            return Some(Place::Memory);
        }
        match store.lower() {
            Lower::Layout(layout) => match layout.try_size(&blob) {
                Ok(size) => Some(Place::Layout {
                    path: format!("blobs/{}/{}", digest.algorithm_name(), digest.encoded()),
                    size: size?,
                }),
                Err(_) => Some(Place::Memory),
            },
            Lower::Registry(registry) => match registry.store.try_size(&blob) {
                Ok(size) => Some(Place::Registry { size: size? }),
                Err(_) => Some(Place::Memory),
            },
            Lower::Archive(archive) => archive
                .extent(digest)
                .map(|extent| Place::Archive { start: extent.start, size: extent.end - extent.start }),
        }
    }

    fn blob_in_memory(&self, digest: &Digest) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if let Some(mut blob) = self.repository.store().upper().try_open(&any_blob(digest))? {
            blob.read_to_end(&mut bytes).map_err(ocicle::Error::io("copy a blob"))?;
        }
        Ok(bytes)
    }
}

/// Parses the fragment of a reference; without one, the default is selected.
pub(crate) fn selector(fragment: Option<&str>) -> Result<Selector> {
    fragment.map_or_else(|| Ok(Selector::default()), |fragment| Ok(fragment.parse()?))
}

fn octets() -> MediaType {
    MediaType::literal("application/octet-stream")
}

/// Returns a descriptor for finding a blob of which only the digest is known.
fn any_blob(digest: &Digest) -> Descriptor {
    Descriptor::new(octets(), digest.clone(), 0)
}

impl Lower {
    fn open(archive: Option<u32>, kind: Option<&str>, limits: &Limits) -> Result<Self> {
        Ok(match (archive, kind) {
            (None, None | Some("oci")) => Self::Layout(FileStore::open(HostFiles, limits)?),
            (Some(source), None | Some("oci-archive" | "docker-archive")) => {
                let kind = kind.map(|kind| match kind {
                    "oci-archive" => ArchiveKind::Oci,
                    _ => ArchiveKind::Docker,
                });
                Self::Archive(Archive::open(Source::new(source), kind, limits)?)
            }
            (Some(_), Some("oci")) => {
                return Err(Failure::misuse(
                    "kind \"oci\" expects a directory, not a file (by default, the kind is detected)",
                ));
            }
            (None, Some("oci-archive" | "docker-archive")) => {
                return Err(Failure::misuse(
                    "an archive is a file, not a directory (by default, the kind is detected)",
                ));
            }
            (_, Some("registry")) => {
                return Err(Failure::misuse(
                    "kind \"registry\" expects docker://HOST/REPOSITORY (by default, the kind is detected)",
                ));
            }
            (_, Some(other)) => {
                return Err(Failure::misuse(format!(
                    "unknown kind {other:?}: expected \"oci\", \"oci-archive\", \"docker-archive\" or \
                     \"registry\""
                )));
            }
        })
    }

    fn open_registry(reference: &str, kind: Option<&str>, limits: &Limits) -> Result<Self> {
        match kind {
            None | Some("registry") => Ok(Self::Registry(Box::new(Registry::open(reference, limits)?))),
            Some(kind) => Err(Failure::misuse(format!("{reference} is a registry, not {kind:?}"))),
        }
    }

    fn blobs(&self) -> &dyn BlobRead {
        match self {
            Self::Layout(store) => store,
            Self::Archive(store) => store,
            Self::Registry(registry) => &registry.store,
        }
    }
}

impl BlobRead for Lower {
    fn try_open(&self, blob: &Descriptor) -> ocicle::Result<Option<Box<dyn Read + Send + '_>>> {
        self.blobs().try_open(blob)
    }

    fn try_seek(&self, blob: &Descriptor) -> ocicle::Result<Option<Box<dyn ReadSeek + '_>>> {
        self.blobs().try_seek(blob)
    }

    fn try_size(&self, blob: &Descriptor) -> ocicle::Result<Option<u64>> {
        self.blobs().try_size(blob)
    }
}

impl RootIndex for Lower {
    fn load(&self) -> ocicle::Result<Raw<Index>> {
        match self {
            Self::Layout(store) => store.load(),
            Self::Archive(store) => store.load(),
            Self::Registry(registry) => registry.load(),
        }
    }

    /// Fails: edits stay in memory.
    fn replace(&self, _: &Digest, _: &Raw<Index>) -> ocicle::Result<()> {
        Err(ocicle::Error::Unsupported("what was opened is only read".into()))
    }
}
