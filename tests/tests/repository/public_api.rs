//! What the library shows is what is listed in docs/public-api.txt: nothing becomes public by accident.
//!
//! `OCICLE_RENEW=1 cargo test -p ocicle-tests --test repository public_api` writes the list again; the difference is for
//! the review.

use std::{collections::BTreeSet, env, fs, path::Path, process::Command};

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
        // The JSON is not stable; the format is checked below.
        .env("RUSTC_BOOTSTRAP", "1")
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
        "the public API is another than docs/public-api.txt lists:\n{}\n{}\nif that is meant: \
         OCICLE_RENEW=1 cargo test -p ocicle-tests --test repository public_api",
        less.join("\n"),
        more.join("\n")
    );
}
