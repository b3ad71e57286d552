//! The library's public API is what docs/public-api.txt lists: nothing becomes public by accident.
//!
//! `OCICLE_RENEW=1 cargo test -p ocicle-tests --test repository public_api` writes the list again, for the
//! difference to be reviewed.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use ocicle_tests::tools;

/// The format of rustdoc's JSON that is read here, and the Rust that writes it.
const FORMAT: u64 = 57;

#[test]
fn the_public_api_is_the_one_that_is_listed() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let exe = env::current_exe().unwrap();
    let target = exe.ancestors().nth(3).unwrap();
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(checkout)
        .args([
            "rustdoc",
            "--quiet",
            "--package",
            "ocicle",
            "--lib",
            "--features",
            "conformance",
            "--target-dir",
        ])
        .arg(target)
        .args(["--", "-Z", "unstable-options", "--output-format", "json"])
        .env("RUSTDOC", unstable_rustdoc(target))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json = target.join("doc/ocicle.json");
    let document: serde_json::Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    if document["format_version"] != FORMAT {
        tools::missing(&format!("this Rust writes JSON of another format than {FORMAT}, that of 1.95"));
        return;
    }
    let api = public_api::Builder::from_rustdoc_json(&json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .unwrap();
    let found: String = api.items().map(|item| format!("{item}\n")).collect();
    let list = checkout.join("docs/public-api.txt");
    if env::var_os("OCICLE_RENEW").is_some() {
        fs::write(&list, &found).unwrap();
    }
    let listed = fs::read_to_string(&list).unwrap_or_default();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (found, listed) = (lines(&found), lines(&listed));
    let more: Vec<_> = found.difference(&listed).map(|line| format!("+ {line}")).collect();
    let less: Vec<_> = listed.difference(&found).map(|line| format!("- {line}")).collect();
    assert!(
        more.is_empty() && less.is_empty(),
        "the public API differs from docs/public-api.txt:\n{}\n{}\nif that is intended: \
         OCICLE_RENEW=1 cargo test -p ocicle-tests --test repository public_api",
        less.join("\n"),
        more.join("\n")
    );
}

/// Returns a rustdoc that writes JSON, which is not stable; the format is checked. The variable must not
/// reach cargo: build scripts watch it, and everything would be built again.
fn unstable_rustdoc(target: &Path) -> PathBuf {
    let script = target.join("unstable-rustdoc");
    let rustdoc = env::var("RUSTDOC").unwrap_or_else(|_| "rustdoc".into());
    fs::write(&script, format!("#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec '{rustdoc}' \"$@\"\n")).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    script
}

/// Each type, trait, function and constant has a name of its own; the crate's root may re-export it.
#[test]
fn no_public_name_occurs_twice() {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/public-api.txt");
    let list = fs::read_to_string(list).unwrap();
    let twice: Vec<_> = occurring_twice(&list)
        .into_iter()
        .map(|(name, modules)| format!("{name}: {}", modules.join(", ")))
        .collect();
    assert!(twice.is_empty(), "\n{}", twice.join("\n"));
}

fn occurring_twice(list: &str) -> BTreeMap<String, Vec<String>> {
    let mut modules = BTreeMap::<String, BTreeSet<String>>::new();
    for line in list.lines() {
        let mut words = line.split_whitespace().skip_while(|word| ["pub", "const", "unsafe"].contains(word));
        let kind = words.next().unwrap_or_default();
        let path = words.next().unwrap_or_default();
        let path = path.split(['<', '(', ';', '=', '{']).next().unwrap_or_default().trim_end_matches(':');
        let Some((module, name)) = path.rsplit_once("::") else { continue };
        // What belongs to a type is reached by that.
        let of_a_type = module
            .split("::")
            .any(|part| part.starts_with(|first: char| first.is_uppercase() || first == '&'));
        let kind = ["struct", "enum", "union", "trait", "type", "fn", "macro", "static"].contains(&kind);
        if kind && !of_a_type && module.starts_with("ocicle::") {
            modules.entry(name.into()).or_default().insert(module.into());
        }
    }
    let twice = modules.into_iter().filter(|(_, modules)| modules.len() > 1);
    twice.map(|(name, modules)| (name, modules.into_iter().collect())).collect()
}

#[test]
fn names_that_occur_twice_are_found() {
    let list = "pub struct ocicle::Digest\npub struct ocicle::digest::Digest\npub fn ocicle::digest::Digest::new() -> u8\n\
                pub fn ocicle::a::Other::new()\npub trait ocicle::a::Read: core::fmt::Debug\n\
                pub fn ocicle::a::Type<S>::run()\npub fn &S::run()\npub fn ocicle::b::run<T>(T)\npub fn ocicle::c::run()\n\
                pub enum ocicle::b::c::Read<'a>\n";
    let expected = [("Read", vec!["ocicle::a", "ocicle::b::c"]), ("run", vec!["ocicle::b", "ocicle::c"])];
    let expected =
        expected.map(|(name, modules)| (name.into(), modules.into_iter().map(String::from).collect()));
    assert_eq!(occurring_twice(list), BTreeMap::from(expected));
}
