//! Finds enumerations that accept unknown values (`#[serde(other)]`), and opens them in the
//! read schema.
//!
//! schemars does not know the attribute. So documents are generated, and each string in them is
//! replaced in turn by a value that no type writes. If the type reads the value and the schema
//! refuses it, the enumeration at this place is open.

use event_schemas_subset::Schema;
use event_sdk::event::DataError;
use serde_json::{Map, Value, json};

use super::places::{children, escaped, in_place, steps};
use super::sample;

/// A value that no variant has.
const NOBODYS: &str = "a value that nobody writes";
/// How many documents are made up, each of other variants.
const DOCUMENTS: usize = 32;
/// How many enumerations of one event may be open.
const MOST: usize = 64;

/// Opens the enumerations of a reader's schema. `reread` answers what the type writes of what it
/// read: an error if it refuses the data, nothing if it does not write them.
pub(crate) fn open(
    reader: &mut Value,
    examples: &[Value],
    reread: impl Fn(&Value) -> Result<Option<Value>, DataError>,
) {
    let variants = most_variants(reader).min(DOCUMENTS);
    let mut documents = examples.to_vec();
    let made =
        (0..variants).flat_map(|at| [true, false].map(|entries| sample::of(reader, at, entries)));
    documents.extend(made);
    documents.dedup();
    documents.retain(|document| reread(document).is_ok());
    for _ in 0..MOST {
        let found = documents.iter().find_map(|document| {
            let mut places = strings(document).into_iter();
            places.find_map(|place| {
                let enumeration = enumeration(reader, document, &place)?;
                let tried = with(document, &place, NOBODYS)?;
                let written = reread(&tried).ok()?;
                let is_kept = written.is_none_or(|written| written.pointer(&place).is_some());
                let is_news = is_kept && !Schema::parse(reader).ok()?.accepts(&tried);
                is_news.then_some(enumeration)
            })
        });
        let is_widened =
            found.is_some_and(|(pointer, tag)| widen(reader, &pointer, tag.as_deref()));
        if !is_widened {
            return;
        }
    }
}

/// How many variants the largest enumeration has; 0 if there is none.
fn most_variants(schema: &Value) -> usize {
    let mut most = 0;
    let mut names_any = false;
    super::walk::each(schema, &mut |keywords| {
        names_any |= keywords.contains_key("enum") || keywords.contains_key("const");
        for keyword in ["oneOf", "anyOf"] {
            let variants = keywords.get(keyword).and_then(Value::as_array);
            most = most.max(variants.map_or(0, Vec::len));
        }
    });
    if names_any { most.max(1) } else { 0 }
}

/// The pointers of all strings in a document.
fn strings(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![(document, String::new())];
    while let Some((value, pointer)) = open.pop() {
        match value {
            Value::String(_) => found.push(pointer),
            Value::Array(items) => open.extend(
                items
                    .iter()
                    .enumerate()
                    .map(|(at, item)| (item, format!("{pointer}/{at}"))),
            ),
            Value::Object(members) => open.extend(
                members
                    .iter()
                    .map(|(name, member)| (member, format!("{pointer}/{}", escaped(name)))),
            ),
            _ => {}
        }
    }
    found
}

fn with(document: &Value, pointer: &str, text: &str) -> Option<Value> {
    let mut document = document.clone();
    *document.pointer_mut(pointer)? = text.into();
    Some(document)
}

/// The schema of the enumeration that a string is a value of, and the name of the property if
/// the string is a tag.
fn enumeration(root: &Value, document: &Value, place: &str) -> Option<(String, Option<String>)> {
    let mut own = Vec::new();
    let mut around = Vec::new();
    let steps = steps(place);
    let mut at = vec![String::new()];
    let mut value = document;
    for (depth, step) in steps.iter().enumerate() {
        let here = in_place(root, &at);
        if depth + 1 == steps.len() {
            around.clone_from(&here);
        }
        at = here
            .iter()
            .flat_map(|pointer| children(root, pointer, value, step))
            .collect();
        value = match value {
            Value::Array(items) => items.get(step.parse::<usize>().ok()?)?,
            value => value.get(step)?,
        };
    }
    own.extend(in_place(root, &at));
    let names_values = |pointer: &&String| {
        let schema = root.pointer(pointer);
        schema.is_some_and(|schema| !constants(schema).is_empty())
    };
    let tag = steps.last()?;
    let tells_by_tag = |pointer: &&String| {
        let schema = root.pointer(pointer);
        schema.is_some_and(|schema| !tags(schema, tag).is_empty())
    };
    if let Some(pointer) = around.iter().find(tells_by_tag) {
        return Some((pointer.clone(), Some(tag.clone())));
    }
    let pointer = own.iter().find(names_values)?;
    Some((pointer.clone(), None))
}

/// The strings that a schema names as the values of an enumeration.
fn constants(schema: &Value) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    let own = |schema: &Value| -> Vec<Value> {
        let one = schema.get("const").cloned();
        let several = schema.get("enum").and_then(Value::as_array).cloned();
        let all = one.into_iter().chain(several.unwrap_or_default());
        all.filter(Value::is_string).collect()
    };
    found.extend(own(schema));
    for variant in variants(schema) {
        found.extend(own(variant));
    }
    found
}

/// The values that a property has as the tag of variants.
fn tags(schema: &Value, tag: &str) -> Vec<Value> {
    variants(schema)
        .iter()
        .filter_map(|variant| variant.get("properties")?.get(tag)?.get("const").cloned())
        .filter(Value::is_string)
        .collect()
}

fn variants(schema: &Value) -> &[Value] {
    schema
        .get("oneOf")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// Lets an enumeration take any string that it does not name. Returns whether it could be.
fn widen(root: &mut Value, pointer: &str, tag: Option<&str>) -> bool {
    let Some(schema) = root.pointer_mut(pointer) else {
        return false;
    };
    let known = match tag {
        Some(tag) => tags(schema, tag),
        None => constants(schema),
    };
    let another = json!({
        "description": "Any other value, which is read as one that is not known.",
        "type": "string",
        "not": { "enum": known },
    });
    let another = match tag {
        Some(tag) => json!({ "type": "object", "properties": { tag: another }, "required": [tag] }),
        None => another,
    };
    let Some(keywords) = schema.as_object_mut() else {
        return false;
    };
    if let Some(Value::Array(all)) = keywords.get_mut("oneOf") {
        all.push(another);
        return true;
    }
    // `enum` or `const` alone.
    let mut named = Map::new();
    for keyword in ["type", "enum", "const"] {
        named.extend(
            keywords
                .remove(keyword)
                .map(|value| (keyword.to_owned(), value)),
        );
    }
    keywords.insert("oneOf".to_owned(), json!([named, another]));
    true
}
