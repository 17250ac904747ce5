//! Random edits of a schema.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::schemas;

/// Changes one schema in a schema.
pub(crate) fn edit(rng: &mut Rng, schema: &mut Value, draft7: bool) {
    let mut places = Vec::new();
    collect(schema, "", &mut places);
    let place = places[rng.usize(..places.len())].clone();
    let Some(Value::Object(keywords)) = schema.pointer_mut(&place) else {
        return;
    };
    match rng.u8(..8) {
        0 | 1 => remove(rng, keywords),
        2..=4 => {
            let (name, value) = schemas::keyword(rng, draft7, 1);
            keywords.insert(name, value);
        }
        5 => widen(keywords),
        _ => change_number(rng, keywords),
    }
}

/// The pointers of all schemas that are objects.
fn collect(schema: &Value, pointer: &str, places: &mut Vec<String>) {
    let Value::Object(keywords) = schema else {
        return;
    };
    places.push(pointer.to_owned());
    for (keyword, value) in keywords {
        match (keyword.as_str(), value) {
            ("enum" | "const" | "required" | "dependentRequired" | "type", _) => {}
            ("properties" | "patternProperties" | "$defs" | "dependentSchemas", _) => {
                for (name, member) in value.as_object().into_iter().flatten() {
                    collect(member, &format!("{pointer}/{keyword}/{name}"), places);
                }
            }
            (_, Value::Array(items)) => {
                for (at, item) in items.iter().enumerate() {
                    collect(item, &format!("{pointer}/{keyword}/{at}"), places);
                }
            }
            ("dependencies", _) => {}
            _ => collect(value, &format!("{pointer}/{keyword}"), places),
        }
    }
}

fn remove(rng: &mut Rng, keywords: &mut Map<String, Value>) {
    let names: Vec<String> = keywords
        .keys()
        .filter(|name| !["$defs", "$schema"].contains(&name.as_str()))
        .cloned()
        .collect();
    if !names.is_empty() {
        keywords.remove(&names[rng.usize(..names.len())]);
    }
}

/// Lets null in, as an optional field does.
fn widen(keywords: &mut Map<String, Value>) {
    match keywords.get_mut("type") {
        Some(Value::Array(types)) if !types.contains(&json!("null")) => types.push(json!("null")),
        Some(one @ Value::String(_)) if *one != json!("null") => *one = json!([one, "null"]),
        _ => {}
    }
}

fn change_number(rng: &mut Rng, keywords: &mut Map<String, Value>) {
    let by = if rng.bool() { 1 } else { -1 };
    for (name, value) in keywords.iter_mut() {
        let Some(number) = value
            .as_i64()
            .filter(|_| name != "const" && name != "multipleOf")
        else {
            continue;
        };
        let is_count = name.starts_with("min") && name != "minimum"
            || name.starts_with("max") && name != "maximum";
        *value = json!(if is_count {
            (number + by).max(0)
        } else {
            number + by
        });
        return;
    }
}
