//! A changed bundle becomes an image with one layer more.

use std::io::{BufReader, Read};

use super::{
    MTREE, ROOTFS, STAMPS, STATE, overlay,
    refresh::{Refresh, open_newest},
    stamps,
    state::State,
    umoci,
    unpack::Format,
};
use crate::{
    attrs::Time,
    digest::{Algorithm, Digest},
    error::{Error, Result},
    fs::{Dir, DirPosix},
    graph::{
        Resolution,
        rewrite::{self, Replaced},
    },
    hash::Sha256Read,
    image::{Image, edit::append_layer},
    layer::{
        Change, ChangeSink,
        clamp::Clamp,
        on_disk::FromDisk,
        writer::{Layer, LayerWriter},
    },
    limits::Limits,
    name::{EntryPath, Name},
    spec::{Compression, Descriptor, History},
    store::{BlobRead, BlobWrite, RootIndex, RootIndexExt as _, Store},
    tree::{
        Tree,
        diff::{Baseline, DiffOptions, DiffSummary, diff},
        emulated::{Defaults, Emulated},
        mtree,
        rootfs::Stamp,
        update::Update,
    },
};

/// A bundle that [`super::unpack::unpack`] or umoci made, with what it remembers.
#[derive(Debug)]
pub struct Bundle<'a, D> {
    pub(super) dir: &'a D,
    pub(super) format: Format,
    pub(super) state: State,
    pub(super) tree: Tree,
    pub(super) stamps: Vec<Stamp>,
    defaults: Defaults,
    limits: &'a Limits,
}

/// How to repack.
#[derive(Debug, Clone, Default)]
#[allow(clippy::exhaustive_structs, reason = "made with struct update syntax")]
pub struct Options {
    /// Compression of the new layer; `None`: that of the image's last layer, or gzip if it has none.
    pub compression: Option<Compression>,
    /// Read every file instead of trusting the stamps.
    pub verify: bool,
    /// What changed at or below these paths stays out of the layer.
    pub masked: Vec<EntryPath>,
    /// Later times in the layer become this one.
    pub latest: Option<Time>,
    /// The history entry of the new layer, if it is to have one.
    pub history: Option<History>,
    /// The bundle remembers the new image, so that the next repack goes on from there.
    pub refresh: bool,
}

/// What a repack did.
#[derive(Debug)]
#[non_exhaustive]
pub struct Repacked {
    /// The image now, and the way to it.
    pub resolution: Resolution,
    /// The new layer; `None` if nothing had changed.
    pub layer: Option<Layer>,
    /// What was found on disk.
    pub summary: DiffSummary,
    /// What is about the image that was replaced: signatures, SBOMs, attestations.
    pub referrers: Vec<Descriptor>,
    /// Why the bundle does not remember the new image, where it should. The image is there, and the bundle as it was.
    pub not_refreshed: Option<Error>,
}

impl<'a, D: DirPosix> Bundle<'a, D> {
    /// Reads what a bundle remembers, of ours or of umoci's. The store is the one it was unpacked from: umoci does not say in which
    /// slots the image was.
    ///
    /// # Errors
    /// [`Error::NotFound`] if this is no bundle; [`Error::Mismatch`] if the manifest is not the one the state was written with;
    /// [`Error::Document`]; [`Error::Io`]; for a bundle of umoci those of [`Resolution::locate`].
    pub fn open<S>(dir: &'a D, store: &S, limits: &'a Limits) -> Result<Self>
    where
        S: BlobRead + RootIndex + ?Sized,
    {
        if dir.metadata(Name::literal(STATE)).is_err()
            && let Ok(file) = dir.open_file(Name::literal(umoci::FILE))
        {
            return Self::open_umoci(dir, file, store, limits);
        }
        let state = State::from_json(&whole(open(dir, STATE)?, STATE, limits)?)?;
        let mut manifest = BufReader::new(Sha256Read::new(open(dir, MTREE)?));
        let tree = mtree::read_tree(MTREE, &mut manifest, limits)?;
        let actual = Digest::from_bytes(Algorithm::Sha256, &manifest.into_inner().finish().1);
        if actual != state.mtree {
            let (expected, actual) = (state.mtree.to_string(), actual.to_string());
            return Err(Error::Mismatch { subject: MTREE.into(), property: "digest", expected, actual });
        }
        let (format, stamps) = match state.overlay {
            None => (Format::Native, stamps::read(&tree, &mut BufReader::new(open(dir, STAMPS)?))?),
            Some(namespace) => (Format::Overlay(namespace), Vec::new()),
        };
        Ok(Self { dir, format, state, tree, stamps, defaults: Defaults::default(), limits })
    }

