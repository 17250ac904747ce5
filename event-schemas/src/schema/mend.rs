//! Completes what schemars leaves open: integer bounds, order of `required`, structs without
//! fields.

use serde_json::{Map, Value};

use super::walk;

/// Settles it in `schema` and all that is in it.
pub(super) fn mend(schema: &mut Value) {
    walk::each_mut(schema, &mut |keywords| {
        add_bounds(keywords);
        say_of_no_fields(keywords);
        if let Some(Value::Array(required)) = keywords.get_mut("required") {
            required.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
            // A flattened struct may name a field again.
            required.dedup();
        }
    });
}

/// A struct without fields is an object of which schemars says nothing more; of a map it
/// says what its values are.
fn say_of_no_fields(keywords: &mut Map<String, Value>) {
    const MEMBERS: [&str; 5] = [
        "properties",
        "patternProperties",
        "additionalProperties",
        "unevaluatedProperties",
        "propertyNames",
    ];
    let object = keywords.get("type").is_some_and(|kind| kind == "object");
    let put_together = ["$ref", "allOf", "anyOf", "oneOf"];
    let said = |name: &&str| keywords.contains_key(*name);
    if object && !MEMBERS.iter().chain(&put_together).any(said) {
        keywords.insert("properties".to_owned(), Map::new().into());
    }
}

fn add_bounds(keywords: &mut Map<String, Value>) {
    let integer = match keywords.get("type") {
        Some(Value::String(one)) => one == "integer",
        Some(Value::Array(several)) => several.iter().any(|one| one == "integer"),
        _ => false,
    };
    let format = keywords.get("format").and_then(Value::as_str);
    let Some((least, most)) = format.filter(|_| integer).and_then(bounds_of) else {
        return;
    };
    if !keywords.contains_key("exclusiveMinimum") {
        keywords.entry("minimum").or_insert(least);
    }
    if !keywords.contains_key("exclusiveMaximum") {
        keywords.entry("maximum").or_insert(most);
    }
}

/// What an integer type holds, by the name that schemars has for it. `usize` and
/// `isize` count as 64 bits, whatever machine makes the schema; 128 bits are more
/// than JSON's readers agree on.
fn bounds_of(format: &str) -> Option<(Value, Value)> {
    Some(match format {
        "int8" => (i8::MIN.into(), i8::MAX.into()),
        "int16" => (i16::MIN.into(), i16::MAX.into()),
        "int32" => (i32::MIN.into(), i32::MAX.into()),
        "int64" | "int" => (i64::MIN.into(), i64::MAX.into()),
        "uint8" => (0.into(), u8::MAX.into()),
        "uint16" => (0.into(), u16::MAX.into()),
        "uint32" => (0.into(), u32::MAX.into()),
        "uint64" | "uint" => (0.into(), u64::MAX.into()),
        _ => return None,
    })
}
