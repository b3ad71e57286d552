#![allow(clippy::unwrap_used, reason = "tests may")]

use super::*;
use crate::{
    hash::digest_of,
    image::testing::{image, layer, overwrite, tag},
    limits::Limits,
    spec::{
        Annotations, Compression, History, ImageConfig, MediaType, REF_NAME,
        media_type::{EMPTY, INDEX, MANIFEST},
    },
    store::{BlobRead, Repository, RootIndex, RootIndexExt as _, memory::MemoryStore, put_document},
    tree::testing::file,
};

/// Returns the findings, as text.
fn findings(store: &Repository<MemoryStore>) -> Vec<String> {
    findings_within(store, &Limits::default())
}

fn findings_within(store: &Repository<MemoryStore>, limits: &Limits) -> Vec<String> {
    store.with_limits(*limits).check().unwrap().findings.iter().map(ToString::to_string).collect()
}

/// Returns the warnings, as text.
fn warnings(store: &Repository<MemoryStore>) -> Vec<String> {
    store.check().unwrap().warnings.iter().map(ToString::to_string).collect()
}

fn two_layers(store: &Repository<MemoryStore>) -> Image {
    image(store, &[&[file("a", "1")], &[file("b", "2")]])
}

/// Stores an image tagged `t` after edits of its config and its manifest.
fn edited(
    store: &Repository<MemoryStore>,
    config: impl FnOnce(&mut ImageConfig),
    manifest: impl FnOnce(&mut Manifest),
) -> Image {
    let mut image = two_layers(store);
    let mut view = image.config.view().clone();
    config(&mut view);
    image.config = Raw::new(view).unwrap();
    let mut view = image.manifest.view().clone();
    view.config = put_document(store.store(), &image.config, &view.config.media_type).unwrap();
    manifest(&mut view);
    image.manifest = Raw::new(view).unwrap();
    image.descriptor = put_document(store.store(), &image.manifest, &MediaType::literal(MANIFEST)).unwrap();
    tag(store, "t", &image.descriptor);
    image
}

fn index_of(store: &Repository<MemoryStore>, manifests: Vec<Descriptor>) -> Descriptor {
    let index = Index {
        schema_version: 2,
        media_type: Some(MediaType::literal(INDEX)),
        artifact_type: None,
        manifests,
        subject: None,
        annotations: Annotations::new(),
    };
    put_document(store.store(), &Raw::new(index).unwrap(), &MediaType::literal(INDEX)).unwrap()
}

fn absent() -> Digest {
    digest_of(crate::digest::Algorithm::Sha256, b"absent")
}

#[test]
fn a_healthy_store_has_no_findings() {
    let store = Repository::in_memory().unwrap();
    let report = store.check().unwrap();
    assert_eq!((report.blobs, report.layers, report.findings.len()), (0, 0, 0));
    let mut image = two_layers(&store);
    image.descriptor.platform = Some("linux/amd64".parse().unwrap());
    let inner = index_of(&store, vec![image.descriptor.clone()]);
    let outer = index_of(&store, vec![inner, image.descriptor.clone()]);
    tag(&store, "nested", &outer);
    tag(&store, "bare", &image.descriptor);
    // Two indexes, one manifest, one config, two layers, each once.
    let report = store.check().unwrap();
    assert_eq!((report.blobs, report.layers, report.findings.len()), (6, 2, 0));
}

#[test]
fn an_artifact_and_a_blob_of_another_type_are_verified_as_blobs() {
    let store = Repository::in_memory().unwrap();
    let image = edited(&store, |_| {}, |manifest| manifest.config.media_type = MediaType::literal(EMPTY));
    assert_eq!(findings(&store), [""; 0]);
    let odd = Descriptor {
        media_type: "application/x-odd".parse().unwrap(),
        ..image.manifest.view().layers[0].clone()
    };
    tag(&store, "odd", &odd);
    assert_eq!(findings(&store), [""; 0]);
    overwrite(&store, &odd.digest, b"forged");
    let found = findings(&store);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("pos=0 layer 1: blob sha256:"), "{found:?}");
}

