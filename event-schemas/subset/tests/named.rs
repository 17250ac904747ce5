//! Breaks inside optional or tagged values are reported at their own place.

use event_schemas_subset::{Schema, compare};
use serde_json::{Value, json};

/// Rule and path of each break, for a writer that writes what it names, and for one that may
/// write more.
fn breaks(sub: &Value, sup: &Value) -> [Vec<String>; 2] {
    let (sub, sup) = (Schema::parse(sub).unwrap(), Schema::parse(sup).unwrap());
    [sub.closed().unwrap(), sub].map(|sub| {
        let comparison = compare(&sub, &sup);
        assert!(comparison.unknowns().is_empty(), "{comparison:?}");
        let breaks = comparison.breaks().iter();
        breaks
            .map(|found| format!("{} {}", found.rule, found.path))
            .collect()
    })
}

fn assert_named(what: &str, sub: &Value, sup: &Value, expected: &[&str]) {
    for (named, writer) in breaks(sub, sup).iter().zip(["closed", "open"]) {
        assert_eq!(named, expected, "{what}, {writer} writer");
    }
}

fn structure(fields: &[(&str, &str)], required: &[&str]) -> Value {
    let properties: serde_json::Map<String, Value> = fields
        .iter()
        .map(|(name, of)| ((*name).to_owned(), json!({ "type": of })))
        .collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

/// Where an optional struct can stand, with the path of the struct.
fn places(inner: &Value) -> Vec<(&'static str, Value, &'static str)> {
    let optional = json!({ "anyOf": [{ "$ref": "#/$defs/S" }, { "type": "null" }] });
    let with = |mut schema: Value| {
        schema["$defs"] = json!({ "S": inner });
        schema
    };
    vec![
        ("the whole", with(optional.clone()), ""),
        (
            "a field",
            with(json!({ "type": "object", "properties": { "s": optional }, "required": ["s"] })),
            "s.",
        ),
        (
            "an item",
            with(json!({ "type": "array", "items": optional })),
            "[].",
        ),
        (
            "a map's value",
            with(json!({ "type": "object", "additionalProperties": optional })),
            "*.",
        ),
        (
            "an external tag",
            with(json!({ "oneOf": [
                { "type": "object", "properties": { "S": { "$ref": "#/$defs/S" } }, "required": ["S"], "additionalProperties": false },
                { "type": "string", "const": "None" },
                { "type": "object", "properties": { "T": { "type": "string" } }, "required": ["T"], "additionalProperties": false },
            ] })),
            "S.",
        ),
        (
            "an adjacent tag",
            with(json!({ "oneOf": [
                { "type": "object", "properties": { "t": { "type": "string", "const": "S" }, "c": { "$ref": "#/$defs/S" } }, "required": ["t", "c"] },
                { "type": "object", "properties": { "t": { "type": "string", "const": "T" }, "c": { "type": "string" } }, "required": ["t", "c"] },
                { "type": "object", "properties": { "t": { "type": "string", "const": "U" } }, "required": ["t"] },
            ] })),
            "c.",
        ),
        (
            "an internal tag",
            with(json!({ "oneOf": [
                { "type": "object", "properties": { "t": { "type": "string", "const": "S" } }, "required": ["t"], "$ref": "#/$defs/S" },
                { "type": "object", "properties": { "t": { "type": "string", "const": "T" }, "x": { "type": "string" } }, "required": ["t", "x"] },
                { "type": "object", "properties": { "t": { "type": "string", "const": "U" } }, "required": ["t"] },
            ] })),
            "",
        ),
        (
            "an optional internal tag",
            with(
                json!({ "type": "object", "required": ["o"], "properties": { "o": { "anyOf": [
                { "oneOf": [
                    { "type": "object", "properties": { "t": { "type": "string", "const": "S" } }, "required": ["t"], "$ref": "#/$defs/S" },
                    { "type": "object", "properties": { "t": { "type": "string", "const": "U" } }, "required": ["t"] },
                ] },
                { "type": "null" },
            ] } } }),
            ),
            "o.",
        ),
    ]
}

#[test]
fn a_required_field_more() {
    let old = structure(&[("a", "string")], &["a"]);
    let new = structure(&[("a", "string"), ("b", "integer")], &["a", "b"]);
    for ((what, sub, path), (_, sup, _)) in places(&old).iter().zip(&places(&new)) {
        let [closed, open] = breaks(sub, sup);
        let required = format!("required-added {path}b");
        assert_eq!(
            closed,
            std::slice::from_ref(&required),
            "{what}, closed writer"
        );
        // One that may write more may also write anything as `b`.
        let narrowed = format!("type-narrowed {path}b");
        assert_eq!(open, [required, narrowed], "{what}, open writer");
    }
}

#[test]
fn another_type() {
    let old = structure(&[("a", "string"), ("b", "string")], &["a", "b"]);
    let new = structure(&[("a", "string"), ("b", "integer")], &["a", "b"]);
    for ((what, sub, path), (_, sup, _)) in places(&old).iter().zip(&places(&new)) {
        let expected = format!("type-narrowed {path}b");
        assert_named(what, sub, sup, &[&expected]);
    }
}

#[test]
fn a_field_deeper_down() {
    let deep = |of: &str| {
        json!({
            "type": "object",
            "properties": { "d": structure(&[("x", of)], &["x"]) },
            "required": ["d"],
        })
    };
    let (old, new) = (deep("number"), deep("integer"));
    for ((what, sub, path), (_, sup, _)) in places(&old).iter().zip(&places(&new)) {
        let expected = format!("type-narrowed {path}d.x");
        assert_named(what, sub, sup, &[&expected]);
    }
}
