#![allow(clippy::unwrap_used, reason = "tests may")]

use std::io::{Cursor, Read, Write as _};

use super::{
    Description, ExportDepth, Form, ListingDiff, SamePlatform, Sources, add_roots, build, export, merge,
};
use crate::{
    error::{Error, Result},
    graph::{
        resolve::Want,
        testing::{self, store as tree},
    },
    limits::Limits,
    spec::{Descriptor, Index, Manifest, MediaType, Raw, media_type::INDEX},
    store::{
        BlobRead as _, BlobWriter, Repository, RootIndex as _, RootIndexExt as _, memory::MemoryStore,
        overlay::Overlay,
    },
};

/// The sources of these tests: `#SELECTOR` in the store, and files that contain their own names.
struct Here<'a>(&'a Repository<MemoryStore>, Raw<Index>);

impl Sources for Here<'_> {
    fn object(&mut self, reference: &str) -> Result<Descriptor> {
        let selector = match reference.strip_prefix('#') {
            Some(selector) => selector.to_owned(),
            None => format!("digest={reference}"),
        };
        let found = self.0.resolve_in(&self.1, &selector.parse()?, Want::Any)?;
        Ok(found.target().clone())
    }

    fn file(&mut self, path: &str) -> Result<Box<dyn Read + '_>> {
        Ok(Box::new(Cursor::new(path.as_bytes().to_vec())))
    }
}

/// Returns the tree of these tests, with its index.
fn store() -> (Repository<MemoryStore>, Raw<Index>) {
    let (store, root) = tree();
    store.store().update(|_| Ok::<_, Error>(root.clone())).unwrap();
    (store, root)
}

fn apply(
    store: &Repository<MemoryStore>,
    root: &Raw<Index>,
    description: &Description,
) -> Result<Raw<Index>> {
    let roots = build(store, description, &mut Here(store, root.clone()))?;
    add_roots(root, &roots)
}

fn described(text: &str) -> Description {
    serde_json::from_str(text).unwrap()
}

fn refusal(text: &str) -> String {
    let (store, root) = store();
    apply(&store, &root, &described(text)).unwrap_err().to_string()
}

#[test]
fn exported_descriptions_rebuild_the_same_bytes() {
    for depth in [ExportDepth::Entries, ExportDepth::Blobs] {
        let (store, root) = store();
        // An absent object cannot be spelled out.
        let absent = |entry: &Descriptor| store.store().try_size(entry).unwrap().is_none();
        let at = root.view().manifests.iter().position(absent).unwrap();
        let root = root.remove(at).unwrap();
        let description = export(&store, &root.view().manifests, depth).unwrap();
        let text = serde_json::to_string(&description).unwrap();
        assert_eq!(described(&text), description);
        let empty = root.view().manifests.iter().try_fold(root.clone(), |root, _| root.remove(0)).unwrap();
        let again = apply(&store, &empty, &description).unwrap();
        assert_eq!(again.view().manifests, root.view().manifests);
        // Adding the same again changes nothing.
        assert_eq!(apply(&store, &root, &description).unwrap().view().manifests, root.view().manifests);
    }
}

