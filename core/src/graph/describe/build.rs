//! Building objects from a description.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Display,
    io::{self, Read, Write as _},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    BlobNode, Data, Description, IndexNode, ManifestNode, Node,
    rules::{check, wrong},
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    graph::{RefName, rewrite::Roots},
    spec::{
        Descriptor, ImageConfig, Index, Manifest, MediaType, Platform, Raw,
        media_type::{INDEX, MANIFEST},
    },
    store::{BlobRead, BlobWriter, Repository, Store, put_document, put_empty},
};

/// The objects and files that a description refers to.
pub trait Sources {
    /// Returns the descriptor of an object, written as in [`Node::from`], but for `@NAME`. The object and
    /// everything below it must be readable, from then on, in the store that is built in.
    ///
    /// # Errors
    /// [`Error::NotFound`], and errors of reading it.
    fn object(&mut self, reference: &str) -> Result<Descriptor>;
    /// Opens the content of a file.
    ///
    /// # Errors
    /// Errors of reading it.
    fn file(&mut self, path: &str) -> Result<Box<dyn Read + '_>>;
}

/// An entry for a root index.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Root {
    /// Its tag.
    pub tag: Option<RefName>,
    /// The entry, without the tag.
    pub descriptor: Descriptor,
}

/// Stores what a description describes. No index refers to it yet: see [`add_roots`]. Until then the store is
/// held ([`BlobWrite::hold`](crate::store::BlobWrite::hold)); what `sources` found before may be gone.
///
/// # Errors
/// [`Error::Misuse`] naming the node, for a description that contradicts itself or what it is made of; those
/// of the sources and the store.
pub fn build<S: Store>(
    repository: &Repository<S>,
    description: &Description,
    sources: &mut dyn Sources,
) -> Result<Vec<Root>> {
    let named = check(description)?;
    repository.store().hold()?;
    let mut builder = Builder { repository, sources, named, done: BTreeMap::new(), active: Vec::new() };
    let roots = description.root.iter().enumerate().map(|(number, node)| {
        let descriptor = builder.node(&format!("root[{number}]"), node, false)?;
        let tag = node.tag.as_ref().map(|tag| tag.parse()).transpose()?;
        Ok(Root { tag, descriptor })
    });
    roots.collect()
}

/// Adds entries to a root index: an entry with a tag replaces the one that had the tag, others are added
/// unless they are present.
///
/// # Errors
/// [`Error::Document`] if a tag is used more than once there.
pub fn add_roots(root: &Raw<Index>, roots: &[Root]) -> Result<Raw<Index>> {
    let (root, ()) = Roots::edit(root, |to| {
        for Root { tag, descriptor } in roots {
            match tag {
                None if to.has(descriptor) => continue,
                _ => to.push(descriptor)?,
            }
            match tag {
                Some(tag) => to.tag_last(tag)?,
                None => to.place_last()?,
            };
        }
        Ok(())
    })?;
    Ok(root)
}

struct Builder<'a, S> {
    repository: &'a Repository<S>,
    sources: &'a mut dyn Sources,
    named: BTreeMap<&'a str, (String, &'a Node)>,
    done: BTreeMap<String, Descriptor>,
    /// Names of the nodes being built.
    active: Vec<String>,
}

