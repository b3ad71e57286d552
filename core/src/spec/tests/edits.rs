//! Edits change what they name, and nothing else.

use super::{LAYER_GZIP, MANIFEST, d, described, digest, literal};
use crate::{
    error::{ErrorKind, Result},
    spec::{Descriptor, History, ImageConfig, Index, Manifest, Platform, Raw, media_type},
};

/// Returns an unusual index: odd order, odd spaces, unknown fields.
fn odd_index() -> (String, Raw<Index>) {
    let name = r#"{"org.opencontainers.image.ref.name":"v\u0031"}"#;
    let platform = r#"{"os":"linux","features":["sse4"],"architecture":"amd64","variant":"v2"}"#;
    let text = format!(
        r#"{{ "manifests" : [
  {{"size":5, "x-first": [1.0,  2e0], "digest":"{one}", "mediaType":"{MANIFEST}","annotations":{name}}} ,
  {{"mediaType":"{MANIFEST}","digest":"{two}","size":7,"data":"aGVsbG8h","platform":{platform}}}
 ],
 "schemaVersion":2, "com.example.unknown": {{"deep": [null , {{ }} ]}} }}
"#,
        one = d("1"),
        two = d("2")
    );
    let index = Raw::parse("index.json", text.clone().into_bytes(), None).expect("an index");
    (text, index)
}

fn retarget(index: &Raw<Index>, pos: usize, new: &Descriptor, bytes: &[u8]) -> Result<Raw<Index>> {
    Ok(index.edit_entries(|entries| entries.retarget(pos, new, bytes))?.0)
}

fn duplicate(index: &Raw<Index>, pos: usize) -> Result<Raw<Index>> {
    Ok(index.edit_entries(|entries| entries.duplicate(pos))?.0)
}

fn text<T: crate::spec::Document>(raw: &Raw<T>) -> &str {
    std::str::from_utf8(raw.bytes()).expect("text")
}

