//! Locks that cannot be read: each gives a typed error, and nothing is overwritten.

use std::fs;
use std::path::Path;

use event_schemas::lock::{GenerateError, Lock, LockError};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::shop::{files, generate, shop};

const SCHEMA: &str = "orders.order.placed/1.0.json";

/// The lock of the shop.
fn locked() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    generate(&shop(), dir.path()).unwrap();
    dir
}

/// Changes the index as JSON.
fn change_index(dir: &Path, change: impl FnOnce(&mut Value)) {
    let path = dir.join("index.json");
    let mut index = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    change(&mut index);
    fs::write(path, serde_json::to_string_pretty(&index).unwrap()).unwrap();
}

/// The error; also checks that `generate` answers it too and changes nothing.
fn refusal(dir: &Path) -> LockError {
    let before = files(dir);
    match generate(&shop(), dir) {
        Err(GenerateError::Lock(_)) => {}
        other => panic!("written in spite of it: {other:?}"),
    }
    assert_eq!(files(dir), before);
    Lock::read(dir).unwrap_err()
}

#[test]
fn no_lock_is_told_from_a_broken_one() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Lock::read(dir.path()), Err(LockError::NoLock)));
    assert!(matches!(
        Lock::read(dir.path().join("no/such")),
        Err(LockError::NoLock)
    ));
}

#[test]
fn a_file_that_is_no_json() {
    let dir = locked();
    fs::write(dir.path().join("index.json"), "{").unwrap();
    let why = refusal(dir.path());
    assert!(
        matches!(&why, LockError::NotJson { path, conflict: false, .. } if path == "index.json")
    );
}

#[test]
fn a_merge_that_was_not_finished() {
    let dir = locked();
    let path = dir.path().join("index.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        path,
        format!("<<<<<<< HEAD\n{text}=======\n>>>>>>> other\n"),
    )
    .unwrap();
    let why = refusal(dir.path());
    assert!(
        why.to_string().contains("a merge that was not finished"),
        "{why}"
    );
}

#[test]
fn a_newer_format() {
    let dir = locked();
    change_index(dir.path(), |index| {
        index["format"] = 2.into();
        index["something"] = "new".into();
    });
    let why = refusal(dir.path());
    assert!(matches!(why, LockError::NewerFormat { found: 2, known: 1 }));
}

#[test]
fn an_index_that_is_none() {
    let dir = locked();
    for index in [
        json!([]),
        json!({}),
        json!({"format": 0}),
        json!({"format": 1}),
    ] {
        fs::write(dir.path().join("index.json"), index.to_string()).unwrap();
        let why = refusal(dir.path());
        assert!(
            matches!(&why, LockError::Malformed { path, .. } if path == "index.json"),
            "{index}: {why}"
        );
    }
}

#[test]
fn an_index_that_says_what_cannot_be() {
    for (pointer, value) in [
        ("/events/0/versions/0/version", json!("one")),
        ("/events/0/versions/0/key", json!("sometimes")),
        ("/events/0/versions", json!([])),
        ("/events/0/colour", json!("red")),
    ] {
        let dir = locked();
        change_index(dir.path(), |index| {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            index.pointer_mut(parent).unwrap()[key] = value.clone();
        });
        let why = refusal(dir.path());
        assert!(
            matches!(why, LockError::Malformed { .. }),
            "{pointer}: {why}"
        );
    }
}

#[test]
fn a_file_that_is_missing() {
    let dir = locked();
    fs::remove_file(dir.path().join(SCHEMA)).unwrap();
    let why = refusal(dir.path());
    assert!(matches!(&why, LockError::MissingFile { path } if path == SCHEMA));
}

#[test]
fn a_file_that_was_changed_by_hand() {
    for path in [
        SCHEMA,
        "orders.order.placed/1.0.golden.json",
        "envelope.json",
    ] {
        let dir = locked();
        let text = fs::read_to_string(dir.path().join(path)).unwrap();
        fs::write(dir.path().join(path), text.replace("order", "ordr")).unwrap();
        if path == "envelope.json" {
            fs::write(dir.path().join(path), "{}").unwrap();
        }
        let why = refusal(dir.path());
        assert!(
            matches!(&why, LockError::Edited { path: named } if named == path),
            "{why}"
        );
    }
}

/// Writes a schema with the hash that the index has to have for it.
fn put_schema(dir: &Path, schema: &Value) {
    use sha2::{Digest as _, Sha256};
    use std::fmt::Write as _;

    let text = schema.to_string();
    let mut hash = "sha256:".to_owned();
    for byte in Sha256::digest(text.as_bytes()) {
        write!(hash, "{byte:02x}").unwrap();
    }
    fs::write(dir.join(SCHEMA), text).unwrap();
    change_index(dir, |index| {
        index["events"][1]["versions"][0]["schema"] = hash.into();
    });
}

#[test]
fn a_file_that_is_no_schema() {
    let dir = locked();
    put_schema(dir.path(), &json!({"type": "strnig"}));
    let why = refusal(dir.path());
    assert!(
        matches!(&why, LockError::NotASchema { path, .. } if path == SCHEMA),
        "{why}"
    );
    assert_eq!(
        why.to_string(),
        format!("{SCHEMA} is no schema of an event")
    );
    let source = std::error::Error::source(&why).unwrap().to_string();
    assert!(source.contains("/type"), "{source}");
}

#[test]
fn a_schema_that_says_not_where_the_data_are() {
    for schema in [
        json!({"x-event": {"written": "#/$defs/Gone", "read": "#/$defs/Gone"}}),
        json!({}),
    ] {
        let dir = locked();
        put_schema(dir.path(), &schema);
        let why = refusal(dir.path());
        assert!(
            matches!(&why, LockError::Malformed { path, .. } if path == SCHEMA),
            "{schema}: {why}"
        );
    }
}

#[test]
fn what_is_there_twice() {
    let dir = locked();
    change_index(dir.path(), |index| {
        let event = index["events"][0].clone();
        index["events"].as_array_mut().unwrap().push(event);
    });
    assert!(matches!(refusal(dir.path()), LockError::TwoEvents { .. }));

    let dir = locked();
    change_index(dir.path(), |index| {
        let version = index["events"][0]["versions"][0].clone();
        index["events"][0]["versions"]
            .as_array_mut()
            .unwrap()
            .push(version);
    });
    assert!(matches!(refusal(dir.path()), LockError::TwoVersions { .. }));
}