impl<S: Store> Builder<'_, S> {
    fn node(&mut self, at: &str, node: &Node, in_index: bool) -> Result<Descriptor> {
        if let Some(name) = &node.name {
            return self.named(at, &name.clone(), in_index);
        }
        self.make(at, node, in_index)
    }

    fn named(&mut self, at: &str, name: &str, in_index: bool) -> Result<Descriptor> {
        if let Some(done) = self.done.get(name) {
            return Ok(done.clone());
        }
        let Some((place, node)) = self.named.get(name).cloned() else {
            let names: Vec<String> = self.named.keys().map(|name| format!("@{name}")).collect();
            let there = if names.is_empty() {
                "no node has a name".into()
            } else {
                format!("names: {}", names.join(", "))
            };
            return Err(wrong(at, format_args!("@{name} not found ({there})")));
        };
        if self.active.iter().any(|active| active == name) {
            let way: Vec<String> = self.active.iter().map(|name| format!("@{name}")).collect();
            return Err(wrong(&place, format_args!("a circle: {} → @{name}", way.join(" → "))));
        }
        self.active.push(name.into());
        let made = self.make(&place, node, in_index)?;
        self.active.pop();
        self.done.insert(name.into(), made.clone());
        Ok(made)
    }

    fn make(&mut self, at: &str, node: &Node, in_index: bool) -> Result<Descriptor> {
        let mut descriptor = match node {
            Node { from: Some(from), .. } => self.from(at, node, from)?,
            Node { index: Some(index), .. } => self.index(at, index)?,
            Node { manifest: Some(manifest), .. } => self.manifest(at, manifest)?,
            Node { blob: Some(blob), .. } => self.blob(node, blob)?,
            _ => return Err(wrong(at, "no object")), // `rules::check` refused it
        };
        if let Some(expected) = &node.expect
            && *expected != descriptor.digest
        {
            return Err(wrong(at, format_args!("expected {expected}, made {}", descriptor.digest)));
        }
        descriptor.annotations.extend(node.annotations.clone());
        descriptor.urls.extend(node.urls.iter().cloned());
        if node.artifact_type.is_some() {
            descriptor.artifact_type.clone_from(&node.artifact_type);
        }
        self.platform(at, node, &mut descriptor, in_index)?;
        if let Some(Data::Embed) = node.data {
            descriptor.data = Some(STANDARD.encode(self.content(at, &descriptor)?));
        }
        Ok(descriptor)
    }

    fn from(&mut self, at: &str, node: &Node, from: &str) -> Result<Descriptor> {
        if let Some(name) = from.strip_prefix('@') {
            return self.named(at, name, false);
        }
        if let (Some(media_type), Ok(digest)) = (&node.media_type, from.parse()) {
            let mut descriptor = Descriptor::new(media_type.clone(), digest, 0);
            let size = self.repository.store().try_size(&descriptor)?;
            descriptor.size =
                size.ok_or_else(|| wrong(at, format_args!("blob {from} is not in the store")))?;
            return Ok(descriptor);
        }
        let descriptor = self.object(from)?.without_names();
        match &node.media_type {
            Some(media_type) if *media_type != descriptor.media_type => Err(wrong(
                at,
                format_args!("the media_type is {media_type}, but {from} is of {}", descriptor.media_type),
            )),
            _ => Ok(descriptor),
        }
    }

    fn index(&mut self, at: &str, index: &IndexNode) -> Result<Descriptor> {
        let (mut manifests, mut listed) = (Vec::new(), Listed::default());
        for (number, node) in index.manifests.iter().enumerate() {
            let place = format!("{at}.index.manifests[{number}]");
            let entry = self.node(&place, node, true)?;
            if index.duplicates.is_none() {
                listed.add(at, number, &entry)?;
            }
            manifests.push(entry);
        }
        let media_type = MediaType::literal(INDEX);
        let document = index.form.write(Index {
            artifact_type: index.artifact_type.clone(),
            subject: self.subject(at, index.subject.as_deref())?,
            annotations: index.annotations.clone().into_iter().collect(),
            ..Index::new(manifests)
        })?;
        let made = put_document(self.repository.store(), &document, &media_type)?;
        Ok(Descriptor { artifact_type: index.artifact_type.clone(), ..made })
    }

    fn manifest(&mut self, at: &str, manifest: &ManifestNode) -> Result<Descriptor> {
        let config = match &manifest.config {
            Some(node) => self.node(&format!("{at}.manifest.config"), node, false)?,
            None => put_empty(self.repository.store())?,
        };
        let mut layers = Vec::new();
        for (number, node) in manifest.layers.iter().enumerate() {
            layers.push(self.node(&format!("{at}.manifest.layers[{number}]"), node, false)?);
        }
        if layers.is_empty() && !config.media_type.is_config() {
            layers.push(put_empty(self.repository.store())?);
        }
        let media_type = MediaType::literal(MANIFEST);
        let document = manifest.form.write(Manifest {
            artifact_type: manifest.artifact_type.clone(),
            subject: self.subject(at, manifest.subject.as_deref())?,
            annotations: manifest.annotations.clone().into_iter().collect(),
            ..Manifest::new(config, layers)
        })?;
        let made = put_document(self.repository.store(), &document, &media_type)?;
        Ok(Descriptor { artifact_type: manifest.artifact_type.clone(), ..made })
    }

    fn blob(&mut self, node: &Node, blob: &BlobNode) -> Result<Descriptor> {
        let media_type =
            node.media_type.clone().unwrap_or_else(|| MediaType::literal("application/octet-stream"));
        let mut writer = BlobWriter::new(self.repository.store(), media_type)?;
        match (&blob.file, &blob.text) {
            (Some(path), _) => io::copy(&mut self.sources.file(path)?, &mut writer)
                .map(drop)
                .map_err(Error::io(format_args!("copy {path}")))?,
            (None, text) => writer
                .write_all(text.as_deref().unwrap_or_default().as_bytes())
                .map_err(Error::io("write a blob"))?,
        }
        writer.finish()
    }

    /// Returns the descriptor of a subject: its media type, digest and size.
    fn subject(&mut self, at: &str, reference: Option<&str>) -> Result<Option<Descriptor>> {
        let Some(reference) = reference else { return Ok(None) };
        let found = match reference.strip_prefix('@') {
            Some(name) => self.named(&format!("{at}: subject"), name, false)?,
            None => self.object(reference)?,
        };
        Ok(Some(Descriptor::new(found.media_type, found.digest, found.size)))
    }

    /// Returns the descriptor of an object; for a document that no index lists yet, its media type is read
    /// from it.
    fn object(&mut self, reference: &str) -> Result<Descriptor> {
        let found = self.sources.object(reference);
        let (Err(Error::NotFound(_)), Ok(digest)) = (&found, reference.parse::<Digest>()) else {
            return found;
        };
        let mut descriptor = Descriptor::new(MediaType::literal(MANIFEST), digest, 0);
        let Some(size) = self.repository.store().try_size(&descriptor)? else { return found };
        descriptor.size = size;
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Typed {
            media_type: MediaType,
        }
        let bytes = self.content("an object", &descriptor)?;
        match serde_json::from_slice::<Typed>(&bytes) {
            Ok(typed) => descriptor.media_type = typed.media_type,
            Err(_) => return found,
        }
        Ok(descriptor)
    }

    fn platform(&mut self, at: &str, node: &Node, to: &mut Descriptor, in_index: bool) -> Result<()> {
        let actual = config_platform(self.repository, to)?;
        match node.platform.as_deref() {
            Some("none") => to.platform = None,
            Some(text) => to.platform = Some(text.parse::<Platform>().map_err(|error| wrong(at, error))?),
            None if to.platform.is_none() && in_index => to.platform.clone_from(&actual),
            None => {}
        }
        match (&to.platform, &actual) {
            (Some(said), Some(actual)) if !node.platform_override && !fits(said, actual) => Err(wrong(
                at,
                format_args!(
                    "platform {said} contradicts the config ({actual}); to keep it, set platform_override = true"
                ),
            )),
            _ => Ok(()),
        }
    }

    fn content(&self, at: &str, of: &Descriptor) -> Result<Vec<u8>> {
        let limit = self.repository.limits().document;
        if of.size > limit {
            return Err(Error::limit(format!("{at}: content to embed"), "document", limit));
        }
        let mut bytes = Vec::new();
        self.repository
            .blob(of)?
            .read_to_end(&mut bytes)
            .map_err(Error::io(format_args!("read {}", of.digest)))?;
        Ok(bytes)
    }
}

