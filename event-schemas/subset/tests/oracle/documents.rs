//! Random documents for two schemas.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::schemas::{NAMES, scalar};

/// A document: made at random, or led by what one of the schemas says.
pub(crate) fn any_of(rng: &mut Rng, sub: &Value, sup: &Value) -> Value {
    match rng.u8(..8) {
        0 => random(rng, 3),
        1 | 2 => led(rng, sup, sup, 4),
        _ => {
            let document = led(rng, sub, sub, 4);
            if rng.u8(..3) == 0 {
                changed(rng, document)
            } else {
                document
            }
        }
    }
}

fn random(rng: &mut Rng, depth: usize) -> Value {
    match rng.u8(..5) {
        0 if depth > 0 => (0..rng.usize(..4))
            .map(|_| random(rng, depth - 1))
            .collect(),
        1 | 2 if depth > 0 => {
            let mut object = Map::new();
            for name in NAMES {
                if rng.bool() {
                    object.insert(name.to_owned(), random(rng, depth - 1));
                }
            }
            Value::Object(object)
        }
        _ => scalar(rng),
    }
}

/// A document that follows the keywords of a schema, without making sure that it fits.
fn led(rng: &mut Rng, root: &Value, schema: &Value, depth: usize) -> Value {
    let Some(keywords) = schema.as_object().filter(|_| depth > 0) else {
        return random(rng, 1);
    };
    if let Some(reference) = keywords.get("$ref").and_then(Value::as_str)
        && let Some(target) = root.pointer(reference.trim_start_matches('#'))
    {
        return led(rng, root, target, depth - 1);
    }
    for keyword in ["anyOf", "oneOf", "allOf", "enum"] {
        if let Some(options) = keywords.get(keyword).and_then(Value::as_array)
            && rng.u8(..3) > 0
            && !options.is_empty()
        {
            let option = &options[rng.usize(..options.len())];
            return if keyword == "enum" {
                option.clone()
            } else {
                led(rng, root, option, depth)
            };
        }
    }
    if let Some(constant) = keywords.get("const") {
        return constant.clone();
    }
    let kind = match keywords.get("type") {
        Some(Value::String(kind)) => kind.clone(),
        Some(Value::Array(kinds)) => kinds[rng.usize(..kinds.len())]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        _ => ["object", "array", "string", "number"][rng.usize(..4)].to_owned(),
    };
    match kind.as_str() {
        "null" => Value::Null,
        "boolean" => json!(rng.bool()),
        "integer" => json!(rng.i32(-3..8)),
        "number" => json!(f64::from(rng.i32(-6..16)) / 2.0),
        "string" => text(rng, keywords),
        "array" => array(rng, root, keywords, depth),
        _ => object(rng, root, keywords, depth),
    }
}

fn text(rng: &mut Rng, keywords: &Map<String, Value>) -> Value {
    match keywords.get("format").and_then(Value::as_str) {
        Some("date") => return json!("2026-01-31"),
        Some("uuid") => return json!("00000000-0000-4000-8000-000000000000"),
        Some("email") => return json!("a@example.com"),
        Some("ipv4") => return json!("127.0.0.1"),
        _ => {}
    }
    let texts = [
        "", "a", "b", "ab", "c1", "x", "abc", "1", "zz9", "ü", "bb", "aa",
    ];
    json!(texts[rng.usize(..texts.len())])
}

fn array(rng: &mut Rng, root: &Value, keywords: &Map<String, Value>, depth: usize) -> Value {
    let prefix = keywords
        .get("prefixItems")
        .or(keywords.get("items"))
        .and_then(Value::as_array);
    let rest = keywords.get("items").filter(|items| !items.is_array());
    let mut items = Vec::new();
    for at in 0..rng.usize(..5) {
        let schema = prefix.and_then(|prefix| prefix.get(at)).or(rest);
        items.push(match (schema, keywords.get("contains")) {
            (_, Some(contains)) if rng.bool() => led(rng, root, contains, depth - 1),
            (Some(schema), _) => led(rng, root, schema, depth - 1),
            (None, _) => random(rng, 1),
        });
    }
    Value::Array(items)
}

fn object(rng: &mut Rng, root: &Value, keywords: &Map<String, Value>, depth: usize) -> Value {
    let mut object = Map::new();
    let required = keywords.get("required").and_then(Value::as_array);
    for name in NAMES {
        let named = keywords
            .get("properties")
            .and_then(|properties| properties.get(name));
        let is_required = required.is_some_and(|names| names.contains(&json!(name)));
        if is_required || rng.u8(..3) == 0 || (named.is_some() && rng.bool()) {
            let schema = named.or(keywords.get("additionalProperties"));
            let value = match schema {
                Some(schema) => led(rng, root, schema, depth - 1),
                None => random(rng, 1),
            };
            object.insert(name.to_owned(), value);
        }
    }
    if rng.u8(..6) == 0 {
        object.insert("zz".to_owned(), random(rng, 1));
    }
    Value::Object(object)
}

/// The document with one part changed.
fn changed(rng: &mut Rng, document: Value) -> Value {
    match document {
        Value::Object(mut members) if !members.is_empty() => {
            let names: Vec<String> = members.keys().cloned().collect();
            let name = &names[rng.usize(..names.len())];
            if rng.bool() {
                members.remove(name);
            } else {
                members.insert(name.clone(), random(rng, 1));
            }
            Value::Object(members)
        }
        Value::Array(mut items) if !items.is_empty() => {
            let at = rng.usize(..items.len());
            items[at] = random(rng, 1);
            Value::Array(items)
        }
        _ => random(rng, 2),
    }
}
