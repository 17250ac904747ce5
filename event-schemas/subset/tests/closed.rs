//! Closed schemas: a writer that emits only the declared properties.

use event_schemas_subset::{Draft, Schema, SchemaError, Verdict, compare};
use serde_json::{Value, json};

fn closed(schema: &Value) -> Schema {
    Schema::parse(schema).unwrap().closed().unwrap()
}

#[test]
fn an_object_that_names_properties_takes_no_others() {
    let order = closed(&json!({
        "type": "object",
        "properties": {
            "id": { "type": "integer" },
            "lines": { "type": "array", "items": { "$ref": "#/$defs/Line" } },
            "prices": { "type": "object", "additionalProperties": { "type": "number" } },
            "extra": { "type": "object" },
            "nothing": { "type": "object", "properties": {} }
        },
        "$defs": { "Line": { "type": "object", "properties": { "sku": { "type": "string" } } } }
    }));
    assert!(order.accepts(&json!({ "id": 1, "lines": [{ "sku": "a" }] })));
    assert!(!order.accepts(&json!({ "id": 1, "more": 1 })));
    assert!(!order.accepts(&json!({ "lines": [{ "sku": "a", "more": 1 }] })));
    // Maps, and objects of which nothing is said, stay open.
    assert!(order.accepts(&json!({ "prices": { "a": 1 }, "extra": { "b": 2 } })));
    // One that is said to have none has none.
    assert!(order.accepts(&json!({ "nothing": {} })));
    assert!(!order.accepts(&json!({ "nothing": { "c": 3 } })));
}

#[test]
fn what_is_put_together_is_closed_as_a_whole() {
    let flat = closed(&json!({
        "type": "object",
        "properties": { "id": { "type": "integer" } },
        "allOf": [{ "$ref": "#/$defs/Money" }],
        "oneOf": [
            { "type": "object", "properties": { "kind": { "const": "a" }, "x": {} }, "required": ["kind"] },
            { "type": "object", "properties": { "kind": { "const": "b" } }, "required": ["kind"] }
        ],
        "$defs": { "Money": { "properties": { "cents": { "type": "integer" } } } }
    }));
    assert!(flat.accepts(&json!({ "id": 1, "cents": 2, "kind": "a", "x": 3 })));
    assert!(!flat.accepts(&json!({ "id": 1, "kind": "b", "x": 3 })));
    assert!(!flat.accepts(&json!({ "id": 1, "kind": "a", "y": 3 })));
}

#[test]
fn an_optional_struct_is_closed_through_its_reference() {
    let optional = closed(&json!({
        "properties": { "to": { "anyOf": [{ "$ref": "#/$defs/Address" }, { "type": "null" }] } },
        "$defs": { "Address": { "type": "object", "properties": { "city": { "type": "string" } } } }
    }));
    assert!(optional.accepts(&json!({ "to": null })));
    assert!(optional.accepts(&json!({ "to": { "city": "Bern" } })));
    assert!(!optional.accepts(&json!({ "to": { "city": "Bern", "zip": 3000 } })));
}

#[test]
fn a_flattened_map_stays_open() {
    let open = closed(&json!({
        "properties": { "id": { "type": "integer" } },
        "additionalProperties": { "type": "string" }
    }));
    assert!(open.accepts(&json!({ "id": 1, "more": "a" })));
    assert!(!open.accepts(&json!({ "id": 1, "more": 2 })));
}

#[test]
fn what_only_decides_is_left_as_it_is() {
    let decided = closed(&json!({
        "properties": { "a": {} },
        "not": { "properties": { "a": { "properties": { "b": { "const": 1 } }, "required": ["b"] } }, "required": ["a"] }
    }));
    assert!(!decided.accepts(&json!({ "a": { "b": 1, "c": 2 } })));
}

#[test]
fn a_schema_in_draft_07_is_closed_in_2020_12() {
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {
            "pair": { "type": "array", "items": [{ "type": "string" }], "additionalItems": false },
            "a": { "$ref": "#/definitions/A", "properties": { "ignored": {} } }
        },
        "dependencies": { "a": ["pair"], "pair": { "required": ["a"] } },
        "definitions": { "A": { "properties": { "x": { "type": "integer" } } } }
    });
    let open = Schema::parse(&schema).unwrap();
    let closed = open.closed().unwrap();
    assert_eq!(closed.draft(), Draft::Draft202012);
    assert_eq!(compare(&closed, &open).verdict(), Verdict::Contained);
    assert!(closed.accepts(&json!({ "pair": ["a"], "a": { "x": 1 } })));
    assert!(!closed.accepts(&json!({ "pair": ["a", "b"], "a": {} })));
    assert!(!closed.accepts(&json!({ "pair": [], "a": { "ignored": 1 } })));
    assert!(!closed.accepts(&json!({ "pair": [] })));
}

#[test]
fn a_schema_that_cannot_be_closed_is_an_error_and_does_not_stay_open() {
    // `items/0` is `prefixItems/0` in 2020-12, and one that leads there through a property
    // called `dependencies` is taken for the keyword.
    let schema = |reference: &str| {
        json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "properties": {
                "pair": { "items": [{ "type": "string" }] },
                "dependencies": { "properties": { "x": { "type": "string" } } },
                "same": { "$ref": reference }
            }
        })
    };
    let moved = Schema::parse(&schema("#/properties/dependencies/properties/x")).unwrap();
    let error = moved.closed().unwrap_err();
    assert!(matches!(error, SchemaError::MissingRef { .. }), "{error}");

    let item = closed(&schema("#/properties/pair/items/0"));
    assert!(item.accepts(&json!({ "same": "a" })));
    assert!(!item.accepts(&json!({ "same": 1 })));
    assert!(!item.accepts(&json!({ "more": 1 })));
}

#[test]
fn adding_an_optional_property_is_safe_for_a_writer_that_is_closed() {
    let old = json!({ "type": "object", "properties": { "id": { "type": "integer" } }, "required": ["id"] });
    let new = json!({
        "type": "object",
        "properties": { "id": { "type": "integer" }, "note": { "type": "string" } },
        "required": ["id"]
    });
    let (old, new) = (Schema::parse(&old).unwrap(), Schema::parse(&new).unwrap());
    let (old_closed, new_closed) = (old.closed().unwrap(), new.closed().unwrap());
    assert_eq!(compare(&old_closed, &new).verdict(), Verdict::Contained);
    assert_eq!(compare(&new_closed, &old).verdict(), Verdict::Contained);
    // A reader that refuses what it does not know is told of the new property.
    let strict = compare(&new_closed, &old_closed);
    assert_eq!(strict.breaks()[0].path.to_string(), "note");
    assert_eq!(strict.breaks()[0].rule.id(), "property-refused");
    // As schemas alone they are not contained: the old one lets `note` be anything.
    assert_eq!(compare(&old, &new).verdict(), Verdict::Broken);
}