#[test]
fn retarget_changes_three_fields() -> Result<()> {
    let (before, index) = odd_index();
    let new = Descriptor { urls: vec!["x:y".into()], ..described(media_type::INDEX, b"other content") };
    let after = retarget(&index, 0, &new, b"other content")?;
    let expected = before
        .replacen(r#""size":5"#, r#""size":13"#, 1)
        .replacen(&d("1"), digest(b"other content").as_str(), 1)
        .replacen(MANIFEST, media_type::INDEX, 1);
    assert_eq!(text(&after), expected);
    assert_eq!(retarget(&after, 0, &new, b"other content")?.bytes(), after.bytes());
    Ok(())
}

#[test]
fn embedded_content_is_embedded_again() -> Result<()> {
    let (before, index) = odd_index();
    let after = retarget(&index, 1, &described(MANIFEST, b"bye"), b"bye")?;
    let expected = before
        .replacen(r#""size":7"#, r#""size":3"#, 1)
        .replacen(&d("2"), digest(b"bye").as_str(), 1)
        .replacen("aGVsbG8h", "Ynll", 1);
    assert_eq!(text(&after), expected);
    let error = retarget(&index, 1, &described(MANIFEST, b"bye"), b"byE").expect_err("other bytes");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().starts_with("content to embed: digest mismatch"));
    Ok(())
}

#[test]
fn annotations_come_and_go() -> Result<()> {
    let (before, index) = odd_index();
    let renamed = index.annotate(0, crate::spec::REF_NAME, Some("v2"))?;
    assert_eq!(text(&renamed), before.replacen(r#""v\u0031""#, r#""v2""#, 1));
    let same = index.annotate(0, crate::spec::REF_NAME, Some("v1"))?;
    assert_eq!(text(&same), before, "spelled otherwise, but the same");
    let removed = index.annotate(0, crate::spec::REF_NAME, None)?;
    let annotations = r#","annotations":{"org.opencontainers.image.ref.name":"v\u0031"}"#;
    assert_eq!(text(&removed), before.replacen(annotations, "", 1));
    assert_eq!(index.annotate(1, "a", None)?.bytes(), index.bytes());
    let added = index.annotate(1, "a", Some("b"))?;
    assert_eq!(
        text(&added),
        before.replacen(r#""variant":"v2"}"#, r#""variant":"v2"},"annotations":{"a":"b"}"#, 1)
    );
    assert_eq!(added.annotate(1, "a", None)?.bytes(), index.bytes());
    Ok(())
}

#[test]
fn nothing_is_tidied_up_on_the_way() -> Result<()> {
    let entry = format!(
        r#"{{"mediaType":"{MANIFEST}","digest":"{}","size":1,"data":null,"annotations":{{ }}}}"#,
        digest(b"1")
    );
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{entry}]}}"#);
    let index = Raw::<Index>::parse("index.json", index.into_bytes(), None)?;
    assert_eq!(index.annotate(0, "a", None)?.bytes(), index.bytes());
    assert_eq!(retarget(&index, 0, &described(MANIFEST, b"1"), b"")?.bytes(), index.bytes());
    Ok(())
}

#[test]
fn entries_come_and_go() -> Result<()> {
    let (before, index) = odd_index();
    let twice = duplicate(&index, 0)?;
    assert_eq!(twice.view().manifests.len(), 3);
    assert_eq!(twice.view().manifests[2], twice.view().manifests[0]);
    assert_eq!(text(&twice).matches(r#""x-first": [1.0,  2e0]"#).count(), 2);
    assert_eq!(text(&twice.remove(2)?), before);
    let new = described(MANIFEST, b"x");
    let pushed = index.push(&new)?;
    assert_eq!(pushed.view().manifests.last(), Some(&new));
    assert_eq!(text(&pushed.remove(2)?), before);
    let none = index.remove(1)?.remove(0)?;
    assert!(none.view().manifests.is_empty());
    assert!(text(&none).contains(r#""com.example.unknown": {"deep": [null , { } ]}"#));
    Ok(())
}

#[test]
fn a_platform_keeps_what_it_does_not_know() -> Result<()> {
    let (before, index) = odd_index();
    let platform: Platform = "linux/arm64".parse().expect("a platform");
    let after = index.set_platform(1, &platform)?;
    let expected = before.replacen(
        r#""features":["sse4"],"architecture":"amd64","variant":"v2""#,
        r#""features":["sse4"],"architecture":"arm64""#,
        1,
    );
    assert_eq!(text(&after), expected);
    let full = Platform {
        os_version: Some("1".into()),
        os_features: vec!["f".into()],
        variant: Some("v8".into()),
        ..platform
    };
    let fresh = index.set_platform(0, &full)?;
    assert_eq!(fresh.view().manifests[0].platform.as_ref(), Some(&full));
    Ok(())
}

#[test]
fn past_the_end_is_an_error() {
    let (_, index) = odd_index();
    let new = described(MANIFEST, b"x");
    for result in [
        retarget(&index, 2, &new, b"x"),
        index.annotate(2, "a", None),
        duplicate(&index, 2),
        index.remove(usize::MAX),
        index.set_platform(2, &"a/b".parse().expect("a platform")),
    ] {
        let error = result.expect_err("past the end");
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().ends_with(" not found (2 entries, counted from 0)"), "{error}");
    }
}

#[test]
fn an_edit_that_breaks_the_document_is_refused() {
    let (_, index) = odd_index();
    let error = index.edit("index.json", |object| object.set("schemaVersion", &3)).expect_err("broken");
    assert_eq!(error.to_string(), "index.json: schemaVersion is 3, expected 2");
    assert!(index.edit("index.json", |object| object.set("layers", &[0; 0])).is_err());
}

#[test]
fn manifests_get_configs_and_layers() -> Result<()> {
    let before = format!(
        "{{\n  \"schemaVersion\": 2,\n  \"config\": {{\n    \"mediaType\": \"{}\",\
         \n    \"digest\": \"{}\",\n    \"size\": 5,\n    \"annotations\": {{}}\n  }},\
         \n  \"layers\": [],\n  \"other\": true\n}}",
        media_type::CONFIG,
        d("1")
    );
    let manifest = Raw::<Manifest>::parse("m", before.clone().into_bytes(), None)?;
    let config = described(media_type::CONFIG, b"{}");
    let layer = described(LAYER_GZIP, b"layer");
    let after = manifest.set_config(&config, b"{}")?.push_layer(&layer)?;
    let expected = before
        .replacen(&d("1"), config.digest.as_str(), 1)
        .replacen("\"size\": 5", "\"size\": 2", 1)
        .replacen(
            "[]",
            &format!(r#"[{{"mediaType":"{LAYER_GZIP}","digest":"{}","size":5}}]"#, layer.digest),
            1,
        );
    assert_eq!(text(&after), expected);
    assert_eq!(after.view().layers, [layer]);
    Ok(())
}

#[test]
fn configs_get_layers_history_and_dates() -> Result<()> {
    let platform = r#""docker_version":"1.12","os":"linux","architecture":"amd64""#;
    let config = r#""config":{"Healthcheck":{"Test":["NONE"]}}"#;
    let rootfs = r#""rootfs":{"diff_ids":null,"type":"layers"}"#;
    let before = format!(r#"{{{platform},{rootfs},"created":"x",{config}}}"#);
    let parsed = Raw::<ImageConfig>::parse("c", before.into(), Some(&literal(media_type::DOCKER_CONFIG)))?;
    let entry = History { created_by: Some("a < b".into()), empty_layer: Some(true), ..History::default() };
    let after = parsed
        .push_layer(&digest(b"1"))?
        .push_layer(&digest(b"2"))?
        .push_history(&entry)?
        .set_created("2020-01-01T00:00:00Z")?;
    let (one, two) = (digest(b"1"), digest(b"2"));
    let rootfs = format!(
        r#""rootfs":{{"diff_ids":["{one}","{two}"],"type":"layers"}},"created":"2020-01-01T00:00:00Z""#
    );
    let history = r#""history":[{"created_by":"a < b","empty_layer":true}]"#;
    let expected = format!("{{{platform},{rootfs},{config},{history}}}");
    assert_eq!(text(&after), expected);
    assert_eq!(after.view().platform().to_string(), "linux/amd64");
    Ok(())
}
