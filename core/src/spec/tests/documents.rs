//! Documents that are accepted and refused.

use super::{LAYER_GZIP, MANIFEST, d, described, digest, literal};
use crate::{
    error::{ErrorKind, Result},
    spec::{
        Annotations, Descriptor, Document, ImageConfig, Index, Layout, Manifest, Raw, media_type, validate,
    },
};

fn parse<T: Document>(text: &str) -> Result<Raw<T>> {
    Raw::parse("doc", text.as_bytes().to_vec(), None)
}

fn refused<T: Document>(text: &str) -> String {
    match parse::<T>(text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            error.to_string()
        }
    }
}

fn manifest() -> String {
    let config = format!(r#"{{"mediaType":"{}","digest":"{}","size":2}}"#, media_type::CONFIG, d("1"));
    let layer = format!(r#"{{"mediaType":"{LAYER_GZIP}","digest":"{}","size":3}}"#, d("2"));
    format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{layer}]}}"#)
}

#[test]
fn index_and_manifest_cannot_be_confused() {
    let reason = |key, kind| format!("doc: field {key:?} is not allowed in this kind of document ({kind})");
    for key in ["config", "layers"] {
        let text = format!(r#"{{"schemaVersion":2,"manifests":[],"{key}":null}}"#);
        assert_eq!(refused::<Index>(&text), reason(key, "index"));
    }
    let escaped = r#"{"schemaVersion":2,"manifests":[],"l\u0061yers":[]}"#;
    assert_eq!(refused::<Index>(escaped), reason("layers", "index"));
    let text = manifest().replace(r#""layers""#, r#""manifests":[],"layers""#);
    assert_eq!(refused::<Manifest>(&text), reason("manifests", "manifest"));
}

#[test]
fn the_version_and_the_own_type_are_checked() {
    assert_eq!(
        refused::<Index>(r#"{"schemaVersion":1,"manifests":[]}"#),
        "doc: schemaVersion is 1, expected 2"
    );
    let text = format!(r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","manifests":[]}}"#);
    assert_eq!(
        refused::<Index>(&text),
        format!("doc: mediaType is {MANIFEST}, expected {}", media_type::INDEX)
    );
}

#[test]
fn the_type_of_the_descriptor_is_checked() -> Result<()> {
    let parse = |own: &str, expected| {
        let text = format!(r#"{{"schemaVersion":2,"mediaType":"{own}","manifests":[]}}"#);
        Raw::<Index>::parse("doc", text.into_bytes(), Some(&literal(expected)))
    };
    parse(media_type::INDEX, media_type::INDEX)?;
    parse(media_type::DOCKER_INDEX, media_type::DOCKER_INDEX)?;
    let error = parse(media_type::INDEX, media_type::DOCKER_INDEX).expect_err("disagrees");
    assert_eq!(
        error.to_string(),
        format!(
            "doc: mediaType is {}, but its descriptor has {}",
            media_type::INDEX,
            media_type::DOCKER_INDEX
        )
    );
    let error = parse(media_type::INDEX, MANIFEST).expect_err("not an index");
    let text = format!(
        "doc: its descriptor has mediaType {MANIFEST}, which cannot be read as {}",
        media_type::INDEX
    );
    assert_eq!(error.to_string(), text);
    Ok(())
}

#[test]
fn lists_that_go_wrote_as_null_are_empty() -> Result<()> {
    let index = parse::<Index>(r#"{"schemaVersion":2,"manifests":null,"annotations":null,"subject":null}"#)?;
    assert!(index.view().manifests.is_empty());
    let pushed = index.push(&described(MANIFEST, b"x"))?;
    assert_eq!(pushed.view().manifests.len(), 1);
    assert_eq!(
        validate(&literal(media_type::INDEX), pushed.bytes()).map_err(|error| error.to_string()),
        Ok(())
    );
    let error = validate(&literal(media_type::INDEX), index.bytes()).expect_err("a list is asked for");
    assert_eq!(error.to_string(), format!("{}: manifests is null, expected a list", media_type::INDEX));
    assert!(refused::<Index>(r#"{"schemaVersion":2}"#).contains("missing field `manifests`"));
    Ok(())
}

#[test]
fn structs_are_objects_and_sizes_whole_numbers() {
    let good = manifest();
    let config = format!(r#"{{"mediaType":"{}","digest":"{}","size":2}}"#, media_type::CONFIG, d("1"));
    let array = format!(r#"["{}","{}",2]"#, media_type::CONFIG, d("1"));
    assert!(good.contains(&config));
    assert!(refused::<Manifest>(&good.replace(&config, &array)).contains("invalid type: sequence"));
    for size in ["2.0", "2e0", "-2", "\"2\"", "null", "18446744073709551616"] {
        refused::<Manifest>(&good.replace("\"size\":2", &format!("\"size\":{size}")));
    }
    let large = refused::<Manifest>(&good.replace("\"size\":2", "\"size\":9223372036854775808"));
    assert!(large.ends_with("is 9223372036854775808, more than 2^63 - 1"), "{large}");
    assert!(parse::<Manifest>(&good.replace("\"size\":2", "\"size\":9223372036854775807")).is_ok());
}

#[test]
fn an_image_without_layers_is_read_but_not_valid() -> Result<()> {
    let text = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"{}","digest":"{}","size":2}},"layers":[]}}"#,
        media_type::CONFIG,
        d("1")
    );
    assert!(parse::<Manifest>(&text)?.view().layers.is_empty());
    let error = validate(&literal(MANIFEST), text.as_bytes()).expect_err("a layer is asked for");
    assert_eq!(error.to_string(), format!("{MANIFEST}: layers is empty, expected at least one"));
    Ok(())
}

#[test]
fn configs_and_layouts_have_their_constants() {
    let config = r#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;
    assert!(parse::<ImageConfig>(config).is_ok());
    assert_eq!(
        refused::<ImageConfig>(&config.replace("layers", "other")),
        "doc: rootfs.type is \"other\", expected \"layers\""
    );
    assert_eq!(
        refused::<Layout>(r#"{"imageLayoutVersion":"1.1.0"}"#),
        "doc: imageLayoutVersion is \"1.1.0\", expected \"1.0.0\""
    );
    assert!(parse::<Layout>(r#"{"imageLayoutVersion":"1.0.0","more":[1]}"#).is_ok());
}

#[test]
fn validation_checks_fields_that_reading_ignores() {
    let config = |extra: &str| {
        let text = format!(
            r#"{{{extra},"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":[]}}}}"#
        );
        assert!(parse::<ImageConfig>(&text).is_ok(), "{text}");
        validate(&literal(media_type::CONFIG), text.as_bytes()).is_ok()
    };
    for (text, valid) in [
        (r#""created":"2015-10-31T22:22:56.015925234Z""#, true),
        (r#""created":"2015-10-31t22:22:60+01:30""#, true),
        (r#""created":"2015-10-31""#, false),
        (r#""created":"2015-13-31T22:22:56Z""#, false),
        (r#""created":"2015-10-31T22:22:56.Z""#, false),
        (r#""created":"2015-10-31T22:22:56""#, false),
        (r#""history":[{"created":"now"}]"#, false),
        (r#""config":{"Env":["A=","B=x=y"]}"#, true),
        (r#""config":{"Env":["=x"]}"#, false),
        (r#""config":{"Env":["x"]}"#, false),
        (r#""config":{"Env":null,"Cmd":null,"Volumes":null}"#, true),
        (r#""config":{"Volumes":{"/v":{}}}"#, true),
        (r#""config":{"Volumes":{"/v":1}}"#, false),
    ] {
        assert_eq!(config(text), valid, "{text}");
    }
}

#[test]
fn the_checker_looks_into_descriptors() -> Result<()> {
    let valid = |descriptor: &Descriptor| {
        let text = serde_json::to_vec(descriptor).expect("a descriptor");
        validate(&literal(media_type::DESCRIPTOR), &text).map_err(|error| error.to_string())
    };
    let plain = described("text/plain", b"hello");
    assert_eq!(valid(&plain), Ok(()));
    for (url, good) in [
        ("https://example.com/a?b=%20#c", true),
        ("urn:x", true),
        ("a b:c", false),
        ("x:%2", false),
        ("/a", false),
    ] {
        assert_eq!(valid(&Descriptor { urls: vec![url.into()], ..plain.clone() }).is_ok(), good, "{url}");
    }
    assert_eq!(valid(&Descriptor { data: Some("aGVsbG8=".into()), ..plain.clone() }), Ok(()));
    let stale = valid(&Descriptor { data: Some("aGVsbG4=".into()), ..plain.clone() }).expect_err("stale");
    assert!(stale.contains("digest mismatch"), "{stale}");
    let short = valid(&Descriptor { data: Some("aGVs".into()), ..plain.clone() }).expect_err("short");
    assert!(short.contains("size mismatch: expected 5, actual 3"), "{short}");
    assert!(valid(&Descriptor { data: Some("aGVsbG8".into()), ..plain.clone() }).is_err());
    let annotations = Annotations::from([(String::new(), String::new())]);
    assert!(valid(&Descriptor { annotations, ..plain }).is_err());

    assert_eq!(valid(&described(media_type::EMPTY, b"{}")), Ok(()));
    assert!(valid(&described(media_type::EMPTY, b"{ }")).is_err());
    let text = manifest().replace(media_type::CONFIG, media_type::EMPTY);
    assert!(validate(&literal(MANIFEST), text.as_bytes()).is_err(), "no artifactType");
    Ok(())
}

#[test]
fn a_new_document_has_its_bytes_by_its_view() -> Result<()> {
    let view = Manifest {
        schema_version: 2,
        media_type: Some(literal(MANIFEST)),
        artifact_type: None,
        config: described(media_type::CONFIG, b"{}"),
        layers: vec![],
        subject: None,
        annotations: Annotations::from([("b".into(), "2".into()), ("a".into(), "1".into())]),
    };
    let raw = Raw::new(view.clone())?;
    let config = format!(r#"{{"mediaType":"{}","digest":"{}","size":2}}"#, media_type::CONFIG, digest(b"{}"));
    let rest = format!(r#""config":{config},"layers":[],"annotations":{{"a":"1","b":"2"}}"#);
    let expected = format!(r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}",{rest}}}"#);
    assert_eq!(std::str::from_utf8(raw.bytes()), Ok(expected.as_str()));
    assert_eq!(raw.view(), &view);
    let descriptor = raw.descriptor(&literal(MANIFEST));
    assert_eq!(descriptor, described(MANIFEST, expected.as_bytes()));
    assert!(Raw::new(Manifest { schema_version: 1, ..view }).is_err());
    Ok(())
}

#[test]
fn dates_must_exist() {
    for date in ["2024-02-29", "2000-02-29", "2023-04-30", "2023-12-31"] {
        assert!(crate::spec::is_date_time(&format!("{date}T00:00:00Z")), "{date}");
    }
    for date in ["2023-02-29", "1900-02-29", "2023-04-31", "2023-12-32", "2023-00-01", "2023-01-00"] {
        assert!(!crate::spec::is_date_time(&format!("{date}T00:00:00Z")), "{date}");
    }
}
