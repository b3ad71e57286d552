//! One repository of a registry as a store.

#[cfg(feature = "parallel")]
use std::thread;
use std::{
    collections::{BTreeMap, HashMap},
    io::{self, Cursor, Read, Write},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use super::{
    Client, Credentials, Method, Request, Transport,
    access::Access,
    blob::{Ask, Remote, range_header},
    name::is_tag,
    push::{Push, check_untagged},
    upload::Upload,
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    spec::{Descriptor, Index, Manifest, MediaType, REF_NAME, Raw},
    store::{
        BlobKind, BlobRead, BlobWrite, Collect, Collector, NewBlob, Pending, ReadSeek, RootIndex,
        layout::empty_index,
    },
};

/// The bytes that are sent at a time of a blob that is larger.
const PART: usize = 8 << 20;
/// The bytes of blobs that wait in memory to be sent in one piece.
const WAITING: usize = 16 << 20;
/// Small blobs, such as configs, are kept once they were read, up to as many bytes.
const SMALL: u64 = 256 << 10;
/// The bytes of documents that are kept.
const KEPT: usize = 32 << 20;

/// The number of tags that are asked for at the same time.
#[cfg(feature = "parallel")]
const ASKING: usize = 6;

/// The tags that the root index of a repository has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Listed {
    /// All of them: each is looked at.
    All,
    /// Those of these that exist.
    Tags(Vec<String>),
    /// The object with this digest, which gets no tag.
    Digest(Digest),
}

/// One repository of a registry. The root index lists tags; to replace it is to push: blobs are sent as they
/// are written, which nobody sees, and the manifests and tags at the end, in an order that leaves no manifest
/// without its parts.
///
/// What a registry cannot keep is refused before any manifest is sent: entries without a tag, and annotations
/// of entries of the root index.
pub struct RegistryStore<T, C> {
    client: Client<T, C>,
    listed: Mutex<Listed>,
    /// The root index, since it was read.
    index: Mutex<Option<Raw<Index>>>,
    /// Manifests and indexes that are not sent yet.
    written: Mutex<BTreeMap<Digest, (MediaType, Vec<u8>)>>,
    /// The sizes of blobs that are there. A registry takes a manifest only when it has its blobs.
    there: Mutex<HashMap<Digest, u64>>,
    kept: Mutex<Kept>,
    waiting: AtomicUsize,
    edited: AtomicBool,
}

/// Documents that were read.
#[derive(Default)]
struct Kept {
    documents: HashMap<Digest, Vec<u8>>,
    bytes: usize,
}

impl<T, C> std::fmt::Debug for RegistryStore<T, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegistryStore").field("client", &self.client).finish_non_exhaustive()
    }
}