    /// umoci keeps no stamps: every file will be read.
    fn open_umoci<S>(dir: &'a D, file: D::File, store: &S, limits: &'a Limits) -> Result<Self>
    where
        S: BlobRead + RootIndex + ?Sized,
    {
        let meta = umoci::Meta::from_json(&whole(file, umoci::FILE, limits)?)?;
        let resolution = Resolution::locate(store, &store.load()?, meta.walk(), limits)?;
        let name = umoci::manifest_name(resolution.target())?;
        let what = name.as_name().to_string();
        let file = dir.open_file(name.as_name()).map_err(Error::io(format_args!("open {what}")))?;
        let root = dir.open_dir(Name::literal(ROOTFS)).map_err(Error::io("open rootfs"))?;
        let tree = mtree::read_umoci(&what, &mut BufReader::new(file), &root, limits)?;
        let state = State::new(resolution, meta.on_disk());
        let stamps = Vec::new();
        Ok(Self { dir, format: Format::Umoci, state, tree, stamps, defaults: Defaults::default(), limits })
    }

    /// Where the bundle came from.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Sends what changed in `rootfs/` since the bundle was unpacked, as the image would have it; see
    /// [`diff`](crate::tree::diff::diff). Of a bundle for overlayfs that is what its upper directory holds. With `verify` every file
    /// is read;
    /// what is at or below `masked` paths is not looked at.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a bundle for overlayfs whose marks cannot be seen from here; those of [`diff`](crate::tree::diff::diff).
    pub fn changes(
        &self,
        verify: bool,
        masked: &[EntryPath],
        sink: &mut dyn ChangeSink,
    ) -> Result<DiffSummary> {
        self.compare(verify, masked, false, &mut FromDisk { sink, how: &self.state.on_disk })
    }

