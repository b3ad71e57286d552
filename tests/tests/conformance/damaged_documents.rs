//! Documents damaged at random, with digests that vouch for the damage: nothing panics, whatever comes of it.

use ocicle::{
    Repository, Selector,
    digest::Algorithm,
    graph::resolve::Want,
    hash::digest_of,
    image::{Image, config::ConfigEdit, edit::blank, layers::merged},
    layer::on_disk::OnDisk,
    limits::Limits,
    spec::History,
    store::memory::MemoryStore,
    text::steers,
};
use proptest::prelude::*;

const LAYER: &[u8] = &[0; 1024];

fn blob(bytes: &[u8]) -> (String, Vec<u8>) {
    (format!("blobs/sha256/{}", digest_of(Algorithm::Sha256, bytes).encoded()), bytes.to_vec())
}

fn digest(bytes: &[u8]) -> String {
    digest_of(Algorithm::Sha256, bytes).to_string()
}

/// Returns a layout whose documents each went through `damage`, from the config up, so that digests are
/// right.
fn layout(mut damage: impl FnMut(&str, String) -> Vec<u8>) -> Vec<(String, Vec<u8>)> {
    let config = damage(
        "config",
        format!(
            r#"{{"created":"2020-01-01T00:00:00Z","architecture":"amd64","os":"linux","config":{{"Env":["A=1"],"Cmd":["sh"],
            "Labels":{{"a":"b"}},"ExposedPorts":{{"80/tcp":{{}}}}}},"rootfs":{{"type":"layers","diff_ids":["{}"]}},
            "history":[{{"created_by":"x"}},{{"empty_layer":true}}]}}"#,
            digest(LAYER)
        ),
    );
    let manifest = damage(
        "manifest",
        format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
            "config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{}","size":{}}},
            "layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{}","size":1024}}],
            "annotations":{{"k":"v"}}}}"#,
            digest(&config),
            config.len(),
            digest(LAYER)
        ),
    );
    let index = damage(
        "index",
        format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}",
            "size":{},"platform":{{"os":"linux","architecture":"amd64"}}}}]}}"#,
            digest(&manifest),
            manifest.len()
        ),
    );
    let root = damage(
        "root",
        format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"{}",
            "size":{},"annotations":{{"org.opencontainers.image.ref.name":"t"}}}}]}}"#,
            digest(&index),
            index.len()
        ),
    );
    vec![
        ("oci-layout".into(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
        ("index.json".into(), root),
        blob(&config),
        blob(&manifest),
        blob(&index),
        blob(LAYER),
    ]
}

/// Does all that can be done with a layout. Returns how far it came.
fn use_it(files: Vec<(String, Vec<u8>)>) -> usize {
    let limits = Limits::default();
    let Ok(store) = MemoryStore::from_layout(files, &limits) else { return 0 };
    let repository = Repository::new(store, limits);
    let mut shown = String::new();
    let report = repository.check().unwrap();
    shown += &ocicle_report::to_string(&report).unwrap();
    if let Ok(listing) = repository.list(None) {
        shown += &ocicle_report::to_string(&listing).unwrap();
    }
    for selector in ["t", "t//platform=linux/amd64", "pos=0//pos=0", "digest=0", "type=manifest"] {
        let _ = repository
            .resolve(&selector.parse().unwrap(), Want::Any)
            .map(|found| shown += &ocicle_report::to_string(&found.describe(&repository)).unwrap())
            .map_err(|error| shown += &error.to_string());
    }
    let Ok(found) = repository.resolve(&Selector::default(), Want::Image) else { return 1 };
    let Ok(image) = Image::open(&repository, found.target()) else { return 2 };
    shown += &ocicle_report::to_string_pretty(&image).unwrap();
    assert!(!shown.chars().any(|character| steers(character) && !"\n\t".contains(character)), "{shown:?}");
    let edits = [ConfigEdit::Env("A".into(), "2".into()), ConfigEdit::Label("c".into(), "d".into())];
    let _ = ocicle::image::config::edit_config(&repository, &image, &edits, Some(&History::default()));
    match merged(&repository, &image, &OnDisk::default()) {
        Ok(_) => 4,
        Err(_) => 3,
    }
}

#[test]
fn undamaged_documents_work() {
    assert_eq!(use_it(layout(|_, text| text.into_bytes())), 4);
    let repository = Repository::in_memory().unwrap();
    blank(&repository, &"linux/amd64".parse().unwrap(), "2020-01-01T00:00:00Z").unwrap();
}

/// Replacements of some bytes.
fn patch() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..4),
        prop::sample::select(vec![
            "null",
            "{}",
            "[]",
            "\"\"",
            "-1",
            "1e999",
            "18446744073709551616",
            "\\u0000",
            "\\u001b[31m",
            "\u{7f}",
            "\u{9b}31m",
            "\u{202e}",
            "\\ud800",
            ",",
            "\"a\":",
            "sha256:",
            "sha512:00",
            "/",
            "=",
            "\n",
            "true",
            "é",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn damaged_documents_make_nothing_panic(
        document in prop::sample::select(vec!["config", "manifest", "index", "root"]),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..6_usize, patch()), 1..3),
    ) {
        use_it(layout(|name, text| {
            let mut bytes = text.into_bytes();
            if name == document {
                for (at, length, patch) in &cuts {
                    let at = at.index(bytes.len());
                    let end = (at + length).min(bytes.len());
                    bytes.splice(at..end, patch.iter().copied());
                }
            }
            bytes
        }));
    }

    #[test]
    fn damaged_values_make_nothing_panic(
        document in prop::sample::select(vec!["config", "manifest", "index", "root"]),
        which in any::<prop::sample::Index>(),
        value in prop::sample::select(vec![
            "null", "{}", "[]", "\"\"", "-1", "0", "9223372036854775807", "18446744073709551615",
            "[null]", "[{}]", "{\"\":{}}", "\"\\u001b[31m\\n\"", "\"sha256:00\"", "[\"\"]", "true", "1.5",
        ]),
    ) {
        use_it(layout(|name, text| {
            if name != document {
                return text.into_bytes();
            }
            // Replaces the value after one of the colons.
            let colons: Vec<usize> = text.match_indices("\":").map(|(at, _)| at + 2).collect();
            let start = colons[which.index(colons.len())];
            let mut depth = 0;
            let mut quoted = false;
            let length = text[start..]
                .find(|character| {
                    quoted ^= character == '"';
                    let is_one_of = |marks: &str| !quoted && marks.contains(character);
                    depth += i32::from(is_one_of("{[")) - i32::from(is_one_of("}]"));
                    !quoted && (depth < 0 || (depth == 0 && character == ','))
                })
                .unwrap_or(text.len() - start);
            format!("{}{value}{}", &text[..start], &text[start + length..]).into_bytes()
        }));
    }
}
