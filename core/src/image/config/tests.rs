use super::{Clear, ConfigEdit, Text, Words, edit_config};
use crate::{
    image::{Image, edit::blank},
    spec::{History, json::bytes_parsed},
    store::Repository,
};

fn edited(edits: &[ConfigEdit]) -> crate::Result<Image> {
    let store = Repository::in_memory().unwrap();
    let descriptor = blank(&store, &"linux/amd64".parse().unwrap(), "2020-01-01T00:00:00Z").unwrap();
    let mut image = Image::open(&store, &descriptor).unwrap();
    // Fields that no type here has.
    image.config = image
        .config
        .edit("config", |config| {
            config.edit_object("config", |run| {
                run.set("Healthcheck", &serde_json::json!({ "Test": ["NONE"] }))?;
                run.set("Env", &["A=1", "B=2"])?;
                run.set("Labels", &serde_json::json!({ "x": "y" }))
            })?;
            config.set("x-unknown", &1)
        })
        .unwrap();
    edit_config(&store, &image, edits, None)
}

fn config(edits: &[ConfigEdit]) -> serde_json::Value {
    serde_json::from_slice(edited(edits).unwrap().config.bytes()).unwrap()
}

#[test]
fn values_are_set_in_their_place_and_unknown_ones_stay() {
    let made = config(&[
        ConfigEdit::Env("A".into(), "one=1".into()),
        ConfigEdit::Env("C".into(), String::new()),
        ConfigEdit::Words(Words::Cmd, vec!["sh".into(), "-c".into()]),
        ConfigEdit::Set(Text::User, "1000:100".into()),
        ConfigEdit::Set(Text::Variant, "v3".into()),
        ConfigEdit::Port("80/tcp".into()),
        ConfigEdit::Volume("/data".into()),
        ConfigEdit::Label("a".into(), "b".into()),
    ]);
    assert_eq!(
        made["config"],
        serde_json::json!({
            "Healthcheck": { "Test": ["NONE"] },
            "Env": ["A=one=1", "B=2", "C="],
            "Labels": { "x": "y", "a": "b" },
            "Cmd": ["sh", "-c"],
            "User": "1000:100",
            "ExposedPorts": { "80/tcp": {} },
            "Volumes": { "/data": {} },
        })
    );
    assert_eq!((&made["variant"], &made["x-unknown"]), (&"v3".into(), &1.into()));
}

#[test]
fn an_edit_that_changes_nothing_keeps_the_bytes() {
    let before = edited(&[]).unwrap();
    let after = edited(&[ConfigEdit::Env("B".into(), "2".into()), ConfigEdit::Label("x".into(), "y".into())])
        .unwrap();
    assert_eq!(before.descriptor.digest, after.descriptor.digest);
}

#[test]
fn clearing_removes_and_setting_comes_after() {
    let made = config(&[
        ConfigEdit::Clear(Clear::Env),
        ConfigEdit::Clear(Clear::Labels),
        ConfigEdit::Env("Z".into(), "1".into()),
    ]);
    assert_eq!(made["config"], serde_json::json!({ "Healthcheck": { "Test": ["NONE"] }, "Env": ["Z=1"] }));
}

#[test]
fn annotations_are_the_manifests() {
    let image = edited(&[ConfigEdit::Annotation("a".into(), "b".into())]).unwrap();
    assert_eq!(image.manifest.view().annotations["a"], "b");
    assert!(!String::from_utf8_lossy(image.config.bytes()).contains("annotations"));
}

#[test]
fn the_descriptors_platform_follows_the_config_unless_it_differed() {
    let store = Repository::in_memory().unwrap();
    let mut descriptor = blank(&store, &"linux/amd64".parse().unwrap(), "2020-01-01T00:00:00Z").unwrap();
    let set = [ConfigEdit::Set(Text::Architecture, "arm64".into())];
    for (stated, expected) in [("linux/amd64", "linux/arm64"), ("linux/riscv64", "linux/riscv64")] {
        descriptor.platform = Some(stated.parse().unwrap());
        let image = Image::open(&store, &descriptor).unwrap();
        let image = edit_config(&store, &image, &set, None).unwrap();
        assert_eq!(image.descriptor.platform.unwrap().to_string(), expected);
    }
}