fn lock<X>(mutex: &Mutex<X>) -> MutexGuard<'_, X> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Transport, C: Credentials> RegistryStore<T, C> {
    /// Returns a repository as a store. Nothing is sent before it is used.
    pub fn new(client: Client<T, C>, listed: Listed) -> Self {
        Self {
            client,
            listed: Mutex::new(listed),
            index: Mutex::default(),
            written: Mutex::default(),
            there: Mutex::default(),
            kept: Mutex::default(),
            waiting: AtomicUsize::new(0),
            edited: AtomicBool::new(false),
        }
    }

    /// Returns the client.
    pub fn client(&self) -> &Client<T, C> {
        &self.client
    }

    /// Returns the tags that the root index has.
    pub fn listed(&self) -> Listed {
        lock(&self.listed).clone()
    }

    /// Sets the tags of the root index, which is read again.
    pub fn show(&self, listed: Listed) {
        *lock(&self.listed) = listed;
        *lock(&self.index) = None;
    }

    /// Makes blobs of another repository of the same registry blobs of this one, without sending them: those
    /// that this one lacks. Returns how many.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Io`].
    pub fn mount<'b>(&self, blobs: impl IntoIterator<Item = &'b Descriptor>, from: &str) -> Result<u64> {
        let mut mounted = 0;
        for blob in blobs {
            let is_blob = NewBlob::known(blob).kind() == BlobKind::Blob;
            if is_blob && self.try_size(blob)?.is_none() && self.client.mount(&blob.digest, from)? {
                lock(&self.there).insert(blob.digest.clone(), blob.size);
                mounted += 1;
            }
        }
        Ok(mounted)
    }

    fn fetch_index(&self) -> Result<Raw<Index>> {
        let tags = match lock(&self.listed).clone() {
            Listed::All => match self.client.tags() {
                // What is pushed first makes the repository.
                Err(Error::NotFound(_)) if self.edited.load(Ordering::Relaxed) => Vec::new(),
                tags => tags?,
            },
            Listed::Tags(tags) => tags,
            Listed::Digest(digest) => {
                let mut index = empty_index()?;
                if let Some(found) = self.manifest(digest.as_str())? {
                    index = index.push(&found)?;
                }
                return Ok(index);
            }
        };
        let tags: Vec<_> = tags.into_iter().filter(|tag| is_tag(tag)).collect();
        // One is read next; of many, few are.
        let found = match &tags[..] {
            [tag] => vec![self.manifest(tag)?],
            tags => self.look_at(tags)?,
        };
        let with_tag = |(mut descriptor, tag): (Descriptor, String)| {
            descriptor.annotations.insert(REF_NAME.into(), tag);
            descriptor
        };
        let found = found.into_iter().zip(tags).filter_map(|(found, tag)| Some((found?, tag)));
        let found: Vec<_> = found.map(with_tag).collect();
        let mut index = empty_index()?;
        if !found.is_empty() {
            index = Raw::new(Index { manifests: found, ..index.view().clone() })?;
        }
        Ok(index)
    }

    /// Returns the descriptors of tags, some asked for at the same time.
    fn look_at(&self, tags: &[String]) -> Result<Vec<Option<Descriptor>>> {
        let next = AtomicUsize::new(0);
        let found = Mutex::new(vec![None; tags.len()]);
        let work = || {
            while let Some((position, tag)) = {
                let position = next.fetch_add(1, Ordering::Relaxed);
                tags.get(position).map(|tag| (position, tag))
            } {
                let descriptor = self.client.find_manifest(tag)?;
                lock(&found)[position] = descriptor;
            }
            Ok::<_, Error>(())
        };
        #[cfg(feature = "parallel")]
        thread::scope(|scope| {
            // Where no thread can start, this one does all.
            let start = |_| thread::Builder::new().name("ask".into()).spawn_scoped(scope, work).ok();
            let started: Vec<_> = (1..ASKING.min(tags.len())).filter_map(start).collect();
            let mine = work();
            let others = started.into_iter().map(|thread| thread.join().unwrap_or(Ok(())));
            others.fold(mine, Result::and)
        })?;
        #[cfg(not(feature = "parallel"))]
        work()?;
        Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads a manifest or index, and keeps it.
    fn manifest(&self, reference: &str) -> Result<Option<Descriptor>> {
        let Some(found) = self.client.manifest(reference)? else { return Ok(None) };
        if found.descriptor.media_type.is_manifest()
            && let Ok(manifest) = Raw::<Manifest>::parse("manifest", found.bytes.clone(), None)
        {
            let manifest = manifest.view();
            let parts = std::iter::once(&manifest.config).chain(&manifest.layers);
            let own = parts.filter(|part| part.urls.is_empty());
            lock(&self.there).extend(own.map(|part| (part.digest.clone(), part.size)));
        }
        self.keep(&found.descriptor.digest, found.bytes);
        Ok(Some(found.descriptor))
    }

    fn keep(&self, digest: &Digest, bytes: Vec<u8>) {
        let mut kept = lock(&self.kept);
        if kept.bytes + bytes.len() <= KEPT {
            kept.bytes += bytes.len();
            kept.documents.insert(digest.clone(), bytes);
        }
    }

    fn document(&self, blob: &Descriptor) -> Option<Vec<u8>> {
        if let Some((_, bytes)) = lock(&self.written).get(&blob.digest) {
            return Some(bytes.clone());
        }
        lock(&self.kept).documents.get(&blob.digest).cloned()
    }

    fn ask<'a>(&'a self, digest: &Digest) -> Result<Ask<'a>> {
        let url = self.client.url(&format!("blobs/{digest}"))?;
        Ok(Box::new(move |position, most| {
            let mut request = Request::new(Method::Get, &url);
            request.headers.extend(range_header(position, most).map(|range| ("range", range)));
            let answer = self.client.read(&request, Access::Pull)?;
            match answer.response.status {
                200 | 206 | 416 => Ok(Some(answer.response)),
                404 => Ok(None),
                _ => Err(answer.failure()),
            }
        }))
    }
}