#[test]
fn a_tree_of_several_levels_is_made() {
    let (store, root) = store();
    let text = r##"{"root": [{
        "tag": "new", "annotations": {"a": "b"},
        "index": {"annotations": {"of": "index"}, "manifests": [
            {"from": "#v2"},
            {"index": {"manifests": [{"from": "#v2", "annotations": {"again": "1"}, "data": "embed"}]}},
            {"name": "sbom", "manifest": {"artifact_type": "application/spdx+json", "subject": "#v2",
                "layers": [{"blob": {"text": "{}"}, "media_type": "application/spdx+json"}]}},
            {"manifest": {"artifact_type": "application/x.signature", "subject": "@sbom",
                "layers": [{"blob": {"file": "signature"}, "media_type": "application/x.signature"}]}}
        ]}
    }]}"##;
    let after = apply(&store, &root, &described(text)).unwrap();
    assert_eq!(apply(&store, &root, &described(text)).unwrap().bytes(), after.bytes());
    assert_eq!(after.view().manifests.len(), root.view().manifests.len() + 1);
    // Spelled out, it is rebuilt from its leaves.
    let entry = after.view().manifests.last().unwrap();
    let deep = export(&store, std::slice::from_ref(entry), ExportDepth::Blobs).unwrap();
    let again = deep.root[0].index.as_ref().unwrap();
    assert!(again.manifests[1].index.is_some() && again.manifests[3].manifest.is_some());
    assert_eq!(apply(&store, &root, &deep).unwrap().bytes(), after.bytes());
    let listing = store.list_in(&after, None).unwrap();
    let new = listing.entries.last().unwrap();
    assert_eq!((new.tag.as_deref(), new.annotations["a"].as_str(), new.entries.len()), (Some("new"), "b", 4));
    let [image, below, sbom, signature] = &new.entries[..] else { panic!("four") };
    assert_eq!(below.entries[0].digest, image.digest);
    assert!(image.platform.is_some() && image.annotations.is_empty());
    assert_eq!(sbom.subject.as_ref(), Some(&image.digest));
    assert_eq!(signature.subject.as_ref(), Some(&sbom.digest));
    assert!(image.referrers.contains(&sbom.digest));
    assert_eq!(sbom.artifact_type.as_ref().unwrap().as_str(), "application/spdx+json");
    let index: Raw<Index> = store.document(after.view().manifests.last().unwrap()).unwrap();
    assert_eq!(index.view().annotations["of"], "index");
    let signature = crate::hash::digest_of(crate::digest::Algorithm::Sha256, b"signature");
    let signature = Descriptor::new("text/plain".parse().unwrap(), signature, 9);
    assert!(store.store().try_size(&signature).unwrap().is_some());
}

#[test]
fn os_versions_are_kept() {
    let store = Repository::in_memory().unwrap();
    let of =
        |version: &str, salt| testing::with_platform(testing::image(&store, "windows/amd64", salt), version);
    let both =
        testing::index(&store, &[of("windows(10.0.1)/amd64", 1), of("windows(10.0.2+win32k)/amd64", 2)]);
    let root = testing::root(&store, &[testing::tagged(both, "v1")]);
    let made = export(&store, &root.view().manifests, ExportDepth::Blobs).unwrap();
    let made = apply(&store, &root, &made).unwrap();
    let made = store.list_in(&made, None).unwrap();
    let platforms: Vec<_> =
        made.entries[0].entries.iter().map(|entry| entry.platform.as_ref().unwrap().to_string()).collect();
    assert_eq!(platforms, ["windows(10.0.1)/amd64", "windows(10.0.2+win32k)/amd64"]);
}