#[test]
fn missing_blobs() {
    let store = Repository::in_memory().unwrap();
    let lost = |descriptor: &mut Descriptor| descriptor.digest = absent();
    edited(&store, |_| {}, |manifest| lost(&mut manifest.layers[1]));
    let missing = format!("blob {} is not in the store", absent());
    assert_eq!(findings(&store), [format!("pos=0 layer 2: {missing}")]);

    // Without its config, the layers are verified all the same.
    let image = edited(&store, |_| {}, |manifest| lost(&mut manifest.config));
    assert_eq!(findings(&store), [format!("pos=0 config: {missing}")]);
    overwrite(&store, &image.manifest.view().layers[0].digest, b"x");
    assert_eq!(findings(&store).len(), 2);

    let store = Repository::in_memory().unwrap();
    tag(&store, "i", &Descriptor::new(MediaType::literal(INDEX), absent(), 5));
    let nested = Descriptor::new(MediaType::literal(MANIFEST), absent(), 5);
    let index = index_of(&store, vec![nested]);
    tag(&store, "m", &index);
    // An entry of an index may be elsewhere.
    assert_eq!(findings(&store), [format!("pos=0: {missing}")]);
    let report = store.check().unwrap();
    assert_eq!(report.warnings[0].to_string(), "pos=1//pos=0: is not in the store: this index is sparse");
}

/// A store that fails to open one of its blobs, or to read it.
struct Failing<'a> {
    store: &'a MemoryStore,
    blob: &'a Digest,
    when: When,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Open,
    Read,
}

/// Returns the error of a system without free file descriptors.
fn too_many_files() -> io::Error {
    io::Error::from_raw_os_error(24)
}

impl BlobRead for Failing<'_> {
    fn try_open(&self, blob: &Descriptor) -> Result<Option<Box<dyn Read + Send + '_>>> {
        match self.when {
            _ if blob.digest != *self.blob => self.store.try_open(blob),
            When::Open => Err(Error::io("open blob")(too_many_files())),
            When::Read => Ok(Some(Box::new(Broken))),
        }
    }

    fn try_size(&self, blob: &Descriptor) -> Result<Option<u64>> {
        self.store.try_size(blob)
    }
}

impl RootIndex for Failing<'_> {
    fn load(&self) -> Result<Raw<Index>> {
        self.store.load()
    }

    fn replace(&self, expected: &Digest, new: &Raw<Index>) -> Result<()> {
        self.store.replace(expected, new)
    }
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(too_many_files())
    }
}

#[test]
fn an_error_of_the_system_is_not_a_finding() {
    let store = Repository::in_memory().unwrap();
    let image = two_layers(&store);
    tag(&store, "t", &index_of(&store, vec![image.descriptor.clone()]));
    let mut artifact = image.manifest.view().clone();
    artifact.config.media_type = MediaType::literal(EMPTY);
    let artifact = Raw::new(artifact).unwrap();
    tag(&store, "a", &put_document(store.store(), &artifact, &MediaType::literal(MANIFEST)).unwrap());
    let root = store.index().unwrap();
    let manifest = image.manifest.view();
    let blobs = root.view().manifests.iter().chain([&image.descriptor, &manifest.config]);
    for blob in blobs.chain(&manifest.layers) {
        for when in [When::Open, When::Read] {
            let failing = Failing { store: store.store(), blob: &blob.digest, when };
            let result = store.with_store(failing).check();
            let error = result.map(|report| report.findings).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Io, "{when:?} {}: {error}", blob.media_type);
        }
    }
}

#[test]
fn sizes_and_digests() {
    let store = Repository::in_memory().unwrap();
    let image = edited(&store, |_| {}, |manifest| manifest.layers[0].size += 1);
    let [layer, other] = &image.manifest.view().layers[..] else { panic!("two layers") };
    let size = format!("size mismatch: expected {}, actual {}", layer.size, layer.size - 1);
    let found = findings(&store);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("pos=0 layer 1: ") && found[0].ends_with(&size), "{found:?}");

    // Same size, other content: a valid layer, but another one.
    let store = Repository::in_memory().unwrap();
    let whole = edited(&store, |_| {}, |_| {});
    assert_eq!(&whole.manifest.view().layers[1], other);
    let mut bytes = Vec::new();
    store.store().try_open(other).unwrap().unwrap().read_to_end(&mut bytes).unwrap();
    bytes[4] ^= 1; // the time in the header of gzip, which nothing else depends on
    overwrite(&store, &other.digest, &bytes);
    let found = findings(&store);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("pos=0 layer 2: ") && found[0].contains("digest mismatch"), "{found:?}");
}

#[test]
fn documents_that_do_not_match_their_descriptor() {
    let store = Repository::in_memory().unwrap();
    let image = edited(&store, |_| {}, |_| {});
    overwrite(&store, &image.manifest.view().config.digest, b"{}");
    let found = findings(&store);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("pos=0 config: ") && found[0].contains("size mismatch"), "{found:?}");
    overwrite(&store, &image.descriptor.digest, &vec![b' '; image.manifest.bytes().len()]);
    let found = findings(&store);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("pos=0: ") && found[0].contains("digest mismatch"), "{found:?}");
}