impl<T: Transport, C: Credentials> BlobRead for RegistryStore<T, C> {
    fn try_open(&self, blob: &Descriptor) -> Result<Option<Box<dyn Read + Send + '_>>> {
        if let Some(bytes) = self.document(blob) {
            return Ok(Some(Box::new(Cursor::new(bytes))));
        }
        if NewBlob::known(blob).kind() == BlobKind::Manifest {
            return match self.manifest(blob.digest.as_str())? {
                Some(_) => Ok(self.document(blob).map(|bytes| Box::new(Cursor::new(bytes)) as _)),
                None => Ok(None),
            };
        }
        let (http, name) = (&self.client.http, format!("blob {}", blob.digest));
        let Some(mut remote) = Remote::open(http, name, blob.size, self.ask(&blob.digest)?)? else {
            return Ok(None);
        };
        if blob.size > SMALL {
            return Ok(Some(Box::new(remote)));
        }
        let mut bytes = Vec::new();
        remote.read_to_end(&mut bytes).map_err(Error::io(format_args!("read blob {}", blob.digest)))?;
        if bytes.len() as u64 == blob.size {
            self.keep(&blob.digest, bytes.clone());
        }
        Ok(Some(Box::new(Cursor::new(bytes))))
    }

    fn try_size(&self, blob: &Descriptor) -> Result<Option<u64>> {
        if let Some(bytes) = self.document(blob) {
            return Ok(Some(bytes.len() as u64));
        }
        if NewBlob::known(blob).kind() == BlobKind::Manifest {
            return Ok(self.client.find_manifest(blob.digest.as_str())?.map(|found| found.size));
        }
        if let Some(size) = lock(&self.there).get(&blob.digest) {
            return Ok(Some(*size));
        }
        let found = self.client.find_blob(&blob.digest, blob.size)?;
        lock(&self.there).extend(found.map(|size| (blob.digest.clone(), size)));
        Ok(found)
    }

    fn try_seek(&self, blob: &Descriptor) -> Result<Option<Box<dyn ReadSeek + '_>>> {
        if let Some(bytes) = self.document(blob) {
            return Ok(Some(Box::new(Cursor::new(bytes))));
        }
        if NewBlob::known(blob).kind() == BlobKind::Manifest {
            return Ok(None);
        }
        let name = format!("blob {}", blob.digest);
        let ask = self.ask(&blob.digest)?;
        Ok(Some(Box::new(Remote::at_any_position(&self.client.http, name, blob.size, ask))))
    }
}

impl<T: Transport, C: Credentials> BlobWrite for RegistryStore<T, C> {
    /// Locks nothing: a registry keeps what was sent for hours at least. From now on, a repository that does
    /// not exist is an empty one.
    fn hold(&self) -> Result<()> {
        self.edited.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn begin(&self, blob: &NewBlob<'_>) -> Result<Box<dyn Pending + '_>> {
        let document = (blob.kind() == BlobKind::Manifest).then(|| blob.media_type.clone());
        Ok(Box::new(Writing { store: self, document, part: Vec::new(), upload: None }))
    }
}

/// A blob that is written.
struct Writing<'a, T: Transport, C: Credentials> {
    store: &'a RegistryStore<T, C>,
    /// The media type of a manifest or index, which is sent at the end.
    document: Option<MediaType>,
    part: Vec<u8>,
    upload: Option<Upload<'a, T, C>>,
}

impl<T: Transport, C: Credentials> Writing<'_, T, C> {
    fn send_part(&mut self) -> Result<()> {
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => none.insert(Upload::start(&self.store.client)?),
        };
        if self.part.len() >= upload.shortest() {
            upload.send(&self.part)?;
            self.forget();
        }
        Ok(())
    }

    fn forget(&mut self) {
        self.store.waiting.fetch_sub(self.part.len(), Ordering::Relaxed);
        self.part.clear();
    }
}

impl<T: Transport, C: Credentials> Write for Writing<'_, T, C> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let most = match self.document {
            Some(_) => usize::MAX,
            None => self.upload.as_ref().map_or(0, Upload::shortest).max(PART),
        };
        let some = &bytes[..bytes.len().min(most - self.part.len())];
        self.part.extend_from_slice(some);
        let waiting = self.store.waiting.fetch_add(some.len(), Ordering::Relaxed) + some.len();
        let is_large = self.part.len() >= most || waiting > WAITING && self.part.len() >= PART / 8;
        if self.document.is_none() && is_large {
            self.send_part()?;
        }
        Ok(some.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<T: Transport, C: Credentials> Drop for Writing<'_, T, C> {
    fn drop(&mut self) {
        self.forget();
    }
}

impl<T: Transport, C: Credentials> Pending for Writing<'_, T, C> {
    fn publish(mut self: Box<Self>, digest: &Digest) -> Result<()> {
        if let Some(media_type) = self.document.take() {
            let bytes = self.part.clone();
            lock(&self.store.written).insert(digest.clone(), (media_type, bytes));
            return Ok(());
        }
        match self.upload.take() {
            Some(upload) if !upload.is_fresh() => upload.finish(&self.part, digest)?,
            started => self.store.client.put_blob(started, &self.part, digest)?,
        }
        // The size was counted by who wrote it.
        Ok(())
    }
}

impl<T: Transport, C: Credentials> RootIndex for RegistryStore<T, C> {
    /// Returns the index as it was read first; see [`RegistryStore::show`].
    fn load(&self) -> Result<Raw<Index>> {
        if let Some(index) = &*lock(&self.index) {
            return Ok(index.clone());
        }
        let index = self.fetch_index()?;
        Ok(lock(&self.index).insert(index).clone())
    }

