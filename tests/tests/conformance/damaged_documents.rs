//! Documents damaged at random, with digests that vouch for the damage: nothing panics, whatever comes of it.

use ocicle::{Repository, image::edit::blank};
use ocicle_fuzz::{layout, use_layout};
use proptest::prelude::*;

#[test]
fn undamaged_documents_work() {
    assert_eq!(use_layout(layout(|_, text| text.into_bytes())), 4);
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
        use_layout(layout(|name, text| {
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
        use_layout(layout(|name, text| {
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
