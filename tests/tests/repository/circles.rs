//! The modules in one module do not use each other in a circle. Tests may.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    rust_crate::Crate,
    rust_tokens::{Token, tokens},
};

const CRATES: [&str; 7] =
    ["core/src", "report/src", "wasi-cli/src", "wasm/src", "wit/src", "tests/src", "xtask/src"];

/// Modules whose children may form circles.
const ALLOWED: [&str; 1] = [
    // Objects are in arrays, and arrays in objects.
    "core/src: spec::json",
];

#[test]
fn modules_have_no_cycles() {
    let mut found = Vec::new();
    for src in CRATES {
        for (parent, circle) in circles(&Crate::read(src)) {
            let parent = format!("{src}: {parent}");
            if !ALLOWED.contains(&parent.as_str()) {
                found.push(format!("{parent}: {circle}"));
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// For each module, which of its children use which, and one position of each use.
type Uses = BTreeMap<String, BTreeMap<String, String>>;

/// Returns the uses that are part of a circle, with the module that they are in.
fn circles(tree: &Crate) -> Vec<(String, String)> {
    let tests = test_modules(tree);
    let mut uses: BTreeMap<Vec<String>, Uses> = BTreeMap::new();
    for (module, source) in &tree.0 {
        if (0..=module.len()).any(|length| tests.contains(&module[..length])) {
            continue;
        }
        for named in tree.named(module).into_iter().filter(|named| !named.in_tests) {
            let target = tree.resolve(&named.path);
            let common = module.iter().zip(&target).take_while(|(own, other)| own == other).count();
            if common < module.len() && common < target.len() && tree.0.contains_key(&target[..=common]) {
                let siblings = uses.entry(module[..common].to_vec()).or_default();
                let by = siblings.entry(module[common].clone()).or_default();
                by.entry(target[common].clone())
                    .or_insert_with(|| format!("{}:{}", source.file.display(), named.line));
            }
        }
    }
    let mut found = Vec::new();
    for (parent, uses) in &uses {
        for (from, targets) in uses {
            for (to, position) in targets {
                if reaches(uses, to, from, &mut BTreeSet::new()) {
                    let parent = if parent.is_empty() { "crate".into() } else { parent.join("::") };
                    found.push((parent, format!("{position}: {from} uses {to}, which leads back to {from}")));
                }
            }
        }
    }
    found
}

fn reaches<'a>(uses: &'a Uses, from: &'a str, to: &str, seen: &mut BTreeSet<&'a str>) -> bool {
    from == to
        || seen.insert(from)
            && uses.get(from).is_some_and(|next| next.keys().any(|next| reaches(uses, next, to, seen)))
}

/// Returns the modules that are declared for tests only.
fn test_modules(tree: &Crate) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    for (module, source) in &tree.0 {
        let tokens: Vec<_> = tokens(&source.text).into_iter().map(|(_, token)| token).collect();
        for window in tokens.windows(7) {
            if let [
                Token::Word("cfg"),
                Token::Sign('('),
                Token::Word("test"),
                Token::Sign(')'),
                Token::Sign(']'),
                Token::Word("mod"),
                Token::Word(name),
            ] = window
            {
                found.insert([&module[..], &[(*name).to_string()]].concat());
            }
        }
    }
    found
}

#[test]
fn a_cycle_of_modules_is_found() {
    let tree = Crate::of(&[
        ("lib.rs", "mod a; mod b; mod c; pub use c::C;"),
        ("a.rs", "use crate::b::{self, B}; #[cfg(test)] mod model;"),
        ("a/model.rs", "use crate::d::D;"),
        ("b.rs", "use super::C;"),
        ("c.rs", "use crate::a::{A, x};"),
        ("d.rs", "use crate::a::A; mod tests { use crate::c::C; }"),
    ]);
    let found: Vec<_> =
        circles(&tree).into_iter().map(|(parent, circle)| format!("{parent}: {circle}")).collect();
    assert_eq!(
        found,
        [
            "crate: a.rs:1: a uses b, which leads back to a",
            "crate: b.rs:1: b uses c, which leads back to b",
            "crate: c.rs:1: c uses a, which leads back to c"
        ]
    );
}
