//! The history entries that edits write.

use std::{fs, path::Path};

use ocicle_tests::{
    fixtures::{ODD, copy_of},
    ocicle::{at, command, fails, ocicle, stat, text},
    temp::TempDir,
};
use serde_json::{Value, json};

fn history(layout: &Path, tag: &str) -> Vec<Value> {
    let stat: Value = stat(&at(layout, tag));
    stat["history"].as_array().unwrap().clone()
}

const ENTRY: [&str; 8] = [
    "--history-author",
    "me <me@example.org>",
    "--history-comment",
    "-why",
    "--history-created",
    "2021-02-03T04:05:06.5+01:00",
    "--history-created-by",
    "by hand",
];

#[test]
fn a_history_entry_has_the_given_values() {
    let Some(fixture) = ODD.layout() else { return };
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let file = temp.path().join("file");
    fs::write(&file, "hello\n").unwrap();
    let before = history(&layout, "odd").len();
    let source = at(&layout, "odd");
    for (tag, edit, empty) in [
        ("config", vec!["config", &source, "--env", "A=b", "--tag", "config"], json!(true)),
        ("insert", vec!["insert", &source, text(&file), "/file", "--tag", "insert"], Value::Null),
    ] {
        let output = command().env("SOURCE_DATE_EPOCH", "1").args(edit).args(ENTRY).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let now = history(&layout, tag);
        assert_eq!(now.len(), before + 1);
        let last = &now[before];
        assert_eq!(last["author"], "me <me@example.org>");
        assert_eq!(last["comment"], "-why");
        assert_eq!(last["created"], "2021-02-03T04:05:06.5+01:00");
        assert_eq!(last["created_by"], "by hand");
        assert_eq!(last.get("empty_layer").unwrap_or(&Value::Null), &empty);
    }
    assert!(ocicle(["check", text(&layout)]).ends_with("nothing wrong\n"));
}

#[test]
fn a_layer_can_be_added_without_a_history_entry() {
    let Some(fixture) = ODD.layout() else { return };
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let before = history(&layout, "odd");
    ocicle(["insert", &at(&layout, "odd"), "--whiteout", "/bin", "--tag", "new", "--no-history"]);
    assert_eq!(history(&layout, "new"), before);
    let stat: Value = stat(&at(&layout, "new"));
    assert_eq!(stat["manifest"]["layers"].as_array().unwrap().len(), 4);
    // The next entry belongs to its own layer.
    ocicle(["insert", &at(&layout, "new"), "--whiteout", "/etc"]);
    let now = history(&layout, "new");
    assert_eq!(now.len(), before.len() + 2);
    assert_eq!(now[before.len()].get("created_by"), None);
    assert_eq!(now[before.len() + 1]["created_by"], "ocicle insert");
    assert!(ocicle(["check", text(&layout)]).ends_with("nothing wrong\n"));
}

#[test]
fn contradictory_flags_and_invalid_dates_are_refused() {
    for option in ["--history-author", "--history-comment", "--history-created-by"] {
        let error = fails(2, ["config", "layout", "--no-history", option, "x"]);
        assert!(error.contains("cannot be used with"), "{error}");
    }
    let error =
        fails(2, ["insert", "layout", "--whiteout", "/x", "--history-created", "2021-02-30T00:00:00Z"]);
    assert!(error.contains("expected an RFC 3339 date"), "{error}");
    fails(2, ["repack", "bundle", "layout", "--history-created", "yesterday"]);
}