/// Returns the platform in the config of an image.
pub(super) fn config_platform<S: BlobRead>(
    repository: &Repository<S>,
    of: &Descriptor,
) -> Result<Option<Platform>> {
    if !of.media_type.is_manifest() {
        return Ok(None);
    }
    let manifest: Raw<Manifest> = repository.document(of)?;
    let config = &manifest.view().config;
    if !config.media_type.is_config() {
        return Ok(None);
    }
    let config: Raw<ImageConfig> = repository.document(config)?;
    Ok(Some(config.view().platform()))
}

pub(super) fn fits(said: &Platform, actual: &Platform) -> bool {
    let (said, actual) = (said.normalized(), actual.normalized());
    (said.os, said.architecture, said.variant) == (actual.os, actual.architecture, actual.variant)
}

/// The entries of an index so far: their positions by digest, and by platform and artifact type.
#[derive(Default)]
pub(super) struct Listed {
    digests: HashMap<Digest, usize>,
    platforms: HashMap<(Platform, Option<MediaType>), usize>,
}

impl Listed {
    /// Adds the next entry, at the position `number`, which must differ from those before it.
    pub(super) fn add(&mut self, at: &str, number: usize, entry: &Descriptor) -> Result<()> {
        // Attestations all say that their platform is unknown.
        let platform = (!entry.annotations.contains_key("vnd.docker.reference.type"))
            .then(|| entry.platform.as_ref().map(Platform::normalized))
            .flatten();
        let key = platform.map(|platform| (platform, entry.artifact_type.clone()));
        let same = key.as_ref().and_then(|key| self.platforms.get(key));
        let twice = self.digests.get(&entry.digest);
        let place = |number: usize| format!("{at}.index.manifests[{number}]");
        let refused = |what: &dyn Display, is: &str, other: usize| {
            let other = place(other);
            let hint = "to keep both, set duplicates = \"allow\"";
            Err(wrong(&place(number), format_args!("{what} is {is}{other}, too; {hint}")))
        };
        match (twice, same, &entry.platform) {
            (Some(&twice), same, _) if same.is_none_or(|same| twice <= *same) => {
                return refused(&entry.digest, "", twice);
            }
            (_, Some(&same), Some(platform)) => return refused(platform, "the platform of ", same),
            _ => {}
        }
        self.digests.insert(entry.digest.clone(), number);
        self.platforms.extend(key.map(|key| (key, number)));
        Ok(())
    }
}