#[test]
fn diff_ids() {
    let store = Repository::in_memory().unwrap();
    edited(&store, |config| config.rootfs.diff_ids[1] = absent(), |_| {});
    let found = findings(&store);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("pos=0 layer 2: "), "{found:?}");
    assert!(found[0].contains(&format!("diff_id mismatch: expected {}", absent())), "{found:?}");
}

#[test]
fn counts_of_diff_ids_and_history() {
    let store = Repository::in_memory().unwrap();
    edited(&store, |config| drop(config.rootfs.diff_ids.pop()), |_| {});
    assert_eq!(findings(&store), ["pos=0: the manifest has 2 layers, the config 1 diff_ids"]);

    for (history, found) in [
        (None, None),
        (Some(vec![]), Some(0)),
        (Some(vec![History::default(); 3]), Some(3)),
        (Some(vec![History { empty_layer: Some(true), ..History::default() }, History::default()]), Some(1)),
        (Some(vec![History { empty_layer: Some(false), ..History::default() }, History::default()]), None),
    ] {
        let store = Repository::in_memory().unwrap();
        edited(&store, |config| config.history = history, |_| {});
        let expected = found.map(|made| format!("pos=0: the manifest has 2 layers, the history {made}"));
        assert_eq!(findings(&store), [""; 0]);
        assert_eq!(warnings(&store), Vec::from_iter(expected));
    }
}

#[test]
fn platforms_that_contradict() {
    for (stated, wrong) in
        [("linux/amd64", false), ("linux/x86_64", false), ("linux/arm64", true), ("windows/amd64", true)]
    {
        let store = Repository::in_memory().unwrap();
        let mut image = two_layers(&store);
        image.descriptor.platform = Some(stated.parse().unwrap());
        tag(&store, "i", &index_of(&store, vec![image.descriptor]));
        let expected = format!("pos=0//pos=0: platform {stated} in the index, linux/amd64 in the config");
        assert_eq!(findings(&store), Vec::from_iter(wrong.then_some(expected)));
        assert_eq!(warnings(&store), [""; 0]);
    }
}

#[test]
fn a_variant_that_the_config_lacks_is_a_warning() {
    for (variant, wrong) in [(None, false), (Some("v3"), true)] {
        let store = Repository::in_memory().unwrap();
        let mut image = edited(&store, |config| config.variant = variant.map(str::to_owned), |_| {});
        image.descriptor.platform = Some("linux/amd64/v2".parse().unwrap());
        store.store().update(|root| root.remove(0)).unwrap();
        tag(&store, "i", &index_of(&store, vec![image.descriptor]));
        let problem = "pos=0//pos=0: platform linux/amd64/v2 in the index, linux/amd64";
        let found = if wrong { findings(&store) } else { warnings(&store) };
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(problem), "{found:?}");
        assert_eq!(
            (findings(&store).len(), warnings(&store).len()),
            (usize::from(wrong), usize::from(!wrong))
        );
    }
}

/// The second description of a blob may be wrong although the first is right.
#[test]
fn each_description_of_a_blob_is_verified() {
    let other = |change: fn(&mut Descriptor)| {
        let store = Repository::in_memory().unwrap();
        let image = edited(
            &store,
            |config| {
                let first = config.rootfs.diff_ids[0].clone();
                config.rootfs.diff_ids.push(first);
            },
            |manifest| {
                let mut second = manifest.layers[0].clone();
                change(&mut second);
                manifest.layers.push(second);
            },
        );
        let entry = image.manifest.view().layers[2].clone();
        tag(&store, "blob", &entry);
        let found = findings(&store);
        (found.len(), found.join("\n"))
    };
    assert_eq!(other(|_| {}), (0, String::new()));
    let (count, found) = other(|layer| layer.size += 1);
    assert!(count == 2 && found.starts_with("pos=0 layer 3: ") && found.contains("\npos=1: "), "{found}");
    assert!(found.contains("size mismatch"), "{found}");
    let (count, found) = other(|layer| layer.data = Some("e30=".into()));
    assert!(count == 2 && found.contains("size mismatch"), "{found}");
}

#[test]
fn a_layer_of_another_compression_than_its_type_is_read_with_a_warning() {
    let store = Repository::in_memory().unwrap();
    let zstd = MediaType::layer(Compression::Zstd);
    let image = edited(&store, |_| {}, |manifest| manifest.layers[1].media_type = zstd);
    let found = warnings(&store);
    assert_eq!(found.len(), 1, "{found:?}");
    let problem = "pos=0 layer 2: compression is gzip, although the media type is application/vnd.oci.image";
    assert!(found[0].starts_with(problem), "{found:?}");
    assert_eq!(findings(&store), [""; 0]);
    let look = crate::image::look::Look::inside(&store, &image).unwrap();
    assert_eq!(look.tree.len(), 3);
}

