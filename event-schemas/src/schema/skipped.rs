//! `Option`s that are left out where they are `None` (`skip_serializing_if`): what is written of
//! them is never null.
//!
//! schemars only says that such a field is not required. So documents with null are decoded and
//! encoded again. If the field is then missing, but is written for another value, the type does not
//! write null.

use event_sdk::event::DataError;
use serde_json::{Map, Value};

use super::{places, sample, walk};

/// Takes null out of the writer's schema where it is never written. `reread` answers what the
/// type writes of what it read: an error if it refuses the data, nothing if it does not write
/// them.
pub(crate) fn tell(
    writer: &mut Value,
    examples: &[Value],
    reread: impl Fn(&Value) -> Result<Option<Value>, DataError>,
) {
    if !has_candidates(writer) {
        return;
    }
    let reread = |document: &Value| reread(document).ok().flatten();
    for document in sample::with_examples(writer, examples) {
        for place in places::objects(&document) {
            for pointer in places::of(writer, &document, &place) {
                let Some(Value::Object(keywords)) = writer.pointer(&pointer) else {
                    continue;
                };
                let names: Vec<String> = candidates(keywords).map(str::to_owned).collect();
                for name in names {
                    let Some(value) = some_value(writer, &pointer, &document, &place, &name) else {
                        continue;
                    };
                    let probe = Probe {
                        document: &document,
                        place: &place,
                        name: &name,
                    };
                    // Without the second, the type may not have the field there at all.
                    if probe.is_written(Value::Null, reread) == Some(false)
                        && probe.is_written(value, reread) == Some(true)
                        && let Some(Value::Object(keywords)) = writer.pointer_mut(&pointer)
                        && let Some(schema) = keywords
                            .get_mut("properties")
                            .and_then(|properties| properties.get_mut(&name))
                            .and_then(Value::as_object_mut)
                    {
                        without_null(schema);
                    }
                }
            }
        }
    }
}

/// A value for the field that is not null: that of the document, or one that is made up.
fn some_value(
    writer: &Value,
    pointer: &str,
    document: &Value,
    place: &str,
    name: &str,
) -> Option<Value> {
    let is_some = |value: &Value| !value.is_null();
    let own = document.pointer(place)?.get(name).cloned();
    own.filter(is_some).or_else(|| {
        let field = writer.pointer(pointer)?.get("properties")?.get(name)?;
        Some(sample::of_part(writer, field)).filter(is_some)
    })
}

/// A field of an object in a document that is read.
struct Probe<'a> {
    document: &'a Value,
    place: &'a str,
    name: &'a str,
}

impl Probe<'_> {
    /// Whether the field is in what is written of the document with this value; nothing is said
    /// of a document that is not read.
    fn is_written(&self, value: Value, reread: impl Fn(&Value) -> Option<Value>) -> Option<bool> {
        let mut document = self.document.clone();
        let members = document.pointer_mut(self.place)?.as_object_mut()?;
        members.insert(self.name.to_owned(), value);
        let written = reread(&document)?;
        let written = written.pointer(self.place)?.as_object()?;
        Some(written.contains_key(self.name))
    }
}

fn has_candidates(schema: &Value) -> bool {
    let mut found = false;
    walk::each(schema, &mut |keywords| {
        found |= candidates(keywords).next().is_some();
    });
    found
}

/// The fields that may be missing, and may be null as far as schemars knows.
fn candidates(keywords: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let required = keywords.get("required").and_then(Value::as_array);
    let is_required =
        move |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
    let properties = keywords.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .filter(move |(name, schema)| !is_required(name) && is_null_or_more(schema))
        .map(|(name, _)| name.as_str())
}

fn is_null_or_more(schema: &Value) -> bool {
    let among = |keyword: &str, is_null: fn(&Value) -> bool| {
        let all = schema.get(keyword).and_then(Value::as_array);
        all.is_some_and(|all| all.len() > 1 && all.iter().any(is_null))
    };
    among("type", |one| one == "null") || among("anyOf", is_null)
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|one| one == "null")
}

/// Takes null out of the schema of a field.
fn without_null(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|one| one != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            schema.insert("type".to_owned(), one);
        }
        if let Some(Value::Array(values)) = schema.get_mut("enum") {
            values.retain(|value| !value.is_null());
        }
    }
    if let Some(Value::Array(options)) = schema.get_mut("anyOf") {
        options.retain(|option| !is_null(option));
        let only = match options.as_slice() {
            [Value::Object(one)] => Some(one.clone()),
            _ => None,
        };
        if let Some(one) = only.filter(|one| one.keys().all(|word| !schema.contains_key(word))) {
            schema.remove("anyOf");
            schema.extend(one);
        }
    }
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
}