#[test]
fn history_is_added_where_it_is_given() {
    let store = Repository::in_memory().unwrap();
    let descriptor = blank(&store, &"linux/amd64".parse().unwrap(), "2020-01-01T00:00:00Z").unwrap();
    let image = Image::open(&store, &descriptor).unwrap();
    let entry = History { empty_layer: Some(true), ..History::default() };
    let image = edit_config(&store, &image, &[], Some(&entry)).unwrap();
    assert_eq!(image.config.view().history.as_deref(), Some(&[entry][..]));
}

#[test]
fn invalid_values_are_refused() {
    for edit in [
        ConfigEdit::Env(String::new(), "1".into()),
        ConfigEdit::Env("A=B".into(), "1".into()),
        ConfigEdit::Label(String::new(), "1".into()),
        ConfigEdit::Annotation(String::new(), "1".into()),
        ConfigEdit::Port("eighty".into()),
        ConfigEdit::Port("80/icmp".into()),
        ConfigEdit::Port("70000".into()),
        ConfigEdit::Set(Text::Created, "yesterday".into()),
    ] {
        assert!(edited(std::slice::from_ref(&edit)).is_err(), "{edit:?}");
    }
}

#[test]
fn a_health_check_is_set_field_by_field() {
    use std::time::Duration;

    use crate::image::config::Health;

    let run = |edits: &[Health]| {
        let edits: Vec<ConfigEdit> = edits.iter().cloned().map(ConfigEdit::Health).collect();
        edited(&edits).map(|image| {
            let config: serde_json::Value = serde_json::from_slice(image.config.bytes()).unwrap();
            config["config"]["Healthcheck"].clone()
        })
    };
    let all = [
        Health::Command(vec!["check".into(), "-v".into()]),
        Health::Interval(Duration::from_secs(90)),
        Health::Timeout(Duration::from_millis(1)),
        Health::StartPeriod(Duration::from_secs(1)),
        Health::Retries(3),
    ];
    let expected = serde_json::json!({
        "Test": ["CMD", "check", "-v"], "Interval": 90_000_000_000_i64, "Timeout": 1_000_000,
        "StartPeriod": 1_000_000_000, "Retries": 3
    });
    assert_eq!(run(&all).unwrap(), expected);
    // The test image has ["NONE"]; a number alone leaves it.
    assert_eq!(run(&all[4..]).unwrap(), serde_json::json!({ "Test": ["NONE"], "Retries": 3 }));
    let off = [&all[..], &[Health::Off]].concat();
    assert_eq!(run(&off).unwrap(), serde_json::json!({ "Test": ["NONE"] }));
    for wrong in [
        Health::Retries(0),
        Health::Interval(Duration::ZERO),
        Health::Timeout(Duration::from_micros(999)),
        Health::Timeout(Duration::MAX),
    ] {
        assert!(run(&[wrong]).is_err());
    }
    let cleared = edited(&[ConfigEdit::Clear(Clear::Healthcheck)]).unwrap();
    assert!(!String::from_utf8_lossy(cleared.config.bytes()).contains("Healthcheck"));
}

#[test]
fn many_edits_take_time_in_proportion_to_their_number() {
    let kinds: [fn(usize) -> ConfigEdit; 5] = [
        |number| ConfigEdit::Annotation(format!("key-{number:03}"), "value".into()),
        |number| ConfigEdit::Label(format!("key-{number:03}"), "value".into()),
        |number| ConfigEdit::Env(format!("key-{number:03}"), "value".into()),
        |number| ConfigEdit::Volume(format!("/key-{number:03}")),
        |number| ConfigEdit::Port(format!("{}", 100 + number)),
    ];
    for kind in kinds {
        let parsed = |count| {
            let edits: Vec<_> = (0..count).map(kind).collect();
            bytes_parsed(|| drop(edited(&edits).unwrap()))
        };
        let (none, some, twice) = (parsed(0), parsed(64), parsed(128));
        assert!(
            some > none && 2 * (twice - none) < 5 * (some - none),
            "{:?}: {none} {some} {twice}",
            kind(0)
        );
    }
}