#[test]
fn a_foreign_layer_that_is_absent_is_a_warning() {
    let store = Repository::in_memory().unwrap();
    let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip".parse().unwrap();
    edited(
        &store,
        |_| {},
        |manifest| {
            let layer = &mut manifest.layers[0];
            (layer.media_type, layer.digest) = (foreign, absent());
            layer.urls = vec!["https://example.com/layer".into()];
        },
    );
    assert_eq!(findings(&store), [""; 0]);
    let expected = "pos=0 layer 1: is not in the store; its descriptor has the URL https://example.com/layer";
    assert_eq!(warnings(&store), [expected]);
}

#[test]
fn layers_of_an_unknown_type_are_verified_as_blobs() {
    let store = Repository::in_memory().unwrap();
    let odd: MediaType = "application/x-odd".parse().unwrap();
    let image = edited(&store, |_| {}, |manifest| manifest.layers[0].media_type = odd);
    let expected = "pos=0 layer 1: unsupported layer media type application/x-odd: verified as a blob";
    assert_eq!((findings(&store), warnings(&store)), (vec![], vec![expected.into()]));
    overwrite(&store, &image.manifest.view().layers[0].digest, b"forged");
    let found = findings(&store);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("mismatch"), "{found:?}");
}

#[test]
fn a_layer_that_is_not_an_archive() {
    let store = Repository::in_memory().unwrap();
    let archive = layer(&store, &[file("a", "1")], Compression::None);
    let mut content = Vec::new();
    store.store().try_open(&archive.descriptor).unwrap().unwrap().read_to_end(&mut content).unwrap();
    content.iter_mut().take(512).for_each(|byte| *byte = b'!');
    let digest = digest_of(crate::digest::Algorithm::Sha256, &content);
    overwrite(&store, &digest, &content);
    edited(
        &store,
        |config| config.rootfs.diff_ids[0] = digest.clone(),
        |manifest| {
            manifest.layers[0] =
                Descriptor::new(MediaType::layer(Compression::None), digest.clone(), content.len() as u64);
        },
    );
    let found = findings(&store);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("pos=0 layer 1: "), "{found:?}");
}

#[test]
fn a_tag_that_is_used_twice() {
    let store = Repository::in_memory().unwrap();
    let image = two_layers(&store);
    let mut entry = image.descriptor;
    entry.annotations.insert(REF_NAME.into(), "t".into());
    store.store().update(|root| root.push(&entry)?.push(&entry)?.push(&entry)).unwrap();
    let problem = "the ref name \"t\" is used more than once";
    assert_eq!(findings(&store), [""; 0]);
    assert_eq!(warnings(&store), [format!("pos=1: {problem}"), format!("pos=2: {problem}")]);
}

#[test]
fn objects_over_the_limits_are_reported_as_unchecked() {
    let store = Repository::in_memory().unwrap();
    let image = two_layers(&store);
    let inner = index_of(&store, vec![image.descriptor.clone()]);
    tag(&store, "i", &index_of(&store, vec![inner]));
    tag(&store, "m", &image.descriptor);
    let problem = "not checked: more than the limits on depth or descriptors allow";
    for (depth, place) in [(1, Some("pos=0//pos=0")), (2, Some("pos=0//pos=0//pos=0")), (3, None)] {
        let limits = Limits { depth, ..Limits::default() };
        let expected = place.map(|place| format!("{place}: {problem}"));
        assert_eq!(findings_within(&store, &limits), Vec::from_iter(expected), "{depth}");
    }
    for (descriptors, place) in [(2, Some("pos=0//pos=0//pos=0")), (3, Some("pos=1")), (4, None)] {
        let limits = Limits { descriptors, ..Limits::default() };
        let found = findings_within(&store, &limits);
        assert_eq!(found.first(), place.map(|place| format!("{place}: {problem}")).as_ref(), "{descriptors}");
    }
}

#[test]
fn unusual_but_valid_images_cause_warnings() {
    let store = Repository::in_memory().unwrap();
    let blank =
        crate::image::edit::blank(&store, &"linux/amd64".parse().unwrap(), "2020-01-01T00:00:00Z").unwrap();
    tag(&store, "t", &blank);
    let report = store.check().unwrap();
    assert_eq!(report.findings, []);
    let warnings: Vec<String> = report.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with("pos=0: ") && warnings[0].contains("layer"), "{warnings:?}");
}