    /// Pushes the entries that are new, and removes the tags of those that are gone.
    ///
    /// # Errors
    /// [`Error::Moved`] if a tag is another image than when it was read; [`Error::Unsupported`] for what a
    /// registry cannot keep; [`Error::Refused`].
    fn replace(&self, expected: &Digest, new: &Raw<Index>) -> Result<()> {
        let old = self.load()?;
        if old.digest() != *expected {
            return Err(Error::Conflict { expected: expected.clone(), actual: old.digest() });
        }
        let plan = Push::of(old.view(), new.view())?;
        for entry in &plan.untagged {
            check_untagged(entry, &self.read(entry)?)?;
        }
        for entry in &plan.put {
            self.check_whole(entry)?;
        }
        for (tag, before) in &plan.expected {
            self.check_unmoved(tag, *before)?;
        }
        for entry in plan.put.iter().chain(&plan.untagged) {
            self.push(entry)?;
        }
        for tag in &plan.removed {
            self.client.remove_tag(tag)?;
        }
        *lock(&self.index) = Some(new.clone());
        Ok(())
    }
}

impl<T: Transport, C: Credentials> RegistryStore<T, C> {
    /// Checks that a tag is what it was when it was read, if it was.
    fn check_unmoved(&self, tag: &str, before: Option<&Digest>) -> Result<()> {
        let was_read = match &*lock(&self.listed) {
            Listed::All => true,
            Listed::Tags(tags) => tags.iter().any(|read| read == tag),
            Listed::Digest(_) => false,
        };
        if !was_read {
            return Ok(());
        }
        let now = self.client.find_manifest(tag)?.map(|now| now.digest);
        match now.as_ref() == before {
            true => Ok(()),
            false => Err(Error::Moved {
                what: format!("{}:{tag}", self.client.name()),
                expected: before.cloned(),
                actual: now,
            }),
        }
    }

    /// Reads a manifest or index.
    fn read(&self, object: &Descriptor) -> Result<Vec<u8>> {
        if let Some(bytes) = self.document(object) {
            return Ok(bytes);
        }
        let mut bytes = Vec::new();
        let blob = self.try_open(object)?.ok_or_else(|| Error::MissingBlob(object.digest.clone()))?;
        blob.take(self.client.limits.document)
            .read_to_end(&mut bytes)
            .map_err(Error::io(format_args!("read {}", object.digest)))?;
        Ok(bytes)
    }

    /// Returns the entries of an index that is to be sent.
    fn children(&self, object: &Descriptor) -> Result<Vec<Descriptor>> {
        if !object.media_type.is_index() {
            return Ok(Vec::new());
        }
        let Some((_, bytes)) = lock(&self.written).get(&object.digest).cloned() else {
            return Ok(Vec::new());
        };
        let index = Raw::<Index>::parse("index", bytes, None)?;
        Ok(index.view().manifests.clone())
    }

    /// Checks that all entries of new indexes are there or will be sent: registries refuse others, after much
    /// was sent.
    fn check_whole(&self, object: &Descriptor) -> Result<()> {
        for child in self.children(object)? {
            if self.try_size(&child)?.is_none() {
                return Err(Error::Unsupported(format!(
                    "index {} has an entry that is not there, {}: a registry takes no index without its \
                     entries\nhint: remove it from the index, or copy one platform",
                    object.digest, child.digest
                )));
            }
            self.check_whole(&child)?;
        }
        Ok(())
    }

    /// Sends an entry of the root index: what is below it first.
    fn push(&self, entry: &Descriptor) -> Result<()> {
        for child in self.children(entry)? {
            self.push_below(&child)?;
        }
        let tag = entry.ref_name().unwrap_or(entry.digest.as_str());
        let bytes = self.read(entry)?;
        self.put(tag, entry, &bytes)
    }

    fn push_below(&self, object: &Descriptor) -> Result<()> {
        for child in self.children(object)? {
            self.push_below(&child)?;
        }
        let written = lock(&self.written).get(&object.digest).map(|(_, bytes)| bytes.clone());
        match written {
            Some(bytes) => self.put(object.digest.as_str(), object, &bytes),
            None => Ok(()),
        }
    }

    fn put(&self, reference: &str, object: &Descriptor, bytes: &[u8]) -> Result<()> {
        let listed = self.client.put_manifest(reference, &object.media_type, bytes)?;
        if !listed {
            self.client.list_referrer(object, bytes)?;
        }
        lock(&self.written).remove(&object.digest);
        self.keep(&object.digest, bytes.to_vec());
        Ok(())
    }
}

/// Collecting is always [`Error::Unsupported`].
impl<T, C> Collect for RegistryStore<T, C> {
    fn collect(&self) -> Result<Box<dyn Collector + '_>> {
        Err(Error::Unsupported("a registry removes unused blobs by itself".into()))
    }
}