    /// The files as they were meant, whatever the disk can hold of that.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn root(&self) -> Result<Emulated<'_, D>> {
        let root = self.dir.open_dir(Name::literal(ROOTFS)).map_err(Error::io("open rootfs"))?;
        let held = self.state.held_here(&self.dir.support());
        Ok(Emulated::new(root, held, Some(&self.tree), self.defaults))
    }

    /// Owner and mode of new files, where the disk holds neither.
    #[must_use]
    pub fn with_defaults(self, defaults: Defaults) -> Self {
        Self { defaults, ..self }
    }

    /// Sends what changed as it is on the disk.
    fn compare(
        &self,
        verify: bool,
        masked: &[EntryPath],
        learn: bool,
        sink: &mut dyn ChangeSink,
    ) -> Result<DiffSummary> {
        if let Format::Overlay(namespace) = self.format {
            if !self.dir.support().mode {
                let message = "the marks of overlayfs cannot be seen from here: repack it where they can";
                return Err(Error::Unsupported(message.into()));
            }
            return overlay::changes(self.dir, &self.tree, namespace, masked, sink, self.limits);
        }
        let root = self.root()?;
        let blind = verify || !self.dir.support().change_times;
        let stamps = if blind { &[][..] } else { &self.stamps };
        let baseline = Baseline { tree: &self.tree, stamps, settled: self.state.settled() };
        diff(baseline, &root, &DiffOptions { masked, learn, limits: *self.limits }, sink)
    }

    /// Writes what changed as a new layer on the image at `at`, and makes `to` point at the result. If nothing changed
    /// there is no layer, and `to` points at the image as it is.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the index changed in a way that `at` no longer fits; those of [`diff`](crate::tree::diff::diff), of reading the image and
    /// of writing the store. Nothing points at anything new then.
    pub fn repack<S: Store + ?Sized>(
        &self,
        store: &S,
        at: &Resolution,
        to: &rewrite::Destination,
        options: &Options,
    ) -> Result<Repacked> {
        let mut image = Image::open(store, at.target(), self.limits)?;
        let compression = options.compression.unwrap_or_else(|| last_compression(&image));
        let mut sink = Lazy { store, compression, writer: None };
        if options.refresh && matches!(self.format, Format::Overlay(_)) {
            let message = "a bundle for overlayfs cannot go on from the image it became: unpack that image";
            return Err(Error::Unsupported(message.into()));
        }
        let mut refresh = options.refresh.then(|| Refresh::begin(self)).transpose()?;
        let summary = match options.latest {
            Some(latest) => self.send(&mut Clamp { sink: &mut sink, latest }, options, refresh.as_mut())?,
            None => self.send(&mut sink, options, refresh.as_mut())?,
        };
        let layer = match sink.writer {
            None => None,
            Some(writer) => {
                let layer = writer.finish()?;
                image = append_layer(store, &image, &layer, compression, options.history.as_ref())?;
                Some(layer)
            }
        };
        let mut replaced = None;
        store.update(|root| {
            let (new, bytes) = (&image.descriptor, image.manifest.bytes());
            let done = rewrite::replace_target(store, root, at, new, bytes, to, self.limits)?;
            let root = done.root.clone();
            replaced = Some(done);
            Ok::<_, Error>(root)
        })?;
        let Some(Replaced { resolution, referrers, .. }) = replaced else {
            return Err(Error::Misuse("the index was not updated".into()));
        };
        let not_refreshed = refresh.and_then(|refresh| refresh.end(&resolution).err());
        Ok(Repacked { resolution, layer, summary, referrers, not_refreshed })
    }

    fn send(
        &self,
        sink: &mut dyn ChangeSink,
        options: &Options,
        refresh: Option<&mut Refresh<'_, D>>,
    ) -> Result<DiffSummary> {
        let Some(refresh) = refresh else { return self.changes(options.verify, &options.masked, sink) };
        let Refresh { tree, learned, .. } = refresh;
        let sink = &mut FromDisk { sink, how: &self.state.on_disk };
        let mut summary = self.compare(options.verify, &options.masked, true, &mut Update { tree, sink })?;
        *learned = std::mem::take(&mut summary.learned);
        Ok(summary)
    }
}

fn last_compression(image: &Image) -> Compression {
    let last = image.manifest.view().layers.last();
    last.and_then(|layer| layer.media_type.layer_compression()).unwrap_or(Compression::Gzip)
}

fn open<D: Dir>(dir: &D, name: &'static str) -> Result<D::File> {
    open_newest(dir, Name::literal(name)).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::NotFound(format!(
            "there is no {name}: this is not a bundle made by ocicle or umoci unpack"
        )),
        _ => Error::io(format_args!("open {name}"))(error),
    })
}

fn whole(file: impl Read, name: &str, limits: &Limits) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    file.take(limits.document).read_to_end(&mut text).map_err(Error::io(format_args!("read {name}")))?;
    Ok(text)
}

/// A layer that exists only once there is something to put into it.
struct Lazy<'a, S: ?Sized> {
    store: &'a S,
    compression: Compression,
    writer: Option<LayerWriter<'a>>,
}

impl<S: BlobWrite + ?Sized> ChangeSink for Lazy<'_, S> {
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> Result<()> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => self.writer.insert(LayerWriter::new(self.store, self.compression)?),
        };
        writer.put(change, body)
    }
}
