//! Documents of an image, with digests that vouch for the damage.

use ocicle::{
    MemoryStore, Repository, Selector,
    digest::Algorithm,
    graph::resolve::Want,
    hash::digest_of,
    image::{Image, config::ConfigEdit, layers::merged},
    layer::on_disk::OnDisk,
    limits::Limits,
    spec::History,
    text::steers,
};

const LAYER: &[u8] = &[0; 1024];

/// The documents of [`layout`], from the config up.
const NAMES: [&str; 4] = ["config", "manifest", "index", "root"];

fn blob(bytes: &[u8]) -> (String, Vec<u8>) {
    (format!("blobs/sha256/{}", digest_of(Algorithm::Sha256, bytes).encoded()), bytes.to_vec())
}

fn json(value: &(impl ocicle_report::Report + ?Sized)) -> String {
    ocicle_report::to_string(value).expect("memory")
}

fn digest(bytes: &[u8]) -> String {
    digest_of(Algorithm::Sha256, bytes).to_string()
}

/// Returns a layout whose documents each went through `damage`, from the config up, so that digests are
/// right.
pub fn layout(mut damage: impl FnMut(&str, String) -> Vec<u8>) -> Vec<(String, Vec<u8>)> {
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

/// Does all that can be done with a layout, and checks that nothing printed could steer a terminal. Returns
/// how far it came: 4 if all of it worked.
///
/// # Panics
/// Panics if the library does, or if its words or JSON could steer a terminal.
pub fn use_layout(files: Vec<(String, Vec<u8>)>) -> usize {
    let limits = Limits::default();
    let Ok(store) = MemoryStore::from_layout(files, &limits) else { return 0 };
    let repository = Repository::new(store, limits);
    let mut shown = String::new();
    let report = repository.check().expect("a store in memory");
    shown += &json(&report);
    if let Ok(listing) = repository.list(None) {
        shown += &json(&listing);
    }
    for selector in ["t", "t//platform=linux/amd64", "pos=0//pos=0", "digest=0", "type=manifest"] {
        let _ = repository
            .resolve(&selector.parse().expect("a selector"), Want::Any)
            .map(|found| shown += &json(&found.describe(&repository)))
            .map_err(|error| shown += &error.to_string());
    }
    let Ok(found) = repository.resolve(&Selector::default(), Want::Image) else { return 1 };
    let Ok(image) = Image::open(&repository, found.target()) else { return 2 };
    shown += &ocicle_report::to_string_pretty(&image).expect("memory");
    assert!(!shown.chars().any(|character| steers(character) && !"\n\t".contains(character)), "{shown:?}");
    let edits = [ConfigEdit::Env("A".into(), "2".into()), ConfigEdit::Label("c".into(), "d".into())];
    let _ = ocicle::image::config::edit_config(&repository, &image, &edits, Some(&History::default()));
    match merged(&repository, &image, &OnDisk::default()) {
        Ok(_) => 4,
        Err(_) => 3,
    }
}

/// Replaces one document of a layout; the first byte says which.
///
/// # Panics
/// As [`use_layout`] does.
pub fn documents(data: &[u8]) {
    let Some((&which, text)) = data.split_first() else { return };
    let which = NAMES[usize::from(which) % NAMES.len()];
    use_layout(layout(|name, own| if name == which { text.to_vec() } else { own.into_bytes() }));
}
