//! JSON Schema (2020-12) of events, from schemars, normalized so that the same type gives the
//! same bytes.
//!
//! serde's attributes can make the written form differ from the form that is read (a default, a
//! skipped field, separate names), so each type has two schemas. schemars generates both, and this
//! module completes them:
//!
//! - An integer gets the bounds of its Rust type, where schemars only writes a `format` (`int32`,
//!   `uint64` and so on). So a comparison of schemas sees that `i32` is narrower than `i64`.
//! - `required` is sorted, so that moving a field in the struct does not change the schema.
//! - A flattened `Option` has all of its fields or none. schemars allows "or anything" instead,
//!   because serde reads `None` if the fields do not fit; this would lose the schemas of the
//!   fields. To find which fields of a flattened `Option` of a struct are only read together,
//!   documents without one of the fields are decoded.
//! - A field that is left out if it is `None` (`skip_serializing_if`) is never written as null. To
//!   find such fields, documents with null are decoded.
//! - An enumeration that accepts unknown values (`#[serde(other)]`) accepts any string in the
//!   reader's schema. To find such enumerations, a value that no type writes is decoded.
//! - Each schema is generated twice. A `default` that differs between the two (the present time, a
//!   new id) is left out; any other difference is a fault.
//!
//! schemars cannot see everything. A field with `#[serde(serialize_with = "…")]` has a form that
//! only a function knows, so it also needs `#[schemars(with = "…")]` or
//! `#[schemars(schema_with = "…")]`. (A field with `#[serde(with = "…")]` does not compile without
//! them.) If they are missing, the fault is found by examples, which are validated against the
//! schema and decoded ([`Catalogue::faults`](crate::Catalogue::faults)), or in the sources (module
//! `sources`). A name that `#[serde(alias = "…")]` adds is read, but is not in the reader's schema.
//! If a break is harmless because of it, decoding the document of the break shows that (module
//! [`compat`](crate::compat)).

mod branches;
pub(crate) mod contract;
pub(crate) mod defs;
pub(crate) mod envelope;
#[cfg(feature = "cli")]
pub(crate) mod fields;
pub(crate) mod flatten;
pub(crate) mod key;
pub(crate) mod masked;
mod mend;
pub(crate) mod open;
pub(crate) mod personal;
mod places;
pub(crate) mod sample;
pub(crate) mod skipped;
pub(crate) mod text;
pub(crate) mod together;
pub(crate) mod walk;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

/// Which side of the wire a schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What a publisher writes.
    Writer,
    /// What a subscriber reads.
    Reader,
}

/// A schema as it was made from a type.
#[derive(Debug)]
pub(crate) struct Made {
    /// The schema, without the examples at its root.
    pub(crate) schema: Value,
    /// The examples at its root (`#[schemars(example = …)]`).
    pub(crate) examples: Vec<Value>,
    /// Where it came out differently the second time, as JSON Pointers.
    pub(crate) unsteady: Vec<String>,
}

/// The schema of the data of `T`.
pub(crate) fn of_data<T: JsonSchema>(side: Side) -> Made {
    let mut schema = once::<T>(side);
    let mut unsteady = Vec::new();
    settle(&mut schema, &once::<T>(side), "", &mut unsteady);
    let examples = schema
        .as_object_mut()
        .and_then(|root| root.remove("examples"));
    Made {
        schema,
        examples: match examples {
            Some(Value::Array(examples)) => examples,
            _ => Vec::new(),
        },
        unsteady,
    }
}

fn once<T: JsonSchema>(side: Side) -> Value {
    let settings = SchemaSettings::draft2020_12();
    let settings = match side {
        Side::Writer => settings.for_serialize(),
        Side::Reader => settings.for_deserialize(),
    };
    let generator = settings.into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    mend::mend(&mut schema);
    flatten::mend(&mut schema);
    schema
}

/// Takes the defaults out of `schema` that are others in `again`, and notes what
/// else differs.
fn settle(schema: &mut Value, again: &Value, at: &str, unsteady: &mut Vec<String>) {
    match (schema, again) {
        (Value::Object(one), Value::Object(other)) => {
            settle_object(one, other, at, unsteady);
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter_mut().zip(other).enumerate() {
                settle(one, other, &format!("{at}/{index}"), unsteady);
            }
        }
        (one, other) if one == other => {}
        _ => unsteady.push(at.to_owned()),
    }
}

fn settle_object(
    one: &mut Map<String, Value>,
    other: &Map<String, Value>,
    at: &str,
    unsteady: &mut Vec<String>,
) {
    if one.keys().ne(other.keys()) {
        unsteady.push(at.to_owned());
        return;
    }
    // In a map of schemas `default` is the name of a property, whose value is an
    // object or a boolean that is the same each time.
    if one.get("default") != other.get("default") && !is_schema(one.get("default")) {
        one.remove("default");
    }
    for (key, value) in one.iter_mut() {
        if let Some(again) = other.get(key) {
            let step = key.replace('~', "~0").replace('/', "~1");
            settle(value, again, &format!("{at}/{step}"), unsteady);
        }
    }
}

/// Whether a value reads as a schema that says something.
fn is_schema(value: Option<&Value>) -> bool {
    let says = |key: &str| value.is_some_and(|value| value.get(key).is_some());
    ["type", "$ref", "oneOf", "anyOf", "allOf", "enum", "const"]
        .into_iter()
        .any(says)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_default_that_is_not_the_same_twice_is_left_out() {
        let mut schema =
            json!({"properties": {"at": {"type": "string", "default": "12:00"}}, "title": "A"});
        let again =
            json!({"properties": {"at": {"type": "string", "default": "12:01"}}, "title": "A"});
        let mut unsteady = Vec::new();
        settle(&mut schema, &again, "", &mut unsteady);
        assert_eq!(
            schema,
            json!({"properties": {"at": {"type": "string"}}, "title": "A"})
        );
        assert!(unsteady.is_empty(), "{unsteady:?}");
    }

    #[test]
    fn anything_else_that_differs_is_named() {
        let mut schema = json!({"properties": {"a/b": {"const": 1}}, "required": ["a"]});
        let again = json!({"properties": {"a/b": {"const": 2}}, "required": []});
        let mut unsteady = Vec::new();
        settle(&mut schema, &again, "", &mut unsteady);
        assert_eq!(unsteady, ["/properties/a~1b/const", "/required"]);
    }
}
