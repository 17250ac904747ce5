//! Generates an example document for a schema, where an event has no example.
//!
//! It covers the keywords of derived schemas. The caller validates the document. So for a schema
//! with another keyword, such as `pattern`, the user is asked for an example.

use event_sdk::event::DataError;
use serde_json::{Map, Value};

use super::defs;

/// How deep a type within itself is followed before what is optional is left out.
const DEPTH: usize = 6;

/// How many documents [`with_examples`] makes up.
const DOCUMENTS: usize = 8;

/// Data made from the schema `writer`, which are known to be read: with an entry in each map, so
/// that its values are read too, or without where that is refused. `decode` reads the data as the
/// event with that schema does.
///
/// # Errors
///
/// Why none can be made.
pub(crate) fn read(
    writer: &Value,
    decode: impl Fn(&[u8]) -> Result<(), DataError>,
) -> Result<Value, String> {
    let with_entries = of(writer, 0, true);
    if is_read(writer, &decode, &with_entries).is_ok() {
        return Ok(with_entries);
    }
    let data = of(writer, 0, false);
    is_read(writer, &decode, &data).map(|()| data)
}

fn is_read(
    writer: &Value,
    decode: impl Fn(&[u8]) -> Result<(), DataError>,
    data: &Value,
) -> Result<(), String> {
    let schema = event_schemas_subset::Schema::parse(writer);
    let schema = schema.map_err(|why| why.to_string())?;
    if let Some(refusal) = schema.validate(data).into_iter().next() {
        let at = refusal.pointer;
        return Err(format!(
            "at {at:?} the schema asks for more than can be made up: {}",
            refusal.message
        ));
    }
    let read = decode(data.to_string().as_bytes());
    read.map_err(|why| match std::error::Error::source(&why) {
        Some(source) => format!("{why}: {source}"),
        None => why.to_string(),
    })
}

/// The examples and documents that are made up, each of these with other variants, without
/// neighbours that are the same.
pub(super) fn with_examples(schema: &Value, examples: &[Value]) -> Vec<Value> {
    let made = (0..DOCUMENTS).map(|variant| of(schema, variant, true));
    let mut documents: Vec<Value> = examples.iter().cloned().chain(made).collect();
    documents.dedup();
    documents
}

/// A document for `schema`, which may still be refused by it. It has, of each enumeration, the
/// variant of this number, or the last; and an entry in each map, if asked for.
pub(crate) fn of(schema: &Value, variant: usize, entries: bool) -> Value {
    let sampler = Sampler {
        root: schema,
        variant,
        entries,
    };
    sampler.value(schema, 0)
}

/// A value for `part`, a schema within `schema`.
pub(crate) fn of_part(schema: &Value, part: &Value) -> Value {
    let sampler = Sampler {
        root: schema,
        variant: 0,
        entries: true,
    };
    sampler.value(part, 0)
}

struct Sampler<'a> {
    root: &'a Value,
    /// The variant that is taken of each enumeration.
    variant: usize,
    /// Whether maps have an entry.
    entries: bool,
}

impl Sampler<'_> {
    fn value(&self, schema: &Value, depth: usize) -> Value {
        let Some(keywords) = schema.as_object() else {
            return Value::Null;
        };
        // So deep only in a type that contains itself without an end.
        if depth > 4 * DEPTH {
            return Value::Null;
        }
        if let Some(value) = given(keywords) {
            return value;
        }
        let mut value = self.own(keywords, depth);
        if let Some(reference) = keywords.get("$ref").and_then(Value::as_str)
            && let Some(target) = defs::target(self.root, reference)
        {
            merge(&mut value, self.value(target, depth + 1));
        }
        for keyword in ["oneOf", "anyOf"] {
            if let Some(Value::Array(options)) = keywords.get(keyword) {
                merge(&mut value, self.one_of(options, depth));
            }
        }
        if let Some(Value::Array(all)) = keywords.get("allOf") {
            for schema in all {
                merge(&mut value, self.value(schema, depth + 1));
            }
        }
        value
    }

    /// The option of the wanted number, or where it is too deep already, one without objects.
    fn one_of(&self, options: &[Value], depth: usize) -> Value {
        let plain = |option: &&Value| {
            option.get("const").is_some() || matches!(kind(option), "null" | "string" | "integer")
        };
        let deep = depth >= DEPTH;
        let chosen = options.iter().find(|option| deep && plain(option));
        // An option that is null says that there is nothing.
        let chosen = chosen.or_else(|| {
            let mut some = options.iter().filter(|option| kind(option) != "null");
            some.clone().nth(self.variant).or_else(|| some.next_back())
        });
        let chosen = chosen.or(options.first());
        chosen.map_or(Value::Null, |option| self.value(option, depth + 1))
    }

    /// What the keywords themselves ask for.
    fn own(&self, keywords: &Map<String, Value>, depth: usize) -> Value {
        match kind_of(keywords, depth >= DEPTH) {
            "object" => self.object(keywords, depth),
            "array" => self.array(keywords, depth),
            "string" => text(keywords).into(),
            "integer" | "number" => number(keywords),
            "boolean" => true.into(),
            _ => Value::Null,
        }
    }

    fn object(&self, keywords: &Map<String, Value>, depth: usize) -> Value {
        let required = keywords.get("required").and_then(Value::as_array);
        let required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
        let mut object = Map::new();
        if let Some(Value::Object(properties)) = keywords.get("properties") {
            for (name, schema) in properties {
                if depth < DEPTH || required(name) {
                    object.insert(name.clone(), self.value(schema, depth + 1));
                }
            }
        }
        if self.entries && depth < DEPTH {
            self.entry(keywords, depth, &mut object);
        }
        Value::Object(object)
    }

    /// Adds an entry to a map.
    fn entry(&self, keywords: &Map<String, Value>, depth: usize, object: &mut Map<String, Value>) {
        let named = keywords.get("propertyNames");
        let name = named.map(|named| self.value(named, depth + 1));
        let name = name.as_ref().and_then(Value::as_str).unwrap_or("key");
        if let Some(value) = keywords
            .get("additionalProperties")
            .filter(|value| value.is_object())
        {
            let value = self.value(value, depth + 1);
            object.entry(name).or_insert(value);
        }
        let patterns = keywords.get("patternProperties").and_then(Value::as_object);
        for (pattern, value) in patterns.into_iter().flatten() {
            // Keys that are numbers are the only ones that derived schemas have a pattern for.
            let name = if pattern.contains("\\d") { "1" } else { name };
            let value = self.value(value, depth + 1);
            object.entry(name).or_insert(value);
        }
    }

    fn array(&self, keywords: &Map<String, Value>, depth: usize) -> Value {
        if let Some(Value::Array(items)) = keywords.get("prefixItems") {
            return items
                .iter()
                .map(|item| self.value(item, depth + 1))
                .collect();
        }
        let least = keywords.get("minItems").and_then(Value::as_u64);
        let wanted = least.unwrap_or(u64::from(depth < DEPTH)).min(64);
        let item = keywords
            .get("items")
            .map(|item| self.value(item, depth + 1));
        let Some(item) = item.filter(|_| wanted > 0) else {
            return Value::Array(Vec::new());
        };
        (0..wanted).map(|_| item.clone()).collect()
    }
}

