//! A store that was opened, and what was changed in it: changes stay in memory.

use js_sys::{Array, Function, Uint8Array};
use ocicle::{
    digest::Digest,
    graph::{
        Resolution,
        copy::{Plan, What},
        list::list,
        resolve::{Want, resolve},
        selector::Selector,
    },
    image::check::check,
    limits::Limits,
    spec::{Index, Raw},
    store::{
        BlobRead, BlobWriter, ReadSeek, RootIndex, Sweepable as _,
        archive::{self, Archive, ArchiveKind},
        files::FileStore,
        memory::MemoryStore,
        overlay::Overlay,
    },
};
use wasm_bindgen::prelude::*;

use crate::{
    failure::{Failure, Result},
    host::{HostFiles, Pieces, Source},
    image::Image,
    json,
    layers::{LayerBlob, Place, Slots},
};

/// What was opened.
#[derive(Debug)]
pub(crate) enum Lower {
    Layout(FileStore<HostFiles>),
    Archive(Archive),
}

/// An OCI layout or archive.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Store {
    pub(crate) content: Overlay<Lower, MemoryStore>,
    slots: Slots,
    pub(crate) limits: Limits,
}

#[wasm_bindgen]
impl Store {
    /// Opens an archive that is this source, or the layout whose files the host finds.
    pub fn open(archive: Option<u32>, kind: Option<String>) -> Result<Store> {
        let limits = Limits::default();
        let kind = kind.as_deref();
        let lower = match (archive, kind) {
            (None, None | Some("oci")) => Lower::Layout(FileStore::open(HostFiles, &limits)?),
            (Some(source), None | Some("oci-archive" | "docker-archive")) => {
                let kind = kind.map(|kind| match kind {
                    "oci-archive" => ArchiveKind::Oci,
                    _ => ArchiveKind::Docker,
                });
                Lower::Archive(Archive::open(Source::new(source), kind, &limits)?)
            }
            (Some(_), Some("oci")) => {
                return Err(Failure::misuse("this is a file, and oci a directory: leave out the kind"));
            }
            (None, Some("oci-archive" | "docker-archive")) => {
                return Err(Failure::misuse(
                    "this is a directory, and an archive is a file: leave out the kind",
                ));
            }
            (_, Some(other)) => {
                return Err(Failure::misuse(format!(
                    "unknown kind {other:?}: expected \"oci\", \"oci-archive\" or \"docker-archive\""
                )));
            }
        };
        let content = Overlay::new(lower, MemoryStore::new()?, &limits);
        Ok(Self { content, slots: Slots::default(), limits })
    }

    /// `oci`, `oci-archive` or `docker-archive`.
    #[wasm_bindgen(getter)]
    pub fn kind(&self) -> String {
        match self.content.lower() {
            Lower::Layout(_) => "oci".into(),
            Lower::Archive(archive) => archive.kind().to_string(),
        }
    }

    /// As `ocicle ls --json`.
    pub fn list(&self) -> Result<String> {
        report(&list(&self.content, &self.content.load()?, &self.limits)?)
    }

    /// As `ocicle resolve --json`.
    pub fn resolve(&self, fragment: Option<String>) -> Result<String> {
        report(&self.find(fragment.as_deref(), Want::Any)?.describe(&self.content, &self.limits))
    }

    /// Opens an image.
    pub fn image(&mut self, fragment: Option<String>) -> Result<Image> {
        let at = self.find(fragment.as_deref(), Want::Image)?;
        let image = ocicle::image::Image::open(&self.content, at.target(), &self.limits)?;
        let slots = self.slots.of(&image);
        Ok(Image::new(image, slots))
    }

    /// Returns the layers of an image, the base first, as JSON: see `LayerBlob` in TypeScript.
    pub fn layers(&self, image: &Image) -> Result<String> {
        json(&LayerBlob::list(&image.image, |digest| self.place(digest))?)
    }

    /// Returns the number of different layers that the open images have.
    #[wasm_bindgen(getter)]
    pub fn kept(&self) -> usize {
        self.slots.count()
    }

    /// The bytes of a blob, not verified; of one that was opened, at most as many as a document may have.
    pub fn blob(&self, digest: &str) -> Result<Vec<u8>> {
        let digest: Digest = digest.parse()?;
        // Not a damaged store: nothing in it has to name this blob.
        let missing = || ocicle::Error::NotFound(format!("blob {digest} is not in the store"));
        let mut blob = self.content.try_open(&digest)?.ok_or_else(missing)?;
        let size = self.content.try_size(&digest)?.ok_or_else(missing)?;
        if size > self.limits.document && self.content.upper().try_size(&digest)?.is_none() {
            let (name, limit) = ("document", self.limits.document);
            return Err(ocicle::Error::Limit { what: format!("blob {digest}"), name, limit }.into());
        }
        let mut bytes = Vec::new();
        blob.read_to_end(&mut bytes).map_err(ocicle::Error::io(format_args!("read blob {digest}")))?;
        Ok(bytes)
    }

