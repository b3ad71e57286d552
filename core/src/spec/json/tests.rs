//! Strictness, and that edits leave alone what they do not touch.

use proptest::prelude::*;
use serde_json::value::RawValue;

use super::{Array, Object};
use crate::error::{ErrorKind, Result};
use crate::limits::Limits;

fn refused(text: &str) -> String {
    let error = Object::parse("doc", text.as_bytes()).expect_err(text);
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    error.to_string()
}

#[test]
fn ambiguous_archives_are_refused() {
    for (text, reason) in [
        (r#"{"a":1,"a":1}"#, r#"doc: line 1, column 11: the key "a" occurs twice"#),
        (r#"{"a":1,"\u0061":1}"#, r#"doc: line 1, column 16: the key "a" occurs twice"#),
        ("{\"x\":\n[{\"y\":{},\"y\":{}}]}", r#"doc: line 2, column 13: the key "y" occurs twice"#),
        ("{} {}", "doc: line 1, column 4: trailing data after the document"),
        (r#"{"a":"\ud800"}"#, "doc: line 1, column 13: a lone surrogate in a string"),
        (r#"{"a":"\udc00"}"#, "doc: line 1, column 13: a lone surrogate in a string"),
        ("[]", "doc: line 1, column 1: expected an object"),
        ("", "doc: line 1, column 1: expected an object"),
    ] {
        assert_eq!(refused(text), reason);
    }
}

#[test]
fn invalid_json_is_refused() {
    for text in [
        "{",
        r#"{"a""#,
        r#"{"a":"#,
        r#"{"a":1"#,
        r#"{"a":1,}"#,
        "{,}",
        "{a:1}",
        r#"{"a":01}"#,
        r#"{"a":1.}"#,
        r#"{"a":.5}"#,
        r#"{"a":+1}"#,
        r#"{"a":1e}"#,
        r#"{"a":-}"#,
        r#"{"a":[1,]}"#,
        r#"{"a":nul}"#,
        r#"{"a":truefalse}"#,
        r#"{"a":"\x"}"#,
        r#"{"a":"\u12"}"#,
        r#"{"a":"\u+123"}"#,
        "{\"a\":\"\n\"}",
        r#"{"a":"}"#,
        "\u{feff}{}",
        "{\u{a0}}",
        r#"{"a":NaN}"#,
        "{\"a\":'b'}",
        r#"{"a":"\ud800\u0041"}"#,
        r#"{"a":1}]"#,
    ] {
        refused(text);
    }
    let error = Object::parse("doc", b"{\"a\":\"\xff\"}").expect_err("not UTF-8");
    assert_eq!(error.to_string(), "doc: not UTF-8: invalid byte 6");
}

#[test]
fn depth_is_limited() -> Result<()> {
    let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    Object::parse("doc", nested(Limits::JSON_DEPTH - 1).as_bytes())?;
    assert!(refused(&nested(Limits::JSON_DEPTH)).ends_with("more than 100 levels"));
    // Far past any stack.
    assert!(refused(&format!("{{\"a\":{}", "[".repeat(1_000_000))).ends_with("more than 100 levels"));
    Ok(())
}

#[test]
fn escapes_and_numbers_are_kept_as_they_are_written() -> Result<()> {
    let text =
        r#" { "\u0061\n" : "\ud83d\ude00\/" , "n" : -0.0E+1 , "big": 123456789012345678901234567890 } "#;
    let object = Object::parse("doc", text.as_bytes())?;
    assert_eq!(object.text(), text);
    assert_eq!(object.keys().collect::<Vec<_>>(), ["a\n", "n", "big"]);
    assert_eq!(object.get("n"), Some("-0.0E+1"));
    Ok(())
}

#[test]
fn white_space_follows_the_neighbours() -> Result<()> {
    let pretty = "{\n  \"a\": 1,\n  \"b\": [\n    2\n  ]\n}\n";
    let mut object = Object::parse("doc", pretty.as_bytes())?;
    object.set("c", &[1, 2])?;
    object.edit_array("b", |array| array.push("x"))?;
    assert_eq!(object.text(), "{\n  \"a\": 1,\n  \"b\": [\n    2,\n    \"x\"\n  ],\n  \"c\": [1,2]\n}\n");
    object.remove("c");
    object.remove("a");
    object.edit_array("b", |array| array.remove(0))?;
    assert_eq!(object.text(), "{\n  \"b\": [\n    \"x\"\n  ]\n}\n");
    object.remove("b");
    assert_eq!(object.text(), "{}\n");
    object.set("d", "\u{7}\"")?;
    assert_eq!(object.text(), "{\"d\":\"\\u0007\\\"\"}\n");

    let mut line = Object::parse("doc", b"{\"a\": 1, \"b\": 2}")?;
    line.remove("a");
    line.set("c", &3)?;
    assert_eq!(line.text(), "{\"b\": 2,\"c\": 3}");
    Ok(())
}

#[test]
fn what_means_the_same_is_left_as_it_is() -> Result<()> {
    let text = r#"{"a": "x\/y", "o": { "n" : 1 }, "e": null, "l": [ "\u0041" ]}"#;
    let mut object = Object::parse("doc", text.as_bytes())?;
    object.set("a", "x/y")?;
    object.edit_object("o", |inner| inner.set("n", &1))?;
    object.edit_object("e", |_| Ok(()))?;
    object.edit_array("e", |_| Ok(()))?;
    object.edit_object("new", |_| Ok(()))?;
    object.edit_array("l", |array| array.set(0, "A"))?;
    assert!(!object.remove("zzz"));
    assert_eq!(object.text(), text);
    Ok(())
}

#[test]
fn containers_begin_where_there_are_none() -> Result<()> {
    let mut object = Object::parse("doc", br#"{"e":null}"#)?;
    object.edit_array("e", |array| array.push(&1))?;
    object.edit_object("o", |inner| inner.edit_object("p", |inner| inner.set("q", &true)))?;
    assert_eq!(object.text(), r#"{"e":[1],"o":{"p":{"q":true}}}"#);
    let error = object.edit_array("o", |_| Ok(())).expect_err("an object is no array");
    assert_eq!(error.to_string(), "doc: o: line 1, column 1: expected an array");
    Ok(())
}

#[test]
fn past_the_end_of_an_array() -> Result<()> {
    let mut array = Array::parse("list", b"[1,2]")?;
    for error in [
        array.get(2).map(drop),
        array.set(2, &0),
        array.remove(2),
        array.duplicate(2),
        array.edit_object(2, |_| Ok(())),
    ] {
        let error = error.expect_err("past the end");
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.to_string(), "list: position 2 not found (2 entries, counted from 0)");
    }
    assert_eq!(array.text(), "[1,2]");
    Ok(())
}

/// JSON text with white space and spellings of all kinds.
fn any_value() -> impl Strategy<Value = String> {
    let space = || prop::sample::select(vec!["", " ", "\n  ", "\t", "\r\n"]);
    let leaf = prop::sample::select(vec![
        "null",
        "true",
        "0",
        "-1.50",
        "1e+9",
        "18446744073709551616",
        "\"\"",
        "\"\\u00e9\"",
        "\"é\\/\"",
        "{ }",
        "[\n]",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(3, 24, 4, move |inner| {
        let items = prop::collection::vec((space(), inner, space()), 0..4);
        (items, any::<bool>()).prop_map(|(items, object)| {
            let item = |(pos, (lead, value, tail)): (usize, &(&str, String, &str))| {
                let key = if object { format!("\"k{pos}\"{tail}:{lead}") } else { String::new() };
                format!("{lead}{key}{value}{tail}")
            };
            let items = items.iter().enumerate().map(item).collect::<Vec<_>>().join(",");
            if object { format!("{{{items}}}") } else { format!("[{items}]") }
        })
    })
}

fn any_object() -> impl Strategy<Value = (Vec<(String, String)>, String)> {
    let space = || prop::sample::select(vec!["", " ", "\n  "]);
    let member = ("[a-e]{1,2}|\\PC{1,3}", any_value(), space());
    prop::collection::vec(member, 0..6).prop_map(|members| {
        let mut seen = std::collections::BTreeSet::new();
        let mut text = Vec::new();
        let mut kept = Vec::new();
        for (key, value, space) in members {
            if seen.insert(key.clone()) {
                let name = serde_json::to_string(&key).expect("a string");
                text.push(format!("{space}{name}{space}:{value}{space}"));
                kept.push((key, value));
            }
        }
        (kept, format!(" {{{}}}\n", text.join(",")))
    })
}

fn members_of(object: &Object) -> Vec<(String, String)> {
    let text = |key| object.get(key).unwrap_or_default().to_owned();
    object.keys().map(|key| (key.to_owned(), text(key))).collect()
}

proptest! {
    #[test]
    fn reading_and_writing_is_the_identity((members, text) in any_object()) {
        let object = Object::parse("doc", text.as_bytes())?;
        prop_assert_eq!(object.text(), text);
        for (key, value) in &members {
            prop_assert_eq!(object.get(key), Some(value.as_str()));
        }
    }

    #[test]
    fn other_members_survive_an_edit((members, text) in any_object(), key in "[a-e]", value in any_value()) {
        let mut object = Object::parse("doc", text.as_bytes())?;
        let raw = RawValue::from_string(value.clone()).expect("a value");
        object.set(&key, &raw)?;
        let edited = Object::parse("edited", object.text().as_bytes())?;
        let mut expected = members.clone();
        match expected.iter_mut().find(|(have, _)| *have == key) {
            // Compared as values: what means the same is not written again.
            Some((_, old)) => edited.get(&key).unwrap_or_default().clone_into(old),
            None => expected.push((key.clone(), value.clone())),
        }
        let actual = members_of(&edited);
        prop_assert_eq!(&actual, &expected);
        let meaning = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("a value");
        prop_assert_eq!(meaning(edited.get(&key).unwrap_or_default()), meaning(&value));

        object.remove(&key);
        let removed = Object::parse("removed", object.text().as_bytes())?;
        expected.retain(|(have, _)| *have != key);
        prop_assert_eq!(members_of(&removed), expected);
    }

    #[test]
    fn damaged_text_is_judged_as_serde_judges_it(
        (_, text) in any_object(),
        at in any::<prop::sample::Index>(),
        put in "[\\[\\]{}\",:a0-9eE+.\\-\\\\u \n]{0,2}",
        cut in 0_usize..2,
    ) {
        let mut chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len());
        chars.splice(at..at + cut, put.chars());
        let text: String = chars.into_iter().collect();
        let ours = Object::parse("doc", text.as_bytes()).map(drop).map_err(|error| error.to_string());
        let theirs = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text);
        match (ours, theirs) {
            (Ok(()), Err(theirs)) => {
                prop_assert!(theirs.to_string().contains("out of range"), "{}: {}", text, theirs);
            }
            (Err(ours), Ok(_)) => prop_assert!(ours.ends_with("occurs twice"), "{}: {}", text, ours),
            _ => {}
        }
    }
}