/// The value that the schema itself names, if it does.
fn given(keywords: &Map<String, Value>) -> Option<Value> {
    let first = |name: &str| keywords.get(name)?.as_array()?.first().cloned();
    let constant = || keywords.get("const").cloned();
    constant()
        .or_else(|| first("examples"))
        .or_else(|| first("enum"))
}

fn kind(schema: &Value) -> &str {
    schema
        .as_object()
        .map_or("", |keywords| kind_of(keywords, false))
}

/// The type, of several the first that is not null, or null where that is better.
fn kind_of(keywords: &Map<String, Value>, null: bool) -> &str {
    match keywords.get("type") {
        Some(Value::String(one)) => one,
        Some(Value::Array(several)) => {
            let mut names = several.iter().filter_map(Value::as_str);
            if null && names.clone().any(|name| name == "null") {
                return "null";
            }
            names.find(|name| *name != "null").unwrap_or("null")
        }
        _ if keywords.contains_key("properties") => "object",
        _ => "",
    }
}

/// Puts what one schema asks for to what another one does.
fn merge(value: &mut Value, more: Value) {
    match (value, more) {
        (Value::Object(value), Value::Object(more)) => value.extend(more),
        (value @ Value::Null, more) => *value = more,
        _ => {}
    }
}

fn number(keywords: &Map<String, Value>) -> Value {
    let bound = |name: &str| keywords.get(name).and_then(Value::as_f64);
    let least = bound("minimum").or(bound("exclusiveMinimum").map(|least| least + 1.0));
    let most = bound("maximum").or(bound("exclusiveMaximum").map(|most| most - 1.0));
    let fits = |value: f64| least.is_none_or(|l| l <= value) && most.is_none_or(|m| value <= m);
    if fits(1.0) {
        return 1.into();
    }
    let exact = |name: &str| keywords.get(name).cloned();
    exact("minimum")
        .or_else(|| exact("maximum"))
        .or_else(|| least.or(most).map(Value::from))
        .unwrap_or_else(|| 1.into())
}

fn text(keywords: &Map<String, Value>) -> String {
    let format = keywords.get("format").and_then(Value::as_str);
    let text = match format.unwrap_or_default() {
        "uuid" => "0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11",
        "date-time" => "2025-11-06T12:00:00Z",
        "partial-date-time" => "2025-11-06T12:00:00",
        "zoned-date-time" => "2025-11-06T12:00:00+00:00[UTC]",
        "date" => "2025-11-06",
        "time" => "12:00:00Z",
        "partial-time" => "12:00:00",
        "duration" => "PT1S",
        "email" => "someone@example.com",
        "hostname" => "example.com",
        "ipv4" | "ip" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "uri" | "url" | "iri" => "https://example.com/",
        _ => "text",
    };
    let length = |name: &str| keywords.get(name).and_then(Value::as_u64);
    let least = usize::try_from(length("minLength").unwrap_or(0).min(4096)).unwrap_or(0);
    let most = usize::try_from(length("maxLength").unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let mut text: String = text.chars().take(most).collect();
    while text.chars().count() < least {
        text.push('x');
    }
    text
}