    /// As `ocicle check --json`.
    pub fn check(&self) -> Result<String> {
        report(&check(&self.content, &self.limits)?)
    }

    /// Hands everything to `piece`, as an `oci-archive`.
    pub fn archive(&self, piece: &Function) -> Result<()> {
        let plan = Plan::new(&self.content, What::Everything, &self.limits)?;
        let (blobs, _) = plan.blobs(&self.content)?;
        let mut out = std::io::BufWriter::with_capacity(PIECE, Pieces(piece));
        Ok(archive::write(&self.content, plan.index(), blobs, &mut out)?)
    }

    /// What was changed: the bytes of `index.json`, and pairs of a digest and a blob.
    pub fn changes(&self) -> Result<Array> {
        let found = Array::of1(&Uint8Array::from(self.content.load()?.bytes()));
        let upper = self.content.upper();
        for (digest, _) in upper.sweep()?.blobs()? {
            let pair =
                Array::of2(&digest.as_str().into(), &Uint8Array::from(&self.blob_in_memory(&digest)?[..]));
            found.push(&pair);
        }
        Ok(found)
    }

    /// Makes the changes of another worker's store in this one.
    pub fn replay(&mut self, changes: &Array) -> Result<()> {
        let bytes = |value: JsValue| Uint8Array::new(&value).to_vec();
        for pair in changes.iter().skip(1) {
            let pair = Array::from(&pair);
            let mut blob = BlobWriter::new(self.content.upper())?;
            std::io::Write::write_all(&mut blob, &bytes(pair.get(1)))
                .map_err(ocicle::Error::io("copy a blob"))?;
            blob.finish()?;
        }
        let index: Raw<Index> = Raw::parse("index.json", bytes(changes.get(0)), None)?;
        Ok(self.content.replace(&self.content.load()?.digest(), &index)?)
    }
}

/// Bytes handed over at a time.
const PIECE: usize = 1 << 20;

impl Store {
    pub(crate) fn find(&self, fragment: Option<&str>, want: Want) -> Result<Resolution> {
        self.find_in(&self.content.load()?, fragment, want)
    }

    pub(crate) fn find_in(
        &self,
        root: &Raw<Index>,
        fragment: Option<&str>,
        want: Want,
    ) -> Result<Resolution> {
        let selector: Option<Selector> = fragment.map(str::parse).transpose()?;
        Ok(resolve(&self.content, root, selector.as_ref(), want, &self.limits)?)
    }

    /// Returns the place of a blob; `None` if it is in memory or missing, or if that cannot be found out: reading it fails
    /// then, and says why.
    fn place(&self, digest: &Digest) -> Option<Place> {
        if self.content.upper().try_size(digest).ok()?.is_some() {
            return None;
        }
        match self.content.lower() {
            Lower::Layout(store) => store.try_size(digest).ok()?.map(|size| Place::File {
                path: format!("blobs/{}/{}", digest.algorithm_name(), digest.encoded()),
                size,
            }),
            Lower::Archive(archive) => archive
                .extent(digest)
                .map(|extent| Place::Range { start: extent.start, size: extent.end - extent.start }),
        }
    }

    fn blob_in_memory(&self, digest: &Digest) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if let Some(mut blob) = self.content.upper().try_open(digest)? {
            blob.read_to_end(&mut bytes).map_err(ocicle::Error::io("copy a blob"))?;
        }
        Ok(bytes)
    }
}

impl Lower {
    fn get(&self) -> &dyn Reading {
        match self {
            Self::Layout(store) => store,
            Self::Archive(store) => store,
        }
    }
}

trait Reading: BlobRead + RootIndex {}

impl<T: BlobRead + RootIndex> Reading for T {}

impl BlobRead for Lower {
    fn try_open(&self, digest: &Digest) -> ocicle::Result<Option<Box<dyn ReadSeek + '_>>> {
        self.get().try_open(digest)
    }

    fn try_size(&self, digest: &Digest) -> ocicle::Result<Option<u64>> {
        self.get().try_size(digest)
    }
}

impl RootIndex for Lower {
    fn load(&self) -> ocicle::Result<Raw<Index>> {
        self.get().load()
    }

    fn replace(&self, expected: &Digest, new: &Raw<Index>) -> ocicle::Result<()> {
        self.get().replace(expected, new)
    }
}