#[test]
fn every_contradiction_names_both_sides() {
    for (text, part) in [
        (
            r##"{"root":[{"tag":"a","from":"#v2"},{"tag":"a","from":"#v1"}]}"##,
            "root[1]: the tag a is that of root[0], too",
        ),
        (r##"{"root":[{"tag":"a b","from":"#v2"}]}"##, "root[0]: \"a b\" is not a tag"),
        (r#"{"root":[{"tag":"a"}]}"#, "root[0]: expected one of from, index, manifest and blob, found none"),
        (r##"{"root":[{"from":"#v2","index":{"manifests":[]}}]}"##, "found from and index"),
        (
            r##"{"root":[{"index":{"manifests":[{"tag":"x","from":"#v2"}]}}]}"##,
            "root[0].index.manifests[0]: the tag x is for entries of the root only",
        ),
        (
            r##"{"root":[{"index":{"manifests":[{"from":"#v2"},{"from":"#v2"}]}}]}"##,
            "is root[0].index.manifests[0], too; to keep both, set duplicates",
        ),
        (
            r##"{"root":[{"from":"#v2","platform":"linux/s390x"}]}"##,
            "platform linux/s390x contradicts the config (linux/",
        ),
        (
            r##"{"root":[{"from":"#v2","expect":"sha256:0000000000000000000000000000000000000000000000000000000000000000"}]}"##,
            "expected sha256:0000",
        ),
        (
            r#"{"root":[{"name":"a","index":{"manifests":[{"from":"@b"}]}},{"name":"b","index":{"manifests":[{"from":"@a"}]}}]}"#,
            "a circle: @a → @b → @a",
        ),
        (r#"{"root":[{"from":"@absent"}]}"#, "@absent not found ("),
        (
            r##"{"root":[{"name":"a","from":"#v2"},{"name":"a","from":"#v1"}]}"##,
            "the name \"a\" is that of root[0], too",
        ),
        (r##"{"root":[{"from":"#absent"}]}"##, "nothing matches \"absent\""),
        (
            r#"{"root":[{"from":"sha256:0000000000000000000000000000000000000000000000000000000000000000","media_type":"a/b"}]}"#,
            "blob sha256:0000",
        ),
        (
            r##"{"root":[{"from":"#v2","media_type":"a/b"}]}"##,
            "the media_type is a/b, but #v2 is of application/vnd.oci",
        ),
        (r#"{"root":[{"blob":{},"media_type":"a/b"}]}"#, "one of file and text"),
        (r#"{"root":[{"blob":{"text":"","file":""},"media_type":"a/b"}]}"#, "one of file and text"),
        (r#"{"root":[{"blob":{"text":""}}]}"#, "needs a media_type"),
        (r#"{"root":[{"manifest":{}}]}"#, "needs an artifact_type"),
        (r##"{"root":[{"from":"#v2","platform":"linux"}]}"##, "linux"),
        (r##"{"root":[{"from":"#v2","annotations":{"":"x"}}]}"##, "an annotation with the name \"\""),
    ] {
        let message = refusal(text);
        assert!(message.contains(part), "{text}: {message}");
    }
    for (text, part) in [
        (r##"{"root":[{"from":"#v2","colour":"red"}]}"##, "unknown field `colour`"),
        (r#"{"roots":[]}"#, "unknown field `roots`"),
        (r##"{"root":[{"from":"#v2","media_type":"no type"}]}"##, "invalid media type"),
        (r##"{"root":[{"from":"#v2","data":"link"}]}"##, "expected `embed`"),
    ] {
        let message = serde_json::from_str::<Description>(text).unwrap_err().to_string();
        assert!(message.contains(part), "{text}: {message}");
    }
}

#[test]
fn equal_platforms_are_refused_unless_allowed() {
    let text = |more: &str| {
        format!(
            r##"{{"root":[{{"tag":"x","index":{{{more}"manifests":[
                {{"from":"#v2","platform":"linux/arm64","platform_override":true}},
                {{"from":"#v1","platform":"linux/aarch64/v8","platform_override":true}}]}}}}]}}"##
        )
    };
    let message = refusal(&text(""));
    assert!(
        message.contains("linux/aarch64/v8 is the platform of root[0].index.manifests[0], too"),
        "{message}"
    );
    let (store, root) = store();
    apply(&store, &root, &described(&text("\"duplicates\":\"allow\","))).unwrap();
}

#[test]
fn changes_are_listed_before_they_are_made() {
    let (store, root) = store();
    let scratch = Overlay::new(store.store(), MemoryStore::new().unwrap(), &Limits::default());
    let scratch = Repository::new(scratch, Limits::default());
    let description = described(
        r##"{"root":[{"tag":"v2","index":{"manifests":[{"from":"#v2"}]}},{"tag":"new","from":"#v1"}]}"##,
    );
    let roots = build(&scratch, &description, &mut Here(&store, root.clone())).unwrap();
    let after = add_roots(&root, &roots).unwrap();
    let changes =
        ListingDiff::between(&store.list_in(&root, None).unwrap(), &scratch.list_in(&after, None).unwrap());
    let told: Vec<_> =
        changes.entries.iter().map(|entry| (entry.change.name(), entry.tag.as_deref())).collect();
    assert_eq!(told.iter().filter(|(change, _)| *change == "same").count(), root.view().manifests.len() - 1);
    assert!(told.contains(&("changed", Some("v2"))) && told.contains(&("added", Some("new"))), "{told:?}");
    assert!(!changes.is_same());
    assert_eq!(store.store().load().unwrap().bytes(), root.bytes());
}

/// Stores a document as another tool wrote it.
fn written(store: &Repository<MemoryStore>, text: &str, of: &Descriptor) -> Descriptor {
    let mut blob = BlobWriter::new(store.store(), of.media_type.clone()).unwrap();
    blob.write_all(text.as_bytes()).unwrap();
    blob.finish().unwrap()
}

#[test]
fn indented_documents_are_spelled_out() {
    let store = Repository::in_memory().unwrap();
    let image = testing::image(&store, "linux/amd64", 1);
    let manifest: Raw<Manifest> = store.document(&image).unwrap();
    let manifest = Manifest { media_type: Some(image.media_type.clone()), ..manifest.view().clone() };
    let pretty = serde_json::to_string_pretty(&manifest).unwrap();
    let compact = serde_json::to_string(&manifest).unwrap();
    for (text, form) in [
        (compact.clone(), Form::default()),
        (format!("{compact}\n"), Form { indent: 0, line_end: true }),
        (pretty.clone(), Form { indent: 2, line_end: false }),
        (format!("{pretty}\n"), Form { indent: 2, line_end: true }),
        (pretty.replace("  ", "    "), Form { indent: 4, line_end: false }),
    ] {
        let index = Descriptor::new(MediaType::literal(INDEX), image.digest.clone(), 0);
        let outer = written(&store, &index_text(&store, &text, &image), &index);
        let made = export(&store, std::slice::from_ref(&outer), ExportDepth::Blobs).unwrap();
        let spelled = made.root[0].index.as_ref().unwrap();
        assert_eq!((spelled.form, spelled.duplicates), (Form { indent: 2, line_end: false }, None));
        assert_eq!(spelled.manifests[0].manifest.as_ref().unwrap().form, form);
        let root = store.store().load().unwrap();
        assert_eq!(apply(&store, &root, &made).unwrap().view().manifests, [outer]);
    }
    // Other white space cannot be described.
    let odd = written(&store, &compact.replace(',', ", "), &image);
    assert!(export(&store, &[odd], ExportDepth::Blobs).unwrap().root[0].from.is_some());
}

/// Returns an indented index of a manifest with this text.
fn index_text(store: &Repository<MemoryStore>, manifest: &str, of: &Descriptor) -> String {
    serde_json::to_string_pretty(&Index::new(vec![written(store, manifest, of)])).unwrap()
}

#[test]
fn merged_indexes_have_the_annotations_of_all() {
    let store = Repository::in_memory().unwrap();
    let annotated = |platform: &str, annotations: &[(&str, &str)]| {
        let mut index = Index::new(vec![testing::image(&store, platform, 1)]);
        index.annotations.extend(annotations.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let index = Raw::new(index).unwrap();
        written(
            &store,
            std::str::from_utf8(index.bytes()).unwrap(),
            &index.descriptor(&MediaType::literal(INDEX)),
        )
    };
    let sources = [
        annotated("linux/amd64", &[("a", "1"), ("b", "1")]),
        annotated("linux/arm64", &[("b", "2"), ("a", "1"), ("c", "3")]),
    ];
    let merged = merge(&store, &sources, SamePlatform::Refuse).unwrap();
    let annotations: Vec<_> = merged.index.annotations.into_iter().collect();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(annotations, [pair("a", "1"), pair("b", "1"), pair("c", "3")]);
    assert_eq!(merged.contradicted, [pair("b", "2")]);
}
